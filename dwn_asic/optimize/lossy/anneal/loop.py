"""The compiled loop: propose, evaluate, accept by the Metropolis rule, record the best of each size."""

# ruff: noqa: D103 - one line of comment says what each compiled function does
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.words import below, uniform
from dwn_asic.compiled import allocating, kernel, leaf
from dwn_asic.optimize.lossy.anneal.edits import commit, undo
from dwn_asic.optimize.lossy.anneal.effect import HOPELESS, errors_added
from dwn_asic.optimize.lossy.anneal.evaluate import refresh, refresh_gate
from dwn_asic.optimize.lossy.anneal.moves import SWAP, carry_out, choose, most_freed
from dwn_asic.optimize.lossy.anneal.state import (
    ACTIVE,
    AREA,
    EPOCH,
    ERRORS,
    FIRST_GATE,
    FOLLOWING,
    FORM,
    FREE,
    GATE_PRICE,
    GATES,
    HEAD,
    KIND,
    LITERAL,
    LOGGED,
    N_BLOCKS,
    N_EDGES,
    N_GATES,
    N_NODES,
    N_PARTS,
    N_ROWS,
    PART_PRICE,
    PART_START,
    PART_USES,
    PARTS,
    PLACE,
    PLACE_OF,
    PRECEDING,
    READERS,
    USED,
    USED_COUNT,
    USED_PLACE,
    block_size,
    block_start,
)

__all__ = ["Archive", "anneal_slice", "bucket_of", "rebuild", "renumber"]

_LINEAR = 64
_PER_DOUBLING = 12


class Archive(NamedTuple):
    """The circuit with the fewest errors for each size.

    Attributes
    ----------
    errors, area
        (A,) int64; errors are -1 where no circuit of the size has been seen.
    kind, literal
        (A, G) uint8 and (A, E) int32, as the sections of :mod:`dwn_asic.optimize.lossy.anneal.state`.
    width
        (1,) int64: range of areas in a bucket; from the 64th bucket on the ranges grow with the area.
    """

    errors: NDArray[np.int64]
    area: NDArray[np.int64]
    kind: NDArray[np.uint8]
    literal: NDArray[np.int32]
    width: NDArray[np.int64]


@leaf
def bucket_of(area, width):  # pragma: no cover - compiled
    place = area // width
    if place < _LINEAR:
        return place
    return _LINEAR + np.int64(_PER_DOUBLING * np.log2(area / (_LINEAR * width)))


@kernel
def _record(archive, c):  # pragma: no cover - compiled
    errors, area = c[ERRORS], c[AREA]
    place = min(bucket_of(area, archive.width[0]), len(archive.errors) - 1)
    best = archive.errors[place]
    if best >= 0 and (errors > best or (errors == best and area >= archive.area[place])):
        return
    archive.errors[place] = errors
    archive.area[place] = area
    for gate in range(c[N_GATES]):
        archive.kind[place, gate] = c[c[KIND] + gate]
    for i in range(c[N_EDGES]):
        archive.literal[place, i] = c[c[LITERAL] + i]


@kernel
def rebuild(c):  # pragma: no cover - compiled
    # Recompute lists, counts and area from kinds and literals.
    n_gates = c[N_GATES]
    first_gate = c[FIRST_GATE]
    for node in range(c[N_NODES]):
        c[c[HEAD] + node] = -1
        c[c[READERS] + node] = 0
    for part in range(c[N_PARTS]):
        c[c[PART_USES] + part] = 0
    c[AREA] = 0
    c[GATES] = 0
    c[USED_COUNT] = 0
    for edge in range(c[N_EDGES]):
        literal = c[c[LITERAL] + edge]
        if literal == FREE:
            continue
        node = literal >> 1
        if node < first_gate and node > 0 and c[c[READERS] + node] == 0:
            n = c[USED_COUNT]
            c[c[USED] + n] = node
            c[c[USED_PLACE] + node] = n
            c[USED_COUNT] = n + 1
            for i in range(c[c[PART_START] + node], c[c[PART_START] + node + 1]):
                part = c[c[PARTS] + i]
                if c[c[PART_USES] + part] == 0:
                    c[AREA] += c[c[PART_PRICE] + part]
                c[c[PART_USES] + part] += 1
        first = c[c[HEAD] + node]
        c[c[FOLLOWING] + edge] = first
        c[c[PRECEDING] + edge] = -1
        if first >= 0:
            c[c[PRECEDING] + first] = edge
        c[c[HEAD] + node] = edge
        c[c[READERS] + node] += 1
        if edge < 2 * n_gates and edge & 1 == 0:
            n = c[GATES]
            c[c[ACTIVE] + n] = edge >> 1
            c[c[PLACE] + (edge >> 1)] = n
            c[GATES] = n + 1
            c[AREA] += c[c[GATE_PRICE] + c[c[KIND] + (edge >> 1)]]


