"""Legal rows: cells, taps and end caps without overlap, and fillers in the gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dwn_asic.errors import DataError
from dwn_asic.targets.asic.tapeout.floorplan import Floorplan
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["PlacedCell", "fill_row", "fillers_for", "legal_row", "tap_sites"]

_TAP_MOVES = 4
"""A tap may move by one part in so many of the distance of taps."""


@dataclass(frozen=True)
class PlacedCell:
    """An instance and its place.

    Attributes
    ----------
    name, cell
        Names of the instance and of its cell.
    row, site
        Row and first site, counted from the corner of the rows; in every second row cells are upside down.
    is_logic
        Whether it is an instance of the netlist; others are taps, end caps and fillers.
    """

    name: str
    cell: str
    row: int
    site: int
    is_logic: bool = True


def legal_row(
    wanted: Sequence[tuple[int, int]], plan: Floorplan, technology: Technology
) -> tuple[list[int], list[int]]:
    """Move the cells of a row to sites where they overlap neither each other nor the taps.

    Taps stay near their places, so that no transistor is too far from one, unless the row is nearly full.

    Parameters
    ----------
    wanted
        Wanted site and width of each cell from left to right; sites count from the first placed site.
    plan, technology
        Plan of the die, and its technology.

    Returns
    -------
    tuple
        Sites of the cells, and sites of the taps between them, both counted from the first placed site.
    """
    cap, tap = technology.cap_sites, technology.tap_sites
    sites, taps = plan.placed_sites, tap_sites(plan.placed_sites, technology)
    far = technology.config.tap.every_sites // _TAP_MOVES if technology.config.tap else 0
    places, found, end = _from_left(wanted, taps, tap, cap, far)
    if end > sites - cap:  # the same from the right
        cells = [(sites - place - width, width) for place, (_, width) in zip(places, wanted, strict=True)][
            ::-1
        ]
        mirrored = [sites - tap - site for site in reversed(taps)]
        places, found, end = _from_left(cells, mirrored, tap, cap, far)
        places = [sites - place - width for place, (_, width) in zip(places, cells, strict=True)][::-1]
        found = [sites - tap - site for site in reversed(found)]
    if end > sites - cap:
        return _pushed(wanted, taps, tap, (cap, sites - cap))
    return places, found


def tap_sites(sites: int, technology: Technology) -> list[int]:
    """Return the sites at which a row of this many sites needs taps, spread evenly over it."""
    if technology.config.tap is None:
        return []
    every, tap = technology.config.tap.every_sites, technology.tap_sites
    count = max(1, (2 * sites + every) // (2 * every))
    return [(2 * number + 1) * sites // (2 * count) - tap // 2 for number in range(count)]


def _from_left(
    wanted: Sequence[tuple[int, int]], taps: Sequence[int], tap: int, start: int, far: int
) -> tuple[list[int], list[int], int]:
    """Place the cells of a row from a start on; no tap moves farther than given.

    Returns the sites of the cells and of the taps, and the end of the last of them.
    """
    places, found, waiting, end = list[int](), list[int](), list(taps), start
    for site, width in wanted:
        place = max(site, end)
        while waiting and (place >= waiting[0] or place + width > waiting[0] + far):
            found.append(max(waiting.pop(0), end))
            end = found[-1] + tap
            place = max(place, end)
        places.append(place)
        end = place + width
    for site in waiting:
        found.append(max(site, end))
        end = found[-1] + tap
    return places, found, end


def _pushed(
    wanted: Sequence[tuple[int, int]], taps: Sequence[int], tap: int, within: tuple[int, int]
) -> tuple[list[int], list[int]]:
    """Place the cells of a row that is so full that taps give way to them."""
    # (wanted site, width, index of the cell or -1 for a tap)
    items = [(site, width, index) for index, (site, width) in enumerate(wanted)]
    items += [(site, tap, -1) for site in taps]
    items.sort(key=lambda item: (2 * item[0] + item[1], item[2]))
    places, end = [], within[0]
    for site, width, _ in items:
        end = max(end, site)
        places.append(end)
        end += width
    start = within[1]
    for index in reversed(range(len(items))):
        start = places[index] = min(places[index], start - items[index][1])
    if places and places[0] < within[0]:
        raise DataError("layout", "the cells of a row do not fit: choose a lower utilization")
    cells = {item[2]: place for item, place in zip(items, places, strict=True) if item[2] >= 0}
    found = [place for item, place in zip(items, places, strict=True) if item[2] < 0]
    return [cells[index] for index in range(len(wanted))], found


def fill_row(
    row: int,
    taken: Sequence[tuple[int, int]],
    taps: Sequence[int],
    plan: Floorplan,
    technology: Technology,
) -> list[PlacedCell]:
    """Return the end caps, taps and fillers of a row.

    Parameters
    ----------
    row
        Number of the row.
    taken
        First site and width of the logic cells, counted from the corner of the rows.
    taps
        First sites of taps between them.
    plan, technology
        Plan of the die, and its technology.
    """
    config, fixed = technology.config, list[tuple[int, int, str]]()
    if config.end_cap:
        cap = technology.cap_sites
        fixed += [(0, cap, config.end_cap), (plan.sites - cap, cap, config.end_cap)]
    if config.tap:
        tap, every = technology.tap_sites, config.tap.every_sites
        fixed += [(site, tap, config.tap.cell) for site in taps]
        # Outside the placed sites the taps stand in the gaps.
        for start, end in _gaps(
            sorted([(site, width) for site, width, _ in fixed] + list(taken)), plan.sites
        ):
            for site in range(start + every - tap, end - every // 2, every):
                fixed.append((site, tap, config.tap.cell))
    busy = sorted([(site, width) for site, width, _ in fixed] + list(taken))
    found = [PlacedCell(f"tap_{row}_{site}", cell, row, site, is_logic=False) for site, _, cell in fixed]
    for start, end in _gaps(busy, plan.sites):
        for site, cell in fillers_for(start, end, technology):
            found.append(PlacedCell(f"fill_{row}_{site}", cell, row, site, is_logic=False))
    return sorted(found, key=lambda each: each.site)


def fillers_for(start: int, end: int, technology: Technology) -> list[tuple[int, str]]:
    """Return sites and cells that fill a gap: decoupling capacitors where they fit, then fillers."""
    cells = [*technology.config.decaps, *technology.config.fillers]
    widths = sorted(((technology.sites(cell), cell) for cell in cells), reverse=True)
    found = []
    while start < end:
        width, cell = next(each for each in widths if each[0] <= end - start)
        found.append((start, cell))
        start += width
    return found


def _gaps(busy: Sequence[tuple[int, int]], sites: int) -> list[tuple[int, int]]:
    found, end = [], 0
    for site, width in busy:
        if site > end:
            found.append((end, site))
        end = site + width
    if end < sites:
        found.append((end, sites))
    return found
