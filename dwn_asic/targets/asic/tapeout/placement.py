"""Placement: the place of every cell and every port of a netlist on a planned die."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from dwn_asic.errors import ConfigError, DataError
from dwn_asic.targets.asic.tapeout.anneal import PlacementProblem, RowOrder, anneal, initial_rows
from dwn_asic.targets.asic.tapeout.floorplan import EDGES, Floorplan, PinSlot, slots_of
from dwn_asic.targets.asic.tapeout.netlist import Netlist
from dwn_asic.targets.asic.tapeout.rows import PlacedCell, fill_row, legal_row, tap_sites
from dwn_asic.targets.asic.tapeout.technology import Technology
from dwn_asic.targets.asic.tapeout.whitespace import with_room

__all__ = ["Placement", "check_edges", "place"]

_MOVES_PER_CELL, _FEW_CELLS = 6000, 300
"""Moves for each cell of a netlist of few cells. With more cells they grow with the root of their number."""
_FIRST_MOVES = 0.3
"""Share of the moves before the ports take their places by the cells that they connect."""
_HOT, _COOL = 0.3, 0.03
"""Temperatures at the start, and when placement resumes with the ports in their places and room for wires, as
a share of the width of the rows."""


@dataclass(frozen=True)
class Placement:
    """Places of all cells and ports.

    Attributes
    ----------
    netlist
        Netlist that was placed.
    plan
        Plan of the die.
    cells
        All cells row by row, each row from left to right and without gaps.
    slots
        Place of each port.
    length
        Half-perimeter wire length in nm.
    """

    netlist: Netlist
    plan: Floorplan
    cells: tuple[PlacedCell, ...]
    slots: Mapping[str, PinSlot]
    length: int


def check_edges(netlist: Netlist, edges: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the names of the ports that patterns put at each edge.

    Raises
    ------
    ConfigError
        An edge is unknown, a pattern matches no port, or two edges want the same port.
    """
    found: dict[str, list[str]] = {}
    names = [port.name for port in netlist.ports]
    for edge, patterns in edges.items():
        if edge not in EDGES:
            raise ConfigError("layout", f"pins.{edge}", "unknown edge", ", ".join(EDGES))
        for pattern in patterns:
            matching = [name for name in names if _matches(name, pattern)]
            if not matching:
                raise ConfigError("layout", f"pins.{edge}", f"no port matches {pattern}", ", ".join(names))
            found.setdefault(edge, []).extend(matching)
    every = [name for chosen in found.values() for name in chosen]
    twice = sorted({name for name in every if every.count(name) > 1})
    if twice:
        raise ConfigError("layout", "pins", f"port {twice[0]} is chosen twice")
    return found


def _matches(name: str, pattern: str) -> bool:
    """Return whether a pattern names a bit of a port, or the port as a whole."""
    return name == pattern or fnmatchcase(name.partition("[")[0], pattern)


def place(
    netlist: Netlist,
    technology: Technology,
    plan: Floorplan,
    *,
    seed: int = 0,
    effort: float = 1.0,
    edges: Mapping[str, Sequence[str]] | None = None,
) -> Placement:
    """Place the cells of a netlist by annealing, and its ports where their nets are shortest.

    Parameters
    ----------
    netlist
        Prepared netlist.
    technology, plan
        Technology, and plan of the die.
    seed
        Seed of the annealing.
    effort
        Factor on the number of moves.
    edges
        Names of the ports at each edge; the others take the north and the south.

    Raises
    ------
    DataError
        The cells or the ports do not fit.
    """
    generator = np.random.default_rng(seed)
    slots = _first_slots(netlist, technology, plan, edges or {})
    problem = _problem(netlist, technology, plan, slots)
    rows = initial_rows(problem)
    if rows is None:
        raise DataError("layout", "the cells do not fit into their rows: choose a lower utilization")
    cells = len(netlist.instances)
    moves = int(_MOVES_PER_CELL * effort * math.sqrt(max(1.0, cells / _FEW_CELLS))) * cells
    before, width = int(moves * _FIRST_MOVES), problem.sites * problem.site_width
    found = anneal(problem, rows, before, generator, _HOT * width)
    if plan.pins is None:
        slots = _better_slots(netlist, technology, plan, slots, problem, found)
        problem = _problem(netlist, technology, plan, slots)
    roomy, rows = with_room(problem, found)
    found = anneal(roomy, rows, moves - before, generator, _COOL * width)
    sites = found.sites + (roomy.widths - problem.widths) // 2
    placed = _legal_cells(netlist, technology, plan, problem, replace(found, sites=sites))
    return Placement(netlist, plan, placed, slots, found.length)


