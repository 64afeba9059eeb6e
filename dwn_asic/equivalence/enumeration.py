"""Exhaustive simulation of two graphs on all codes: a proof where thresholds distinguish few cases.

All codes between two neighbouring constants of a feature look the same to its thresholds, so one of them
represents all. A few features with many thresholds make some million cases; those are hard for SAT if votes
are counted, but take a second here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.flat_aig import FlatAig, flatten
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Input, Lut, Threshold
from dwn_asic.boolean.packed import pack_rows, unpack_rows

__all__ = ["differing_codes", "representatives", "work"]

Words = NDArray[np.uint64]

_BLOCK = 1 << 14
"""Minimum number of cases per block, if there are as many; the cases of a block differ only in some
features."""
_SLICE = 256
"""Words simulated at a time, such that the values of all nodes stay in the processor's cache."""


def work(expected: BooleanGraph, got: BooleanGraph) -> int:
    """Return the cases times the nodes that :func:`differing_codes` has to evaluate."""
    cases = prod(len(codes) for codes in representatives((expected, got)).values())
    return cases * (len(expected) + len(got))


def differing_codes(expected: BooleanGraph, got: BooleanGraph) -> dict[int, int] | None:
    """Return feature -> code on which two graphs differ, or None if they are equal on every code.

    Parameters
    ----------
    expected, got
        Graphs with the same interface and number of outputs, over thresholds and code bits.
    """
    graphs = (expected, got)
    inputs = tuple(dict.fromkeys(node for graph in graphs for _, node in graph.inputs))
    aigs = [flatten(to_aig(graph, inputs), len(inputs)) for graph in graphs]
    codes = representatives(graphs)
    # Inner features take all their codes within a block and are packed once; outer ones are constant in it.
    inner: list[int] = []
    for feature in sorted(codes, key=lambda f: len(codes[f])):
        if prod(len(codes[f]) for f in inner) < _BLOCK:
            inner.append(feature)
    outer = [feature for feature in codes if feature not in inner]
    cases = list(product(*(codes[f] for f in inner)))
    rows = np.array(cases, np.int64).reshape(len(cases), len(inner))
    block = _Block(inputs, {f: rows[:, k] for k, f in enumerate(inner)}, len(rows))
    for chosen in product(*(codes[f] for f in outer)):
        held = dict(zip(outer, chosen, strict=True))
        row = block.first_difference(aigs, held)
        if row is not None:
            return {**held, **{f: int(rows[row, k]) for k, f in enumerate(inner)}}
    return None


def representatives(graphs: Sequence[BooleanGraph]) -> dict[int, list[int]]:
    """Return feature -> the codes that represent all of them, for the inputs that outputs depend on.

    For thresholds these are the lowest codes of the intervals between constants; for code bits, all codes.
    """
    interface = graphs[0].interface
    found: dict[int, set[int]] = {}
    for node in (node for graph in graphs for node in _read(graph)):
        codes = found.setdefault(node.feature, {0})
        if isinstance(node, CodeBit):
            codes |= set(range(1 << interface.widths[node.feature]))
        elif interface.fixed_value(node) is None:
            codes.add(node.constant)
    return {feature: sorted(codes) for feature, codes in sorted(found.items())}


def _read(graph: BooleanGraph) -> Iterator[Input]:
    """Yield the inputs that have a path to an output."""
    needed = set(graph.outputs)
    for index in range(len(graph) - 1, -1, -1):
        node = graph.node(index)
        if index in needed and isinstance(node, Lut):
            needed.update(node.fanins)
        elif index in needed and isinstance(node, Threshold | CodeBit):
            yield node


class _Block:
    """Cases in which some features take all their representative codes and the others one code each."""

    def __init__(self, inputs: Sequence[Input], columns: dict[int, NDArray[np.int64]], n_rows: int) -> None:
        self._inputs, self._n_rows = inputs, n_rows
        bits = np.zeros((n_rows, len(inputs)), np.bool_)
        for i, node in enumerate(inputs):
            if node.feature in columns:
                bits[:, i] = _reached(node, columns[node.feature])
        self._words = pack_rows(bits)
        self._valid = pack_rows(np.ones((n_rows, 1), np.bool_))[0]

    def first_difference(self, aigs: Sequence[FlatAig], held: dict[int, int]) -> int | None:
        """Return the first row on which two circuits differ while these features have these codes."""
        for i, node in enumerate(self._inputs):
            if node.feature in held:
                self._words[i] = ~np.uint64(0) if _reached(node, held[node.feature]) else np.uint64(0)
        for start in range(0, len(self._valid), _SLICE):
            words = np.ascontiguousarray(self._words[:, start : start + _SLICE])
            expected, got = (_outputs(aig, words) for aig in aigs)
            differing = np.bitwise_or.reduce(expected ^ got, axis=0) & self._valid[start : start + _SLICE]
            if differing.any():
                rows = unpack_rows(differing[None], 64 * len(differing))[:, 0]
                return 64 * start + int(rows.argmax())
        return None


def _reached(node: Input, codes: NDArray[np.int64] | int) -> NDArray[np.bool_] | bool:
    found = codes >> node.bit & 1 if isinstance(node, CodeBit) else codes >= node.constant
    return found.astype(np.bool_) if isinstance(found, np.ndarray) else bool(found)


def _outputs(aig: FlatAig, words: Words) -> Words:
    """Return the (K, W) packed values of the outputs."""
    values = aig.simulate(words)[aig.outputs >> 1]
    flipped = np.where(aig.outputs & 1, ~np.uint64(0), np.uint64(0))
    return values ^ flipped[:, None]
