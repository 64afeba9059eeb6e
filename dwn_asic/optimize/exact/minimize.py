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
from dwn_asic.equivalence.combinational import find_difference_on_codes
from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.optimize.cost import CostModel, Mapper
from dwn_asic.optimize.exact.abc import AbcRuns
from dwn_asic.optimize.exact.moves import compile_kernels
from dwn_asic.optimize.exact.reachable import ReachableInputs
from dwn_asic.optimize.exact.resubstitute import Resubstitution

__all__ = ["Candidate", "Effort", "Minimized", "mapped_areas", "minimize", "minimize_parts"]

Effort = Literal["low", "medium", "high"]

_SCRIPTS = {
    "dc2": "dc2; dc2; dc2; dc2",
    # LUT mapping and don't-care based resynthesis escape from what AND-level rewriting calls a minimum.
    "lut_mfs": "dch; if -K 6 -a; mfs2 -a -e; strash; dc2; dc2",
    "lut4_mfs": "dch; if -K 4 -a; mfs2 -a -e; strash; dc2; dch; if -K 4 -a; mfs2 -a -e; strash; dc2",
    "deepsyn": "&get -n; &deepsyn -I 1 -J 10; &put",
    "deepsyn_long": "&get -n; &deepsyn -I 4 -J 50; &put",
}
# Above this many AND nodes &deepsyn takes minutes a step.
_DEEPSYN_LIMIT = 1000
# Around this many AND nodes the area climbs down for as long as the plan says: smaller graphs have fewer
# equals, larger ones cost more.
_CLIMB_SIZE = 100


@dataclass(frozen=True)
class _Plan:
    """What an effort means.

    Attributes
    ----------
    starts
        Scripts whose results, beside the graph itself, resubstitution starts from.
    patience
        Moves without a smaller graph before resubstitution stops, per AND.
    batches, batch
        Batches of equal graphs whose mapped areas are compared, and graphs per batch.
    stale
        Batches in a row without a smaller area before the search ends.
    steps
        Most moves between the best graph and one of a batch.
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
    """One way that was tried.

    Attributes
    ----------
    script
        What was run, the mapping recipe last.
    area
        Mapped cost, for cells in um2, or None where the tool failed or ran out of time.
    """

    script: str
    area: float | None


@dataclass(frozen=True)
class Minimized:
    """The smallest circuit found.

    Attributes
    ----------
    graph
        Two-input functions; equal to the graph given on every code, proved.
    area
        Mapped cost that ABC reached for it, for cells in um2.
    candidates
        Everything tried, in order.
    proof_seconds
        Time of the equivalence proof.
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
    timeout_s: float = 120.0,
    budget_s: float = 60.0,
    alternatives: Sequence[BooleanGraph] = (),
) -> Minimized:
    """Fewer gates, same function on every code of the features.

    Thresholds of one feature are ordered, so most patterns of a core's inputs never occur; the result may
    differ on those. The same call gives the same result, unless the budget ends the search.

    Parameters
    ----------
    graph
        Any graph.
    cost
        What a mapped circuit costs on the target.
    effort
        How many starts and moves.
    timeout_s
        Limit of each tool run in seconds; a script that exceeds it drops out, a proof is an error.
    budget_s
        Wall-clock limit of the search in seconds (without the proof).
    alternatives
        Other graphs of the same function to start from too.

    Raises
    ------
    ToolError
        ABC can't map any start.
    VerificationError
        The result differs from the graph given (a tool's bug, or an alternative of another function).
    """
    compile_kernels()
    deadline = time.perf_counter() + budget_s
    folded = [fold(start) for start in (graph, *alternatives)]
    best, area = folded[0], 0.0
    candidates: tuple[Candidate, ...] = ()
    if all(start.luts for start in folded):
        with tempfile.TemporaryDirectory() as folder:
            runs = AbcRuns(cost.mapper, Path(folder), timeout_s, deadline)
            search = _Search(folded, runs, cost.mapper, _PLANS[effort], deadline)
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
    timeout_s: float = 120.0,
    budget_s: float = 60.0,
) -> tuple[Minimized, Minimized]:
    """Core and encoder, each minimized by itself; takes and raises what :func:`minimize` does."""
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
    graphs: Sequence[BooleanGraph], cost: CostModel, *, ranking: bool = False, timeout_s: float = 120.0
) -> list[float]:
    """Mapped cost of each graph as it is, for cells in um2, under the best of the recipes; no minimization.

    For ranking, the best of two quick ones.

    Raises
    ------
    ToolError
        ABC can't map one of them.
    """
    aigs = []
    for graph in map(fold, graphs):
        inputs = tuple(node for _, node in graph.inputs)
        aigs.append(flatten(to_aig(graph, inputs), len(inputs)))
    with tempfile.TemporaryDirectory() as folder:
        runs = AbcRuns(cost.mapper, Path(folder), timeout_s, time.perf_counter() + timeout_s)
        found = runs.areas(aigs, _ranking(cost.mapper) if ranking else cost.mapper.recipes)
    areas = []
    for recipes in found:
        done = [area for area in recipes.values() if area is not None]
        if not done:
            raise ToolError("abc", "mapping failed", tail=runs.failure)
        areas.append(min(done))
    return areas


