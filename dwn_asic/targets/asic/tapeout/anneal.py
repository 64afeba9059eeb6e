"""Placement in rows by simulated annealing on the half-perimeter wire length.

Every state is legal: cells stand in an order in their row, and the free sites of a row are spread evenly
between them. A move swaps two cells, or takes a cell to another place, which is the closer the colder it is.
A move is first judged by the nets of the moved cells alone, and only if it seems good by those of all cells
that give way to them. Lengths are whole nm, and the random numbers are our own, so that every CPU finds the
same placement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.words import random_bits, uniform
from dwn_asic.compiled import allocating, kernel
from dwn_asic.elementary import logarithm

__all__ = ["PlacementProblem", "RowOrder", "anneal"]

_MARGIN = 10_000
"""Length in nm by which an estimate may be wrong: a move that looks worse than that is not judged exactly."""


@dataclass(frozen=True)
class PlacementProblem:
    """The cells and nets to place; C cells, P pins, N nets. All arrays are int64.

    Attributes
    ----------
    widths
        (C,) widths in sites.
    pin_cell, pin_x, pin_y
        (P,) cell of each pin, or -1 for a port; its position in nm, in the cell or, for a port, on the die.
    net_start, net_pins
        (N + 1,) and (P,): the pins of net n are ``net_pins[net_start[n] : net_start[n + 1]]``.
    rows, sites
        Number of rows, and sites of a row that cells may take.
    site_width, row_height
        In nm.
    """

    widths: NDArray[np.int64]
    pin_cell: NDArray[np.int64]
    pin_x: NDArray[np.int64]
    pin_y: NDArray[np.int64]
    net_start: NDArray[np.int64]
    net_pins: NDArray[np.int64]
    rows: int
    sites: int
    site_width: int
    row_height: int


@dataclass(frozen=True)
class RowOrder:
    """Cells of each row from left to right, the site of each cell, and the wire length in nm."""

    rows: tuple[tuple[int, ...], ...]
    sites: NDArray[np.int64]
    length: int


def initial_rows(problem: PlacementProblem) -> list[list[int]] | None:
    """Return a distribution of the cells over the rows, the widest first; None if they do not fit."""
    used = [0] * problem.rows
    rows: list[list[int]] = [[] for _ in used]
    for cell in sorted(range(len(problem.widths)), key=lambda each: (-int(problem.widths[each]), each)):
        row = used.index(min(used))
        rows[row].append(cell)
        used[row] += int(problem.widths[cell])
        if used[row] > problem.sites:
            return None
    return rows


def anneal(
    problem: PlacementProblem,
    rows: list[list[int]],
    moves: int,
    generator: np.random.Generator,
    temperature: float = 20_000.0,
) -> RowOrder:
    """Improve a distribution of cells over rows.

    Parameters
    ----------
    problem
        Cells and nets.
    rows
        Cells of each row from left to right, which fit in their rows.
    moves
        Number of proposed moves.
    generator
        Source of the random numbers.
    temperature
        Temperature at the start in nm; it falls to zero.
    """
    cells = len(problem.widths)
    order = np.full((problem.rows, max(cells, 1)), -1, np.int64)
    count, row_of = np.zeros(problem.rows, np.int64), np.zeros(cells, np.int64)
    for row, members in enumerate(rows):
        order[row, : len(members)] = members
        count[row] = len(members)
        row_of[members] = row
    state = generator.integers(1, 2**63, 1, dtype=np.uint64)
    start, pins = _pins_of_cells(problem)
    net_of = np.empty(len(problem.pin_cell), np.int64)
    net_of[problem.net_pins] = np.repeat(np.arange(len(problem.net_start) - 1), np.diff(problem.net_start))
    site = np.zeros(cells, np.int64)
    length = _anneal(
        state,
        problem.widths,
        problem.pin_x,
        problem.pin_y,
        problem.net_start,
        problem.net_pins,
        start,
        pins,
        net_of,
        problem.sites,
        problem.site_width,
        problem.row_height,
        order,
        count,
        row_of,
        site,
        moves,
        temperature,
        _MARGIN,
    )
    found = tuple(tuple(int(cell) for cell in order[row, : count[row]]) for row in range(problem.rows))
    return RowOrder(found, site, int(length))


def _pins_of_cells(problem: PlacementProblem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (C + 1,) starts and the pins of all cells."""
    pins = np.flatnonzero(problem.pin_cell >= 0)
    pins = pins[np.argsort(problem.pin_cell[pins], kind="stable")]
    counts = np.bincount(problem.pin_cell[pins], minlength=len(problem.widths))
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), pins.astype(np.int64)


