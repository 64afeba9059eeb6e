"""Exact minimization: a portfolio of scripts, the smallest mapped area kept, the result proved equal."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.logic.aig import and_count, read_aiger, to_aig, to_blif
from dwn_asic.logic.fold import fold
from dwn_asic.network.graph import BooleanGraph
from dwn_asic.synth.cell_library import CellLibrary
from dwn_asic.synth.mapping import MAPPING_RECIPES
from dwn_asic.synth.tools import AbcTool, find_abc
from dwn_asic.verify.equivalence import find_difference

__all__ = ["Candidate", "Effort", "Minimized", "minimize", "quick_area"]

Effort = Literal["low", "medium", "high"]

_RESUB = (
    "balance -l; resub -K 6 -l; rewrite -l; resub -K 6 -N 2 -l; refactor -l; resub -K 8 -l; balance -l; "
    "resub -K 8 -N 2 -l; rewrite -l; resub -K 10 -l; rewrite -z; resub -K 10 -N 2 -l; balance -l; "
    "resub -K 12 -l; refactor -z; resub -K 12 -N 2 -l; rewrite -z; balance -l"
)
_SCRIPTS = {
    "dc2": "dc2; dc2; dc2; dc2",
    "resub": f"ifraig; {_RESUB}; {_RESUB}",
    # LUT mapping and don't-care based resynthesis escape from what AND-level rewriting calls a minimum.
    "lut_mfs": "dch; if -K 6 -a; mfs2 -a -e; strash; dc2; dc2",
    "lut4_mfs": "dch; if -K 4 -a; mfs2 -a -e; strash; dc2; dch; if -K 4 -a; mfs2 -a -e; strash; dc2",
    "deepsyn": "&get -n; &deepsyn -I 1 -J 10; &put",
    "deepsyn_long": "&get -n; &deepsyn -I 4 -J 50; &put",
}
# Per round, the scripts to try on the best of the round before; the first round starts from the graph.
_ROUNDS: dict[Effort, tuple[tuple[str, ...], ...]] = {
    "low": (("dc2", "lut_mfs"),),
    "medium": (("dc2", "resub", "lut_mfs", "deepsyn"), ("lut_mfs", "lut4_mfs", "deepsyn")),
    "high": (
        ("dc2", "resub", "lut_mfs", "lut4_mfs", "deepsyn", "deepsyn_long"),
        ("lut_mfs", "lut4_mfs", "deepsyn_long"),
        ("lut_mfs", "resub", "deepsyn_long"),
    ),
}
# Above this many AND nodes &deepsyn takes minutes a step.
_DEEPSYN_LIMIT = 1000
_AIGVERSE = "aigverse"


@dataclass(frozen=True)
class Candidate:
    """One way that was tried.

    Attributes
    ----------
    script
        Names of the scripts run one after the other, the mapping recipe last.
    area
        Mapped area in um2, or None where the tool failed or ran out of time.
    """

    script: str
    area: float | None


@dataclass(frozen=True)
class Minimized:
    """The smallest circuit found.

    Attributes
    ----------
    graph
        Two-input functions; equal to the graph given, proved.
    area
        Mapped area in um2 that ABC reached for it.
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
    graph: BooleanGraph, library: CellLibrary, *, effort: Effort = "medium", timeout_s: float = 120.0
) -> Minimized:
    """Fold, then try the portfolio of ``effort`` and keep the smallest mapped area.

    Parameters
    ----------
    graph
        Any graph.
    library
        Whose cells the area is counted in.
    effort
        How many scripts and rounds.
    timeout_s
        Limit of each tool run in seconds; a script that exceeds it drops out.

    Raises
    ------
    ToolError
        No script of the portfolio worked.
    VerificationError
        The result differs from the graph given (a tool's bug).
    """
    folded = fold(graph)
    best, area, candidates = folded, 0.0, []
    if folded.luts:
        with tempfile.TemporaryDirectory() as folder:
            search = _Search(folded, library, Path(folder), timeout_s)
            for scripts in _ROUNDS[effort]:
                search.round(scripts)
            best, area, candidates = search.best, search.area, search.candidates
    start = time.perf_counter()
    difference = find_difference(graph, best)
    if difference is not None:
        raise VerificationError(
            "minimization changed the function",
            inputs=str(difference.inputs),
            expected=str(difference.expected),
            got=str(difference.got),
        )
    return Minimized(best, area, tuple(candidates), time.perf_counter() - start)


