"""Placement in rows by simulated annealing on the half-perimeter wire length.

Every state is legal: cells stand in an order in their row, and the free sites of a row are spread evenly
between them. A move swaps two cells, or takes a cell to another place, which is the closer the colder it is.
A move is first judged by the nets of the moved cells alone, and only if it seems good by those of all cells
that give way to them. Lengths are whole nm, and the random numbers are our own, so that every CPU finds the
same placement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.words import uniform
from dwn_asic.compiled import allocating
from dwn_asic.elementary import logarithm
from dwn_asic.targets.asic.tapeout.row_moves import (
    collect,
    estimate,
    length_of,
    move_pins,
    propose,
    reorder,
    reorder_back,
    settle,
    spread,
)

__all__ = ["PlacementProblem", "RowOrder", "anneal"]

_MARGIN = 10_000
"""Length in nm by which an estimate may be wrong: a move that looks worse than that is not judged exactly."""
_UNEVEN = 1.05
"""Sites that a row may use, as a multiple of those of the mean row, beside one more cell."""


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

    @property
    def capacity(self) -> int:
        """Sites of a row that cells may fill. Without it they gather in a few full rows in the middle."""
        even = int(self.widths.sum()) / self.rows
        return min(self.sites, math.ceil(_UNEVEN * even) + int(self.widths.max(initial=0)))


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
    temperature: float,
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
        problem.capacity,
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
    capacity,
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
        spread(row, order, count, widths, sites, site)
        move_pins(row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    cost = np.zeros(nets, np.int64)
    for net in range(nets):
        cost[net] = length_of(net, net_start, net_pins, x, y)
    seen, touched, before = np.full(nets, -1, np.int64), np.zeros(nets, np.int64), np.zeros(nets, np.int64)
    move = np.zeros(6, np.int64)
    for number in range(moves if cells > 1 else 0):
        left = 1.0 - number / moves
        heat = temperature * left * left
        if not propose(state, left, widths, sites, capacity, order, count, row_of, used, site, move):
            continue
        bound = -heat * logarithm(1.0 - uniform(state))
        change = estimate(
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
        if change > bound + margin:
            continue
        reorder(move, order, count)
        source, target = move[2], move[3]
        affected = 1 if source == target else 2
        found, delta = 0, np.int64(0)
        for k in range(affected):
            row = source if k == 0 else target
            spread(row, order, count, widths, sites, site)
            move_pins(row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y)
        for k in range(affected):
            row = source if k == 0 else target
            for i in range(count[row]):
                found = collect(order[row, i], start, pins, net_of, seen, 2 * number + 1, touched, found)
        for i in range(found):
            net = touched[i]
            before[i] = cost[net]
            cost[net] = length_of(net, net_start, net_pins, x, y)
            delta += cost[net] - before[i]
        if delta <= bound:
            settle(move, widths, row_of, used)
            continue
        for i in range(found):
            cost[touched[i]] = before[i]
        reorder_back(move, order, count)
        for k in range(affected):
            row = source if k == 0 else target
            spread(row, order, count, widths, sites, site)
            move_pins(row, order, count, site, start, pins, pin_x, pin_y, site_width, row_height, x, y)
    return cost.sum()
