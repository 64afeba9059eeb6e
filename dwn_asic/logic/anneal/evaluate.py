"""What a proposal does to the errors: only the changed cone, block by block of rows, given up early."""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from dwn_asic.logic.anneal.compiled import kernel
from dwn_asic.logic.anneal.edits import is_free
from dwn_asic.logic.anneal.state import (
    BLOCK,
    BLOCK_ERRORS,
    CHANGED,
    CONE,
    CONE_PLACE,
    ERRORS,
    FAILED,
    FIRST_BLOCK,
    FIRST_GATE,
    FOLLOWING,
    FREE,
    HEAD,
    KIND,
    LITERAL,
    LOG,
    LOGGED,
    MARKS,
    N_BLOCKS,
    N_EDGES,
    N_GATES,
    N_NODES,
    N_OUTPUTS,
    N_WORDS,
    NEW_ERRORS,
    PENDING_COUNT,
    SEED,
    VALID,
    WANTED,
    WRONG,
    XOR,
)
from dwn_asic.network.words import ones

__all__ = ["REJECTED", "adopt", "assess", "evaluate_all"]

REJECTED = -1
_SIGMAS = 3.0
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def block_start(block):  # pragma: no cover - compiled
    # First word of a block: the first block is small, since it is where most proposals fail.
    return np.int64(0) if block == 0 else FIRST_BLOCK + (block - 1) * BLOCK


@kernel
def _gather(c, words):  # pragma: no cover - compiled
    # The gates that the logged changes can reach, in topological order; gives how many, and whether an
    # output is among what they reach.
    n_gates = c[N_GATES]
    first_gate = c[FIRST_GATE]
    n_edges = c[N_EDGES]
    lowest, highest = c[N_GATES], -1
    reaches = False
    for i in range(c[LOGGED]):
        what = c[c[LOG] + 2 * i]
        if what >= 2 * n_gates and what < n_edges:
            reaches = True
            continue
        gate = what - n_edges if what >= n_edges else what >> 1
        if is_free(c, gate):
            continue
        c[c[SEED] + gate] = 1
        word = gate >> 6
        words[c[MARKS] + word] |= np.uint64(1) << np.uint64(gate & 63)
        lowest, highest = min(lowest, word), max(highest, word)
    count = 0
    word = lowest
    while word <= highest:
        bits = words[c[MARKS] + word]
        if bits == 0:
            word += 1
            continue
        lowest_bit = bits & (~bits + np.uint64(1))
        words[c[MARKS] + word] = bits ^ lowest_bit
        gate = (word << 6) + ones(lowest_bit - np.uint64(1))
        c[c[CONE] + count] = gate
        c[c[CONE_PLACE] + first_gate + gate] = count
        count += 1
        edge = c[c[HEAD] + first_gate + gate]
        while edge >= 0:
            if edge < 2 * n_gates:
                reader = edge >> 1
                words[c[MARKS] + (reader >> 6)] |= np.uint64(1) << np.uint64(reader & 63)
                highest = max(highest, reader >> 6)
            else:
                reaches = True
            edge = c[c[FOLLOWING] + edge]
    return count, reaches


@kernel
def _forget(c, count):  # pragma: no cover - compiled
    first_gate = c[FIRST_GATE]
    for i in range(count):
        gate = c[c[CONE] + i]
        c[c[CONE_PLACE] + first_gate + gate] = -1
        c[c[SEED] + gate] = 0


@kernel
def _gate(kind, values, a, b, old, new, start, stop):  # pragma: no cover - compiled
    # The gate of the rows of literals a and b into row `new`; gives whether a word differs from row `old`.
    # Slices, so that the compiler sees indices from 0 and vectorizes.
    x, y = values[a >> 1, start:stop], values[b >> 1, start:stop]
    flip_x = _ALL if a & 1 else np.uint64(0)
    flip_y = _ALL if b & 1 else np.uint64(0)
    before, after = values[old, start:stop], values[new, start:stop]
    different = np.uint64(0)
    if kind == XOR:
        for w in range(len(after)):
            value = x[w] ^ y[w] ^ flip_x ^ flip_y
            different |= value ^ before[w]
            after[w] = value
    else:
        for w in range(len(after)):
            value = (x[w] ^ flip_x) & (y[w] ^ flip_y)
            different |= value ^ before[w]
            after[w] = value
    return different != 0


@kernel
def _is_changed(c, node, block):  # pragma: no cover - compiled
    place = c[c[CONE_PLACE] + node]
    return place >= 0 and c[c[CHANGED] + place * c[N_BLOCKS] + block] != 0


@kernel
def _row(c, literal, block):  # pragma: no cover - compiled
    # The literal with the row of its node's present values in this block in place of the node.
    node = literal >> 1
    if _is_changed(c, node, block):
        return 2 * (c[N_NODES] + c[c[CONE_PLACE] + node]) + (literal & 1)
    return literal


