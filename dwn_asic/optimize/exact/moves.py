"""Candidates of resubstitution: functions of other nodes that agree with a node wherever it is observable."""

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.flat_aig import (
    AND2,
    AND3,
    AND_OR,
    LITERAL,
    XOR2,
    FlatAig,
    Integers,
    Words,
    replacement_costs,
)
from dwn_asic.compiled import allocating, leaf

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
    # Rows of the nodes whose values change, and the place of each such node among them.
    place, count = np.empty(n, np.int64), 1
    after[node], place[node] = True, 0
    for v in range(node + 1, n):
        if after[fanins[v, 0] >> 1] or after[fanins[v, 1] >> 1]:
            after[v], place[v] = True, count
            count += 1
    changed = np.empty((count, n_words), np.uint64)
    for w in range(n_words):
        changed[0, w] = ~values[node, w]
    for v in range(node + 1, n):
        if not after[v]:
            continue
        a, b = fanins[v, 0] >> 1, fanins[v, 1] >> 1
        flip_a, flip_b = _flip(fanins[v, 0]), _flip(fanins[v, 1])
        xs = changed[place[a]] if after[a] else values[a]
        ys = changed[place[b]] if after[b] else values[b]
        for w in range(n_words):
            changed[place[v], w] = (xs[w] ^ flip_a) & (ys[w] ^ flip_b)
    care = np.zeros(n_words, np.uint64)
    for o in range(len(outputs)):
        v = outputs[o] >> 1
        if after[v]:
            for w in range(n_words):
                care[w] |= changed[place[v], w] ^ values[v, w]
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


@leaf
def _flip(literal):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    return ~np.uint64(0) if literal & 1 else np.uint64(0)


@leaf
def _densest(mask):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the word with the most bits, which tells most literals apart."""
    best, most = 0, np.uint64(0)
    for w in range(len(mask)):
        x = mask[w]
        x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
        x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
        x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        x = (x * np.uint64(0x0101010101010101)) >> np.uint64(56)
        if x > most:
            best, most = w, x
    return best


@leaf
def _never(mask, values, node, flip):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return whether a literal holds nowhere in a mask."""
    n_words = len(mask)
    whole = n_words - n_words % 8
    for start in range(0, whole, 8):
        held = np.uint64(0)
        for w in range(start, start + 8):  # without an exit, so that it is vectorized
            held |= mask[w] & (values[node, w] ^ flip)
        if held:
            return False
    for w in range(whole, n_words):  # noqa: SIM110 - a generator is slower here
        if mask[w] & (values[node, w] ^ flip):
            return False
    return True


@leaf
def _absent(mask, densest, values, node):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return whether the node holds nowhere in a mask, and whether its complement does.

    ``densest`` is a word of the mask that most nodes fail on.
    """
    x, m = values[node, densest], mask[densest]
    positive = not m & x and _never(mask, values, node, np.uint64(0))
    negative = not m & ~x and _never(mask, values, node, ~np.uint64(0))
    return positive, negative


@leaf
def _disjoint(xs, i, ys, j):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    for w in range(xs.shape[1]):  # noqa: SIM110 - a generator is slower here
        if xs[i, w] & ys[j, w]:
            return False
    return True


@leaf
def _add(found, count, limit, kind, phase, a, b, c):  # type: ignore[no-untyped-def]  # pragma: no cover
    if count[0] < limit:
        i = count[0]
        found[i, 1], found[i, 2], found[i, 3], found[i, 4], found[i, 5] = kind, phase, a, b, c
        count[0] += 1


@allocating
def _covers(on, off, values, after, order, phase, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return literals that hold wherever the node does, and where else; record exact ones as moves."""
    names = np.empty(_MOST_COVERS, np.int64)
    rests = np.empty((_MOST_COVERS, len(on)), np.uint64)
    n_covers, densest = 0, _densest(on)
    for d in order:
        if after[d]:
            continue
        positive, negative = _absent(on, densest, values, d)
        # A literal holds on all of ``on`` if its complement holds nowhere in it.
        for literal, covering in ((2 * d, negative), (2 * d + 1, positive)):
            if n_covers == _MOST_COVERS or not covering:
                continue
            some, less, flip = np.uint64(0), np.uint64(0), _flip(literal)
            for w in range(len(on)):
                rest = off[w] & (values[d, w] ^ flip)
                rests[n_covers, w] = rest
                some |= rest
                less |= rest ^ off[w]
            if not some:
                _add(found, count, len(found), LITERAL, phase, literal, 0, 0)
            elif less:
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
            if not same and _disjoint(rests, i, rests, j):
                _add(found, count, limit, AND2, phase, a, b, 0)
        if count[0] == limit:
            return


