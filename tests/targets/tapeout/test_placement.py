"""Placement: rows of about equal density, and free sites where wires run."""

from __future__ import annotations

import numpy as np

from dwn_asic.targets.asic.tapeout.anneal import PlacementProblem, RowOrder, anneal, initial_rows
from dwn_asic.targets.asic.tapeout.whitespace import with_room

CELLS, WIDTH = 60, 4


def random_problem(rows: int, sites: int, connected: int = CELLS) -> PlacementProblem:
    """Return a net for each cell, which connects any four of the first ``connected`` ones."""
    generator = np.random.default_rng(0)
    nets = [generator.permutation(connected)[:4] for _ in range(CELLS)]
    cells = np.concatenate(nets)
    return PlacementProblem(
        widths=np.full(CELLS, WIDTH),
        pin_cell=cells,
        pin_x=np.full(len(cells), 500),
        pin_y=np.full(len(cells), 1360),
        net_start=np.arange(0, 4 * CELLS + 1, 4),
        net_pins=np.arange(4 * CELLS),
        rows=rows,
        sites=sites,
        site_width=460,
        row_height=2720,
    )


def annealed(problem: PlacementProblem) -> RowOrder:
    rows = initial_rows(problem)
    assert rows is not None
    return anneal(problem, rows, 100_000, np.random.default_rng(0), 10_000.0)


def test_cells_do_not_gather_in_a_few_rows() -> None:
    problem = random_problem(rows=10, sites=100)
    used = [WIDTH * len(row) for row in annealed(problem).rows]
    assert sum(used) == CELLS * WIDTH
    assert max(used) <= problem.capacity < 0.4 * problem.sites


def test_the_free_sites_go_where_wires_run() -> None:
    problem = random_problem(rows=10, sites=60, connected=CELLS // 2)  # those of the lower rows
    rows = tuple(tuple(range(6 * row, 6 * row + 6)) for row in range(10))
    sites = np.array([10 * place for _ in range(10) for place in range(6)])
    roomy, even = with_room(problem, RowOrder(rows, sites, 0))
    room = roomy.widths - problem.widths
    assert (room >= 0).all()
    assert roomy.widths.sum() <= 0.9 * problem.rows * problem.sites
    assert roomy.widths.sum() > problem.widths.sum() + CELLS  # the free sites are used
    assert room[: CELLS // 2].sum() > 1.5 * room[CELLS // 2 :].sum()
    assert sorted(cell for row in even for cell in row) == list(range(CELLS))
    used = [int(roomy.widths[row].sum()) for row in even]
    assert max(used) - min(used) <= 2 * int(roomy.widths.max())
    # A pin stays in the middle of the wider place.
    shift = (roomy.pin_x - problem.pin_x) // problem.site_width
    assert (shift == room[problem.pin_cell] // 2).all()


def test_a_full_die_leaves_no_room() -> None:
    problem = random_problem(rows=4, sites=62)
    found = annealed(problem)
    roomy, rows = with_room(problem, found)
    assert roomy is problem
    assert rows == [list(row) for row in found.rows]
