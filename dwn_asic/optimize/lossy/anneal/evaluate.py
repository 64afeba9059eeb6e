"""Errors of proposals, from the effect of flipping a node, and values after a proposal is accepted.

A proposal changes one node, on some rows. Whether such a row is then misclassified depends on that node
alone, so it suffices to know which rows would be wrong if the node were flipped. These rows are computed on
first use, block by block, and serve every later proposal for that node until the circuit changes. They follow
from those of the nearest gate through which all paths from the node to the outputs pass, so most nodes need
the values of few gates.
"""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.words import ones
from dwn_asic.compiled import kernel, leaf
from dwn_asic.optimize.lossy.anneal.edits import is_free
from dwn_asic.optimize.lossy.anneal.state import (
    CHANGED,
    CONE,
    CONE_PLACE,
    EPOCH,
    ERRORS,
    FIRST_GATE,
    FLIP_EPOCH,
    FOLLOWING,
    HEAD,
    KIND,
    LEVEL_OF,
    LEVELS,
    LITERAL,
    LOG,
    LOGGED,
    MARKS,
    N_BLOCKS,
    N_CLASSES,
    N_EDGES,
    N_GATES,
    N_NODES,
    N_OUTPUTS,
    N_ROWS,
    N_SEGMENTS,
    N_SITES,
    N_WORDS,
    SEGMENT_COST,
    SEGMENT_END,
    SEGMENT_START,
    SEGMENTS,
    VALID,
    WANTED,
    WORD_LABEL,
    XOR,
    block_size,
    block_start,
)

__all__ = ["evaluate_all", "is_hopeless", "refresh", "refresh_gate", "rows_if_flipped"]

_SIGMAS = 3.0
_WHOLE = np.int64(-(1 << 40))
"""A number of waiting gates that stays negative: no gate is on all paths of a node that an output reads."""
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_1 = np.uint64(1)


@leaf
def is_hopeless(added, variance, allowed, share):  # pragma: no cover - compiled
    # Whether the errors added on a share of the rows imply that more than `allowed` are added on all rows.
    # Extrapolation predicts added / share. The variance is about the sum of the squared costs of the changed
    # rows; where each costs 1, `added` stands for it. The first rows represent the others.
    return added > 0 and added - _SIGMAS * np.sqrt(variance) > allowed * share


@leaf
def _flip(literal):  # pragma: no cover - compiled
    return _ALL if literal & 1 else np.uint64(0)


@leaf
def _mark(c, words, gate):  # pragma: no cover - compiled
    # Mark a gate; return 1 if it was not marked before.
    place, bit = c[MARKS] + (gate >> 6), _1 << np.uint64(gate & 63)
    before = words[place]
    words[place] = before | bit
    return np.int64(before & bit == 0)


@kernel
def _gather(c, words, lowest, highest, waiting):  # pragma: no cover - compiled
    # Collect the fan-out cone of the `waiting` marked gates, in topological order. The marks are in words
    # lowest..highest. It ends at the first gate through which all paths to the outputs pass, if there is one;
    # with _WHOLE waiting gates it never does. Return the size of the cone and whether it ended there.
    n_gates = c[N_GATES]
    first_gate = c[FIRST_GATE]
    count = 0
    word = lowest
    while word <= highest:
        bits = words[c[MARKS] + word]
        if bits == 0:
            word += 1
            continue
        lowest_bit = bits & (~bits + _1)
        words[c[MARKS] + word] = bits ^ lowest_bit
        gate = (word << 6) + ones(lowest_bit - _1)
        c[c[CONE] + count] = gate
        count += 1
        if waiting == 1:
            return count, True
        waiting -= 1
        edge = c[c[HEAD] + first_gate + gate]
        while edge >= 0:
            if edge < 2 * n_gates:
                waiting += _mark(c, words, edge >> 1)
                highest = max(highest, edge >> 7)
            else:
                waiting = _WHOLE
            edge = c[c[FOLLOWING] + edge]
    return count, False


