"""The inputs that a circuit may read: thresholds of every feature, and the price of their comparators."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.comparators import bits_read
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Input, Interface, Threshold
from dwn_asic.boolean.packed import pack_rows
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.optimize.lossy.anneal.state import UNIT, Prices

__all__ = ["Candidates", "InputTable"]


_Part = Hashable
"""Something that inputs share and that has a price."""
_NARROW = 256
"""Number of distinct codes of a feature up to which every interval between neighbours may get a constant."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The candidate inputs of the annealing, ordered by feature and constant; input i is ``inputs[i]``.

    Attributes
    ----------
    inputs
        Thresholds: for each interval between neighbouring training codes the cheapest constant, or for
        features with very many codes the constants of intervals with equal shares of the rows. Also the
        inputs that the starting circuit reads.
    feature_start
        (F + 1,) int64: the inputs of feature f are ``inputs[feature_start[f] : feature_start[f + 1]]``.
    interface
        Interface of the circuits.
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
        """Choose candidates for training codes.

        Parameters
        ----------
        codes
            (N, F) codes of the training rows.
        interface
            Interface of the circuit.
        also
            Inputs that the circuit reads already. They become candidates in any case, unless they have the
            same value on every code.
        most
            Most thresholds per feature; if more of them separate rows, those at equal shares of the rows are
            taken.
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
        """Return the areas of gates and of what inputs need, in parts that they share; nodes count from 1."""
        found: dict[_Part, int] = {}
        part_start, needed, prices = [0, 0], [], []
        for node in self.inputs:
            for part, price in _parts(node, self.interface.widths[node.feature], gates):
                if part not in found:
                    found[part] = len(found)
                    prices.append(round(price / UNIT))
                needed.append(found[part])
            part_start.append(len(needed))
        return Prices(
            np.array([round(gates.and_gate / UNIT), round(gates.xor_gate / UNIT)], np.int64),
            np.array(part_start, np.int64),
            np.array(needed, np.int64),
            np.array(prices or [0], np.int64),
            self.feature_start + 1,
        )

    def comparator_gates(self) -> list[int]:
        """Return the number of gates in the comparator chain of each input alone."""
        widths = self.interface.widths
        return [
            len(_chain(node, widths[node.feature])) if isinstance(node, Threshold) else 0
            for node in self.inputs
        ]

    def bits(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Evaluate the inputs: (N, F) codes -> (N, I) values."""
        bits = np.empty((len(codes), len(self.inputs)), np.bool_)
        for i, node in enumerate(self.inputs):
            column = codes[:, node.feature]
            bits[:, i] = column >= node.constant if isinstance(node, Threshold) else column >> node.bit & 1
        return bits


@dataclass(frozen=True, eq=False)
class InputTable:
    """Candidates and their values on the rows that circuits are scored on.

    Attributes
    ----------
    candidates
        The candidate inputs.
    words
        (I, W) packed values, see :func:`dwn_asic.boolean.packed.pack_rows`.
    """

    candidates: Candidates
    words: NDArray[np.uint64]

    @classmethod
    def of(cls, graph: BooleanGraph, codes: NDArray[np.int64]) -> InputTable:
        """Return the table of the circuit's own inputs alone, on (N, F) codes."""
        candidates = Candidates.choose(codes[:0], graph.interface, tuple(node for _, node in graph.inputs))
        return cls(candidates, pack_rows(candidates.bits(codes)))

    @classmethod
    def build(
        cls, codes: NDArray[np.int64], interface: Interface, also: Sequence[Input], most: int = 256
    ) -> InputTable:
        """Choose candidates as :meth:`Candidates.choose` does, and evaluate them on the (N, F) codes."""
        candidates = Candidates.choose(codes, interface, also, most)
        return cls(candidates, pack_rows(candidates.bits(codes)))


def _intervals(column: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """Return at most ``most`` intervals (low, high] between neighbouring codes of a feature.

    Neighbouring codes of a wide feature leave no room for cheap constants. A feature with more distinct codes
    than 8 bits have is therefore reduced to codes at equal shares of the rows.
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
    """Return the constant in low + 1..high with the most trailing zeros, which is unique."""
    shift = (low ^ high).bit_length() - 1  # the highest bit in which they differ; it is set in high
    return high >> shift << shift


def _parts(node: Input, width: int, gates: GatePrices) -> Iterator[tuple[_Part, float]]:
    """Yield what an input needs, and its price: gates of its comparator, bits of the code, its own place.

    The gates are those of the comparator's chain from the lowest set bit of the constant up.
    """
    if isinstance(node, Threshold):
        for gate in _chain(node, width):
            yield gate, gates.comparator_bit
    if gates.code_bit:
        for bit in bits_read(node, width):
            yield CodeBit(node.feature, bit), gates.code_bit
    if gates.core_input:
        yield (node,), gates.core_input


def _chain(node: Threshold, width: int) -> list[tuple[int, int, int]]:
    """Return the comparator's gates as (feature, bit, low part of the constant); equal gates are shared."""
    return [(node.feature, k, node.constant & ((2 << k) - 1)) for k in bits_read(node, width)[1:]]
