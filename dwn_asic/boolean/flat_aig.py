"""And-inverter graphs as flat arrays, for the compiled loops of resubstitution.

A literal is ``2 * node + complemented``. Node 0 is the constant 0, nodes 1..I are the inputs, and every later
node is the AND of two literals of earlier nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.fold import FALSE, FoldingBuilder, Literal
from dwn_asic.boolean.graph import BooleanGraph, Input, Interface
from dwn_asic.compiled import allocating, leaf

__all__ = [
    "AND2",
    "AND3",
    "AND_OR",
    "LITERAL",
    "XOR2",
    "FlatAig",
    "cost",
    "flatten",
    "replaced",
    "replacement_costs",
    "simulated",
    "unflatten",
]

Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

# Functions that can replace a node, of up to three literals a, b, c:
LITERAL, AND2, XOR2, AND3, AND_OR = range(5)  # a; a & b; a ^ b; a & b & c; a & (b | c)


@dataclass(frozen=True, eq=False)
class FlatAig:
    """An and-inverter graph as flat arrays; graphs of equal arrays are equal.

    Attributes
    ----------
    n_inputs
        Number of inputs I.
    fanins
        (nodes, 2) literals; zero for the constant and for inputs.
    outputs
        (O,) literals.
    """

    n_inputs: int
    fanins: Integers
    outputs: Integers

    @property
    def size(self) -> int:
        """Number of AND nodes."""
        return len(self.fanins) - 1 - self.n_inputs

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, FlatAig)
            and self.n_inputs == other.n_inputs
            and np.array_equal(self.fanins, other.fanins)
            and np.array_equal(self.outputs, other.outputs)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def levels(self) -> int:
        """Largest number of AND nodes on a path from an input to an output."""
        level = [0] * len(self.fanins)
        for v in range(1 + self.n_inputs, len(self.fanins)):
            a, b = self.fanins[v].tolist()
            level[v] = 1 + max(level[a >> 1], level[b >> 1])
        return max((level[literal >> 1] for literal in self.outputs.tolist()), default=0)

    @cached_property
    def cost(self) -> int:
        """Estimate of the mapped area, see :func:`cost`."""
        return int(cost(self.fanins, self.outputs, self.n_inputs))

    def replace(self, node: int, move: Sequence[int] | Integers) -> FlatAig:
        """Return the graph with ``node`` replaced by a function: kind, complemented, a, b, c (literals)."""
        fanins, outputs = replaced(self.fanins, self.outputs, self.n_inputs, node, np.asarray(move, np.int64))
        return FlatAig(self.n_inputs, fanins, outputs)

    def simulate(self, patterns: Words) -> Words:
        """Simulate all nodes: (I, W) packed inputs -> (nodes, W) packed values."""
        return simulated(self.fanins, self.n_inputs, patterns)


def flatten(aig: Any, n_inputs: int) -> FlatAig:
    """Convert an ``aigverse`` AIG, hashing it structurally and dropping nodes that no output needs."""
    place = {0: 0} | {pi: 1 + i for i, pi in enumerate(aig.pis())}
    fanins = [(0, 0)] * (1 + n_inputs)

    def literal(signal: Any) -> int:
        return 2 * place[aig.get_node(signal)] + int(aig.is_complemented(signal))

    for gate in aig.gates():
        a, b = (literal(signal) for signal in aig.fanins(gate))
        place[gate] = len(fanins)
        fanins.append((a, b))
    outputs = np.array([literal(signal) for signal in aig.pos()], np.int64)
    return FlatAig(n_inputs, np.array(fanins, np.int64).reshape(-1, 2), outputs).replace(0, (0, 0, 0, 0, 0))


def unflatten(aig: FlatAig, inputs: tuple[Input, ...], interface: Interface) -> BooleanGraph:
    """Return a folded graph of two-input LUTs whose input i is ``inputs[i]``."""
    builder = FoldingBuilder(interface)
    literals: list[Literal] = [FALSE, *(builder.input(node) for node in inputs)]

    def literal(value: int) -> Literal:
        index, phase = literals[value >> 1]
        return index, phase ^ bool(value & 1)

    for a, b in aig.fanins[1 + aig.n_inputs :].tolist():
        literals.append(builder.lut([literal(a), literal(b)], 0b1000))
    return builder.finish([literal(value) for value in aig.outputs.tolist()])


@allocating
def simulated(fanins, n_inputs, patterns):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the (nodes, W) packed values of all nodes."""
    n_words = patterns.shape[1]
    values = np.zeros((len(fanins), n_words), np.uint64)
    values[1 : 1 + n_inputs] = patterns
    ones = ~np.uint64(0)
    for v in range(1 + n_inputs, len(fanins)):
        a, b = fanins[v, 0], fanins[v, 1]
        flip_a = ones if a & 1 else np.uint64(0)
        flip_b = ones if b & 1 else np.uint64(0)
        a >>= 1
        b >>= 1
        for w in range(n_words):
            values[v, w] = (values[a, w] ^ flip_a) & (values[b, w] ^ flip_b)
    return values


