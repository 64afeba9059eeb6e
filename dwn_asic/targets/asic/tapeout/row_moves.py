"""Moves of cells between places of rows, compiled: the order of the cells, and the lengths of their nets.

Rows are arrays: ``order[r, i]`` is cell i of row r, ``count[r]`` the number of its cells, ``site[c]`` the
site of a cell in its row. Pins have positions ``x`` and ``y`` in nm. A move is an array of the cell, its
place and row, the other row and place, and the cell to swap with or -1.
"""

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.words import random_bits, uniform
from dwn_asic.compiled import kernel

__all__ = [
    "collect",
    "estimate",
    "length_of",
    "move_pins",
    "propose",
    "reorder",
    "reorder_back",
    "settle",
    "spread",
]


@kernel
def spread(row, order, count, widths, sites, site):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
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
def _shift(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    cell, to_site, row, start, pins, pin_x, pin_y, site_width, row_height, x, y
):
    """Update the positions of the pins of a cell."""
    for k in range(start[cell], start[cell + 1]):
        pin = pins[k]
        x[pin] = to_site * site_width + pin_x[pin]
        y[pin] = row * row_height + pin_y[pin]


@kernel
def move_pins(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y
):
    """Update the positions of the pins of a row."""
    for i in range(count[row]):
        cell = order[row, i]
        _shift(cell, site[cell], row, start, pins, pin_x, pin_y, site_width, row_height, x, y)


@kernel
def length_of(net, net_start, net_pins, x, y):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
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
def propose(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    state, left, widths, sites, capacity, order, count, row_of, used, site, out
):
    """Draw a move: the cell, its place and row, the other row and place, and the cell to swap with or -1.

    Returns whether the move is possible. The reach in rows and sites shrinks as ``left`` falls to zero.
    No row takes more sites than ``capacity``, unless it held more before.
    """
    rows = len(count)
    a = np.int64(uniform(state) * len(widths))
    source = row_of[a]
    reach = max(np.int64(1), np.int64(rows * left * left))
    target = source + np.int64(uniform(state) * (2 * reach + 1)) - reach
    if target < 0 or target >= rows:
        return False
    width = max(np.int64(8), np.int64(sites * left * left))
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
        if source != target and (used[source] + change > capacity or used[target] - change > capacity):
            return False
    elif source == target:
        if place_b > place_a:
            place_b -= 1
        if place_b == place_a:
            return False
    elif used[target] + widths[a] > capacity:
        return False
    out[0], out[1], out[2], out[3], out[4], out[5] = a, place_a, source, target, place_b, b
    return True


@kernel
def reorder(move, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Make a move in the order of the rows."""
    a, place_a, source, target, place_b, b = move[0], move[1], move[2], move[3], move[4], move[5]
    if b >= 0:
        order[source, place_a], order[target, place_b] = b, a
    else:
        _take(source, place_a, order, count)
        _insert(a, target, place_b, order, count)


@kernel
def reorder_back(move, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Take a move back."""
    a, place_a, source, target, place_b, b = move[0], move[1], move[2], move[3], move[4], move[5]
    if b >= 0:
        order[source, place_a], order[target, place_b] = a, b
    else:
        _take(target, place_b, order, count)
        _insert(a, source, place_a, order, count)


@kernel
def settle(move, widths, row_of, used):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
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
def collect(cell, start, pins, net_of, seen, mark, touched, found):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Append the nets of a cell that have not been seen since a mark; returns their number."""
    for k in range(start[cell], start[cell + 1]):
        net = net_of[pins[k]]
        if seen[net] != mark:
            seen[net] = mark
            touched[found] = net
            found += 1
    return found


@kernel
def estimate(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
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
    found = collect(a, start, pins, net_of, seen, mark, touched, 0)
    if b >= 0:
        found = collect(b, start, pins, net_of, seen, mark, touched, found)
        _shift(b, site[a], source, start, pins, pin_x, pin_y, site_width, row_height, x, y)
        place = site[b]
    else:
        place = site[order[target, place_b]] if place_b < count[target] else sites
    _shift(a, place, target, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    delta = np.int64(0)
    for i in range(found):
        delta += length_of(touched[i], net_start, net_pins, x, y) - cost[touched[i]]
    _shift(a, site[a], source, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    if b >= 0:
        _shift(b, site[b], target, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    return delta