def _ranking(mapper: Mapper) -> dict[str, str]:
    """The recipes that rank graphs; all of them are tried on the last."""
    return {recipe: mapper.recipes[recipe] for recipe in mapper.ranking}


class _Search:
    """The best graph so far and what was tried."""

    def __init__(
        self, starts: Sequence[BooleanGraph], runs: AbcRuns, mapper: Mapper, plan: _Plan, deadline: float
    ) -> None:
        self._mapper, self._ranking = mapper, _ranking(mapper)
        self._inputs = tuple(dict.fromkeys(node for start in starts for _, node in start.inputs))
        self._interface = starts[0].interface
        self._starts = [flatten(to_aig(start, self._inputs), len(self._inputs)) for start in starts]
        self._runs, self._plan, self._deadline = runs, plan, deadline
        self._reachable = ReachableInputs(self._inputs, self._interface)
        self._walk = Resubstitution(self._reachable)
        self._best, self._area = self._starts[0], float("inf")
        self._candidates: list[Candidate] = []

    def run(self) -> None:
        starts = self._portfolio()
        self._map(starts)
        if self._area == float("inf"):
            raise ToolError("abc", "no script of the portfolio worked", tail=self._runs.failure)
        if self._reachable.clauses:
            self._resubstitute(starts)
        self._climb()

    def result(self) -> tuple[BooleanGraph, float, tuple[Candidate, ...]]:
        """The best graph, its area under the best of all recipes, and what was tried."""
        self._map({"last": self._best}, self._mapper.recipes)
        return unflatten(self._best, self._inputs, self._interface), self._area, tuple(self._candidates)

    def _portfolio(self) -> dict[str, FlatAig]:
        """The starts and what ABC's scripts make of the first."""
        found = {"start": self._starts[0]}
        found |= {f"alternative {i}": aig for i, aig in enumerate(self._starts[1:], 1)}
        for name in self._plan.starts:
            if name.startswith("deepsyn") and self._starts[0].size > _DEEPSYN_LIMIT:
                continue
            aig = self._runs.script(self._starts[0], _SCRIPTS[name])
            if aig is None:
                self._candidates.append(Candidate(name, None))
            else:
                found[name] = aig
        return found

    def _resubstitute(self, starts: dict[str, FlatAig]) -> None:
        """From every start as far down as a little patience reaches, then on from the cheapest."""
        found = {f"{name} resub": self._shrink(aig, self._plan.patience / 4) for name, aig in starts.items()}
        self._map(found)
        name = min(found, key=lambda name: found[name].cost)
        self._map({f"{name} resub": self._shrink(found[name], self._plan.patience)})

    def _shrink(self, aig: FlatAig, patience: float) -> FlatAig:
        tries = max(50, int(patience * aig.size))
        return self._walk.shrink(aig, patience=tries, deadline=self._deadline)

    def _climb(self) -> None:
        """Graphs near the best one by moves that keep or lower the cost: their mapped areas differ."""
        plan = self._plan
        size = max(1, self._best.size)
        share = min(1.0, size / _CLIMB_SIZE * 2, (_CLIMB_SIZE / size) ** 2)
        stale = 0
        for batch in range(max(2, round(plan.batches * share))):
            if stale == plan.stale or time.perf_counter() > self._deadline:
                break
            before = self._area
            steps = [1 + plan.steps * (i + 1) // plan.batch for i in range(plan.batch)]
            aigs = [self._walk.wander(self._best, steps=s, deadline=self._deadline) for s in steps]
            self._map({f"climb {batch} {i}": aig for i, aig in enumerate(aigs)})
            stale = 0 if self._area < before else stale + 1

    def _map(self, aigs: dict[str, FlatAig], recipes: Mapping[str, str] | None = None) -> None:
        """Compare areas; among equal ones the later graph wins, for the sake of change."""
        found = self._runs.areas(list(aigs.values()), recipes or self._ranking)
        for (name, aig), areas in zip(aigs.items(), found, strict=True):
            self._candidates += [Candidate(f"{name} {recipe}", area) for recipe, area in areas.items()]
            area = min((a for a in areas.values() if a is not None), default=float("inf"))
            if area <= self._area and area < float("inf"):
                self._best, self._area = aig, area
