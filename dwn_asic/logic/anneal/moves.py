"""The proposals: small random changes of a circuit. Each leaves a valid circuit, or says that it failed."""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from dwn_asic.logic.anneal.compiled import kernel
from dwn_asic.logic.anneal.edits import is_free, kill_unread, set_edge, set_kind, substitute
from dwn_asic.logic.anneal.state import (
    ACTIVE,
    AND,
    FAILED,
    FEATURE_OF,
    FEATURE_START,
    FIRST_GATE,
    FOLLOWING,
    FREE,
    GATES,
    HEAD,
    KIND,
    LITERAL,
    N_EDGES,
    N_FEATURES,
    N_GATES,
    N_WORDS,
    READERS,
    USED,
    USED_COUNT,
    XOR,
)
from dwn_asic.network.words import below, ones, random_bits

__all__ = ["MOVES", "MOVE_WEIGHTS", "propose"]

MOVES = (
    "complement",
    "kind",
    "rewire",
    "bypass",
    "replace",
    "insert",
    "shift_threshold",
    "rotate",
    "constant",
)
"""What kinds of proposals there are."""
MOVE_WEIGHTS = (1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 4.0, 1.0, 0.5)
"""How often each is made."""
_TRIES = 4
_SAMPLE = 8
"""Words on which literals are compared."""


@kernel
def _random_gate(c, words):  # pragma: no cover - compiled
    return c[c[ACTIVE] + below(words, c[GATES])]


@kernel
def _random_edge(c, words):  # pragma: no cover - compiled
    n_gates = c[N_GATES]
    n = c[GATES]
    n_outputs = c[N_EDGES] - 2 * n_gates
    pick = below(words, 2 * n + n_outputs)
    return 2 * c[c[ACTIVE] + (pick >> 1)] + (pick & 1) if pick < 2 * n else pick - 2 * n + 2 * n_gates


@kernel
def _random_input(c, words):  # pragma: no cover - compiled
    # As often one in use, which costs nothing more, as any constant of any feature.
    if c[USED_COUNT] > 0 and random_bits(words) & np.uint64(1 << 40):
        return c[c[USED] + below(words, c[USED_COUNT])]
    feature = below(words, c[N_FEATURES])
    first, end = c[c[FEATURE_START] + feature], c[c[FEATURE_START] + feature + 1]
    if first == end:
        return np.int64(FREE)
    return first + below(words, end - first)


@kernel
def _random_source(c, words, limit):  # pragma: no cover - compiled
    # A node that a gate in slot `limit` may read.
    first_gate = c[FIRST_GATE]
    if c[GATES] > 0 and random_bits(words) & np.uint64(1 << 40):
        for _ in range(_TRIES):
            gate = _random_gate(c, words)
            if gate < limit:
                return first_gate + gate
    return _random_input(c, words)


@kernel
def _distance(c, values, a, b):  # pragma: no cover - compiled
    # Rows of the first block on which two literals differ.
    n = min(np.int64(_SAMPLE), c[N_WORDS])
    flip = np.uint64(0) if (a ^ b) & 1 == 0 else np.uint64(0xFFFFFFFFFFFFFFFF)
    x, y = values[a >> 1, :n], values[b >> 1, :n]
    total = np.int64(0)
    for w in range(len(x)):
        total += ones(x[w] ^ y[w] ^ flip)
    return total


@kernel
def _similar_source(c, words, values, limit, literal):  # pragma: no cover - compiled
    # A literal for a reader in slot `limit` in place of `literal`: half the time any, else of some the
    # nearest on the first rows, since most others are hopeless.
    wanted = 1 if random_bits(words) & np.uint64(1 << 41) else 4
    best, best_distance = np.int64(FREE), np.int64(1 << 40)
    n_rows = 64 * min(np.int64(_SAMPLE), c[N_WORDS])
    for _ in range(wanted):
        node = _random_source(c, words, limit)
        if node in (FREE, literal >> 1):
            continue
        candidate = 2 * node
        if wanted == 1:
            return candidate ^ np.int64(below(words, 2))
        distance = _distance(c, values, candidate, literal)
        if distance > n_rows // 2:
            candidate, distance = candidate ^ 1, n_rows - distance
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