@kernel
def _cone_block(c, values, count, block, start, stop):  # pragma: no cover - compiled
    # New values of the cone in one block of rows.
    n_nodes = c[N_NODES]
    first_gate = c[FIRST_GATE]
    for i in range(count):
        gate = c[c[CONE] + i]
        a = _row(c, c[c[LITERAL] + 2 * gate], block)
        b = _row(c, c[c[LITERAL] + 2 * gate + 1], block)
        if c[c[SEED] + gate] == 0 and a < 2 * n_nodes and b < 2 * n_nodes:
            c[c[CHANGED] + i * c[N_BLOCKS] + block] = 0
            continue
        c[c[CHANGED] + i * c[N_BLOCKS] + block] = _gate(
            c[c[KIND] + gate], values, a, b, first_gate + gate, n_nodes + i, start, stop
        )


@kernel
def _block_errors(c, words, values, block, start, stop):  # pragma: no cover - compiled
    n_gates = c[N_GATES]
    n_outputs = c[N_OUTPUTS]
    errors = np.int64(0)
    valid = words[c[VALID] + start : c[VALID] + stop]
    if n_outputs == 1:
        literal = _row(c, c[c[LITERAL] + 2 * n_gates], block)
        given = values[literal >> 1, start:stop]
        wanted = words[c[WANTED] + start : c[WANTED] + stop]
        flip = _ALL if literal & 1 else np.uint64(0)
        for w in range(len(valid)):
            errors += ones((given[w] ^ flip ^ wanted[w]) & valid[w])
        return errors
    wrong = words[c[WRONG] : c[WRONG] + stop - start]
    for w in range(len(wrong)):
        wrong[w] = 0
    for k in range(n_outputs):
        literal = _row(c, c[c[LITERAL] + 2 * n_gates + k], block)
        given = values[literal >> 1, start:stop]
        place = c[WANTED] + k * c[N_WORDS]
        wanted = words[place + start : place + stop]
        flip = _ALL if literal & 1 else np.uint64(0)
        for w in range(len(wrong)):
            wrong[w] |= given[w] ^ flip ^ wanted[w]
    for w in range(len(valid)):
        errors += ones(wrong[w] & valid[w])
    return errors


@kernel
def assess(c, words, values, allowed):  # pragma: no cover - compiled
    # Change in the number of errors; a cone's size, or REJECTED where more than `allowed` are (all but
    # surely) added. The rows are in random order, so that the first blocks speak for the others.
    count, reaches = _gather(c, words)
    n_words = c[N_WORDS]
    n_blocks = c[N_BLOCKS]
    added = np.int64(0)
    if not reaches:
        for block in range(n_blocks):
            c[c[NEW_ERRORS] + block] = c[c[BLOCK_ERRORS] + block]
            for i in range(count):
                c[c[CHANGED] + i * c[N_BLOCKS] + block] = 0
        return count, added
    for block in range(n_blocks):
        start = block_start(block)
        stop = min(block_start(block + 1), n_words)
        _cone_block(c, values, count, block, start, stop)
        errors = _block_errors(c, words, values, block, start, stop)
        c[c[NEW_ERRORS] + block] = errors
        added += errors - c[c[BLOCK_ERRORS] + block]
        share = stop / n_words
        # Were the rest like this part, the sum would be added / share; its deviation is at most about
        # sqrt(rows that changed) and those are at least `added`.
        if added > 0 and added - _SIGMAS * np.sqrt(added) > allowed * share:
            _forget(c, count)
            return REJECTED, added
    if added > allowed:
        _forget(c, count)
        return REJECTED, added
    return count, added


@kernel
def adopt(c, values, count, added):  # pragma: no cover - compiled
    # Take over what `assess` computed.
    n_nodes = c[N_NODES]
    first_gate = c[FIRST_GATE]
    n_words = c[N_WORDS]
    for block in range(c[N_BLOCKS]):
        start = block_start(block)
        stop = min(block_start(block + 1), n_words)
        c[c[BLOCK_ERRORS] + block] = c[c[NEW_ERRORS] + block]
        for i in range(count):
            if c[c[CHANGED] + i * c[N_BLOCKS] + block] != 0:
                old = values[first_gate + c[c[CONE] + i], start:stop]
                new = values[n_nodes + i, start:stop]
                for w in range(len(old)):
                    old[w] = new[w]
    c[ERRORS] += added
    _forget(c, count)
    c[LOGGED] = c[PENDING_COUNT] = c[FAILED] = 0


@kernel
def evaluate_all(c, words, values):  # pragma: no cover - compiled
    # Values and errors from scratch.
    n_gates = c[N_GATES]
    first_gate = c[FIRST_GATE]
    n_words = c[N_WORDS]
    for gate in range(n_gates):
        a, b = c[c[LITERAL] + 2 * gate], c[c[LITERAL] + 2 * gate + 1]
        if a == FREE:
            continue
        row = first_gate + gate
        _gate(c[c[KIND] + gate], values, a, b, row, row, 0, n_words)
    c[ERRORS] = 0
    for block in range(c[N_BLOCKS]):
        start = block_start(block)
        stop = min(block_start(block + 1), n_words)
        c[c[BLOCK_ERRORS] + block] = _block_errors(c, words, values, block, start, stop)
        c[ERRORS] += c[c[BLOCK_ERRORS] + block]
