"""ABC on batches of and-inverter graphs: one process maps many of them, or runs a script on one."""

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
    """Runs in one folder, for one target.

    Parameters
    ----------
    mapper
        How circuits are mapped, and what they cost then.
    folder
        Where files may be written.
    timeout_s
        Limit of each run in seconds.
    deadline
        Time (``time.perf_counter``) at which runs end at the latest, but for the second that each may have.

    Attributes
    ----------
    failure
        What the last failed run said.
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
        """The graph after an ABC script, or None where it failed."""
        from aigverse.io import read_aiger_into_aig

        start, end = self._folder / "start.aig", self._folder / "end.aig"
        end.unlink(missing_ok=True)
        start.write_bytes(aiger_bytes(aig))
        if not self._run(f"read_aiger start.aig; strash; {commands}; strash; write_aiger end.aig"):
            return None
        return flatten(read_aiger_into_aig(str(end)), aig.n_inputs) if end.exists() else None

    def areas(self, aigs: Sequence[FlatAig], recipes: Mapping[str, str]) -> list[dict[str, float | None]]:
        """Mapped cost of each graph under each recipe; None where ABC failed.

        What was mapped before is known: among small graphs the same come again and again.
        """
        texts = [aiger_bytes(aig) for aig in aigs]
        # Without outputs there is nothing to map, and ABC ends with a failed assertion.
        empty = {text for text, aig in zip(texts, aigs, strict=True) if not len(aig.outputs)}
        self._areas |= dict.fromkeys(product(empty, recipes), 0.0)
        self._map(
            [pair for pair in dict.fromkeys(product(texts, recipes)) if pair not in self._areas], recipes
        )
        return [{recipe: self._areas.get((text, recipe)) for recipe in recipes} for text in texts]

    def _map(self, pairs: Sequence[tuple[bytes, str]], recipes: Mapping[str, str]) -> None:
        """Graphs as AIGER, each under a recipe: what one run of ABC writes of them."""
        if not pairs:
            return
        commands = [self._mapper.load]
        for i, (aiger, recipe) in enumerate(pairs):
            (self._folder / f"{i}.aig").write_bytes(aiger)
            commands += [f"read_aiger {i}.aig", recipes[recipe], f"write_blif {i}.blif"]
        # What a run that failed has written until then still counts.
        self._run("\n".join(commands))
        for i, pair in enumerate(pairs):
            blif = self._folder / f"{i}.blif"
            if (text := _whole(blif)) is not None:
                self._areas[pair] = self._mapper.cost(text)
            blif.unlink(missing_ok=True)


def aiger_bytes(aig: FlatAig) -> bytes:
    """The graph as a binary AIGER file."""
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


def _whole(blif: Path) -> str | None:
    """A BLIF file that was written to its end."""
    with suppress(OSError):
        text = blif.read_text()
        if text.rstrip().endswith(".end"):
            return text
    return None
