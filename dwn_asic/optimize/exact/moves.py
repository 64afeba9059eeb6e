"""Candidates of resubstitution: functions of other nodes that agree with a node wherever it is observable."""

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.flat_aig import FlatAig, Integers, Words, cost, replaced
from dwn_asic.compiled import allocating

__all__ = ["best_moves"]

_MOST_COVERS = 160
_MOST_MOVES = 48
# Most divisors that are tried for one node.
_MOST_DIVISORS = 1000


def best_moves(aig: FlatAig, values: Words, node: int, order: Integers) -> Integers:
    """Find ways to replace a node, sorted by the cost of the resulting graph, cheapest first.

    Parameters
    ----------
    aig
        The graph.
    values
        (nodes, W) packed values on the patterns that must agree.
    node
        The node to replace.
    order
        A permutation of all nodes: the order in which divisors are tried.

    Returns
    -------
    Integers
        (moves, 6): resulting cost, then kind, complemented, a, b, c as :meth:`FlatAig.replace` takes them.
    """
    order = np.concatenate([order[:_MOST_DIVISORS], [0]]) if len(order) > _MOST_DIVISORS else order
    found = _moves(aig.fanins, aig.outputs, aig.n_inputs, values, node, order)
    return found[np.argsort(found[:, 0], kind="stable")]


@allocating
def _observed(fanins, outputs, values, node, after):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return (W,) the patterns on which flipping the node changes an output.

    Marks the node and its transitive fan-out in ``after``.
    """
    n, n_words = values.shape
    changed = values.copy()
    changed[node] = ~values[node]
    after[node] = True
    ones, zero = ~np.uint64(0), np.uint64(0)
    for v in range(node + 1, n):
        a, b = fanins[v, 0], fanins[v, 1]
        flip_a, flip_b = (ones if a & 1 else zero), (ones if b & 1 else zero)
        a >>= 1
        b >>= 1
        if after[a] or after[b]:
            after[v] = True
            for w in range(n_words):
                changed[v, w] = (changed[a, w] ^ flip_a) & (changed[b, w] ^ flip_b)
    care = np.zeros(n_words, np.uint64)
    for o in range(len(outputs)):
        v = outputs[o] >> 1
        if after[v]:
            care |= changed[v] ^ values[v]
    return care


@allocating
def _own_cone(fanins, outputs, n_inputs, node):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the number of nodes that only this node needs, itself included (its MFFC)."""
    n = len(fanins)
    readers = np.zeros(n, np.int64)
    for v in range(1 + n_inputs, n):
        readers[fanins[v, 0] >> 1] += 1
        readers[fanins[v, 1] >> 1] += 1
    for o in range(len(outputs)):
        readers[outputs[o] >> 1] += 1
    size = 0
    readers[node] = 0
    for v in range(node, n_inputs, -1):
        if readers[v] == 0:
            size += 1
            readers[fanins[v, 0] >> 1] -= 1
            readers[fanins[v, 1] >> 1] -= 1
    return size


@allocating
def _flip(literal):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    return ~np.uint64(0) if literal & 1 else np.uint64(0)


@allocating
def _disjoint(x, y):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    for w in range(len(x)):  # noqa: SIM110 - a generator is slower here
        if x[w] & y[w]:
            return False
    return True


@allocating
def _add(found, count, limit, kind, phase, a, b, c):  # type: ignore[no-untyped-def]  # pragma: no cover
    if count[0] < limit:
        found[count[0], 1:] = (kind, phase, a, b, c)
        count[0] += 1


@allocating
def _covering(on, off, literal, value, rest):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return whether a literal holds on all of ``on``; then ``rest`` is where it holds in ``off``."""
    flip = _flip(literal)
    for w in range(len(on)):
        if on[w] & ~(value[w] ^ flip):
            return False
    for w in range(len(on)):
        rest[w] = off[w] & (value[w] ^ flip)
    return True


@allocating
def _covers(on, off, values, after, order, phase, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return literals that hold wherever the node does, and where else; record exact ones as moves."""
    names = np.empty(_MOST_COVERS, np.int64)
    rests = np.empty((_MOST_COVERS, len(on)), np.uint64)
    n_covers = 0
    for d in order:
        if after[d]:
            continue
        for literal in (2 * d, 2 * d + 1):
            if n_covers == _MOST_COVERS or not _covering(on, off, literal, values[d], rests[n_covers]):
                continue
            rest = rests[n_covers]
            if not rest.any():
                _add(found, count, len(found), 0, phase, literal, 0, 0)
            elif (rest != off).any():
                names[n_covers] = literal
                n_covers += 1
    return names[:n_covers], rests[:n_covers]