@leaf
def _slot(a, b, mask):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    return (a * 40503 + b * 30011) & mask


@allocating
def _and(a, b, fanins, count, table):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the literal of a & b: simplified, found in the hash table, or the new node ``count[0]``."""
    if a > b:
        a, b = b, a
    if a == 0 or a == b ^ 1:
        return 0
    if a == 1 or a == b:
        return b
    mask = len(table) - 1
    slot = _slot(a, b, mask)
    while table[slot] >= 0:
        v = table[slot]
        if fanins[v, 0] == a and fanins[v, 1] == b:
            return 2 * v
        slot = (slot + 1) & mask
    v = count[0]
    table[slot] = v
    fanins[v, 0], fanins[v, 1] = a, b
    count[0] = v + 1
    return 2 * v


@allocating
def _function(move, place, fanins, count, table):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add the function of a move, whose literals' nodes are placed already, and return its literal."""
    kind, phase = move[0], move[1]
    a = place[move[2] >> 1] ^ (move[2] & 1)
    b = place[move[3] >> 1] ^ (move[3] & 1)
    c = place[move[4] >> 1] ^ (move[4] & 1)
    if kind == LITERAL:
        return a ^ phase
    if kind == AND2:
        return _and(a, b, fanins, count, table) ^ phase
    if kind == XOR2:
        x = _and(a, b ^ 1, fanins, count, table)
        y = _and(a ^ 1, b, fanins, count, table)
        return _and(x ^ 1, y ^ 1, fanins, count, table) ^ 1 ^ phase
    flip = kind == AND_OR
    x = _and(b ^ flip, c ^ flip, fanins, count, table) ^ flip
    return _and(a, x, fanins, count, table) ^ phase


