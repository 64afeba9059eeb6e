"""Exact minimization: the smallest mapped circuit with the same function on every reachable input."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.comparators import encoder_graph, prefix_encoder_graph
from dwn_asic.boolean.flat_aig import FlatAig, flatten, unflatten
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.modules import divided
from dwn_asic.equivalence.combinational import find_difference_on_codes
from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.optimize.cost import CostModel, Mapper
from dwn_asic.optimize.exact.abc import AbcRuns
from dwn_asic.optimize.exact.modules import minimize_modules
from dwn_asic.optimize.exact.reachable import ReachableInputs
from dwn_asic.optimize.exact.resubstitute import Resubstitution
from dwn_asic.optimize.exact.work import Work

__all__ = ["Candidate", "Effort", "Minimized", "mapped_areas", "minimize", "minimize_parts"]

Effort = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class _Script:
    """A script of ABC.

    Attributes
    ----------
    commands
        Its commands.
    node_seconds
        Its work for each AND node in nominal seconds.
    most_nodes
        The largest graph, in AND nodes, on which it is worth its time.
    """

    commands: str
    node_seconds: float
    most_nodes: float = float("inf")


_SCRIPTS = {
    "dc2": _Script("dc2; dc2; dc2; dc2", 7e-5),
    # LUT mapping and don't-care based resynthesis escape from local minima of AND-level rewriting.
    "lut_mfs": _Script("dch; if -K 6 -a; mfs2 -a -e; strash; dc2; dc2", 2e-4),
    "lut4_mfs": _Script(
        "dch; if -K 4 -a; mfs2 -a -e; strash; dc2; dch; if -K 4 -a; mfs2 -a -e; strash; dc2", 3e-4
    ),
    "deepsyn": _Script("&get -n; &deepsyn -I 1 -J 10; &put", 2e-3, 1000),
    "deepsyn_long": _Script("&get -n; &deepsyn -I 4 -J 50; &put", 3e-2, 1000),
}
# Share of the budget that the last mapping, with all recipes, may take in addition.
_LAST = 0.25
# Around this many AND nodes the climb has the plan's full length. It is shorter for smaller graphs, which
# have fewer equivalent graphs, and for larger ones, which take longer.
_CLIMB_SIZE = 100


@dataclass(frozen=True)
class _Plan:
    """The search parameters of an effort.

    Attributes
    ----------
    starts
        Scripts that provide further starting points of resubstitution, beside the graph itself.
    patience
        Moves per AND node without a smaller graph after which resubstitution stops.
    batches, batch
        Number of batches of equivalent graphs whose mapped areas are compared, and graphs per batch.
    stale
        Consecutive batches without a smaller area after which the search ends.
    steps
        Most moves between the best graph and a graph of a batch.
    """

    starts: tuple[str, ...]
    patience: int
    batches: int
    batch: int
    stale: int
    steps: int


_PLANS: dict[Effort, _Plan] = {
    "low": _Plan(("dc2",), 2, 3, 8, 2, 24),
    "medium": _Plan(("dc2", "lut_mfs", "deepsyn"), 6, 10, 16, 3, 48),
    "high": _Plan(("dc2", "lut_mfs", "lut4_mfs", "deepsyn", "deepsyn_long"), 30, 150, 16, 25, 48),
}


@dataclass(frozen=True)
class Candidate:
    """One circuit that was tried.

    Attributes
    ----------
    script
        The scripts that were run, the mapping recipe last.
    area
        Mapped cost (for cells, in um2), or None if the tool failed or ran out of time.
    """

    script: str
    area: float | None


@dataclass(frozen=True)
class Minimized:
    """The smallest circuit found.

    Attributes
    ----------
    graph
        Graph of two-input functions, proved equal to the given graph on every code.
    area
        Its cost as mapped by ABC (for cells, in um2).
    candidates
        Everything that was tried, in order.
    proof_seconds
        Time of the equivalence proof in seconds.
    """

    graph: BooleanGraph
    area: float
    candidates: tuple[Candidate, ...]
    proof_seconds: float


def minimize(
    graph: BooleanGraph,
    cost: CostModel,
    *,
    effort: Effort = "medium",
    timeout_s: float = 600.0,
    budget_s: float = 60.0,
    alternatives: Sequence[BooleanGraph] = (),
) -> Minimized:
    """Minimize the gates of a graph, keeping its function on every code of the features.

    The thresholds of a feature are ordered, so most patterns of a core's inputs never occur, and the result
    may differ on those. A large graph is minimized by modules (:mod:`dwn_asic.boolean.modules`), which the
    result has too. Equal arguments have an equal result on every machine, unless a tool exceeds its
    ``timeout_s``.

    Parameters
    ----------
    graph
        Any graph.
    cost
        The cost model of the target.
    effort
        How many starting points and moves to try.
    timeout_s
        Limit of each tool run in seconds. A script that exceeds it is skipped; a proof that exceeds it is an
        error.
    budget_s
        Limit of the search (without the proof) in nominal seconds, which are counted in operations
        (:class:`dwn_asic.optimize.exact.work.Work`).
    alternatives
        Other graphs of the same function, as further starting points; not for a large graph.

    Raises
    ------
    ToolError
        ABC cannot map any starting point, or the proof does not finish.
    VerificationError
        The result differs from the given graph (a bug of a tool, or an alternative with another function).
    """
    whole = divided(graph)
    if whole.modules:

        def one(piece: BooleanGraph, share: float) -> Minimized:
            return minimize(piece, cost, effort=effort, timeout_s=timeout_s, budget_s=share)

        return minimize_modules(whole, one, budget_s)
    folded = [fold(start) for start in (graph, *alternatives)]
    best, area = folded[0], 0.0
    candidates: tuple[Candidate, ...] = ()
    if all(start.luts for start in folded):
        with tempfile.TemporaryDirectory() as folder:
            search = _Search(folded, cost.mapper, _PLANS[effort], Path(folder), timeout_s, budget_s)
            search.run()
            best, area, candidates = search.result()
    start = time.perf_counter()
    difference = find_difference_on_codes(graph, best, timeout_s=timeout_s)
    if difference is not None:
        raise VerificationError(
            "minimization changed the function",
            inputs=str(difference.inputs),
            expected=str(difference.expected),
            got=str(difference.got),
        )
    return Minimized(best, area, candidates, time.perf_counter() - start)


def minimize_parts(
    graph: BooleanGraph,
    cost: CostModel,
    *,
    effort: Effort = "medium",
    timeout_s: float = 600.0,
    budget_s: float = 60.0,
) -> tuple[Minimized, Minimized]:
    """Minimize core and encoder separately; parameters and errors are those of :func:`minimize`."""
    core = minimize(graph, cost, effort=effort, timeout_s=timeout_s, budget_s=budget_s)
    inputs = [node for _, node in core.graph.inputs]
    encoder = minimize(
        encoder_graph(inputs, graph.interface),
        cost,
        effort=effort,
        timeout_s=timeout_s,
        budget_s=budget_s,
        alternatives=[prefix_encoder_graph(inputs, graph.interface)],
    )
    return core, encoder


def mapped_areas(
    graphs: Sequence[BooleanGraph], cost: CostModel, *, ranking: bool = False, timeout_s: float = 600.0
) -> list[float]:
    """Return the mapped cost of each graph as it is, without minimization (for cells, in um2).

    Each graph is mapped with all recipes, or with the quick ones if ``ranking`` is set; the best counts.

    Raises
    ------
    ToolError
        ABC cannot map one of the graphs.
    """
    aigs = []
    for graph in map(fold, graphs):
        inputs = tuple(node for _, node in graph.inputs)
        aigs.append(flatten(to_aig(graph, inputs), len(inputs)))
    with tempfile.TemporaryDirectory() as folder:
        runs = AbcRuns(cost.mapper, Path(folder), timeout_s, Work(float("inf")))
        found = runs.areas(aigs, _ranking(cost.mapper) if ranking else cost.mapper.recipes)
    areas = []
    for recipes in found:
        done = [area for area in recipes.values() if area is not None]
        if not done:
            raise ToolError("abc", "mapping failed", tail=runs.failure)
        areas.append(min(done))
    return areas


def _ranking(mapper: Mapper) -> dict[str, str]:
    """Return the quick recipes that rank graphs; the final graph is mapped with all recipes."""
    return {recipe: mapper.recipes[recipe] for recipe in mapper.ranking}


class _Search:
    """The search for one graph: the best graph so far, and everything that was tried."""

    def __init__(
        self,
        starts: Sequence[BooleanGraph],
        mapper: Mapper,
        plan: _Plan,
        folder: Path,
        timeout_s: float,
        budget_s: float,
    ) -> None:
        self._mapper, self._ranking = mapper, _ranking(mapper)
        self._inputs = tuple(dict.fromkeys(node for start in starts for _, node in start.inputs))
        self._interface = starts[0].interface
        self._starts = [flatten(to_aig(start, self._inputs), len(self._inputs)) for start in starts]
        self._plan, self._work, self._budget_s = plan, Work(budget_s), budget_s
        self._runs = AbcRuns(mapper, folder, timeout_s, self._work)
        self._reachable = ReachableInputs(self._inputs, self._interface)
        self._walk = Resubstitution(self._reachable, self._work)
        self._best, self._area = self._starts[0], float("inf")
        self._candidates: list[Candidate] = []

    def run(self) -> None:
        starts = self._portfolio()
        self._map(starts)
        if self._area == float("inf"):
            raise ToolError("abc", "could not map any starting point", tail=self._runs.failure)
        if self._reachable.clauses:
            self._resubstitute(starts)
        self._climb()

    def result(self) -> tuple[BooleanGraph, float, tuple[Candidate, ...]]:
        """Return the best graph, its area under the best of all recipes, and everything that was tried."""
        self._work.extend(_LAST * self._budget_s)
        self._map({"last": self._best}, self._mapper.recipes)
        return unflatten(self._best, self._inputs, self._interface), self._area, tuple(self._candidates)

    def _portfolio(self) -> dict[str, FlatAig]:
        """Return the starting points: the given graphs, and the first one after each of ABC's scripts."""
        found = {"start": self._starts[0]}
        found |= {f"alternative {i}": aig for i, aig in enumerate(self._starts[1:], 1)}
        for name in self._plan.starts:
            script = _SCRIPTS[name]
            if self._starts[0].size > script.most_nodes:
                continue
            aig = self._runs.script(self._starts[0], script.commands, script.node_seconds)
            if aig is None:
                self._candidates.append(Candidate(name, None))
            else:
                found[name] = aig
        return found

    def _resubstitute(self, starts: dict[str, FlatAig]) -> None:
        """Resubstitute from every starting point with little patience, then continue from the cheapest."""
        found = {f"{name} resub": self._shrink(aig, self._plan.patience / 4) for name, aig in starts.items()}
        self._map(found)
        name = min(found, key=lambda name: found[name].cost)
        self._map({f"{name} resub": self._shrink(found[name], self._plan.patience)})

    def _shrink(self, aig: FlatAig, patience: float) -> FlatAig:
        tries = max(50, int(patience * aig.size))
        return self._walk.shrink(aig, patience=tries)

    def _climb(self) -> None:
        """Map graphs near the best one, which moves at no higher cost reach but whose mapped areas differ."""
        plan = self._plan
        size = max(1, self._best.size)
        share = min(1.0, size / _CLIMB_SIZE * 2, (_CLIMB_SIZE / size) ** 2)
        stale = 0
        for batch in range(max(2, round(plan.batches * share))):
            if stale == plan.stale or not self._work.allows():
                break
            before = self._area
            steps = [1 + plan.steps * (i + 1) // plan.batch for i in range(plan.batch)]
            aigs = [self._walk.wander(self._best, steps=s) for s in steps]
            self._map({f"climb {batch} {i}": aig for i, aig in enumerate(aigs)})
            stale = 0 if self._area < before else stale + 1

    def _map(self, aigs: dict[str, FlatAig], recipes: Mapping[str, str] | None = None) -> None:
        """Map graphs and keep the best; ties go to the last, which adds variety."""
        found = self._runs.areas(list(aigs.values()), recipes or self._ranking)
        for (name, aig), areas in zip(aigs.items(), found, strict=True):
            self._candidates += [Candidate(f"{name} {recipe}", area) for recipe, area in areas.items()]
            area = min((a for a in areas.values() if a is not None), default=float("inf"))
            if area <= self._area and area < float("inf"):
                self._best, self._area = aig, area
