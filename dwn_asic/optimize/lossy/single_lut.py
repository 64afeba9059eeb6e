"""Single LUTs: of all circuits that are one table of at most three thresholds, the best of each size.

The smallest classifiers are so few that they can be looked at one by one: a constant, every threshold, and
every pair and triple whose first inputs are among the best so far. For given inputs the best table is known:
at each address the class that most rows there have. A NAND costs less than the AND of an inverted input, so
that the best of each table is kept as well.
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
from dwn_asic.optimize.lossy.anneal.candidates import InputTable

__all__ = ["MOST_INPUTS", "single_luts"]

MOST_INPUTS = 3
"""Of a single LUT."""
_MOST_CUTS = 64
"""Thresholds of a feature, at most."""
_BEAM = 8
"""Sets of inputs that get one more, of each number of comparator gates."""
_TABLES = 64
"""Tables of each number of inputs, at most; two classes have no more of two inputs than 16."""


def single_luts(
    codes: NDArray[np.int64], labels: NDArray[np.int64], interface: Interface
) -> tuple[BooleanGraph, ...]:
    """Of each number of inputs and each number of comparator gates, or table, the one with fewest errors.

    Parameters
    ----------
    codes, labels
        (N, F) codes and (N,) class indices of the rows to judge on.
    interface
        Of the circuits.
    """
    table = InputTable.build(codes, interface, (), most=_MOST_CUTS)
    search = _Search(table, labels, len(interface.class_names))
    return tuple(search.graph(inputs, interface) for inputs in dict.fromkeys(search.found()))


@dataclass(frozen=True, eq=False)
class _Set:
    """Inputs of a LUT, ascending, the gates of their comparators, the best table and its errors.

    The table is a number that others don't have, up to the order of the inputs.
    """

    inputs: tuple[int, ...]
    gates: int
    table: int
    errors: int


class _Search:
    def __init__(self, table: InputTable, labels: NDArray[np.int64], n_classes: int) -> None:
        self._candidates, self._words, self._n_rows = table.candidates, table.words, len(labels)
        self._classes = pack_rows(labels[:, None] == np.arange(n_classes))  # (C, W)
        self._usual = int(np.bitwise_count(self._classes).sum(axis=1, dtype=np.int64).argmax())
        self._gates = np.array(table.candidates.comparator_gates(), np.int64)

    def found(self) -> Iterator[tuple[int, ...]]:
        """Sets of inputs, each better than all of no more comparator gates, or the best of its table."""
        yield ()
        beam = [_Set((), 0, 0, self._n_rows)]
        for _ in range(MOST_INPUTS):
            beam = self._extended(beam)
            best = self._n_rows
            for each in sorted(beam, key=lambda s: (s.gates, s.errors)):
                if each.errors < best:
                    best = each.errors
                    yield each.inputs
            tables: dict[int, _Set] = {}
            for each in sorted(beam, key=lambda s: s.errors):
                tables.setdefault(each.table, each)
            yield from (each.inputs for each in [*tables.values()][:_TABLES])

    def _extended(self, beam: Sequence[_Set]) -> list[_Set]:
        """Sets of one input more: the best of each number of comparator gates, and of each table."""
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
        """(I,) rows that the best table of these inputs and one more has wrong, and the table's number."""
        right, tables = np.empty((2, len(self._words)), np.int64)
        _count(self._split(inputs), self._words, self._usual, right, tables)
        return self._n_rows - right, tables

    def _split(self, inputs: tuple[int, ...]) -> NDArray[np.uint64]:
        """(2**n, C, W) rows of each class at each address."""
        cells = self._classes[None]
        for k in inputs:
            word = self._words[k]
            cells = np.concatenate([cells & ~word, cells & word])
        return np.ascontiguousarray(cells)

    def graph(self, inputs: tuple[int, ...], interface: Interface) -> BooleanGraph:
        """The LUT with the class of most rows at each address; where there is none, of most rows at all."""
        counts = np.bitwise_count(self._split(inputs)).sum(axis=2, dtype=np.int64)  # (2**n, C)
        chosen = np.where(counts.any(axis=1), counts.argmax(axis=1), self._usual)
        builder = GraphBuilder(interface)
        fanins = tuple(builder.add(self._candidates.inputs[k]) for k in inputs)
        drivers = []
        for bit in range(interface.class_bits):
            table = sum(1 << address for address, c in enumerate(chosen) if c >> bit & 1)
            drivers.append(builder.add(Lut(fanins, table) if fanins else Constant(bool(table))))
        return builder.finish(drivers)


@kernel
def _count(cells, words, usual, right, tables):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Rows that are right, for each further input, and the table; two more addresses in place of each.

    A table's number has a digit for each address; of very many classes it is a hash. Where there are no rows,
    the class is the usual one.
    """
    n_cells, n_classes, n_words = cells.shape
    for i in range(len(words)):
        right[i] = tables[i] = 0
        for a in range(n_cells):
            most_high, most_low = 0, 0
            class_high, class_low = usual, usual
            for c in range(n_classes):
                high, low = 0, 0
                for w in range(n_words):
                    both = cells[a, c, w] & words[i, w]
                    high += ones(both)
                    low += ones(cells[a, c, w] ^ both)
                if high > most_high:
                    most_high, class_high = high, c
                if low > most_low:
                    most_low, class_low = low, c
            right[i] += most_high + most_low
            tables[i] = (tables[i] * n_classes + class_high) * n_classes + class_low