@allocating
def _random_order(c, words):  # pragma: no cover - compiled
    # A new slot for every gate in use, -1 for free ones: a random topological order with free slots between.
    n_gates, n = c[N_GATES], c[GATES]
    first_gate = c[FIRST_GATE]
    missing = np.zeros(n_gates, np.int64)
    ready = np.empty(n_gates, np.int64)
    n_ready = 0
    for i in range(n):
        gate = c[c[ACTIVE] + i]
        for side in range(2):
            missing[gate] += c[c[LITERAL] + 2 * gate + side] >> 1 >= first_gate
        if missing[gate] == 0:
            ready[n_ready] = gate
            n_ready += 1
    slot_of = np.full(n_gates, -1, np.int64)
    placed = 0
    for slot in range(n_gates):
        if placed == n:
            break
        if below(words, n_gates - slot) >= n - placed:
            continue
        pick = below(words, n_ready)
        gate = ready[pick]
        n_ready -= 1
        ready[pick] = ready[n_ready]
        slot_of[gate] = slot
        placed += 1
        edge = c[c[HEAD] + first_gate + gate]
        while edge >= 0:
            if edge < 2 * n_gates:
                missing[edge >> 1] -= 1
                if missing[edge >> 1] == 0:
                    ready[n_ready] = edge >> 1
                    n_ready += 1
            edge = c[c[FOLLOWING] + edge]
    return slot_of


@allocating
def _moved(literal, slot_of, first_gate):  # pragma: no cover - compiled
    if literal >> 1 < first_gate:
        return literal
    return 2 * (first_gate + slot_of[(literal >> 1) - first_gate]) + (literal & 1)


@allocating
def renumber(c, words, values):  # pragma: no cover - compiled
    # Change to another topological order, which makes other nodes available to each gate and spreads room.
    n_gates, first_gate = c[N_GATES], c[FIRST_GATE]
    slot_of = _random_order(c, words)
    kind = c[c[KIND] : c[KIND] + n_gates].copy()
    literal = c[c[LITERAL] : c[LITERAL] + c[N_EDGES]].copy()
    c[c[LITERAL] : c[LITERAL] + 2 * n_gates] = FREE
    for gate in range(n_gates):
        slot = slot_of[gate]
        if slot < 0:
            continue
        c[c[KIND] + slot] = kind[gate]
        for side in range(2):
            moved = _moved(literal[2 * gate + side], slot_of, first_gate)
            c[c[LITERAL] + 2 * slot + side] = moved
    for edge in range(2 * n_gates, len(literal)):
        c[c[LITERAL] + edge] = _moved(literal[edge], slot_of, first_gate)
    for block in range(c[N_BLOCKS]):
        size = block_size(block)
        base = block_start(block) * c[N_ROWS] + first_gate * size
        rows = values[base : base + n_gates * size].copy()
        for gate in range(n_gates):
            if slot_of[gate] >= 0:
                new, old = base + slot_of[gate] * size, gate * size
                values[new : new + size] = rows[old : old + size]
    rebuild(c)
    c[EPOCH] += 1


@allocating
def anneal_slice(
    c, words, values, archive, weights, counts, schedule, proposals
):  # pragma: no cover - compiled
    # Make `proposals` steps. `schedule` is (2, 2): temperature and price of an error, at the start and at the
    # end of the slice, in units of area. `counts` (moves, 3) sums up proposed, valid and accepted moves.
    interval = 2000 + 20 * c[N_GATES]
    for first in range(0, proposals, interval):
        last = min(first + interval, proposals)
        _steps(c, words, values, archive, weights, counts, schedule, first, last, proposals)
        renumber(c, words, values)


@kernel
def _steps(  # pragma: no cover - compiled
    c, words, values, archive, weights, counts, schedule, first, last, proposals
):
    ratio_t = np.log(schedule[0, 1] / schedule[0, 0]) / proposals
    ratio_p = np.log(schedule[1, 1] / schedule[1, 0]) / proposals
    temperature, price = schedule[0, 0], schedule[1, 0]
    for step in range(first, last):
        if step & 255 == 0 or step == first:
            temperature = schedule[0, 0] * np.exp(ratio_t * step)
            price = schedule[1, 0] * np.exp(ratio_p * step)
        move, found = choose(c, words, values, weights)
        counts[move, 0] += 1
        if not found:
            continue
        accepted = -temperature * np.log(1.0 - uniform(words))
        added = errors_added(c, words, values, (accepted + most_freed(c)) / price)
        counts[move, 1] += 1
        if added == HOPELESS:
            continue
        before = c[AREA]
        if not carry_out(c) or c[LOGGED] == 0 or added > (accepted - (c[AREA] - before)) / price:
            undo(c)
            continue
        larger = c[AREA] - before
        counts[move, 2] += 1
        if c[FORM] == SWAP and c[LOGGED] == 2:
            refresh_gate(c, values, c[PLACE_OF] >> 1)
        else:
            refresh(c, words, values, added)
        commit(c)
        if added < 0 or larger < 0:
            _record(archive, c)