@kernel
def _spread(row, order, count, widths, sites, site):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Place the cells of a row with its free sites spread evenly between them."""
    members = count[row]
    total = 0
    for i in range(members):
        total += widths[order[row, i]]
    free = sites - total
    x = 0
    for i in range(members):
        cell = order[row, i]
        site[cell] = x + free * (i + 1) // (members + 1)
        x += widths[cell]


@kernel
def _move_pins(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y
):
    """Update the positions of the pins of a row."""
    for i in range(count[row]):
        cell = order[row, i]
        for k in range(start[cell], start[cell + 1]):
            pin = pins[k]
            x[pin] = site[cell] * site_width + pin_x[pin]
            y[pin] = row * row_height + pin_y[pin]


@kernel
def _length(net, net_start, net_pins, x, y):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the half perimeter of a net's bounding box."""
    first = net_pins[net_start[net]]
    left, right, bottom, top = x[first], x[first], y[first], y[first]
    for k in range(net_start[net] + 1, net_start[net + 1]):
        pin = net_pins[k]
        left, right = min(left, x[pin]), max(right, x[pin])
        bottom, top = min(bottom, y[pin]), max(top, y[pin])
    return right - left + top - bottom


@kernel
def _take(row, place, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Remove the cell at a place of a row."""
    for i in range(place, count[row] - 1):
        order[row, i] = order[row, i + 1]
    count[row] -= 1


@kernel
def _insert(cell, row, place, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Insert a cell before the one at a place of a row."""
    for i in range(count[row], place, -1):
        order[row, i] = order[row, i - 1]
    order[row, place] = cell
    count[row] += 1


@kernel
def _place_near(row, target, order, count, site):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the place of the first cell of a row at or after a site."""
    low, high = 0, count[row]
    while low < high:
        middle = (low + high) // 2
        if site[order[row, middle]] < target:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _propose(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    state, left, widths, sites, order, count, row_of, used, site, out
):
    """Draw a move: the cell, its place and row, the other row and place, and the cell to swap with or -1.

    Returns whether the move is possible. The reach in rows and sites shrinks as ``left`` falls to zero.
    """
    rows = len(count)
    a = np.int64(uniform(state) * len(widths))
    source = row_of[a]
    reach = max(np.int64(1), np.int64(rows * left))
    target = source + np.int64(uniform(state) * (2 * reach + 1)) - reach
    if target < 0 or target >= rows:
        return False
    width = max(np.int64(8), np.int64(sites * left))
    near = site[a] + np.int64(uniform(state) * (2 * width + 1)) - width
    swap = random_bits(state) & np.uint64(1 << 40) != 0
    place_a = _place_near(source, site[a], order, count, site)
    place_b, b = _place_near(target, near, order, count, site), np.int64(-1)
    if swap:
        if place_b >= count[target]:
            return False
        b = order[target, place_b]
        if b == a:
            return False
        change = widths[b] - widths[a]
        if source != target and (used[source] + change > sites or used[target] - change > sites):
            return False
    elif source == target:
        if place_b > place_a:
            place_b -= 1
        if place_b == place_a:
            return False
    elif used[target] + widths[a] > sites:
        return False
    out[0], out[1], out[2], out[3], out[4], out[5] = a, place_a, source, target, place_b, b
    return True


@kernel
def _reorder(move, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Make a move in the order of the rows."""
    a, place_a, source, target, place_b, b = move[0], move[1], move[2], move[3], move[4], move[5]
    if b >= 0:
        order[source, place_a], order[target, place_b] = b, a
    else:
        _take(source, place_a, order, count)
        _insert(a, target, place_b, order, count)


@kernel
def _reorder_back(move, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Take a move back."""
    a, place_a, source, target, place_b, b = move[0], move[1], move[2], move[3], move[4], move[5]
    if b >= 0:
        order[source, place_a], order[target, place_b] = a, b
    else:
        _take(target, place_b, order, count)
        _insert(a, source, place_a, order, count)


@kernel
def _settle(move, widths, row_of, used):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Note the rows of the cells of a move, and the sites that the rows use."""
    a, source, target, b = move[0], move[2], move[3], move[5]
    row_of[a] = target
    change = -widths[a]
    if b >= 0:
        row_of[b] = source
        change += widths[b]
    used[source] += change
    used[target] -= change


@kernel
def _shift(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    cell, to_site, row, start, pins, pin_x, pin_y, site_width, row_height, x, y
):
    """Update the positions of the pins of a cell."""
    for k in range(start[cell], start[cell + 1]):
        pin = pins[k]
        x[pin] = to_site * site_width + pin_x[pin]
        y[pin] = row * row_height + pin_y[pin]


@kernel
def _collect(cell, start, pins, net_of, seen, mark, touched, found):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Append the nets of a cell that have not been seen since a mark; returns their number."""
    for k in range(start[cell], start[cell + 1]):
        net = net_of[pins[k]]
        if seen[net] != mark:
            seen[net] = mark
            touched[found] = net
            found += 1
    return found


@kernel
def _estimate(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    move,
    order,
    count,
    sites,
    site,
    start,
    pins,
    net_of,
    net_start,
    net_pins,
    pin_x,
    pin_y,
    site_width,
    row_height,
    x,
    y,
    cost,
    seen,
    mark,
    touched,
):
    """Return the change of the length if the other cells of the rows stay where they are."""
    a, source, target, place_b, b = move[0], move[2], move[3], move[4], move[5]
    found = _collect(a, start, pins, net_of, seen, mark, touched, 0)
    if b >= 0:
        found = _collect(b, start, pins, net_of, seen, mark, touched, found)
        _shift(b, site[a], source, start, pins, pin_x, pin_y, site_width, row_height, x, y)
        place = site[b]
    else:
        place = site[order[target, place_b]] if place_b < count[target] else sites
    _shift(a, place, target, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    delta = np.int64(0)
    for i in range(found):
        delta += _length(touched[i], net_start, net_pins, x, y) - cost[touched[i]]
    _shift(a, site[a], source, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    if b >= 0:
        _shift(b, site[b], target, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    return delta


@allocating
def _anneal(  # type: ignore[no-untyped-def]  # noqa: C901  # pragma: no cover - compiled
    state,
    widths,
    pin_x,
    pin_y,
    net_start,
    net_pins,
    start,
    pins,
    net_of,
    sites,
    site_width,
    row_height,
    order,
    count,
    row_of,
    site,
    moves,
    temperature,
    margin,
):
    cells, rows, nets = len(widths), len(count), len(net_start) - 1
    x, y = pin_x.copy(), pin_y.copy()
    used = np.zeros(rows, np.int64)
    for row in range(rows):
        for i in range(count[row]):
            used[row] += widths[order[row, i]]
        _spread(row, order, count, widths, sites, site)
        _move_pins(row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    cost = np.zeros(nets, np.int64)
    for net in range(nets):
        cost[net] = _length(net, net_start, net_pins, x, y)
    seen, touched, before = np.full(nets, -1, np.int64), np.zeros(nets, np.int64), np.zeros(nets, np.int64)
    move = np.zeros(6, np.int64)
    for number in range(moves if cells > 1 else 0):
        left = 1.0 - number / moves
        heat = temperature * left * left
        if not _propose(state, left, widths, sites, order, count, row_of, used, site, move):
            continue
        bound = -heat * logarithm(1.0 - uniform(state))
        estimate = _estimate(
            move,
            order,
            count,
            sites,
            site,
            start,
            pins,
            net_of,
            net_start,
            net_pins,
            pin_x,
            pin_y,
            site_width,
            row_height,
            x,
            y,
            cost,
            seen,
            2 * number,
            touched,
        )
        if estimate > bound + margin:
            continue
        _reorder(move, order, count)
        source, target = move[2], move[3]
        affected = 1 if source == target else 2
        found, delta = 0, np.int64(0)
        for k in range(affected):
            row = source if k == 0 else target
            _spread(row, order, count, widths, sites, site)
            _move_pins(row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y)
        for k in range(affected):
            row = source if k == 0 else target
            for i in range(count[row]):
                found = _collect(order[row, i], start, pins, net_of, seen, 2 * number + 1, touched, found)
        for i in range(found):
            net = touched[i]
            before[i] = cost[net]
            cost[net] = _length(net, net_start, net_pins, x, y)
            delta += cost[net] - before[i]
        if delta <= bound:
            _settle(move, widths, row_of, used)
            continue
        for i in range(found):
            cost[touched[i]] = before[i]
        _reorder_back(move, order, count)
        for k in range(affected):
            row = source if k == 0 else target
            _spread(row, order, count, widths, sites, site)
            _move_pins(row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    return cost.sum()
