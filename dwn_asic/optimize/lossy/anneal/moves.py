"""The proposals: small random changes of a circuit.

A proposal is planned first. Its errors follow from the values of the node that it changes, and the change is
carried out only if they are acceptable.
"""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.words import below, ones, random_bits
from dwn_asic.compiled import kernel, leaf
from dwn_asic.optimize.lossy.anneal.edits import is_free, set_edge, set_kind, substitute, sweep
from dwn_asic.optimize.lossy.anneal.state import (
    ACTIVE,
    AND,
    AREA,
    FAILED,
    FEATURE_OF,
    FEATURE_START,
    FIRST_BLOCK,
    FIRST_GATE,
    FOLLOWING,
    FORM,
    FREE,
    GATE_PRICE,
    GATES,
    HEAD,
    KIND,
    LITERAL,
    N_EDGES,
    N_FEATURES,
    N_GATES,
    NEW_A,
    NEW_B,
    NEW_GATE,
    NEW_KIND,
    PART_PRICE,
    PART_START,
    PART_USES,
    PARTS,
    PLACE_OF,
    READERS,
    TO,
    USED,
    USED_COUNT,
    XOR,
)

__all__ = ["MOVES", "MOVE_WEIGHTS", "carry_out", "choose", "most_freed"]

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
"""The kinds of proposals."""
MOVE_WEIGHTS = (1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 4.0, 1.0, 0.5)
"""Relative frequency of each kind of proposal."""
EDGE, NODE, GATE, SWAP = (np.int64(form) for form in range(4))
"""Forms of plans. PLACE_OF is for EDGE an edge that will read literal TO; for NODE a node whose readers will
read TO; for GATE a gate that gets kind NEW_KIND and fan-ins NEW_A and NEW_B; for SWAP an edge that swaps
literals with edge TO. For EDGE and NODE, TO may be a new gate in slot NEW_GATE."""
_TRIES = 4
MOST_FREED_GATES = 800
"""Area of the gates that a proposal is assumed to free at most, before it is carried out, in UNITs."""
_1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


@leaf
def _random_gate(c, words):  # pragma: no cover - compiled
    # A random gate in use, FREE if there is none.
    return c[c[ACTIVE] + below(words, c[GATES])] if c[GATES] > 0 else np.int64(FREE)


@leaf
def _random_edge(c, words):  # pragma: no cover - compiled
    n_gates = c[N_GATES]
    n = c[GATES]
    n_outputs = c[N_EDGES] - 2 * n_gates
    pick = below(words, 2 * n + n_outputs)
    return 2 * c[c[ACTIVE] + (pick >> 1)] + (pick & 1) if pick < 2 * n else pick - 2 * n + 2 * n_gates


@leaf
def _random_used_input(c, words):  # pragma: no cover - compiled
    return c[c[USED] + below(words, c[USED_COUNT])] if c[USED_COUNT] > 0 else np.int64(FREE)


@leaf
def _random_input(c, words):  # pragma: no cover - compiled
    # Half the time an input in use, which adds no area, otherwise any candidate of a random feature.
    if random_bits(words) & np.uint64(1 << 40):
        node = _random_used_input(c, words)
        if node != FREE:
            return node
    feature = below(words, c[N_FEATURES])
    first, end = c[c[FEATURE_START] + feature], c[c[FEATURE_START] + feature + 1]
    if first == end:
        return np.int64(FREE)
    return first + below(words, end - first)


@leaf
def _random_source(c, words, limit):  # pragma: no cover - compiled
    # A random node that a gate in slot `limit` may read.
    first_gate = c[FIRST_GATE]
    if c[GATES] > 0 and random_bits(words) & np.uint64(1 << 40):
        for _ in range(_TRIES):
            gate = _random_gate(c, words)
            if gate != FREE and gate < limit:
                return first_gate + gate
    return _random_input(c, words)


@leaf
def _distance(values, a, b):  # pragma: no cover - compiled
    # Number of rows in the first four words on which two nodes differ.
    x, y = np.uint64(a * FIRST_BLOCK), np.uint64(b * FIRST_BLOCK)
    return (
        ones(values[x] ^ values[y])
        + ones(values[x + np.uint64(1)] ^ values[y + np.uint64(1)])
        + ones(values[x + np.uint64(2)] ^ values[y + np.uint64(2)])
        + ones(values[x + np.uint64(3)] ^ values[y + np.uint64(3)])
    )


@leaf
def _similar_source(c, words, values, limit, literal):  # pragma: no cover - compiled
    # A literal for a reader in slot `limit` to replace `literal`. Half the time it is any literal, otherwise
    # the one of a few that differs least on the first rows, since most others are hopeless.
    wanted = 1 if random_bits(words) & np.uint64(1 << 41) else 4
    best, best_distance = np.int64(FREE), np.int64(1 << 40)
    n_rows = 256
    for _ in range(wanted):
        node = _random_source(c, words, limit)
        if node in (FREE, literal >> 1):
            continue
        candidate = 2 * node
        if wanted == 1:
            return candidate ^ np.int64(below(words, 2))
        distance = _distance(values, node, literal >> 1)
        if literal & 1:
            distance = n_rows - distance
        if distance > n_rows // 2:
            candidate, distance = candidate ^ 1, n_rows - distance
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


