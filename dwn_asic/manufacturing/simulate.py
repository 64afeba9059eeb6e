"""Fault simulation: 64 patterns per word, one fault at a time, and only the gates that the fault changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.packed import pack_rows, unpack_rows
from dwn_asic.compiled import kernel, leaf
from dwn_asic.manufacturing.faults import STEM, Fault, function_of
from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["FaultSimulator", "Words"]

Words = NDArray[np.uint64]
_WORDS = 64
"""Number of words that are simulated at once, 4,096 patterns."""


@dataclass(frozen=True, eq=False)
class FaultSimulator:
    """A netlist as flat arrays, with registers as wires.

    Attributes
    ----------
    inputs, outputs
        Nets of the inputs and of the outputs, in the order of the netlist.
    constants
        (C, 2) nets of constants, and their values.
    first
        Net of the output of instance 0; the outputs of the other instances follow it.
    fanin_start, fanins
        Nets at the inputs of instance i: ``fanins[fanin_start[i] : fanin_start[i + 1]]``.
    table_start, tables
        uint8 truth table of instance i: ``tables[table_start[i] + address]``.
    reader_start, readers
        Instances that read net n: ``readers[reader_start[n] : reader_start[n + 1]]``.
    is_output
        (nets,) whether an output port reads the net.
    """

    inputs: NDArray[np.int64]
    outputs: NDArray[np.int64]
    constants: NDArray[np.int64]
    first: int
    fanin_start: NDArray[np.int64]
    fanins: NDArray[np.int64]
    table_start: NDArray[np.int64]
    tables: NDArray[np.uint8]
    reader_start: NDArray[np.int64]
    readers: NDArray[np.int64]
    is_output: NDArray[np.bool_]

    @classmethod
    def of(cls, netlist: FlatNetlist) -> FaultSimulator:
        """Return the simulator of a netlist."""
        functions = [function_of(each) for each in netlist.instances]
        n_nets = len(netlist.net_names)
        readers: list[list[int]] = [[] for _ in range(n_nets)]
        for index, (nets, _) in enumerate(functions):
            for net in dict.fromkeys(nets):
                readers[net].append(index)
        outputs = np.array(list(netlist.outputs.values()), np.int64)
        is_output = np.zeros(n_nets, bool)
        is_output[outputs] = True
        bits = [table >> a & 1 for nets, table in functions for a in range(1 << len(nets))]
        return cls(
            np.array(list(netlist.inputs.values()), np.int64),
            outputs,
            np.array(list(netlist.constants.items()), np.int64).reshape(-1, 2),
            n_nets - len(functions),
            _starts([len(nets) for nets, _ in functions]),
            np.array([net for nets, _ in functions for net in nets], np.int64),
            _starts([1 << len(nets) for nets, _ in functions]),
            np.array(bits, np.uint8),
            _starts(list(map(len, readers))),
            np.array([index for each in readers for index in each], np.int64),
            is_output,
        )

    def values(self, patterns: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Simulate the netlist without faults: (N, I) patterns -> (N, O) outputs."""
        found = [
            unpack_rows(self._good(block)[self.outputs], len(block)) for block in _blocks(patterns, _WORDS)
        ]
        return np.concatenate([*found, np.zeros((0, len(self.outputs)), bool)])

    def detections(self, faults: Sequence[Fault], patterns: NDArray[np.bool_]) -> Words:
        """Return which patterns detect which faults.

        Parameters
        ----------
        faults
            The faults, F of them.
        patterns
            (N, I) input values.

        Returns
        -------
        Words
            (F, ceil(N / 64)) words; bit r % 64 of word r // 64 is 1 if pattern r detects the fault.
        """
        rows = _rows(faults)
        found = [self._detections(rows, block) for block in _blocks(patterns, _WORDS)]
        return np.concatenate([*found, np.zeros((len(rows), 0), np.uint64)], axis=1)

    def first_detections(self, faults: Sequence[Fault], patterns: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return (F,) the index of the first of (N, I) patterns that detects each fault, -1 if none does.

        A fault is not simulated any further once it is detected.
        """
        rows, first = _rows(faults), np.full(len(faults), -1, np.int64)
        start = 0
        for words in (1, 4, 16, _WORDS):
            # Most faults are detected by the first patterns.
            stop = len(patterns) if words == _WORDS else min(len(patterns), start + 64 * words)
            for block in _blocks(patterns[start:stop], words):
                left = np.flatnonzero(first < 0)
                if not len(left):
                    return first
                hits = self._detections(rows[left], block)
                found = unpack_rows(hits, len(block))
                some = found.any(axis=0)
                first[left[some]] = start + found[:, some].argmax(axis=0)
                start += len(block)
        return first

    def _good(self, patterns: NDArray[np.bool_]) -> Words:
        """Return the packed values of all nets without faults."""
        packed = pack_rows(patterns)
        good = np.zeros((len(self.is_output), packed.shape[1]), np.uint64)
        good[self.inputs] = packed
        for net, value in self.constants.tolist():
            good[net] = ~np.uint64(0) * np.uint64(value)
        _simulate(self.first, self.fanin_start, self.fanins, self.table_start, self.tables, _level(), good)
        return good

    def _detections(self, rows: NDArray[np.int64], patterns: NDArray[np.bool_]) -> Words:
        good = self._good(patterns)
        found = np.zeros((len(rows), good.shape[1]), np.uint64)
        _inject(
            self.first,
            self.fanin_start,
            self.fanins,
            self.table_start,
            self.tables,
            self.reader_start,
            self.readers,
            self.is_output,
            rows,
            good,
            good.copy(),
            np.zeros(len(self.fanin_start), np.bool_),
            np.zeros(len(self.is_output), np.int64),
            _level(),
            found,
        )
        rest = len(patterns) % 64
        if rest:
            found[:, -1] &= np.uint64((1 << rest) - 1)
        return found


def _starts(counts: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.array(counts, np.int64))]).astype(np.int64)


def _rows(faults: Sequence[Fault]) -> NDArray[np.int64]:
    """Return (F, 4) net, reader, position and value of faults."""
    rows = [(fault.net, fault.reader, fault.position, fault.value) for fault in faults]
    return np.array(rows, np.int64).reshape(len(rows), 4)


def _blocks(patterns: NDArray[np.bool_], words: int) -> Iterator[NDArray[np.bool_]]:
    return (patterns[start : start + 64 * words] for start in range(0, len(patterns), 64 * words))


def _level() -> Words:
    """Return scratch space for the entries of the largest truth table."""
    return np.empty(1 << 16, np.uint64)


# ---- compiled ----------------------------------------------------------------------------------------------
_STEM = STEM


@leaf
def _evaluate(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    i, fanin_start, fanins, table_start, tables, level, values, w, pin, stuck
):
    """Return word w of the output of instance i, where input ``pin`` is ``stuck``; -1 for no pin."""
    first, table = fanin_start[i], table_start[i]
    n = fanin_start[i + 1] - first
    for a in range(1 << n):
        level[a] = ~np.uint64(0) if tables[table + a] else np.uint64(0)
    # Shannon expansion from the least significant input up merges pairs of cofactors.
    for k in range(n):
        x = stuck if k == pin else values[fanins[first + k], w]
        for a in range(1 << (n - 1 - k)):
            level[a] = (level[2 * a] & ~x) | (level[2 * a + 1] & x)
    return level[0]


@kernel
def _simulate(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    first, fanin_start, fanins, table_start, tables, level, values
):
    for i in range(len(fanin_start) - 1):
        for w in range(values.shape[1]):
            values[first + i, w] = _evaluate(
                i, fanin_start, fanins, table_start, tables, level, values, w, -1, np.uint64(0)
            )


@leaf
def _spread(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    net, f, good, faulty, is_output, reader_start, readers, waiting, changed, count, last, found
):
    """Let readers of a net wait if a fault changes it; return the number of changed nets and last reader."""
    n_words = good.shape[1]
    differs = False
    for w in range(n_words):
        differs |= faulty[net, w] != good[net, w]
    if not differs:
        return count, last
    changed[count] = net
    if is_output[net]:
        for w in range(n_words):
            found[f, w] |= good[net, w] ^ faulty[net, w]
    for r in range(reader_start[net], reader_start[net + 1]):
        waiting[readers[r]] = True
        last = max(last, readers[r])
    return count + 1, last


@leaf
def _set_port(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    f, net, stuck, good, found
):
    """Let the patterns detect a fault at an output port where its value differs."""
    for w in range(good.shape[1]):
        found[f, w] = good[net, w] ^ stuck


@kernel
def _inject(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    first,
    fanin_start,
    fanins,
    table_start,
    tables,
    reader_start,
    readers,
    is_output,
    faults,
    good,
    faulty,
    waiting,
    changed,
    level,
    found,
):
    n_words = good.shape[1]
    n_instances = len(fanin_start) - 1
    for f in range(len(faults)):
        net, reader, pin = faults[f, 0], faults[f, 1], faults[f, 2]
        stuck = ~np.uint64(0) if faults[f, 3] else np.uint64(0)
        count, i, last = 0, reader, reader
        if reader >= n_instances:
            _set_port(f, net, stuck, good, found)
            continue
        if reader == _STEM:
            for w in range(n_words):
                faulty[net, w] = stuck
            i = max(0, net - first + 1)
            count, last = _spread(
                net, f, good, faulty, is_output, reader_start, readers, waiting, changed, count, last, found
            )
        else:
            waiting[reader] = True
        # Readers of an instance come after it, so one pass from the first to the last is enough.
        while i <= last:
            if waiting[i]:
                waiting[i] = False
                stuck_pin = pin if i == reader else -1
                for w in range(n_words):
                    faulty[first + i, w] = _evaluate(
                        i, fanin_start, fanins, table_start, tables, level, faulty, w, stuck_pin, stuck
                    )
                count, last = _spread(
                    first + i,
                    f,
                    good,
                    faulty,
                    is_output,
                    reader_start,
                    readers,
                    waiting,
                    changed,
                    count,
                    last,
                    found,
                )
            i += 1
        for c in range(count):
            for w in range(n_words):
                faulty[changed[c], w] = good[changed[c], w]
