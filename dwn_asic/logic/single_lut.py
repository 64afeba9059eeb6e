"""Single LUTs: of all circuits that are one table of at most three thresholds, the best of each size.

The smallest classifiers are so few that they can be looked at one by one: a constant, every threshold, and
every pair and triple whose first inputs are among the best so far. For given inputs the best table is known:
at each address the class that most rows there have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import kernel
from dwn_asic.logic.anneal.candidates import InputTable
from dwn_asic.network.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut
from dwn_asic.network.packed import pack_rows
from dwn_asic.network.words import ones

__all__ = ["single_luts"]

_MOST_INPUTS = 3
_MOST_CUTS = 64
"""Thresholds of a feature, at most."""
_BEAM = 8
"""Sets of inputs that get one more, of each number of comparator gates."""


def single_luts(
    codes: NDArray[np.int64], labels: NDArray[np.int64], interface: Interface
) -> tuple[BooleanGraph, ...]:
    """Of each number of inputs and each number of comparator gates the one with the fewest errors.

    Parameters
    ----------
    codes, labels
        (N, F) codes and (N,) class indices of the rows to judge on.
    interface
        Of the circuits.
    """
    table = InputTable.build(codes, interface, (), most=_MOST_CUTS)
    search = _Search(table, labels, len(interface.class_names))
    return tuple(search.graph(inputs, interface) for inputs in search.found())


@dataclass(frozen=True, eq=False)
class _Set:
    """Inputs of a LUT, ascending, the gates of their comparators, and the errors of the best table."""

    inputs: tuple[int, ...]
    gates: int
    errors: int


class _Search:
    def __init__(self, table: InputTable, labels: NDArray[np.int64], n_classes: int) -> None:
        self._candidates, self._words, self._n_rows = table.candidates, table.words, len(labels)
        self._classes = pack_rows(labels[:, None] == np.arange(n_classes))  # (C, W)
        self._gates = np.array(table.candidates.comparator_gates(), np.int64)

    def found(self) -> Iterator[tuple[int, ...]]:
        """Sets of inputs, each better than all of no more comparator gates and as many inputs."""
        yield ()
        beam = [_Set((), 0, self._n_rows)]
        for _ in range(_MOST_INPUTS):
            beam = self._extended(beam)
            best = self._n_rows
            for each in sorted(beam, key=lambda s: (s.gates, s.errors)):
                if each.errors < best:
                    best = each.errors
                    yield each.inputs

    def _extended(self, beam: Sequence[_Set]) -> list[_Set]:
        """Sets of one input more: the best of each number of comparator gates."""
        if not beam or not len(self._words):
            return []
        wrong = np.stack([self._errors(each.inputs) for each in beam])  # (B, I)
        gates = np.array([each.gates for each in beam])[:, None] + self._gates
        kept: list[_Set] = []
        for size in np.unique(gates):
            members, inputs = np.nonzero(gates == size)
            order = np.argsort(wrong[members, inputs], kind="stable")
            seen: set[tuple[int, ...]] = set()
            for i in order:
                new = int(inputs[i])
                old = beam[members[i]].inputs
                which = tuple(sorted((*old, new)))
                if new in old or which in seen:
                    continue
                seen.add(which)
                kept.append(_Set(which, int(size), int(wrong[members[i], new])))
                if len(seen) == _BEAM:
                    break
        return kept

    def _errors(self, inputs: tuple[int, ...]) -> NDArray[np.int64]:
        """(I,) rows that the best table of these inputs and one more has wrong."""
        errors = np.empty(len(self._words), np.int64)
        _count(self._split(inputs), self._words, errors)
        return self._n_rows - errors

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
        counts = np.where(counts.any(axis=1, keepdims=True), counts, counts.sum(axis=0))
        chosen = counts.argmax(axis=1)
        builder = GraphBuilder(interface)
        fanins = tuple(builder.add(self._candidates.inputs[k]) for k in inputs)
        drivers = []
        for bit in range(interface.class_bits):
            table = sum(1 << address for address, c in enumerate(chosen) if c >> bit & 1)
            drivers.append(builder.add(Lut(fanins, table) if fanins else Constant(bool(table))))
        return builder.finish(drivers)


@kernel
def _count(cells, words, right):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Rows that are right, for each further input; two more addresses in place of each."""
    n_cells, n_classes, n_words = cells.shape
    for i in range(len(words)):
        right[i] = 0
        for a in range(n_cells):
            most_high, most_low = 0, 0
            for c in range(n_classes):
                high, low = 0, 0
                for w in range(n_words):
                    both = cells[a, c, w] & words[i, w]
                    high += ones(both)
                    low += ones(cells[a, c, w] ^ both)
                most_high, most_low = max(most_high, high), max(most_low, low)
            right[i] += most_high + most_low
