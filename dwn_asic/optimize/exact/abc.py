"""Batches of and-inverter graphs in ABC: one process maps many graphs, or runs a script on one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np

from dwn_asic.boolean.flat_aig import FlatAig, flatten
from dwn_asic.errors import ToolError
from dwn_asic.optimize.cost import Mapper
from dwn_asic.tools import find_abc

__all__ = ["AbcRuns", "aiger_bytes"]


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
    deadline
        Time (``time.perf_counter``) by which runs must end; a run that starts late still gets one second.

    Attributes
    ----------
    failure
        Message of the last run that failed.
    """

    def __init__(self, mapper: Mapper, folder: Path, timeout_s: float, deadline: float) -> None:
        self.failure = ""
        self._mapper, self._folder = mapper, folder
        self._timeout_s, self._deadline = timeout_s, deadline
        self._abc = find_abc()
        self._areas: dict[tuple[bytes, str], float] = {}
        for name, text in mapper.files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def _run(self, commands: str) -> bool:
        left = max(1.0, self._deadline - time.perf_counter())
        try:
            self._abc.run_script(commands, timeout_s=min(self._timeout_s, left), cwd=self._folder)
        except ToolError as error:
            self.failure = str(error)
            return False
        return True

    def script(self, aig: FlatAig, commands: str) -> FlatAig | None:
        """Return the graph after an ABC script, or None if the script failed."""
        from aigverse.io import read_aiger_into_aig

        start, end = self._folder / "start.aig", self._folder / "end.aig"
        end.unlink(missing_ok=True)
        start.write_bytes(aiger_bytes(aig))
        if not self._run(f"read_aiger start.aig; strash; {commands}; strash; write_aiger end.aig"):
            return None
        return flatten(read_aiger_into_aig(str(end)), aig.n_inputs) if end.exists() else None

    def areas(self, aigs: Sequence[FlatAig], recipes: Mapping[str, str]) -> list[dict[str, float | None]]:
        """Return the mapped cost of each graph under each recipe; None where ABC failed.

        Results are cached, since the same small graphs turn up again and again.
        """
        texts = [aiger_bytes(aig) for aig in aigs]
        # A graph without outputs needs no mapping and makes ABC fail an assertion.
        empty = {text for text, aig in zip(texts, aigs, strict=True) if not len(aig.outputs)}
        self._areas |= dict.fromkeys(product(empty, recipes), 0.0)
        self._map(
            [pair for pair in dict.fromkeys(product(texts, recipes)) if pair not in self._areas], recipes
        )
        return [{recipe: self._areas.get((text, recipe)) for recipe in recipes} for text in texts]

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


def aiger_bytes(aig: FlatAig) -> bytes:
    """Return the graph as a binary AIGER file."""
    first = 1 + aig.n_inputs
    total = len(aig.fanins)
    lines = [f"aig {total - 1} {aig.n_inputs} 0 {len(aig.outputs)} {aig.size}"]
    lines += [str(literal) for literal in aig.outputs.tolist()]
    body = bytearray()
    for v in range(first, total):
        low, high = np.sort(aig.fanins[v]).tolist()
        for delta in (2 * v - high, high - low):
            while delta >= 0x80:
                body.append(delta & 0x7F | 0x80)
                delta >>= 7
            body.append(delta)
    return "\n".join([*lines, ""]).encode() + bytes(body)


def _complete_text(blif: Path) -> str | None:
    """Return the text of a BLIF file, or None if it was not written to its end."""
    with suppress(OSError):
        text = blif.read_text()
        if text.rstrip().endswith(".end"):
            return text
    return None