@leaf
def _reader_limit(c, edge):  # pragma: no cover - compiled
    n_gates = c[N_GATES]
    return edge >> 1 if edge < 2 * n_gates else n_gates


@leaf
def _first_reader(c, node):  # pragma: no cover - compiled
    limit = c[N_GATES]
    edge = c[c[HEAD] + node]
    while edge >= 0:
        limit = min(limit, _reader_limit(c, edge))
        edge = c[c[FOLLOWING] + edge]
    return limit


@leaf
def _plan(c, form, place, to):  # pragma: no cover - compiled
    c[FORM], c[PLACE_OF], c[TO], c[NEW_GATE] = form, place, to, FREE


@leaf
def _plan_gate(c, gate, kind, a, b):  # pragma: no cover - compiled
    c[NEW_GATE], c[NEW_KIND], c[NEW_A], c[NEW_B] = gate, kind, a, b


@kernel
def _complement(c, words):  # pragma: no cover - compiled
    edge = _random_edge(c, words)
    _plan(c, EDGE, edge, c[c[LITERAL] + edge] ^ 1)
    return True


@kernel
def _change_kind(c, words):  # pragma: no cover - compiled
    # AND <-> XOR; an OR is an AND with complements.
    gate = _random_gate(c, words)
    if gate == FREE:
        return False
    a, b = c[c[LITERAL] + 2 * gate], c[c[LITERAL] + 2 * gate + 1]
    if random_bits(words) & np.uint64(1 << 42):
        if below(words, 2):
            a ^= 1
        else:
            b ^= 1
    _plan(c, GATE, gate, np.int64(FREE))
    _plan_gate(c, gate, XOR if c[c[KIND] + gate] == AND else AND, a, b)
    return True


@kernel
def _rewire(c, words, values):  # pragma: no cover - compiled
    edge = _random_edge(c, words)
    literal = _similar_source(c, words, values, _reader_limit(c, edge), c[c[LITERAL] + edge])
    _plan(c, EDGE, edge, literal)
    return literal != FREE


@kernel
def _bypass(c, words):  # pragma: no cover - compiled
    # The readers of a gate read one of its fan-ins instead.
    gate = _random_gate(c, words)
    if gate == FREE:
        return False
    literal = c[c[LITERAL] + 2 * gate + below(words, 2)]
    if below(words, 4) == 0:
        literal ^= 1
    _plan(c, NODE, c[FIRST_GATE] + gate, literal)
    return True


@kernel
def _constant(c, words):  # pragma: no cover - compiled
    # All readers of a gate, or one edge, read a constant.
    value = np.int64(below(words, 2))
    if random_bits(words) & np.uint64(1 << 43):
        _plan(c, EDGE, _random_edge(c, words), value)
        return True
    gate = _random_gate(c, words)
    _plan(c, NODE, c[FIRST_GATE] + gate, value)
    return gate != FREE


@kernel
def _replace(c, words, values):  # pragma: no cover - compiled
    # All readers of a gate or an input read another node.
    if random_bits(words) & np.uint64(3 << 44):
        gate = _random_gate(c, words)
        node = c[FIRST_GATE] + gate if gate != FREE else np.int64(FREE)
    else:
        node = _random_used_input(c, words)
    if node == FREE:
        return False
    literal = _similar_source(c, words, values, _first_reader(c, node), 2 * node)
    _plan(c, NODE, node, literal)
    return literal != FREE


@leaf
def _free_slot(c, words, low, high):  # pragma: no cover - compiled
    # A free slot in low..high - 1, FREE if a few tries find none.
    if high <= low:
        return np.int64(FREE)
    for _ in range(2 * _TRIES):
        gate = low + below(words, high - low)
        if is_free(c, gate):
            return gate
    return np.int64(FREE)


@kernel
def _insert(c, words):  # pragma: no cover - compiled
    # A new gate of a node and another node, read by one or by all readers of the former.
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
        # A constant output is replaced by a gate of two random nodes.
        node = _random_source(c, words, gate)
        literal = 2 * node + np.int64(below(words, 2))
    if node == FREE or other in (FREE, node):
        return False
    kind = XOR if below(words, 8) == 0 else AND
    # Either (x and y), or (x or y) as not (not x and not y).
    flip = np.int64(below(words, 2)) if kind == AND else np.int64(0)
    first = 2 * node if everywhere else literal
    _plan(c, NODE if everywhere else EDGE, node if everywhere else edge, 2 * (first_gate + gate) + flip)
    _plan_gate(c, gate, kind, first ^ flip, 2 * other + np.int64(below(words, 2)))
    return True