@kernel
def _gate(kind, values, x, y, flip_x, flip_y, before, after, size):  # pragma: no cover - compiled
    # Evaluate a gate on two rows of a block and return whether the result differs from `before`. Rows are
    # given by the index of their first word, unsigned, since indices that may be negative are slower.
    x, y, before, after = np.uint64(x), np.uint64(y), np.uint64(before), np.uint64(after)
    different = np.uint64(0)
    if kind == XOR:
        flip = flip_x ^ flip_y
        for i in range(size):
            w = np.uint64(i)
            value = values[x + w] ^ values[y + w] ^ flip
            different |= value ^ values[before + w]
            values[after + w] = value
    else:
        for i in range(size):
            w = np.uint64(i)
            value = (values[x + w] ^ flip_x) & (values[y + w] ^ flip_y)
            different |= value ^ values[before + w]
            values[after + w] = value
    return different != 0


@leaf
def _new_place(c, node):  # pragma: no cover - compiled
    # The node's place in the cone if its values have changed, else -1.
    place = c[c[CONE_PLACE] + node]
    return place if place >= 0 and c[c[CHANGED] + place] else np.int64(-1)


@kernel
def _flip_cone(c, values, count, flipped, base, size):  # pragma: no cover - compiled
    # Evaluate the cone with the node flipped, in one block; skip gates whose fan-ins do not change.
    n_nodes = c[N_NODES]
    first_gate = c[FIRST_GATE]
    for i in range(count):
        gate = c[c[CONE] + i]
        a, b = c[c[LITERAL] + 2 * gate], c[c[LITERAL] + 2 * gate + 1]
        row_a, row_b = a >> 1, b >> 1
        place_a, place_b = _new_place(c, row_a), _new_place(c, row_b)
        noticed = False
        if row_a == flipped:
            a ^= 1
            noticed = True
        if row_b == flipped:
            b ^= 1
            noticed = True
        if place_a >= 0:
            row_a = n_nodes + place_a
            noticed = True
        if place_b >= 0:
            row_b = n_nodes + place_b
            noticed = True
        c[c[CONE_PLACE] + first_gate + gate] = i
        c[c[CHANGED] + i] = noticed and _gate(
            c[c[KIND] + gate],
            values,
            base + row_a * size,
            base + row_b * size,
            _flip(a),
            _flip(b),
            base + (first_gate + gate) * size,
            base + (n_nodes + i) * size,
            size,
        )


@kernel
def _wrong_rows(c, words, values, site, block, row):  # pragma: no cover - compiled
    # Write the rows that are wrong with the cone's new values and the site flipped to a row of values.
    size, start = block_size(block), block_start(block)
    base = start * c[N_ROWS]
    result = np.uint64(base + row * size)
    for i in range(size):
        values[result + np.uint64(i)] = 0
    for k in range(c[N_OUTPUTS]):
        literal = c[c[LITERAL] + 2 * c[N_GATES] + k]
        node = literal >> 1
        place = _new_place(c, node)
        given = np.uint64(base + (c[N_NODES] + place if place >= 0 else node) * size)
        wanted = np.uint64(c[WANTED] + k * c[N_WORDS] + start)
        flip = _flip(literal ^ (node == site or c[N_NODES] + k == site))
        for i in range(size):
            w = np.uint64(i)
            values[result + w] |= values[given + w] ^ flip ^ words[wanted + w]
    valid = np.uint64(c[VALID] + start)
    for i in range(size):
        w = np.uint64(i)
        values[result + w] &= words[valid + w]


