"""Placement: rows of about equal density, free sites where wires run, and taps everywhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dwn_asic.targets.asic.tapeout.anneal import PlacementProblem, RowOrder, anneal, initial_rows
from dwn_asic.targets.asic.tapeout.lay_out import LaidOut
from dwn_asic.targets.asic.tapeout.rows import legal_row, tap_sites
from dwn_asic.targets.asic.tapeout.technology import Technology
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


@pytest.mark.parametrize("where", ["left", "right", "everywhere"])
def test_crowded_cells_do_not_push_the_taps_away(
    laid_out: LaidOut, technology: Technology, where: str
) -> None:
    plan = replace(laid_out.design.placement.plan, placed_sites=200)
    sites = {"left": [0] * 25, "right": [195] * 25, "everywhere": [8 * i for i in range(25)]}[where]
    wanted = [(site, 5) for site in sites]
    cells, taps = legal_row(wanted, plan, technology)
    cap, tap = technology.cap_sites, technology.tap_sites
    taken = [(0, cap), (200 - cap, cap), *((site, 5) for site in cells), *((site, tap) for site in taps)]
    assert all(site + width <= after for (site, width), (after, _) in pairwise(sorted(taken)))
    assert cells == sorted(cells)
    assert technology.config.tap
    every = technology.config.tap.every_sites
    even = tap_sites(200, technology)
    assert all(abs(site - place) <= every // 4 for site, place in zip(taps, even, strict=True))
    assert max(np.diff([-every // 2, *taps, 200 + every // 2])) <= 1.7 * every


def test_in_a_full_row_taps_give_way(laid_out: LaidOut, technology: Technology) -> None:
    plan = replace(laid_out.design.placement.plan, placed_sites=200)
    cap, tap = technology.cap_sites, technology.tap_sites
    free = 200 - 2 * cap - len(tap_sites(200, technology)) * tap
    wanted = [(0, 17)] * (free // 17) + [(0, free % 17)]
    cells, taps = legal_row(wanted, plan, technology)
    used = {*range(cap), *range(200 - cap, 200)}
    for site, width in [
        *((s, w) for s, (_, w) in zip(cells, wanted, strict=True)),
        *((s, tap) for s in taps),
    ]:
        assert used.isdisjoint(range(site, site + width))
        used |= {*range(site, site + width)}
    assert len(used) == 200