@allocating
def _pairs(names, rests, phase, own, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Record moves to a & b."""
    limit = min(len(found), count[0] + _MOST_MOVES)
    for i in range(len(names)):
        for j in range(i):
            a, b = names[i], names[j]
            same = phase == 0 and ((a == own[0] and b == own[1]) or (a == own[1] and b == own[0]))
            if not same and _disjoint(rests[i], rests[j]):
                _add(found, count, limit, 1, phase, a, b, 0)
        if count[0] == limit:
            return


@allocating
def _triples(names, rests, phase, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Record moves to a & b & c where no two of them suffice."""
    limit = min(len(found), count[0] + _MOST_MOVES // 2)
    for i in range(len(names)):
        for j in range(i):
            rest = rests[i] & rests[j]
            if not rest.any():
                continue
            for k in range(j):
                if _disjoint(rest, rests[k]):
                    _add(found, count, limit, 3, phase, names[i], names[j], names[k])
            if count[0] == limit:
                return


@allocating
def _parts(on, rest, values, after, order):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return literals that hold somewhere in ``on`` and nowhere in ``rest``."""
    names = np.empty(_MOST_COVERS, np.int64)
    n_parts = 0
    for d in order:
        if after[d]:
            continue
        for literal in (2 * d, 2 * d + 1):
            flip, fits, some = _flip(literal), True, False
            for w in range(len(on)):
                x = values[d, w] ^ flip
                if rest[w] & x:
                    fits = False
                    break
                some |= (on[w] & x) != 0
            if fits and some and n_parts < _MOST_COVERS:
                names[n_parts] = literal
                n_parts += 1
    return names[:n_parts]


@allocating
def _and_ors(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    on, names, rests, values, after, order, phase, found, count
):
    """Record moves to the two-level function a & (b | c)."""
    limit = min(len(found), count[0] + _MOST_MOVES // 2)
    scratch = np.empty(len(on), np.uint64)
    for i in range(len(names)):
        parts = _parts(on, rests[i], values, after, order)
        for j in range(len(parts)):
            missing = on & ~(values[parts[j] >> 1] ^ _flip(parts[j]))
            for k in range(j):
                if _covering(missing, missing, parts[k], values[parts[k] >> 1], scratch):
                    _add(found, count, limit, 4, phase, names[i], parts[j], parts[k])
            if count[0] == limit:
                return


@allocating
def _xors(value, care, values, after, order, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Record moves to a ^ b."""
    for i in range(len(order)):
        d = order[i]
        if after[d] or d == 0:
            continue
        for j in range(i):
            e = order[j]
            if after[e] or e == 0:
                continue
            same, opposite = True, True
            for w in range(len(care)):
                x = (value[w] ^ values[d, w] ^ values[e, w]) & care[w]
                same &= x == 0
                opposite &= x == care[w]
                if not same and not opposite:
                    break
            if same or opposite:
                _add(found, count, len(found), 2, 0 if same else 1, 2 * d, 2 * e, 0)


@allocating
def _moves(fanins, outputs, n_inputs, values, node, order):  # type: ignore[no-untyped-def]  # pragma: no cover
    after = np.zeros(len(values), np.bool_)
    care = _observed(fanins, outputs, values, node, after)
    # Functions of more literals pay only where they replace more ANDs.
    cone = _own_cone(fanins, outputs, n_inputs, node)
    found, count = np.zeros((4 * _MOST_MOVES, 6), np.int64), np.zeros(1, np.int64)
    for phase in range(2):
        on, off = care & (values[node] ^ _flip(phase)), care & ~(values[node] ^ _flip(phase))
        names, rests = _covers(on, off, values, after, order, phase, found, count)
        _pairs(names, rests, phase, fanins[node], found, count)
        if cone >= 2:
            _triples(names, rests, phase, found, count)
            _and_ors(on, names, rests, values, after, order, phase, found, count)
    if cone >= 3:
        _xors(values[node], care, values, after, order, found, count)
    for i in range(count[0]):
        new, driven = replaced(fanins, outputs, n_inputs, node, found[i, 1:])
        found[i, 0] = cost(new, driven, n_inputs)
    return found[: count[0]]