@kernel
def _wrong_levels(c, words, values, site, block, row):  # pragma: no cover - compiled
    # The same where the cost depends on the predicted class: one row of values for each level, of the rows of
    # data whose cost reaches it. All rows of a word have the same label.
    size, start, n_classes = block_size(block), block_start(block), c[N_CLASSES]
    base = start * c[N_ROWS]
    for i in range(c[LEVELS] * size):
        values[base + row * size + i] = 0
    for i in range(size):
        reached = c[LEVEL_OF] + c[c[WORD_LABEL] + start + i] * (n_classes + 1)
        rest = words[c[VALID] + start + i]
        for predicted in range(n_classes + 1):
            rows = rest
            if predicted < n_classes:
                for k in range(c[N_OUTPUTS]):
                    literal = c[c[LITERAL] + 2 * c[N_GATES] + k]
                    node = literal >> 1
                    place = _new_place(c, node)
                    given = base + (c[N_NODES] + place if place >= 0 else node) * size + i
                    flip = _flip(literal ^ (node == site or c[N_NODES] + k == site) ^ (~predicted >> k))
                    rows &= values[given] ^ flip
                rest ^= rows
            for level in range(c[reached + predicted]):
                values[base + (row + level) * size + i] |= rows


@kernel
def _gather_readers(c, words, site):  # pragma: no cover - compiled
    # The same for the gates that read a node; a site that is no node has none.
    waiting = np.int64(0)
    lowest, highest = c[N_GATES], np.int64(-1)
    edge = c[c[HEAD] + site] if 0 < site < c[N_NODES] else np.int64(-1)
    while edge >= 0:
        if edge < 2 * c[N_GATES]:
            waiting += _mark(c, words, edge >> 1)
            lowest, highest = min(lowest, edge >> 7), max(highest, edge >> 7)
        else:
            waiting = _WHOLE
        edge = c[c[FOLLOWING] + edge]
    return _gather(c, words, lowest, highest, waiting)


@leaf
def _leave_cone(c, count):  # pragma: no cover - compiled
    for i in range(count):
        c[c[CONE_PLACE] + c[FIRST_GATE] + c[c[CONE] + i]] = -1


@leaf
def _row_of(c, site):  # pragma: no cover - compiled
    # The first row of values that says which rows of data would be wrong if the site were flipped.
    return c[N_NODES] + c[N_GATES] + c[LEVELS] * site


@kernel
def _flip_to_outputs(c, words, values, site, block, count):  # pragma: no cover - compiled
    # Find the wrong rows from the outputs, given the cone.
    _flip_cone(c, values, count, site, block_start(block) * c[N_ROWS], block_size(block))
    flipped = site if site > 0 else np.int64(-1)
    if c[LEVELS] == 1:
        _wrong_rows(c, words, values, flipped, block, _row_of(c, site))
    else:
        _wrong_levels(c, words, values, flipped, block, _row_of(c, site))
    _leave_cone(c, count)


@kernel
def _flip_to_gate(c, values, site, block, count):  # pragma: no cover - compiled
    # Find the wrong rows from those of the last gate of the cone, through which all paths pass: where it
    # changes, the row is wrong as if it were flipped, elsewhere as it is now.
    size, base = block_size(block), block_start(block) * c[N_ROWS]
    _flip_cone(c, values, count, site, base, size)
    gate = c[FIRST_GATE] + c[c[CONE] + count - 1]
    before = np.uint64(base + gate * size)
    after = np.uint64(base + (c[N_NODES] + count - 1) * size) if c[c[CHANGED] + count - 1] else before
    for level in range(c[LEVELS]):
        result = np.uint64(base + (_row_of(c, site) + level) * size)
        now = np.uint64(base + (_row_of(c, np.int64(0)) + level) * size)
        then = np.uint64(base + (_row_of(c, gate) + level) * size)
        for i in range(size):
            w = np.uint64(i)
            changed = values[before + w] ^ values[after + w]
            values[result + w] = values[now + w] ^ (changed & (values[now + w] ^ values[then + w]))
    _leave_cone(c, count)


@leaf
def _is_known(c, site, block):  # pragma: no cover - compiled
    return c[c[FLIP_EPOCH] + block * c[N_SITES] + site] == c[EPOCH]


