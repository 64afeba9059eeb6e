"""Changes of a circuit that can be undone: all of them go through :func:`set_edge` or :func:`set_kind`."""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from dwn_asic.compiled import kernel, leaf
from dwn_asic.optimize.lossy.anneal.state import (
    ACTIVE,
    AREA,
    FAILED,
    FIRST_GATE,
    FOLLOWING,
    FREE,
    GATE_PRICE,
    GATES,
    HEAD,
    KIND,
    LITERAL,
    LOG,
    LOG_SIZE,
    LOGGED,
    N_EDGES,
    N_GATES,
    PART_PRICE,
    PART_START,
    PART_USES,
    PARTS,
    PENDING,
    PENDING_COUNT,
    PENDING_SIZE,
    PLACE,
    PRECEDING,
    READERS,
    USED,
    USED_COUNT,
    USED_PLACE,
    XOR,
)

__all__ = ["commit", "is_free", "set_edge", "set_kind", "substitute", "sweep", "undo"]


@leaf
def is_free(c, gate):  # pragma: no cover - compiled
    return c[c[LITERAL] + 2 * gate] == FREE


@leaf
def _link(c, edge, node):  # pragma: no cover - compiled
    first = c[c[HEAD] + node]
    c[c[FOLLOWING] + edge] = first
    c[c[PRECEDING] + edge] = -1
    if first >= 0:
        c[c[PRECEDING] + first] = edge
    c[c[HEAD] + node] = edge
    c[c[READERS] + node] += 1


@leaf
def _unlink(c, edge, node):  # pragma: no cover - compiled
    after, before = c[c[FOLLOWING] + edge], c[c[PRECEDING] + edge]
    if before >= 0:
        c[c[FOLLOWING] + before] = after
    else:
        c[c[HEAD] + node] = after
    if after >= 0:
        c[c[PRECEDING] + after] = before
    c[c[READERS] + node] -= 1


@leaf
def _use_input(c, node):  # pragma: no cover - compiled
    # An input gets its first reader: add the area of the comparator parts that no other input uses.
    n = c[USED_COUNT]
    c[c[USED] + n] = node
    c[c[USED_PLACE] + node] = n
    c[USED_COUNT] = n + 1
    for i in range(c[c[PART_START] + node], c[c[PART_START] + node + 1]):
        part = c[c[PARTS] + i]
        if c[c[PART_USES] + part] == 0:
            c[AREA] += c[c[PART_PRICE] + part]
        c[c[PART_USES] + part] += 1


@leaf
def _drop_input(c, node):  # pragma: no cover - compiled
    n = c[USED_COUNT] - 1
    last, place = c[c[USED] + n], c[c[USED_PLACE] + node]
    c[c[USED] + place] = last
    c[c[USED_PLACE] + last] = place
    c[USED_COUNT] = n
    for i in range(c[c[PART_START] + node], c[c[PART_START] + node + 1]):
        part = c[c[PARTS] + i]
        c[c[PART_USES] + part] -= 1
        if c[c[PART_USES] + part] == 0:
            c[AREA] -= c[c[PART_PRICE] + part]


@leaf
def _put_edge(c, edge, literal):  # pragma: no cover - compiled
    # Change an edge without logging it; lists, counts and area are kept up to date.
    n_gates = c[N_GATES]
    first_gate = c[FIRST_GATE]
    old = c[c[LITERAL] + edge]
    if old != FREE:
        node = old >> 1
        _unlink(c, edge, node)
        if node < first_gate and node > 0 and c[c[READERS] + node] == 0:
            _drop_input(c, node)
    c[c[LITERAL] + edge] = literal
    if literal != FREE:
        node = literal >> 1
        if node < first_gate and node > 0 and c[c[READERS] + node] == 0:
            _use_input(c, node)
        _link(c, edge, node)
    if edge < 2 * n_gates and edge & 1 == 0 and (old == FREE) != (literal == FREE):
        gate = edge >> 1
        n = c[GATES]
        if old == FREE:
            c[c[ACTIVE] + n] = gate
            c[c[PLACE] + gate] = n
            c[GATES] = n + 1
            c[AREA] += c[c[GATE_PRICE] + c[c[KIND] + gate]]
        else:
            last, place = c[c[ACTIVE] + n - 1], c[c[PLACE] + gate]
            c[c[ACTIVE] + place] = last
            c[c[PLACE] + last] = place
            c[GATES] = n - 1
            c[AREA] -= c[c[GATE_PRICE] + c[c[KIND] + gate]]


