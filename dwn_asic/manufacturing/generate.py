"""Test generation: patterns from given rows, random patterns, then SAT, then compaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.packed import unpack_rows
from dwn_asic.manufacturing.compact import compacted
from dwn_asic.manufacturing.faults import Fault, FaultList, stuck_at_faults
from dwn_asic.manufacturing.sat import PatternSolver
from dwn_asic.manufacturing.simulate import FaultSimulator
from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["CONFLICTS", "ROUNDS", "Coverage", "PatternSet", "generate"]

CONFLICTS = 1_000_000
"""Number of conflicts after which the search for a pattern is aborted."""
ROUNDS = 60
"""Number of rounds of compaction."""
_RANDOM = 16_384
"""Number of random patterns."""
_CANDIDATES, _SIMULATIONS = (256, 8192), 25_000_000
"""The least and largest number of variants in a round, and the number of faults times variants."""
_COPIES = 20_000
"""Number of copied cells after which the solver starts anew."""


@dataclass(frozen=True)
class Coverage:
    """Numbers of faults, and how many of them are detected.

    Attributes
    ----------
    total, classes
        Number of faults, and of classes of equivalent faults.
    detected
        Number of faults that a pattern detects.
    untestable
        Number of faults that are proved to change no output, whatever the inputs are.
    aborted
        Number of faults for which the search ended without a result.
    """

    total: int
    classes: int
    detected: int
    untestable: int
    aborted: int

    @property
    def of_testable(self) -> float:
        """Share of the detected faults among those not proved untestable; 1 if there are none."""
        testable = self.total - self.untestable
        return self.detected / testable if testable else 1.0

    @property
    def of_all(self) -> float:
        """Share of the detected faults among all faults; 1 if there are none."""
        return self.detected / self.total if self.total else 1.0


@dataclass(frozen=True, eq=False)
class PatternSet:
    """Test patterns of a netlist, and what they detect.

    Attributes
    ----------
    faults
        All faults, in classes.
    first
        (classes,) index of the first pattern that detects the faults of a class, -1 if none does.
    untestable
        (classes,) whether the faults of a class are proved untestable.
    patterns
        (P, I) values of the inputs, in the order of :attr:`FlatNetlist.inputs`.
    outputs
        (P, O) values of the outputs of a chip without faults.
    """

    faults: FaultList
    first: NDArray[np.int64]
    untestable: NDArray[np.bool_]
    patterns: NDArray[np.bool_]
    outputs: NDArray[np.bool_]

    @cached_property
    def coverage(self) -> Coverage:
        """Numbers of faults."""
        sizes = np.bincount(self.faults.classes, minlength=self.faults.n_classes)
        detected, untestable = int(sizes[self.first >= 0].sum()), int(sizes[self.untestable].sum())
        total = len(self.faults.faults)
        return Coverage(total, len(sizes), detected, untestable, total - detected - untestable)

    @property
    def untestable_faults(self) -> tuple[Fault, ...]:
        """The faults that are proved untestable."""
        pairs = zip(self.faults.faults, self.faults.classes, strict=True)
        return tuple(fault for fault, number in pairs if self.untestable[number])


def generate(
    netlist: FlatNetlist,
    rows: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    rounds: int = ROUNDS,
    conflicts: int = CONFLICTS,
    progress: Callable[[str, int, int], None] | None = None,
) -> PatternSet:
    """Make a small set of patterns that detects every testable stuck-at fault of a netlist.

    The rows and random patterns are simulated first. For each fault that they leave, a SAT solver finds a
    pattern, or proves that there is none. Compaction then replaces all patterns by fewer.

    Parameters
    ----------
    netlist
        The netlist; registers count as wires.
    rows
        (N, I) input values to begin with, for example from rows of data; N may be 0.
    rng
        Source of random patterns.
    rounds
        Maximum number of rounds of compaction; more rounds find fewer patterns.
    conflicts
        Number of conflicts after which the search for a fault's pattern is aborted.
    progress
        Function that is called with the name of a stage, the number of finished steps, and their number.
    """
    faults, simulator = stuck_at_faults(netlist), FaultSimulator.of(netlist)
    representatives = faults.collapsed
    drawn = rng.random((_RANDOM, len(netlist.inputs))) < 0.5
    start = np.concatenate([rows, drawn])
    first = simulator.first_detections(representatives, start)
    found, untestable, aborted = _solved(
        netlist, simulator, representatives, np.flatnonzero(first < 0), conflicts, progress
    )
    patterns = np.concatenate([start[np.unique(first[first >= 0])], found])
    wanted = [k for k in range(len(representatives)) if k not in untestable and k not in aborted]
    testable = [representatives[k] for k in wanted]

    def detections(some: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return unpack_rows(simulator.detections(testable, some), len(some))

    if testable:
        candidates = int(np.clip(_SIMULATIONS // len(testable), *_CANDIDATES))
        report = None if progress is None else (lambda done, _: progress("compaction", done, rounds))
        patterns = compacted(patterns, detections, rng, rounds=rounds, candidates=candidates, progress=report)
    flags = np.zeros(len(representatives), bool)
    flags[sorted(untestable)] = True
    return PatternSet(
        faults,
        simulator.first_detections(representatives, patterns),
        flags,
        patterns,
        simulator.values(patterns),
    )


def _solved(
    netlist: FlatNetlist,
    simulator: FaultSimulator,
    faults: Sequence[Fault],
    left: NDArray[np.int64],
    conflicts: int,
    progress: Callable[[str, int, int], None] | None,
) -> tuple[NDArray[np.bool_], set[int], set[int]]:
    """Return (N, I) patterns for the faults that are left, the untestable ones, and the aborted ones."""
    patterns: list[NDArray[np.bool_]] = []
    untestable, aborted, detected = set[int](), set[int](), set[int]()
    with PatternSolver(netlist, conflicts) as solver:
        for done, index in enumerate(left.tolist()):
            if index not in detected:
                answer = solver.pattern([faults[index]])
                if isinstance(answer, bool):
                    (aborted if answer else untestable).add(index)
                else:
                    patterns.append(answer)
                    hits = simulator.first_detections([faults[k] for k in left], answer[None])
                    detected.update(left[hits >= 0].tolist())
                if solver.n_copies > _COPIES:
                    solver.forget()
            if progress is not None:
                progress("SAT", done + 1, len(left))
    found = np.array(patterns, bool).reshape(len(patterns), len(netlist.inputs))
    return found, untestable, aborted - detected
