"""The errors that a planned proposal adds, found without changing anything.

Where every wrong row costs 1, words hold rows of any label. Otherwise costs are added up by segment, a run of
words of one group of rows, see :mod:`dwn_asic.optimize.lossy.anneal.scored_rows`.
"""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.words import ones
from dwn_asic.compiled import kernel, leaf
from dwn_asic.optimize.lossy.anneal.evaluate import is_hopeless, rows_if_flipped
from dwn_asic.optimize.lossy.anneal.moves import EDGE, GATE, SWAP
from dwn_asic.optimize.lossy.anneal.state import (
    AND,
    CHECKED,
    FIRST_GATE,
    FORM,
    FREE,
    GROUP_COST,
    GROUP_ROWS,
    KIND,
    LEVELS,
    LITERAL,
    MIXED,
    N_BLOCKS,
    N_GATES,
    N_GROUPS,
    N_NODES,
    N_ROWS,
    N_SEGMENTS,
    N_WORDS,
    NEW_A,
    NEW_B,
    NEW_GATE,
    NEW_KIND,
    PLACE_OF,
    SEEN,
    SEGMENT_COST,
    SEGMENT_END,
    SEGMENT_GROUP,
    SEGMENT_START,
    SEGMENTS,
    TALLY,
    TO,
    XOR,
    block_size,
    block_start,
)

__all__ = ["HOPELESS", "errors_added"]

HOPELESS = np.iinfo(np.int64).max
_1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


@leaf
def _words_of(values, base, size, literal):  # pragma: no cover - compiled
    # Four words of a literal's row.
    x = np.uint64(base + (literal >> 1) * size)
    return _flipped((values[x], values[x + _1], values[x + _2], values[x + _3]), literal)


@leaf
def _flipped(x, literal):  # pragma: no cover - compiled
    flip = np.uint64(0xFFFFFFFFFFFFFFFF) if literal & 1 else np.uint64(0)
    return x[0] ^ flip, x[1] ^ flip, x[2] ^ flip, x[3] ^ flip


@leaf
def _gate_of(kind, x, y):  # pragma: no cover - compiled
    if kind == XOR:
        return x[0] ^ y[0], x[1] ^ y[1], x[2] ^ y[2], x[3] ^ y[3]
    return x[0] & y[0], x[1] & y[1], x[2] & y[2], x[3] & y[3]


@leaf
def _word_of(values, base, size, literal):  # pragma: no cover - compiled
    # A word of a literal's row.
    value = values[np.uint64(base + (literal >> 1) * size)]
    return ~value if literal & 1 else value


@kernel
def _costs_in_block(c, words, values, block, site, change):  # pragma: no cover - compiled
    # Cost of the wrong rows that a plan adds in a block; it is also tallied by group of rows. The plan is
    # given by what changes, see errors_added.
    gate, to, other, reader_kind, old_literal = change
    size = block_size(block)
    base = block_start(block) * c[N_ROWS]
    then = rows_if_flipped(c, words, values, site, block)
    now = rows_if_flipped(c, words, values, np.int64(0), block)
    added = np.int64(0)
    for segment in range(c[c[SEGMENTS] + block], c[c[SEGMENTS] + block + 1]):
        first, last = c[c[SEGMENT_START] + segment], c[c[SEGMENT_END] + segment]
        for level in range(c[LEVELS]):
            more = np.int64(0)
            for i in range(first, last):
                if gate == FREE:
                    new = _word_of(values, base + i, size, to)
                else:
                    a = _word_of(values, base + i, size, c[NEW_A])
                    b = _word_of(values, base + i, size, c[NEW_B])
                    new = a ^ b if c[NEW_KIND] == XOR else a & b
                    new = ~new if to & 1 else new
                if other != FREE:
                    read = _word_of(values, base + i, size, other)
                    new = new ^ read if reader_kind == XOR else new & read
                different = new ^ _word_of(values, base + i, size, old_literal)
                place = np.uint64(level * size + i)
                more += ones(values[np.uint64(then) + place] & different)
                more -= ones(values[np.uint64(now) + place] & different)
            cost = more * c[c[SEGMENT_COST] + level * c[N_SEGMENTS] + segment]
            added += cost
            c[c[TALLY] + c[c[SEGMENT_GROUP] + segment]] += cost
    return added