@kernel
def _reader_limit(c, edge):  # pragma: no cover - compiled
    n_gates = c[N_GATES]
    return edge >> 1 if edge < 2 * n_gates else n_gates


@kernel
def _first_reader(c, node):  # pragma: no cover - compiled
    limit = c[N_GATES]
    edge = c[c[HEAD] + node]
    while edge >= 0:
        limit = min(limit, _reader_limit(c, edge))
        edge = c[c[FOLLOWING] + edge]
    return limit


@kernel
def _complement(c, words):  # pragma: no cover - compiled
    edge = _random_edge(c, words)
    set_edge(c, edge, c[c[LITERAL] + edge] ^ 1)
    return True


@kernel
def _change_kind(c, words):  # pragma: no cover - compiled
    # AND <-> XOR; an OR is an AND with complements.
    if c[GATES] == 0:
        return False
    gate = _random_gate(c, words)
    set_kind(c, gate, XOR if c[c[KIND] + gate] == AND else AND)
    if random_bits(words) & np.uint64(1 << 42):
        edge = 2 * gate + np.int64(below(words, 2))
        set_edge(c, edge, c[c[LITERAL] + edge] ^ 1)
    return True


@kernel
def _rewire(c, words, values):  # pragma: no cover - compiled
    edge = _random_edge(c, words)
    literal = _similar_source(c, words, values, _reader_limit(c, edge), c[c[LITERAL] + edge])
    if literal == FREE:
        return False
    set_edge(c, edge, literal)
    return True


@kernel
def _bypass(c, words):  # pragma: no cover - compiled
    # A gate's readers read one of its fan-ins instead.
    if c[GATES] == 0:
        return False
    gate = _random_gate(c, words)
    first_gate = c[FIRST_GATE]
    literal = c[c[LITERAL] + 2 * gate + below(words, 2)]
    if below(words, 4) == 0:
        literal ^= 1
    substitute(c, first_gate + gate, literal)
    return True


@kernel
def _constant(c, words):  # pragma: no cover - compiled
    # All readers of a gate, or one edge, read a constant.
    if c[GATES] == 0:
        return False
    value = np.int64(below(words, 2))
    if random_bits(words) & np.uint64(1 << 43):
        set_edge(c, _random_edge(c, words), value)
    else:
        first_gate = c[FIRST_GATE]
        substitute(c, first_gate + _random_gate(c, words), value)
    return True


@kernel
def _replace(c, words, values):  # pragma: no cover - compiled
    # All readers of a gate or an input read another node.
    first_gate = c[FIRST_GATE]
    if c[GATES] > 0 and random_bits(words) & np.uint64(3 << 44):
        node = first_gate + _random_gate(c, words)
    elif c[USED_COUNT] > 0:
        node = c[c[USED] + below(words, c[USED_COUNT])]
    else:
        return False
    literal = _similar_source(c, words, values, _first_reader(c, node), 2 * node)
    if literal == FREE:
        return False
    substitute(c, node, literal)
    return True


@kernel
def _free_slot(c, words, low, high):  # pragma: no cover - compiled
    # A free slot in low..high - 1, FREE where a few tries find none.
    if high <= low:
        return np.int64(FREE)
    for _ in range(2 * _TRIES):
        gate = low + below(words, high - low)
        if is_free(c, gate):
            return gate
    return np.int64(FREE)