class _Search:
    """The portfolio's state: the best graph so far and what was tried."""

    def __init__(self, start: BooleanGraph, library: CellLibrary, folder: Path, timeout_s: float) -> None:
        self.best, self.area = start, float("inf")
        self.candidates: list[Candidate] = []
        self._start, self._best_name = start, ""
        self._library, self._folder, self._timeout_s = library, folder, timeout_s
        self._abc = find_abc()
        self._inputs = tuple(node for _, node in start.inputs)
        self._used: set[tuple[str, str]] = set()
        self._failure = ""
        library.write_liberty(folder / "cells.lib")

    def round(self, scripts: tuple[str, ...]) -> None:
        """Try each script on the best circuit so far, then move to the best of them."""
        base, base_name = self.best, self._best_name
        (self._folder / "start.blif").write_text(to_blif(base, "start"))
        small = and_count(base) <= _DEEPSYN_LIMIT
        found: list[tuple[float, int, str, Path]] = []
        for name in ("strash", *scripts):
            if (name.startswith("deepsyn") and not small) or (base_name, name) in self._used:
                continue
            self._used.add((base_name, name))
            found += self._try(f"{base_name} {name}".strip(), _SCRIPTS.get(name))
        if not base_name:
            found += self._try_aigverse()
        if not found and not base_name:
            raise ToolError("abc", "no script of the portfolio worked", tail=self._failure)
        if found and (best := min(found))[0] < self.area:
            self.area, _, self._best_name, path = best
            self.best = read_aiger(path, self._inputs, self._start.interface)

    def _try(self, name: str, script: str | None) -> list[tuple[float, int, str, Path]]:
        result = self._folder / f"{len(self.candidates)}.aig"
        commands = f"read_blif start.blif; strash; {script or 'strash'}; strash; write_aiger {result.name}"
        try:
            self._abc.run_script(commands, timeout_s=self._timeout_s, cwd=self._folder)
        except ToolError as error:
            self._failure = str(error)
            self.candidates.append(Candidate(name, None))
            return []
        return self._map(name, result)

    def _try_aigverse(self) -> list[tuple[float, int, str, Path]]:
        from aigverse import algorithms
        from aigverse.io import write_aiger

        result = self._folder / "aigverse.aig"
        aig = to_aig(self._start)
        for _ in range(3):
            aig = algorithms.sop_refactoring(aig)
            aig = algorithms.aig_resubstitution(aig, max_pis=10, max_inserts=2)
            aig = algorithms.aig_cut_rewriting(aig)
        write_aiger(algorithms.cleanup_dangling(aig), str(result))
        return self._map(_AIGVERSE, result)

    def _map(self, name: str, aiger: Path) -> list[tuple[float, int, str, Path]]:
        """Area of the AIG under every mapping recipe."""
        areas = map_areas(self._abc, aiger, self._library, self._timeout_s)
        self.candidates += [Candidate(f"{name} {recipe}", area) for recipe, area in areas.items()]
        if not aiger.exists():
            return []
        # Among equal areas the one with fewer AND nodes: it reads better.
        ands = int(aiger.read_bytes().split(b"\n", 1)[0].split()[-1])
        return [(area, ands, name, aiger) for area in areas.values() if area is not None]


def quick_area(graph: BooleanGraph, library: CellLibrary, *, timeout_s: float = 120.0) -> float:
    """Mapped area in um2 of a graph as it is, by the best of the recipes; no minimization."""
    from aigverse.io import write_aiger

    aig = to_aig(fold(graph))
    if aig.num_gates == 0 and not aig.num_pis:
        return 0.0
    with tempfile.TemporaryDirectory() as folder:
        library.write_liberty(Path(folder) / "cells.lib")
        write_aiger(aig, str(Path(folder) / "circuit.aig"))
        areas = map_areas(find_abc(), Path(folder) / "circuit.aig", library, timeout_s)
    return min(area for area in areas.values() if area is not None)


def map_areas(abc: AbcTool, aiger: Path, library: CellLibrary, timeout_s: float) -> dict[str, float | None]:
    """Mapped area in um2 of an AIGER file under each recipe; None where the tool failed.

    The folder of the file must hold the library as ``cells.lib``.
    """
    mapped = {recipe: aiger.with_suffix(f".{recipe}.blif") for recipe in MAPPING_RECIPES}
    commands = ["read_lib -w cells.lib"]
    for recipe, mapping in MAPPING_RECIPES.items():
        commands += [f"read_aiger {aiger.name}", mapping, f"write_blif {mapped[recipe].name}"]
    # One process for all recipes; what one that failed has written until then still counts.
    with suppress(ToolError):
        abc.run_script("\n".join(commands), timeout_s=timeout_s, cwd=aiger.parent)
    return {recipe: _mapped_area(path, library) for recipe, path in mapped.items()}


def _mapped_area(blif: Path, library: CellLibrary) -> float | None:
    if not blif.exists() or not (text := blif.read_text()).rstrip().endswith(".end"):
        return None
    gates = [line.split()[1] for line in text.splitlines() if line.startswith(".gate ")]
    # A constant output is a gate of ABC's own; one that repeats an input or an output gets a buffer, since
    # BLIF has no aliases. Both are mere wires in a netlist.
    buffers = {cell.name for cell in library.cells if len(cell.inputs) == 1 and cell.table == 0b10}
    wires = {"_const0_", "_const1_"} | buffers
    return sum(library.cell(gate).area for gate in gates if gate not in wires)