def _problem(
    netlist: Netlist, technology: Technology, plan: Floorplan, slots: Mapping[str, PinSlot]
) -> PlacementProblem:
    index = {net: number for number, net in enumerate(netlist.nets)}
    members: list[list[int]] = [[] for _ in index]
    cell, x, y = list[int](), list[int](), list[int]()
    layers = {technology.config.pin_layer.name, technology.layers[0].name}
    for number, each in enumerate(netlist.instances):
        macro = technology.macro(each.cell)
        for pin, net in each.pins.items():
            boxes = [box for layer, box in macro.pins[pin].shapes if layer in layers]
            members[index[net]].append(len(cell))
            cell.append(number)
            x.append((min(box.left for box in boxes) + max(box.right for box in boxes)) // 2)
            y.append(technology.row_height // 2)
    # Ports are seen from the corner of the placed rows and sites.
    left = plan.left + plan.first_site * technology.site_width
    bottom = plan.bottom + plan.first_row * technology.row_height
    for port in netlist.ports:
        members[index[port.net]].append(len(cell))
        cell.append(-1)
        x.append(slots[port.name].x - left)
        y.append(slots[port.name].y - bottom)
    taps = len(tap_sites(plan.placed_sites, technology))
    return PlacementProblem(
        np.array([technology.sites(each.cell) for each in netlist.instances], np.int64),
        np.array(cell, np.int64),
        np.array(x, np.int64),
        np.array(y, np.int64),
        np.cumsum([0, *map(len, members)]).astype(np.int64),
        np.array([pin for pins in members for pin in pins], np.int64),
        plan.placed_rows,
        plan.placed_sites - 2 * technology.cap_sites - taps * technology.tap_sites,
        technology.site_width,
        technology.row_height,
    )


def _legal_cells(
    netlist: Netlist,
    technology: Technology,
    plan: Floorplan,
    problem: PlacementProblem,
    found: RowOrder,
) -> tuple[PlacedCell, ...]:
    cells = list[PlacedCell]()
    stretch = plan.placed_sites / problem.sites
    for row in range(plan.rows):
        inside = plan.first_row <= row < plan.first_row + plan.placed_rows
        members = found.rows[row - plan.first_row] if inside else ()
        taken, taps, logic = list[tuple[int, int]](), list[int](), list[PlacedCell]()
        if inside:
            wanted = [(int(found.sites[c] * stretch), int(problem.widths[c])) for c in members]
            sites, taps = legal_row(wanted, plan, technology)
            taps = [plan.first_site + site for site in taps]
            for member, site in zip(members, sites, strict=True):
                instance, start = netlist.instances[member], plan.first_site + site
                logic.append(PlacedCell(instance.name, instance.cell, row, start))
                taken.append((start, int(problem.widths[member])))
        filled = fill_row(row, taken, taps, plan, technology)
        cells += sorted([*logic, *filled], key=lambda each: each.site)
    return tuple(cells)


# ---- ports -------------------------------------------------------------------------------------------------
def _groups(netlist: Netlist, edges: Mapping[str, Sequence[str]]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return edges and the ports that may take any place at them."""
    chosen = {name for names in edges.values() for name in names}
    groups: list[tuple[tuple[str, ...], list[str]]]
    groups = [((edge,), list(names)) for edge, names in edges.items() if names]
    rest = [port.name for port in netlist.ports if port.name not in chosen]
    free = tuple(edge for edge in ("north", "south") if edge not in edges) or ("north", "south")
    return [*groups, (free, rest)] if rest else groups


def _free_slots(
    technology: Technology, plan: Floorplan, edges: Sequence[str], count: int, used: set[PinSlot]
) -> list[PinSlot]:
    """Return places at some edges, not closer together than needed."""
    places = [[slot for slot in slots_of(plan, technology, edge) if slot not in used] for edge in edges]
    for stride in (3, 2, 1):
        found = [slot for each in places for slot in each[stride // 2 :: stride]]
        if len(found) >= count:
            return found
    raise DataError("layout", f"{count} ports do not fit at the {' and '.join(edges)} of the die")


def _first_slots(
    netlist: Netlist, technology: Technology, plan: Floorplan, edges: Mapping[str, Sequence[str]]
) -> dict[str, PinSlot]:
    if plan.pins is not None:
        return {name: _fixed_slot(technology, plan, name) for name in plan.pins}
    slots, used = dict[str, PinSlot](), set[PinSlot]()
    for where, names in _groups(netlist, edges):
        places = _free_slots(technology, plan, where, len(names), used)
        for number, name in enumerate(names):
            slots[name] = places[(2 * number + 1) * len(places) // (2 * len(names))]
            used.add(slots[name])
    return slots


def _fixed_slot(technology: Technology, plan: Floorplan, name: str) -> PinSlot:
    """Return the place of a port of a given die: the point of the router that is nearest to its pin."""
    assert plan.pins is not None
    pin = plan.pins[name]
    names = [layer.name for layer in technology.layers]
    layer = technology.layers[names.index(pin.layer)] if pin.layer in names[2:] else None
    if layer is None:
        raise ConfigError("layout", "template", f"pin {name} is on {pin.layer}", " or ".join(names[2:]))
    x, y = pin.box.center
    step_x, step_y = technology.step_x, technology.step_y
    columns, lines = plan.width // step_x, plan.height // step_y
    if layer.lef.horizontal:
        row = _nearest(y, technology.offset_y, step_y, layer.stride)
        column = columns - 2 if x > plan.width // 2 else 1
        edge = "east" if column > 1 else "west"
    else:
        column = _nearest(x, technology.offset_x, step_x, layer.stride)
        row = lines - 2 if y > plan.height // 2 else 1
        edge = "north" if row > 1 else "south"
    return PinSlot(edge, technology.offset_x + column * step_x, technology.offset_y + row * step_y, pin)


def _nearest(position: int, offset: int, step: int, stride: int) -> int:
    """Return the number of the nearest track; where only every second is used, these are the odd ones."""
    first = stride - 1
    return round((position - offset - first * step) / (step * stride)) * stride + first


def _better_slots(
    netlist: Netlist,
    technology: Technology,
    plan: Floorplan,
    slots: Mapping[str, PinSlot],
    problem: PlacementProblem,
    found: RowOrder,
) -> dict[str, PinSlot]:
    """Assign the ports to places so that they are closest to the cells that they connect."""
    from scipy.optimize import linear_sum_assignment

    row_of = {cell: row for row, members in enumerate(found.rows) for cell in members}
    better, used = dict[str, PinSlot](), set[PinSlot]()
    edges: dict[tuple[str, ...], list[str]] = {}
    for port in netlist.ports:
        edge = slots[port.name].edge
        edges.setdefault(("north", "south") if edge in {"north", "south"} else (edge,), []).append(port.name)
    chosen_alone = {slots[name].edge for name in slots}
    targets = _targets(netlist, problem, found, row_of, plan, technology)
    for where, names in edges.items():
        places = _free_slots(
            technology, plan, [edge for edge in where if edge in chosen_alone], len(names), used
        )
        cost = np.array(
            [
                [abs(slot.x - targets[name][0]) + abs(slot.y - targets[name][1]) for slot in places]
                for name in names
            ],
            np.int64,
        )
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            better[names[row]] = places[column]
            used.add(places[column])
    return better


def _targets(
    netlist: Netlist,
    problem: PlacementProblem,
    found: RowOrder,
    row_of: Mapping[int, int],
    plan: Floorplan,
    technology: Technology,
) -> dict[str, tuple[int, int]]:
    """Return the middle of the cells that each port connects, on the die."""
    index = {net: number for number, net in enumerate(netlist.nets)}
    targets = {}
    for port in netlist.ports:
        number = index[port.net]
        pins = problem.net_pins[problem.net_start[number] : problem.net_start[number + 1]]
        points = [
            (
                plan.left + int(found.sites[cell]) * technology.site_width + int(problem.pin_x[pin]),
                plan.bottom + row_of[cell] * technology.row_height + technology.row_height // 2,
            )
            for pin in pins
            if (cell := int(problem.pin_cell[pin])) >= 0
        ]
        middle = (plan.width // 2, plan.height // 2)
        targets[port.name] = _middle(points) if points else middle
    return targets


def _middle(points: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return (
        sum(x for x, _ in points) // len(points),
        sum(y for _, y in points) // len(points),
    )