@kernel
def _tally_is_hopeless(c, block, allowed):  # pragma: no cover - compiled
    # Whether the tally up to this block implies that more than `allowed` is added on all rows, where a block
    # holds its own share of each group.
    predicted, variance, least = 0.0, 0.0, np.inf
    for group in range(c[N_GROUPS]):
        times = c[c[GROUP_ROWS] + group] / c[c[SEEN] + block * c[N_GROUPS] + group]
        part = times * np.float64(c[c[TALLY] + group])
        predicted += part
        deviation = times * np.float64(c[c[GROUP_COST] + group])
        variance += deviation * part
        least = min(least, deviation)
    return is_hopeless(predicted, max(variance, predicted * least), allowed, 1.0)


@kernel
def _costs_added(c, words, values, site, change, allowed):  # pragma: no cover - compiled
    # The same as errors_added where costs differ.
    added = np.int64(0)
    for group in range(c[N_GROUPS]):
        c[c[TALLY] + group] = 0
    for block in range(c[N_BLOCKS]):
        added += _costs_in_block(c, words, values, block, site, change)
        if c[c[CHECKED] + block] and _tally_is_hopeless(c, block, allowed):
            return np.int64(HOPELESS)
    return added


@kernel
def errors_added(c, words, values, allowed):  # pragma: no cover - compiled
    # Errors that the plan adds, found without changing anything; HOPELESS as soon as they almost certainly
    # exceed `allowed`.
    form, place, to, gate = c[FORM], c[PLACE_OF], c[TO], c[NEW_GATE]
    if form == SWAP:
        return np.int64(0)
    other, reader_kind = np.int64(FREE), np.int64(AND)
    site = place
    old_literal = 2 * place
    if form == EDGE and place >= 2 * c[N_GATES]:
        site = c[N_NODES] + place - 2 * c[N_GATES]
        old_literal = c[c[LITERAL] + place]
    elif form == EDGE:
        other, reader_kind = c[c[LITERAL] + (place ^ 1)], c[c[KIND] + (place >> 1)]
        site = c[FIRST_GATE] + (place >> 1)
        old_literal = 2 * site
    elif form == GATE:
        site = c[FIRST_GATE] + gate
        old_literal = 2 * site
        to = 0
    if not c[MIXED]:
        return _costs_added(c, words, values, site, (gate, to, other, reader_kind, old_literal), allowed)
    added = np.int64(0)
    for block in range(c[N_BLOCKS]):
        start, size = block_start(block), block_size(block)
        base = start * c[N_ROWS]
        then = np.uint64(rows_if_flipped(c, words, values, site, block))
        now = np.uint64(rows_if_flipped(c, words, values, np.int64(0), block))
        for _ in range(size >> 2):
            if gate == FREE:
                new = _words_of(values, base, size, to)
            else:
                a, b = _words_of(values, base, size, c[NEW_A]), _words_of(values, base, size, c[NEW_B])
                new = _flipped(_gate_of(c[NEW_KIND], a, b), to)
            if other != FREE:
                new = _gate_of(reader_kind, new, _words_of(values, base, size, other))
            old = _words_of(values, base, size, old_literal)
            d0, d1, d2, d3 = new[0] ^ old[0], new[1] ^ old[1], new[2] ^ old[2], new[3] ^ old[3]
            added += (
                ones(values[then] & d0)
                + ones(values[then + _1] & d1)
                + ones(values[then + _2] & d2)
                + ones(values[then + _3] & d3)
                - ones(values[now] & d0)
                - ones(values[now + _1] & d1)
                - ones(values[now + _2] & d2)
                - ones(values[now + _3] & d3)
            )
            base += 4
            then += _4
            now += _4
        if is_hopeless(added, added, allowed, (start + size) / c[N_WORDS]):
            return np.int64(HOPELESS)
    return added