@leaf
def _log(c, what, before):  # pragma: no cover - compiled
    n = c[LOGGED]
    c[c[LOG] + 2 * n] = what
    c[c[LOG] + 2 * n + 1] = before
    c[LOGGED] = n + 1
    if n + 16 > c[LOG_SIZE]:
        c[FAILED] = 1


@leaf
def _queue(c, gate):  # pragma: no cover - compiled
    n = c[PENDING_COUNT]
    if n < c[PENDING_SIZE]:
        c[c[PENDING] + n] = gate
        c[PENDING_COUNT] = n + 1
    else:
        c[FAILED] = 1


@kernel
def set_edge(c, edge, literal):  # pragma: no cover - compiled
    # The gate that reads through the edge, and a gate that lost its last reader, are queued for sweep().
    n_gates = c[N_GATES]
    first_gate = c[FIRST_GATE]
    old = c[c[LITERAL] + edge]
    if old == literal:
        return
    _log(c, edge, old)
    _put_edge(c, edge, literal)
    if edge < 2 * n_gates:
        _queue(c, edge >> 1)
    if old != FREE and old >> 1 >= first_gate and c[c[READERS] + (old >> 1)] == 0:
        _queue(c, (old >> 1) - first_gate)


@kernel
def set_kind(c, gate, kind):  # pragma: no cover - compiled
    old = c[c[KIND] + gate]
    if old == kind:
        return
    _log(c, c[N_EDGES] + gate, old)
    c[AREA] += c[c[GATE_PRICE] + kind] - c[c[GATE_PRICE] + old]
    c[c[KIND] + gate] = kind


@kernel
def undo(c):  # pragma: no cover - compiled
    n_edges = c[N_EDGES]
    for i in range(c[LOGGED] - 1, -1, -1):
        what, before = c[c[LOG] + 2 * i], c[c[LOG] + 2 * i + 1]
        if what >= n_edges:
            gate = what - n_edges
            c[AREA] += c[c[GATE_PRICE] + before] - c[c[GATE_PRICE] + c[c[KIND] + gate]]
            c[c[KIND] + gate] = before
        else:
            _put_edge(c, what, before)
    commit(c)


@leaf
def commit(c):  # pragma: no cover - compiled
    # Keep the changes so far and clear the log.
    c[LOGGED] = c[PENDING_COUNT] = c[FAILED] = 0


@kernel
def substitute(c, node, literal):  # pragma: no cover - compiled
    # Every reader of the node reads the literal instead, with its own complement.
    while c[c[HEAD] + node] >= 0 and c[FAILED] == 0:
        edge = c[c[HEAD] + node]
        set_edge(c, edge, literal ^ (c[c[LITERAL] + edge] & 1))


@leaf
def _simplified(c, gate):  # pragma: no cover - compiled
    # The literal that a trivial gate equals (node 0 is the constant 0), FREE for any other gate.
    a, b = c[c[LITERAL] + 2 * gate], c[c[LITERAL] + 2 * gate + 1]
    if a >> 1 and b >> 1 and a >> 1 != b >> 1:
        return np.int64(FREE)
    if b >> 1 == 0:
        a, b = b, a
    if c[c[KIND] + gate] == XOR:
        if a >> 1 == 0:
            return b ^ a
        return a ^ b
    if a >> 1 == 0:
        return b if a == 1 else np.int64(0)
    return a if a == b else np.int64(0)


@kernel
def sweep(c):  # pragma: no cover - compiled
    # Free gates that have lost their last reader and replace gates that have become trivial, recursively.
    first_gate = c[FIRST_GATE]
    while c[PENDING_COUNT] > 0 and c[FAILED] == 0:
        c[PENDING_COUNT] -= 1
        gate = c[c[PENDING] + c[PENDING_COUNT]]
        if is_free(c, gate):
            continue
        if c[c[READERS] + first_gate + gate] == 0:
            set_edge(c, 2 * gate, np.int64(FREE))
            set_edge(c, 2 * gate + 1, np.int64(FREE))
            continue
        same = _simplified(c, gate)
        if same != FREE:
            substitute(c, first_gate + gate, same)
            _queue(c, gate)