@allocating
def _triples(names, rests, phase, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Record moves to a & b & c where no two of them suffice."""
    limit = min(len(found), count[0] + _MOST_MOVES // 2)
    both = np.empty((1, rests.shape[1]), np.uint64)
    for i in range(len(names)):
        for j in range(i):
            some = np.uint64(0)
            for w in range(rests.shape[1]):
                both[0, w] = rests[i, w] & rests[j, w]
                some |= both[0, w]
            if not some:
                continue
            for k in range(j):
                if _disjoint(both, 0, rests, k):
                    _add(found, count, limit, AND3, phase, names[i], names[j], names[k])
            if count[0] == limit:
                return


@allocating
def _parts(on, rest, values, after, order):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return literals that hold somewhere in ``on`` and nowhere in ``rest``."""
    names = np.empty(_MOST_COVERS, np.int64)
    n_parts, densest = 0, _densest(rest)
    for d in order:
        if after[d]:
            continue
        positive, negative = _absent(rest, densest, values, d)
        for literal, fits in ((2 * d, positive), (2 * d + 1, negative)):
            if fits and n_parts < _MOST_COVERS and not _never(on, values, d, _flip(literal)):
                names[n_parts] = literal
                n_parts += 1
    return names[:n_parts]


@allocating
def _and_ors(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    on, names, rests, values, after, order, phase, found, count
):
    """Record moves to the two-level function a & (b | c)."""
    limit = min(len(found), count[0] + _MOST_MOVES // 2)
    missing = np.empty_like(on)
    for i in range(len(names)):
        parts = _parts(on, rests[i], values, after, order)
        for j in range(len(parts)):
            b, flip = parts[j] >> 1, _flip(parts[j])
            for w in range(len(on)):
                missing[w] = on[w] & ~(values[b, w] ^ flip)
            for k in range(j):
                if _never(missing, values, parts[k] >> 1, ~_flip(parts[k])):
                    _add(found, count, limit, AND_OR, phase, names[i], parts[j], parts[k])
            if count[0] == limit:
                return


@allocating
def _xors(value, care, values, after, order, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Record moves to a ^ b."""
    # A word of each node by itself, since most pairs fail on it.
    densest = _densest(care)
    nodes, firsts, n_nodes = np.empty(len(order), np.int64), np.empty(len(order), np.uint64), 0
    for d in order:
        if not after[d] and d != 0:
            nodes[n_nodes], firsts[n_nodes] = d, values[d, densest] & care[densest]
            n_nodes += 1
    first = value[densest] & care[densest]
    for i in range(n_nodes):
        d, same_word = nodes[i], first ^ firsts[i]
        opposite_word = same_word ^ care[densest]
        for j in range(i):
            if firsts[j] != same_word and firsts[j] != opposite_word:
                continue
            e = nodes[j]
            same, opposite = True, True
            for w in range(len(care)):
                x = (value[w] ^ values[d, w] ^ values[e, w]) & care[w]
                same &= x == 0
                opposite &= x == care[w]
                if not same and not opposite:
                    break
            if same or opposite:
                _add(found, count, len(found), XOR2, 0 if same else 1, 2 * d, 2 * e, 0)


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
    found = found[: count[0]]
    found[:, 0] = replacement_costs(fanins, outputs, n_inputs, node, after, found[:, 1:])
    return found
