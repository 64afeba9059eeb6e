"""Room for wires: the free sites of a placement go to the cells in whose surroundings most wires run.

The wires of a net are taken to spread evenly over its bounding box (RUDY: Spindler and Johannes, Fast and
accurate routing demand estimation, DATE 2007). A cell in a dense place is then placed as if it were wider.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dwn_asic.targets.asic.tapeout.anneal import PlacementProblem, RowOrder

__all__ = ["with_room"]

_FULL = 0.9
"""Share of all sites that cells take with the room around them."""
_MOST = 3
"""Room of a cell, at most this many times its width."""
_BIN_ROWS = 2
"""Height in rows of the squares in which wires are counted."""
_SCALE = 16
"""Bits by which demand is scaled, so that whole numbers hold it and every CPU finds the same."""


def with_room(problem: PlacementProblem, found: RowOrder) -> tuple[PlacementProblem, list[list[int]]]:
    """Widen the cells of a problem by where wires run in a placement; also returns their rows.

    A cell that gets n more sites stands n // 2 sites from the start of its wider place.
    """
    free = int(_FULL * problem.rows * problem.sites) - int(problem.widths.sum())
    wanted = _demand(problem, found) * problem.widths
    if free <= 0 or not wanted.any():
        return problem, [list(row) for row in found.rows]
    room = np.minimum(free * wanted // wanted.sum(), _MOST * problem.widths)
    of_cell = problem.pin_cell >= 0
    shift = np.where(of_cell, (room // 2)[problem.pin_cell] * problem.site_width, 0)
    wider = replace(problem, widths=problem.widths + room, pin_x=problem.pin_x + shift)
    return wider, _even_rows(wider, found)


def _demand(problem: PlacementProblem, found: RowOrder) -> NDArray[np.int64]:
    """Return (C,) the demand for wires around each cell."""
    row_of = np.zeros(len(problem.widths), np.int64)
    for row, members in enumerate(found.rows):
        row_of[list(members)] = row
    of_cell, cell = problem.pin_cell >= 0, problem.pin_cell
    x = problem.pin_x + np.where(of_cell, found.sites[cell] * problem.site_width, 0)
    y = problem.pin_y + np.where(of_cell, row_of[cell] * problem.row_height, 0)
    side = _BIN_ROWS * problem.row_height
    columns = problem.sites * problem.site_width // side + 1
    lines = problem.rows * problem.row_height // side + 1

    def bins(position: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        return np.clip(position // side, 0, most - 1)

    starts = problem.net_start[:-1][np.diff(problem.net_start) > 0]
    left, right, bottom, top = (
        extreme.reduceat(values[problem.net_pins], starts)
        for values in (x, y)
        for extreme in (np.minimum, np.maximum)
    )
    first, last = bins(left, columns), bins(right, columns) + 1
    low, high = bins(bottom, lines), bins(top, lines) + 1
    added = (right - left + top - bottom << _SCALE) // (side * (last - first) * (high - low))
    edges = np.zeros((lines + 1, columns + 1), np.int64)
    for line, column, sign in ((low, first, 1), (low, last, -1), (high, first, -1), (high, last, 1)):
        np.add.at(edges, (line, column), sign * added)
    demand = edges.cumsum(axis=0).cumsum(axis=1)
    centre = found.sites * problem.site_width + problem.widths * problem.site_width // 2
    return demand[bins(row_of * problem.row_height, lines), bins(centre, columns)]


def _even_rows(problem: PlacementProblem, found: RowOrder) -> list[list[int]]:
    """Share the cells out so that all rows are about equally full, close to where they were."""
    # Cells of a row that go to different rows come from all over it.
    order = [cell for row in found.rows for cell in (*row[::2], *row[1::2])]
    rows: list[list[int]] = [[] for _ in found.rows]
    total, before = int(problem.widths.sum()), 0
    for cell in order:
        width = int(problem.widths[cell])
        rows[(2 * before + width) * problem.rows // (2 * total)].append(cell)
        before += width
    return [sorted(row, key=lambda each: int(found.sites[each])) for row in rows]
