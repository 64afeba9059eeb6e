"""Single LUTs: the best circuits of each size that consist of one table over at most three thresholds.

The smallest classifiers are few enough to enumerate: the constant, every threshold, and every pair and triple
whose first inputs are among the best so far. For given inputs the best table is known: at each address the
class that costs least on the rows there, which is the most frequent one if every error costs the same. A NAND
is cheaper than the AND of an inverted input, so the best set of inputs for each table is kept as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut
from dwn_asic.boolean.packed import pack_rows
from dwn_asic.boolean.words import ones
from dwn_asic.compiled import kernel
from dwn_asic.data.objective import Costs
from dwn_asic.optimize.lossy.anneal.candidates import InputTable

__all__ = ["MOST_INPUTS", "single_luts"]

MOST_INPUTS = 3
"""Maximum number of inputs of a single LUT."""
_MOST_CUTS = 64
"""Maximum number of thresholds per feature."""
_BEAM = 8
"""Sets of inputs that are extended, for each number of comparator gates."""
_TABLES = 64
"""Maximum number of tables for each number of inputs; with two classes there are only 16 tables of two
inputs."""


def single_luts(
    codes: NDArray[np.int64], labels: NDArray[np.int64], interface: Interface, costs: Costs | None = None
) -> tuple[BooleanGraph, ...]:
    """Return the LUTs whose errors cost least, by number of inputs and number of comparator gates or table.

    Parameters
    ----------
    codes, labels
        (N, F) codes and (N,) class indices of the rows to count errors on.
    interface
        Interface of the circuits.
    costs
        Cost of each wrong prediction; by default 1.
    """
    table = InputTable.build(codes, interface, (), most=_MOST_CUTS)
    costs = costs or Costs.errors(len(labels), len(interface.class_names))
    search = _Search(table, labels, costs)
    return tuple(search.graph(inputs, interface) for inputs in dict.fromkeys(search.found()))


@dataclass(frozen=True, eq=False)
class _Set:
    """The inputs of a LUT in ascending order, the gates of their comparators, the best table and its cost.

    The table is a number that identifies it up to the order of the inputs.
    """

    inputs: tuple[int, ...]
    gates: int
    table: int
    cost: int


class _Search:
    def __init__(self, table: InputTable, labels: NDArray[np.int64], costs: Costs) -> None:
        self._candidates, self._words = table.candidates, table.words
        # What a prediction saves against the worst one: (C, C) by label and predicted class.
        self._gains = costs.gains
        n_classes = len(self._gains)
        counts = np.bincount(labels, minlength=n_classes)
        self._worst = int(costs.worst @ counts)
        self._classes = pack_rows(labels[:, None] == np.arange(n_classes))  # (C, W)
        self._default = int((counts @ self._gains).argmax())
        self._gates = np.array(table.candidates.comparator_gates(), np.int64)

    def found(self) -> Iterator[tuple[int, ...]]:
        """Yield sets of inputs: those that no set of fewer comparator gates beats, and the best per table."""
        yield ()
        beam = [_Set((), 0, 0, self._worst)]
        for _ in range(MOST_INPUTS):
            beam = self._extended(beam)
            best = self._worst
            for each in sorted(beam, key=lambda s: (s.gates, s.cost)):
                if each.cost < best:
                    best = each.cost
                    yield each.inputs
            tables: dict[int, _Set] = {}
            for each in sorted(beam, key=lambda s: s.cost):
                tables.setdefault(each.table, each)
            yield from (each.inputs for each in [*tables.values()][:_TABLES])

    def _extended(self, beam: Sequence[_Set]) -> list[_Set]:
        """Return sets with one more input: the best for each number of comparator gates and each table."""
        if not beam or not len(self._words):
            return []
        counted = [self._counted(each.inputs) for each in beam]
        wrong, tables = (np.concatenate(each) for each in zip(*counted, strict=True))  # (B * I,)
        gates = np.add.outer([each.gates for each in beam], self._gates).ravel()
        fresh = np.ones((len(beam), len(self._words)), np.bool_)
        for b, each in enumerate(beam):
            fresh[b, list(each.inputs)] = False
        order = np.argsort(wrong, kind="stable")
        order = order[fresh.ravel()[order]]
        firsts = np.sort(np.unique(tables[order], return_index=True)[1])
        groups = [(order[firsts], _TABLES)]
        groups += [(order[gates[order] == size], _BEAM) for size in np.unique(gates[order])]
        kept: dict[tuple[int, ...], _Set] = {}
        for places, most in groups:
            best: dict[tuple[int, ...], _Set] = {}
            for place in places:
                b, k = divmod(int(place), len(self._words))
                inputs = tuple(sorted((*beam[b].inputs, k)))
                best.setdefault(inputs, _Set(inputs, *(int(of[place]) for of in (gates, tables, wrong))))
                if len(best) == most:
                    break
            kept |= best
        return [*kept.values()]

    def _counted(self, inputs: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (I,) costs of the best table of these inputs and one more, and (I,) the table's number."""
        gained, tables = np.empty((2, len(self._words)), np.int64)
        counts = np.empty((2, len(self._gains)), np.int64)
        _count(self._split(inputs), self._words, self._gains, self._default, counts, gained, tables)
        return self._worst - gained, tables

    def _split(self, inputs: tuple[int, ...]) -> NDArray[np.uint64]:
        """Return (2**n, C, W) the rows of each class at each address."""
        cells = self._classes[None]
        for k in inputs:
            word = self._words[k]
            cells = np.concatenate([cells & ~word, cells & word])
        return np.ascontiguousarray(cells)

    def graph(self, inputs: tuple[int, ...], interface: Interface) -> BooleanGraph:
        """Return the LUT with the best class at each address, or the best overall where there are no rows."""
        counts = np.bitwise_count(self._split(inputs)).sum(axis=2, dtype=np.int64)  # (2**n, C)
        chosen = np.where(counts.any(axis=1), (counts @ self._gains).argmax(axis=1), self._default)
        builder = GraphBuilder(interface)
        fanins = tuple(builder.add(self._candidates.inputs[k]) for k in inputs)
        drivers = []
        for bit in range(interface.class_bits):
            table = sum(1 << address for address, c in enumerate(chosen) if c >> bit & 1)
            drivers.append(builder.add(Lut(fanins, table) if fanins else Constant(bool(table))))
        return builder.finish(drivers)


@kernel
def _count(cells, words, gains, default, counts, gained, tables):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Compute the gain and the table for each further input, which doubles the addresses.

    The number of a table has one digit per address; with very many classes it is a hash. Addresses at which
    no class gains anything get the default.
    """
    n_cells, n_classes, n_words = cells.shape
    for i in range(len(words)):
        gained[i] = tables[i] = 0
        for a in range(n_cells):
            for c in range(n_classes):
                high, low = 0, 0
                for w in range(n_words):
                    both = cells[a, c, w] & words[i, w]
                    high += ones(both)
                    low += ones(cells[a, c, w] ^ both)
                counts[0, c], counts[1, c] = high, low
            for side in range(2):
                most, chosen = np.int64(0), default
                for predicted in range(n_classes):
                    gain = np.int64(0)
                    for c in range(n_classes):
                        gain += counts[side, c] * gains[c, predicted]
                    if gain > most:
                        most, chosen = gain, predicted
                gained[i] += most
                tables[i] = tables[i] * n_classes + chosen
