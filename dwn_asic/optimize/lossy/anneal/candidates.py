"""The inputs that a circuit may read, and what they cost: thresholds of every feature, their comparators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Input, Interface, Threshold
from dwn_asic.boolean.packed import pack_rows
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.optimize.lossy.anneal.state import UNIT, Prices

__all__ = ["Candidates", "InputTable"]


_NARROW = 256
"""Codes of a feature, at most, of which each pair of neighbours may have a constant between them."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Input i of the annealing is ``inputs[i]``, ordered by feature and constant.

    Attributes
    ----------
    inputs
        Thresholds; for each interval between codes seen in training the cheapest constant; of features with
        very many codes for intervals of equal shares of the rows.
    feature_start
        (F + 1,) int64: inputs of feature f are ``inputs[feature_start[f] : feature_start[f + 1]]``.
    """

    inputs: tuple[Input, ...]
    feature_start: NDArray[np.int64]
    interface: Interface

    @classmethod
    def choose(
        cls,
        codes: NDArray[np.int64],
        interface: Interface,
        also: Sequence[Threshold | CodeBit] = (),
        most: int = 256,
    ) -> Candidates:
        """From training codes.

        Parameters
        ----------
        codes
            (N, F) training rows.
        interface
            Of the circuit.
        also
            Inputs that are there already: they are candidates in any case, unless they are the same on every
            code.
        most
            Per feature; where more cuts tell rows apart, those at equal shares of the rows are taken.
        """
        inputs: list[Input] = []
        start = [0]
        for f in range(len(interface.widths)):
            own = {_cheapest(low, high) for low, high in _intervals(codes[:, f], most)}
            own |= {node.constant for node in also if isinstance(node, Threshold) and node.feature == f}
            cuts = [Threshold(f, c) for c in sorted(own)]
            inputs += [cut for cut in cuts if interface.fixed_value(cut) is None]
            inputs += sorted(node for node in also if isinstance(node, CodeBit) and node.feature == f)
            start.append(len(inputs))
        return cls(tuple(inputs), np.array(start, np.int64), interface)

    def prices(self, gates: GatePrices) -> Prices:
        """Nodes count from 1; a comparator's parts are the gates of its chain from the lowest set bit up."""
        parts: dict[tuple[int, int, int], int] = {}
        part_start, needed = [0, 0], []
        for node in self.inputs:
            if isinstance(node, Threshold):
                chain = _chain(node, self.interface.widths[node.feature])
                needed += [parts.setdefault(key, len(parts)) for key in chain]
            part_start.append(len(needed))
        unit = round(gates.comparator_bit / UNIT)
        return Prices(
            np.array([round(gates.and_gate / UNIT), round(gates.xor_gate / UNIT)], np.int64),
            np.array(part_start, np.int64),
            np.array(needed, np.int64),
            np.full(max(1, len(parts)), unit, np.int64),
            self.feature_start + 1,
        )

    def comparator_gates(self) -> list[int]:
        """Of each input by itself: gates of its comparator's chain."""
        widths = self.interface.widths
        return [
            len(_chain(node, widths[node.feature])) if isinstance(node, Threshold) else 0
            for node in self.inputs
        ]

    def bits(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N, F) codes -> (N, I) values of the inputs."""
        bits = np.empty((len(codes), len(self.inputs)), np.bool_)
        for i, node in enumerate(self.inputs):
            column = codes[:, node.feature]
            bits[:, i] = column >= node.constant if isinstance(node, Threshold) else column >> node.bit & 1
        return bits


@dataclass(frozen=True, eq=False)
class InputTable:
    """Candidates and their values on the rows that circuits are judged on.

    Attributes
    ----------
    words
        (I, W) packed values, see :func:`dwn_asic.boolean.packed.pack_rows`.
    """

    candidates: Candidates
    words: NDArray[np.uint64]

    @classmethod
    def of(cls, graph: BooleanGraph, codes: NDArray[np.int64]) -> InputTable:
        """The circuit's own inputs alone, on (N, F) codes."""
        candidates = Candidates.choose(codes[:0], graph.interface, tuple(node for _, node in graph.inputs))
        return cls(candidates, pack_rows(candidates.bits(codes)))

    @classmethod
    def build(
        cls, codes: NDArray[np.int64], interface: Interface, also: Sequence[Input], most: int = 256
    ) -> InputTable:
        """From (N, F) codes; arguments as for :meth:`Candidates.choose`."""
        candidates = Candidates.choose(codes, interface, also, most)
        return cls(candidates, pack_rows(candidates.bits(codes)))


def _intervals(column: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """(low, high] between neighbouring codes seen, at most ``most`` of them.

    Neighbours of wide codes leave no room for cheap constants: of more codes than 8 bits have, some at equal
    shares of the rows stand for all.
    """
    seen, counts = np.unique(column, return_counts=True)
    if len(seen) > _NARROW:
        ranks = np.linspace(0, len(column) - 1, most + 1).round()
        seen = seen[np.unique(np.searchsorted(np.cumsum(counts), ranks, side="right"))]
        return [(int(low), int(high)) for low, high in pairwise(seen)]
    cuts = np.arange(len(seen) - 1)
    if len(cuts) > most:
        below = np.cumsum(counts)[:-1]
        cuts = np.unique(np.searchsorted(below, len(column) * (np.arange(most) + 0.5) / most))
        cuts = cuts[cuts < len(seen) - 1]
    return [(int(seen[i]), int(seen[i + 1])) for i in cuts]


def _cheapest(low: int, high: int) -> int:
    """The constant in low + 1..high with the most trailing zeros; there is exactly one."""
    shift = (low ^ high).bit_length() - 1  # the highest bit in which they differ: high has it set
    return high >> shift << shift


def _chain(node: Threshold, width: int) -> list[tuple[int, int, int]]:
    """The gates of the comparator: (feature, bit, low part of the constant), shared where they agree."""
    constant = node.constant
    lowest = (constant & -constant).bit_length() - 1
    return [(node.feature, k, constant & ((2 << k) - 1)) for k in range(lowest + 1, width)]