@kernel
def _insert(c, words):  # pragma: no cover - compiled
    # A new gate of a node and another one, read by one or by all of the node's readers.
    first_gate = c[FIRST_GATE]
    edge = _random_edge(c, words)
    literal = c[c[LITERAL] + edge]
    node = literal >> 1
    everywhere = random_bits(words) & np.uint64(1 << 45) != 0 and node > 0
    high = _first_reader(c, node) if everywhere else _reader_limit(c, edge)
    gate = _free_slot(c, words, max(np.int64(0), node - first_gate + 1), high)
    if gate == FREE:
        return False
    other = _random_source(c, words, gate)
    if node == 0:
        # In place of a constant output, a gate of two random nodes.
        node = _random_source(c, words, gate)
        literal = 2 * node + np.int64(below(words, 2))
    if node == FREE or other in (FREE, node):
        return False
    # A free gate has no price yet, so its kind can be set without a log.
    c[c[KIND] + gate] = XOR if below(words, 8) == 0 else AND
    # (x and y) or (x or y), that is not (not x and not y).
    flip = np.int64(below(words, 2))
    new = 2 * (first_gate + gate) + (flip if c[c[KIND] + gate] == AND else 0)
    if everywhere:
        substitute(c, node, new)
        first = 2 * node + flip
    else:
        first = literal ^ flip
        set_edge(c, edge, new)
    if c[c[KIND] + gate] == XOR:
        first ^= flip
    set_edge(c, 2 * gate, first)
    set_edge(c, 2 * gate + 1, 2 * other + np.int64(below(words, 2)))
    return True


@kernel
def _shift_threshold(c, words):  # pragma: no cover - compiled
    # One or all readers of an input read a neighbouring constant of the same feature.
    if c[USED_COUNT] == 0:
        return False
    node = c[c[USED] + below(words, c[USED_COUNT])]
    feature = c[c[FEATURE_OF] + node]
    first, end = c[c[FEATURE_START] + feature], c[c[FEATURE_START] + feature + 1]
    step = 1 + np.int64(below(words, 1 << below(words, 6)))
    other = node + step if random_bits(words) & np.uint64(1 << 46) else node - step
    if not first <= other < end:
        return False
    if c[c[READERS] + node] > 1 and random_bits(words) & np.uint64(1 << 47):
        edge = c[c[HEAD] + node]
        for _ in range(below(words, c[c[READERS] + node])):
            edge = c[c[FOLLOWING] + edge]
        set_edge(c, edge, 2 * other + (c[c[LITERAL] + edge] & 1))
    else:
        substitute(c, node, 2 * other)
    return True


@kernel
def _rotate(c, words):  # pragma: no cover - compiled
    # (x y) z -> (x z) y, for AND and for XOR: the same function, other subfunctions.
    if c[GATES] == 0:
        return False
    first_gate = c[FIRST_GATE]
    gate = _random_gate(c, words)
    side = np.int64(below(words, 2))
    inner_literal, z = c[c[LITERAL] + 2 * gate + side], c[c[LITERAL] + 2 * gate + 1 - side]
    inner = (inner_literal >> 1) - first_gate
    if inner < 0 or c[c[KIND] + inner] != c[c[KIND] + gate] or c[c[READERS] + (inner_literal >> 1)] != 1:
        return False
    if (c[c[KIND] + gate] == AND and inner_literal & 1) or (z >> 1) - first_gate >= inner:
        return False
    inner_edge = 2 * inner + np.int64(below(words, 2))
    y = c[c[LITERAL] + inner_edge]
    set_edge(c, inner_edge, z)
    set_edge(c, 2 * gate + 1 - side, y)
    return True


@kernel
def propose(c, words, values, weights):  # pragma: no cover - compiled
    # One change by the cumulative weights; gives its kind and whether there is a valid new circuit.
    pick = np.float64(random_bits(words) >> np.uint64(11)) / 9007199254740992.0
    move = 0
    while move < len(weights) - 1 and pick >= weights[move]:
        move += 1
    if move == 0:
        done = _complement(c, words)
    elif move == 1:
        done = _change_kind(c, words)
    elif move == 2:
        done = _rewire(c, words, values)
    elif move == 3:
        done = _bypass(c, words)
    elif move == 4:
        done = _replace(c, words, values)
    elif move == 5:
        done = _insert(c, words)
    elif move == 6:
        done = _shift_threshold(c, words)
    elif move == 7:
        done = _rotate(c, words)
    else:
        done = _constant(c, words)
    kill_unread(c)
    return move, done and c[FAILED] == 0