@kernel
def _shift_threshold(c, words):  # pragma: no cover - compiled
    # One or all readers of an input read a neighbouring constant of the same feature.
    node = _random_used_input(c, words)
    if node == FREE:
        return False
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
        _plan(c, EDGE, edge, 2 * other + (c[c[LITERAL] + edge] & 1))
    else:
        _plan(c, NODE, node, 2 * other)
    return True


@kernel
def _rotate(c, words):  # pragma: no cover - compiled
    # (x y) z -> (x z) y, for AND and for XOR: the same function with other subfunctions.
    first_gate = c[FIRST_GATE]
    gate = _random_gate(c, words)
    if gate == FREE:
        return False
    side = np.int64(below(words, 2))
    inner_literal, z = c[c[LITERAL] + 2 * gate + side], c[c[LITERAL] + 2 * gate + 1 - side]
    inner = (inner_literal >> 1) - first_gate
    if inner < 0 or c[c[KIND] + inner] != c[c[KIND] + gate] or c[c[READERS] + (inner_literal >> 1)] != 1:
        return False
    if (c[c[KIND] + gate] == AND and inner_literal & 1) or (z >> 1) - first_gate >= inner:
        return False
    inner_edge = 2 * inner + np.int64(below(words, 2))
    _plan(c, SWAP, inner_edge, 2 * gate + 1 - side)
    return True


@kernel
def choose(c, words, values, weights):  # pragma: no cover - compiled
    # Plan a move drawn by the cumulative weights; return its kind and whether there is a plan.
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
    return move, done


@kernel
def carry_out(c):  # pragma: no cover - compiled
    # Change the circuit as planned; return whether the result is valid.
    form, place, to, gate = c[FORM], c[PLACE_OF], c[TO], c[NEW_GATE]
    if form == GATE:
        set_kind(c, gate, c[NEW_KIND])
        set_edge(c, 2 * gate, c[NEW_A])
        set_edge(c, 2 * gate + 1, c[NEW_B])
    elif form == SWAP:
        inner, outer = c[c[LITERAL] + place], c[c[LITERAL] + to]
        set_edge(c, place, outer)
        set_edge(c, to, inner)
    else:
        if gate != FREE:
            # A free gate has no price yet, so its kind can be set without a log.
            c[c[KIND] + gate] = c[NEW_KIND]
        if form == NODE:
            substitute(c, place, to)
        else:
            set_edge(c, place, to)
        if gate != FREE:
            set_edge(c, 2 * gate, c[NEW_A])
            set_edge(c, 2 * gate + 1, c[NEW_B])
    sweep(c)
    return c[FAILED] == 0


@leaf
def _input_area(c, node, uses):  # pragma: no cover - compiled
    # Area of the comparator parts of an input that exactly `uses` inputs in use need; 0 for other nodes.
    area = np.int64(0)
    if 0 < node < c[FIRST_GATE]:
        for i in range(c[c[PART_START] + node], c[c[PART_START] + node + 1]):
            part = c[c[PARTS] + i]
            if c[c[PART_USES] + part] == uses:
                area += c[c[PART_PRICE] + part]
    return area


@leaf
def _reads_both(c, node, other):  # pragma: no cover - compiled
    # Whether some gate reads both nodes; replacing one by the other would make that gate trivial.
    edge = c[c[HEAD] + node]
    while edge >= 0:
        if edge < 2 * c[N_GATES] and c[c[LITERAL] + (edge ^ 1)] >> 1 == other:
            return True
        edge = c[c[FOLLOWING] + edge]
    return False


@kernel
def most_freed(c):  # pragma: no cover - compiled
    # An upper bound of the area that the plan frees. Where gates would lose their readers, which are costly
    # to trace, MOST_FREED_GATES is assumed for them.
    form, place, to, gate = c[FORM], c[PLACE_OF], c[TO], c[NEW_GATE]
    gates = min(c[AREA], np.int64(MOST_FREED_GATES))
    if form == SWAP:
        return gates
    if form == GATE:
        return c[c[GATE_PRICE] + c[c[KIND] + gate]] - c[c[GATE_PRICE] + c[NEW_KIND]]
    if gate != FREE:
        return -c[c[GATE_PRICE] + c[NEW_KIND]]
    source = to >> 1
    if form == NODE:
        node, is_last = place, True
        trivial = source == 0 or _reads_both(c, node, source)
    else:
        node = c[c[LITERAL] + place] >> 1
        is_last = node != source and c[c[READERS] + node] == 1
        trivial = place < 2 * c[N_GATES] and (source == 0 or source == c[c[LITERAL] + (place ^ 1)] >> 1)
    if trivial or (is_last and node >= c[FIRST_GATE]):
        freed = gates
    elif is_last:
        freed = _input_area(c, node, np.int64(1))
    else:
        freed = np.int64(0)
    return freed - _input_area(c, source, np.int64(0))
