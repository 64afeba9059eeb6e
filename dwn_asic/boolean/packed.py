"""Bit-parallel simulation: 64 rows per word, one pass over the nodes in topological order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import allocating

__all__ = ["FlatLogic", "pack_rows", "simulate", "unpack_rows"]

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class FlatLogic:
    """A Boolean graph as flat arrays, with nodes in topological order.

    Attributes
    ----------
    input_row
        (nodes,) int64: the node's row in the packed inputs, -1 for logic.
    fanin_start, fanins
        Fan-ins of node v: ``fanins[fanin_start[v] : fanin_start[v + 1]]``.
    table_start, tables
        uint8 truth table of node v: ``tables[table_start[v] + address]``; a constant has one entry.
    max_fanins
        The largest number of fan-ins of any node.
    """

    input_row: NDArray[np.int64]
    fanin_start: NDArray[np.int64]
    fanins: NDArray[np.int64]
    table_start: NDArray[np.int64]
    tables: NDArray[np.uint8]
    max_fanins: int

    @classmethod
    def build(
        cls, fanins: Sequence[Sequence[int]], tables: Sequence[int], is_input: Sequence[bool]
    ) -> FlatLogic:
        """Build from each node's fan-ins, its truth table as an integer, and whether it is an input."""
        inputs = np.array(is_input, bool)
        arity = np.array([len(f) for f in fanins], np.int64)
        return cls(
            np.where(inputs, np.cumsum(inputs) - 1, -1),
            np.concatenate([[0], np.cumsum(arity)]).astype(np.int64),
            np.array([i for f in fanins for i in f], np.int64),
            np.concatenate([[0], np.cumsum(1 << arity)]).astype(np.int64),
            np.array(
                [table >> a & 1 for f, table in zip(fanins, tables, strict=True) for a in range(1 << len(f))],
                np.uint8,
            ),
            int(arity.max(initial=0)),
        )


def pack_rows(bits: NDArray[np.bool_]) -> Words:
    """Pack (N, K) bits into (K, ceil(N / 64)) words.

    Row r is bit r % 64 of word r // 64; unused bits are 0.
    """
    n_rows, n_columns = bits.shape
    n_words = -(-n_rows // 64)
    packed = np.zeros((n_columns, n_words * 8), np.uint8)
    packed[:, : -(-n_rows // 8)] = np.packbits(bits.T, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def unpack_rows(words: Words, n_rows: int) -> NDArray[np.bool_]:
    """Unpack (K, W) words into (n_rows, K) bits, the inverse of :func:`pack_rows`."""
    data = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(data, axis=1, count=n_rows, bitorder="little").T.astype(bool)


def simulate(logic: FlatLogic, inputs: Words) -> Words:
    """Simulate all nodes: (I, W) packed inputs -> (nodes, W) packed values."""
    return _simulate(
        logic.input_row,
        logic.fanin_start,
        logic.fanins,
        logic.table_start,
        logic.tables,
        logic.max_fanins,
        inputs,
    )


@allocating
def _simulate(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    input_row, fanin_start, fanins, table_start, tables, max_fanins, inputs
):
    n_nodes, n_words = len(input_row), inputs.shape[1]
    values = np.zeros((n_nodes, n_words), np.uint64)
    ones = ~np.uint64(0)
    level = np.empty(1 << max_fanins, np.uint64)
    for v in range(n_nodes):
        if input_row[v] >= 0:
            values[v] = inputs[input_row[v]]
            continue
        first, n, table = fanin_start[v], fanin_start[v + 1] - fanin_start[v], table_start[v]
        for w in range(n_words):
            # Shannon expansion from the least significant input up merges pairs of cofactors.
            for a in range(1 << n):
                level[a] = ones if tables[table + a] else np.uint64(0)
            for k in range(n):
                x = values[fanins[first + k], w]
                for a in range(1 << (n - 1 - k)):
                    level[a] = (level[2 * a] & ~x) | (level[2 * a + 1] & x)
            values[v, w] = level[0]
    return values