@allocating
def replaced(fanins, outputs, n_inputs, target, move):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Rebuild the graph with ``move`` in place of node ``target`` (0: nothing is replaced)."""
    n = len(fanins)
    new = np.zeros((n + 4, 2), np.int64)
    size = 64
    while size < 4 * n:
        size *= 2
    table, count = np.full(size, -1, np.int64), np.array([1 + n_inputs])
    place = np.full(n, -1, np.int64)
    place[: 1 + n_inputs] = 2 * np.arange(1 + n_inputs)
    # Depth first instead of in the old order, since the replacement may read nodes after the target.
    stack = np.empty(4 * n + 16, np.int64)
    for o in range(len(outputs)):
        depth = 1
        stack[0] = outputs[o] >> 1
        while depth:
            v = stack[depth - 1]
            replace = target > 0 and v == target
            waiting = depth
            for literal in move[2:] if replace else fanins[v]:
                if place[v] < 0 and place[literal >> 1] < 0:
                    stack[depth] = literal >> 1
                    depth += 1
                    break
            if depth > waiting:
                continue
            depth -= 1
            if place[v] >= 0:
                continue
            if replace:
                place[v] = _function(move, place, new, count, table)
            else:
                a = place[fanins[v, 0] >> 1] ^ (fanins[v, 0] & 1)
                b = place[fanins[v, 1] >> 1] ^ (fanins[v, 1] & 1)
                place[v] = _and(a, b, new, count, table)
    driven = np.empty(len(outputs), np.int64)
    for o in range(len(outputs)):
        driven[o] = place[outputs[o] >> 1] ^ (outputs[o] & 1)
    # Simplification may have left dangling nodes.
    return _needed(new, count[0], driven, n_inputs)


@allocating
def replacement_costs(fanins, outputs, n_inputs, target, after, moves):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return (moves,) the costs of the graphs that :meth:`FlatAig.replace` would return.

    Only the transitive fan-out of the target changes, so only that is hashed again for each move. ``after``
    marks it, and the target; no literal of the moves is in it.
    """
    n, first = len(fanins), 1 + n_inputs
    fan_out = np.flatnonzero(after)
    fan_out = fan_out[fan_out > target]
    # Nodes outside of the fan-out keep their places; those of a move and of the new fan-out come last.
    new = np.empty((n + len(fan_out) + 4, 2), np.int64)
    size = 64
    while size < 2 * len(new):
        size *= 2
    table, count, place = np.full(size, -1, np.int64), np.zeros(1, np.int64), 2 * np.arange(n)
    for v in range(first, n):
        if not after[v]:
            count[0] = v
            _and(fanins[v, 0], fanins[v, 1], new, count, table)
    costs = np.empty(len(moves), np.int64)
    readers = np.empty(len(new), np.int64)
    for i in range(len(moves)):
        count[0] = n
        place[target] = _function(moves[i], place, new, count, table)
        for v in fan_out:
            a = place[fanins[v, 0] >> 1] ^ (fanins[v, 0] & 1)
            b = place[fanins[v, 1] >> 1] ^ (fanins[v, 1] & 1)
            place[v] = _and(a, b, new, count, table)
        readers[: count[0]] = 0
        for output in outputs:
            readers[place[output >> 1] >> 1] += 1
        costs[i] = 0
        for v in range(count[0] - 1, n_inputs, -1):
            if readers[v]:
                costs[i] += 3 + (readers[v] > 1)
                readers[new[v, 0] >> 1] += 1
                readers[new[v, 1] >> 1] += 1
        for v in range(count[0] - 1, n - 1, -1):
            _forget(v, new, table)
    return costs


@allocating
def _forget(v, fanins, table):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Remove the node that was added last from the hash table."""
    mask = len(table) - 1
    slot = _slot(fanins[v, 0], fanins[v, 1], mask)
    while table[slot] != v:
        slot = (slot + 1) & mask
    table[slot] = -1


@allocating
def cost(fanins, outputs, n_inputs):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Estimate the mapped area: every AND counts 3, and 1 more if it has several readers.

    Cells of three and four inputs absorb ANDs, but not across a node with other readers.
    """
    readers = np.zeros(len(fanins), np.int64)
    for v in range(1 + n_inputs, len(fanins)):
        readers[fanins[v, 0] >> 1] += 1
        readers[fanins[v, 1] >> 1] += 1
    for output in outputs:
        readers[output >> 1] += 1
    return 3 * (len(fanins) - 1 - n_inputs) + (readers[1 + n_inputs :] > 1).sum()


@allocating
def _needed(fanins, n, outputs, n_inputs):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Keep only the nodes that the outputs need, in the same order."""
    used = np.zeros(n, np.bool_)
    for o in range(len(outputs)):
        used[outputs[o] >> 1] = True
    for v in range(n - 1, n_inputs, -1):
        if used[v]:
            used[fanins[v, 0] >> 1] = True
            used[fanins[v, 1] >> 1] = True
    place = np.empty(n, np.int64)
    kept = 0
    for v in range(n):
        if v <= n_inputs or used[v]:
            place[v] = kept
            kept += 1
    new = np.zeros((kept, 2), np.int64)
    for v in range(1 + n_inputs, n):
        if used[v]:
            for k in range(2):
                new[place[v], k] = 2 * place[fanins[v, k] >> 1] ^ (fanins[v, k] & 1)
    driven = np.empty(len(outputs), np.int64)
    for o in range(len(outputs)):
        driven[o] = 2 * place[outputs[o] >> 1] ^ (outputs[o] & 1)
    return new, driven