@kernel
def _flip_site(c, words, values, site, block):  # pragma: no cover - compiled
    # Find the wrong rows of a site, and first those of the gates through which all of its paths pass.
    while not _is_known(c, site, block):
        current = site if _is_known(c, np.int64(0), block) else np.int64(0)
        count, ends = _gather_readers(c, words, current)
        while ends and not _is_known(c, c[FIRST_GATE] + c[c[CONE] + count - 1], block):
            current = c[FIRST_GATE] + c[c[CONE] + count - 1]
            count, ends = _gather_readers(c, words, current)
        if ends:
            _flip_to_gate(c, values, current, block, count)
        else:
            _flip_to_outputs(c, words, values, current, block, count)
        c[c[FLIP_EPOCH] + block * c[N_SITES] + current] = c[EPOCH]


@leaf
def rows_if_flipped(c, words, values, site, block):  # pragma: no cover - compiled
    # The index in `values` of the block's words with the rows that would be wrong if the site were flipped,
    # by level of cost. A site is a node, or N + k for output k alone; site 0 is the circuit as it is.
    if not _is_known(c, site, block):
        _flip_site(c, words, values, site, block)
    return block_start(block) * c[N_ROWS] + _row_of(c, site) * block_size(block)


@kernel
def refresh(c, words, values, added):  # pragma: no cover - compiled
    # Update values after the logged changes, which are kept.
    n_gates = c[N_GATES]
    lowest, highest = n_gates, np.int64(-1)
    for i in range(c[LOGGED]):
        what = c[c[LOG] + 2 * i]
        if what >= 2 * n_gates and what < c[N_EDGES]:
            continue
        gate = what - c[N_EDGES] if what >= c[N_EDGES] else what >> 1
        if is_free(c, gate):
            continue
        _mark(c, words, gate)
        lowest, highest = min(lowest, gate >> 6), max(highest, gate >> 6)
    count, _ = _gather(c, words, lowest, highest, _WHOLE)
    for block in range(c[N_BLOCKS]):
        for i in range(count):
            _compute(c, values, c[c[CONE] + i], block)
    c[ERRORS] += added
    c[EPOCH] += 1


@kernel
def refresh_gate(c, values, gate):  # pragma: no cover - compiled
    # The same for a change that is not visible outside the gate, so cached flips of other nodes stay valid.
    for block in range(c[N_BLOCKS]):
        _compute(c, values, gate, block)
        c[c[FLIP_EPOCH] + block * c[N_SITES] + c[FIRST_GATE] + gate] = 0


@leaf
def _compute(c, values, gate, block):  # pragma: no cover - compiled
    size = block_size(block)
    base = block_start(block) * c[N_ROWS]
    a, b = c[c[LITERAL] + 2 * gate], c[c[LITERAL] + 2 * gate + 1]
    row = base + (c[FIRST_GATE] + gate) * size
    x, y = base + (a >> 1) * size, base + (b >> 1) * size
    _gate(c[c[KIND] + gate], values, x, y, _flip(a), _flip(b), row, row, size)


@kernel
def evaluate_all(c, words, values):  # pragma: no cover - compiled
    # Compute all values and errors from scratch.
    c[EPOCH] += 1
    c[ERRORS] = 0
    for block in range(c[N_BLOCKS]):
        for gate in range(c[N_GATES]):
            if not is_free(c, gate):
                _compute(c, values, gate, block)
        first, size = rows_if_flipped(c, words, values, np.int64(0), block), block_size(block)
        for segment in range(c[c[SEGMENTS] + block], c[c[SEGMENTS] + block + 1]):
            for level in range(c[LEVELS]):
                cost = c[c[SEGMENT_COST] + level * c[N_SEGMENTS] + segment]
                for i in range(c[c[SEGMENT_START] + segment], c[c[SEGMENT_END] + segment]):
                    c[ERRORS] += cost * ones(values[first + level * size + i])
