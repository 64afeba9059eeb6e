"""Batches of and-inverter graphs in ABC: one process maps many graphs, or runs a script on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

from dwn_asic.boolean.aiger import aiger_bytes
from dwn_asic.boolean.flat_aig import FlatAig, flatten
from dwn_asic.errors import ToolError
from dwn_asic.optimize.cost import Mapper
from dwn_asic.optimize.exact.work import Work
from dwn_asic.tools import find_abc

__all__ = ["AbcRuns"]

# Nominal seconds of a run of ABC, of mapping a graph, and of mapping it for each of its AND nodes.
_RUN, _GRAPH, _NODE = 0.03, 0.003, 1e-4


class AbcRuns:
    """ABC runs in one folder, for one target.

    Parameters
    ----------
    mapper
        The mapping to the target and its cost.
    folder
        Folder for temporary files.
    timeout_s
        Limit of each run in seconds.
    work
        The budget; a run that it does not allow is left out.

    Attributes
    ----------
    failure
        Message of the last run that failed.
    """

    def __init__(self, mapper: Mapper, folder: Path, timeout_s: float, work: Work) -> None:
        self.failure = ""
        self._mapper, self._folder = mapper, folder
        self._timeout_s, self._work = timeout_s, work
        self._abc = find_abc()
        self._areas: dict[tuple[bytes, str], float] = {}
        for name, text in mapper.files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def _run(self, commands: str) -> bool:
        try:
            self._abc.run_script(commands, timeout_s=self._timeout_s, cwd=self._folder)
        except ToolError as error:
            self.failure = str(error)
            return False
        return True

    def script(self, aig: FlatAig, commands: str, node_seconds: float) -> FlatAig | None:
        """Return the graph after an ABC script, or None if the script failed or exceeds the budget.

        The script takes about ``node_seconds`` nominal seconds for each AND node.
        """
        from aigverse.io import read_aiger_into_aig

        needed = _RUN + node_seconds * aig.size
        if not self._work.allows(needed):
            return None
        self._work.add(needed)
        start, end = self._folder / "start.aig", self._folder / "end.aig"
        end.unlink(missing_ok=True)
        start.write_bytes(aiger_bytes(aig))
        if not self._run(f"read_aiger start.aig; strash; {commands}; strash; write_aiger end.aig"):
            return None
        return flatten(read_aiger_into_aig(str(end)), aig.n_inputs) if end.exists() else None

    def areas(self, aigs: Sequence[FlatAig], recipes: Mapping[str, str]) -> list[dict[str, float | None]]:
        """Return the mapped cost of each graph under each recipe.

        It is None where ABC failed, and where the budget allows no further mapping after the first. Results
        are cached, since the same small graphs turn up again and again.
        """
        texts = [aiger_bytes(aig) for aig in aigs]
        # A graph without outputs needs no mapping and makes ABC fail an assertion.
        empty = {text for text, aig in zip(texts, aigs, strict=True) if not len(aig.outputs)}
        self._areas |= dict.fromkeys(product(empty, recipes), 0.0)
        sizes = dict(zip(texts, (aig.size for aig in aigs), strict=True))
        missing = [pair for pair in dict.fromkeys(product(texts, recipes)) if pair not in self._areas]
        self._map(self._allowed(missing, sizes), recipes)
        return [{recipe: self._areas.get((text, recipe)) for recipe in recipes} for text in texts]

    def _allowed(
        self, pairs: Sequence[tuple[bytes, str]], sizes: Mapping[bytes, int]
    ) -> list[tuple[bytes, str]]:
        """Return the first pairs, as many as the budget allows but at least one, and count their work."""
        if pairs:
            self._work.add(_RUN)
        allowed: list[tuple[bytes, str]] = []
        for pair in pairs:
            needed = _GRAPH + _NODE * sizes[pair[0]]
            if allowed and not self._work.allows(needed):
                break
            self._work.add(needed)
            allowed.append(pair)
        return allowed

    def _map(self, pairs: Sequence[tuple[bytes, str]], recipes: Mapping[str, str]) -> None:
        """Map pairs of graph (as AIGER) and recipe in one run of ABC, and store the costs."""
        if not pairs:
            return
        commands = [self._mapper.load]
        for i, (aiger, recipe) in enumerate(pairs):
            (self._folder / f"{i}.aig").write_bytes(aiger)
            commands += [f"read_aiger {i}.aig", recipes[recipe], f"write_blif {i}.blif"]
        # Even if the run fails, the results that it wrote before count.
        self._run("\n".join(commands))
        for i, pair in enumerate(pairs):
            blif = self._folder / f"{i}.blif"
            if (text := _complete_text(blif)) is not None:
                self._areas[pair] = self._mapper.cost(text)
            blif.unlink(missing_ok=True)


def _complete_text(blif: Path) -> str | None:
    """Return the text of a BLIF file, or None if it was not written to its end."""
    with suppress(OSError):
        text = blif.read_text()
        if text.rstrip().endswith(".end"):
            return text
    return None
