"""The plan of a die: its size, its rows, the places of its ports, and its power straps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dwn_asic.errors import ConfigError
from dwn_asic.targets.asic.tapeout.geometry import Box, nm
from dwn_asic.targets.asic.tapeout.netlist import Netlist
from dwn_asic.targets.asic.tapeout.technology import Technology
from dwn_asic.targets.asic.tapeout.template import FixedPin, PowerStrap, Template

__all__ = ["EDGES", "Floorplan", "PinSlot", "plan_die", "plan_template", "rail_half", "slots_of"]

EDGES = ("north", "south", "east", "west")
_MARGIN_SITES, _MARGIN_ROWS = 6, 2
_PIN_LENGTH = 1000
"""Length of a port's rectangle from the edge of the die inwards, in nm."""
_CROWDED = 0.6
"""Share of the places at the edges of the die that ports may take."""
_OWN_EDGES = ("north", "south")
_TEMPLATE_SPACE = 10
"""Rows and sites that the cells keep from the edges of a template."""


@dataclass(frozen=True)
class PinSlot:
    """A place for a port at an edge of the die, in nm: the point where the router reaches it, and its box."""

    edge: str
    x: int
    y: int
    pin: FixedPin


@dataclass(frozen=True)
class Floorplan:
    """The plan of a die; lengths are in nm.

    Attributes
    ----------
    width, height
        Of the die.
    left, bottom
        Corner of the rows.
    rows, sites
        Number of rows, and of sites in each.
    first_row, placed_rows, first_site, placed_sites
        The rows and sites that the cells of the netlist may take; fillers take the others.
    straps
        Vertical power straps on the top layer.
    pins
        Fixed ports, if the die is given.
    """

    width: int
    height: int
    left: int
    bottom: int
    rows: int
    sites: int
    first_row: int
    placed_rows: int
    first_site: int
    placed_sites: int
    straps: tuple[PowerStrap, ...]
    pins: Mapping[str, FixedPin] | None = None

    def utilization(self, area_sites: int) -> float:
        """Return the share of the rows that cells of this total width take."""
        return area_sites / (self.placed_rows * self.placed_sites)


def plan_die(
    netlist: Netlist,
    technology: Technology,
    *,
    utilization: float = 0.6,
    aspect: float = 1.0,
    edges: Mapping[str, Sequence[str]] | None = None,
) -> Floorplan:
    """Plan a die for a netlist.

    Parameters
    ----------
    netlist
        Prepared netlist.
    technology
        Technology of its cells.
    utilization
        Share of the rows that cells take, between 0 and 1.
    aspect
        Height over width of the rows.
    edges
        Ports at each edge of the die, where they are chosen.

    Raises
    ------
    ConfigError
        Utilization or aspect ratio are out of range.
    """
    if not 0.0 < utilization <= 1.0:
        raise ConfigError("layout", "utilization", f"is {utilization}", "greater than 0, at most 1")
    if not 0.1 <= aspect <= 10.0:
        raise ConfigError("layout", "aspect", f"is {aspect}", "between 0.1 and 10")
    widths = [technology.sites(each.cell) for each in netlist.instances]
    area = sum(widths) / utilization * technology.site_width * technology.row_height
    rows = max(2, round(math.sqrt(area * aspect) / technology.row_height))
    sites = math.ceil(sum(widths) / utilization / rows)
    overhead = _overhead(technology, sites)
    # At the highest utilizations cells of whole sites leave a rest in each row.
    least = math.ceil(sum(widths) / rows) + max(widths, default=1) // 2 + overhead
    sites = max(sites, least, max(widths, default=1) + overhead)
    while True:
        plan = _die(technology, rows, sites)
        wide, high = _has_room_for_ports(netlist, technology, plan, edges or {})
        if wide and high:
            return plan
        sites, rows = sites + 2 * (not wide), rows + (not high)


def _die(technology: Technology, rows: int, sites: int) -> Floorplan:
    """Return the plan of a die with these rows, a margin around them, and straps."""
    width = (sites + 2 * _MARGIN_SITES) * technology.site_width
    height = (rows + 2 * _MARGIN_ROWS) * technology.row_height
    left, bottom = _MARGIN_SITES * technology.site_width, _MARGIN_ROWS * technology.row_height
    plan = Floorplan(width, height, left, bottom, rows, sites, 0, rows, 0, sites, ())
    return replace(plan, straps=_straps(plan, technology))


def plan_template(
    netlist: Netlist, technology: Technology, template: Template, utilization: float
) -> Floorplan:
    """Plan the rows of a given die; the cells of the netlist stand together near the ports that they use.

    Raises
    ------
    ConfigError
        The template has no place for a port, or the cells do not fit.
    """
    missing = [port.name for port in netlist.ports if port.name not in template.pins]
    if missing:
        raise ConfigError("layout", "template", f"has no pin {missing[0]}", ", ".join(sorted(template.pins)))
    site, height = technology.site_width, technology.row_height
    left, sites = _MARGIN_SITES * site, template.width // site - 2 * _MARGIN_SITES
    # All rails have to meet the straps.
    ends = [(strap.box.bottom, strap.box.top) for strap in template.straps]
    reach = rail_half(technology)
    low = max([height, *(end + reach for end, _ in ends)])
    high = min([template.height - height, *(end - reach for _, end in ends)])
    bottom = -(-low // height) * height
    rows = (high - bottom) // height
    widths = [technology.sites(each.cell) for each in netlist.instances]
    needed = sum(widths) / utilization
    placed_rows = min(rows, max(2, round(math.sqrt(needed * site * height) / height)))
    placed = math.ceil(needed / placed_rows)
    placed = max(placed + _overhead(technology, placed), max(widths, default=1) + _overhead(technology, 1))
    if placed > sites:
        placed_rows, placed = rows, sites
    if sum(widths) + placed_rows * _overhead(technology, placed) > placed_rows * placed:
        problem = f"{sum(widths)} sites of cells do not fit into {rows} rows of {sites} sites"
        raise ConfigError("layout", "template", problem)
    used = [template.pins[port.name].box.center for port in netlist.ports]
    x, y = (sum(point[axis] for point in used) // max(len(used), 1) for axis in (0, 1))
    first_site = _clamp((x - left) // site - placed // 2, 0, sites - placed, _TEMPLATE_SPACE)
    first_row = _clamp((y - bottom) // height - placed_rows // 2, 0, rows - placed_rows, _TEMPLATE_SPACE // 3)
    plan = Floorplan(
        template.width,
        template.height,
        left,
        bottom,
        rows,
        sites,
        first_row,
        placed_rows,
        first_site,
        placed,
        template.straps,
        {port.name: template.pins[port.name] for port in netlist.ports},
    )
    return plan if template.straps else replace(plan, straps=_straps(plan, technology))


def slots_of(plan: Floorplan, technology: Technology, edge: str) -> list[PinSlot]:
    """Return the places for ports at an edge of the die, from left to right or from bottom to top."""
    top, across = technology.layers[3], technology.layers[2]
    found = []
    if edge in {"north", "south"}:
        layer, step = top, technology.step_x
        y = plan.height // technology.step_y - 2 if edge == "north" else 1
        for column in range(5, plan.width // step - 5, layer.stride):
            x = technology.offset_x + column * step
            wide = layer.end_x + layer.lef.spacing
            if any(strap.box.left - wide < x < strap.box.right + wide for strap in plan.straps):
                continue
            bottom = plan.height - _PIN_LENGTH if edge == "north" else 0
            box = Box(x - layer.half_width, bottom, x + layer.half_width, bottom + _PIN_LENGTH)
            pin = FixedPin(layer.name, box)
            found.append(PinSlot(edge, x, technology.offset_y + y * technology.step_y, pin))
        return found
    layer, step = across, technology.step_y
    column = plan.width // technology.step_x - 2 if edge == "east" else 1
    for row in range(5, plan.height // step - 5, layer.stride):
        y = technology.offset_y + row * step
        left = plan.width - _PIN_LENGTH if edge == "east" else 0
        box = Box(left, y - layer.half_width, left + _PIN_LENGTH, y + layer.half_width)
        x = technology.offset_x + column * technology.step_x
        found.append(PinSlot(edge, x, y, FixedPin(layer.name, box)))
    return found


def _overhead(technology: Technology, sites: int) -> int:
    """Return the sites of the taps and end caps of a row."""
    tap = technology.config.tap
    taps = -(-sites // tap.every_sites) if tap else 0
    return 2 * technology.cap_sites + taps * technology.tap_sites


def _clamp(value: int, low: int, high: int, space: int) -> int:
    """Return the nearest number in a range, which keeps a space from both ends where there is room."""
    if high - low > 2 * space:
        low, high = low + space, high - space
    return max(low, min(high, value))


def _has_room_for_ports(
    netlist: Netlist, technology: Technology, plan: Floorplan, edges: Mapping[str, Sequence[str]]
) -> tuple[bool, bool]:
    """Return whether the ports crowd neither the horizontal nor the vertical edges of the die."""
    count = {edge: len(edges.get(edge, ())) for edge in EDGES}
    free = [edge for edge in _OWN_EDGES if not count[edge]] or list(_OWN_EDGES)
    rest = len(netlist.ports) - sum(count.values())
    for edge in free:
        count[edge] += math.ceil(rest / len(free))
    fits = {
        edge: not wanted or wanted <= _CROWDED * len(slots_of(plan, technology, edge))
        for edge, wanted in count.items()
    }
    return fits["north"] and fits["south"], fits["east"] and fits["west"]


def _straps(plan: Floorplan, technology: Technology) -> tuple[PowerStrap, ...]:
    """Return pairs of power and ground straps over the rows, evenly spread."""
    config, site = technology.config, technology.site_width
    half, width = nm(config.strap_um) // 2, plan.sites * site
    pairs = max(1, round(width / nm(config.strap_every_um)))
    nets = (config.power, config.ground)
    found = []
    for index in range(2 * pairs):
        center = plan.left + int(width * (2 * index + 1) / (4 * pairs) / site) * site
        low = plan.bottom - rail_half(technology)
        high = plan.bottom + plan.rows * technology.row_height + rail_half(technology)
        found.append(PowerStrap(Box(center - half, low, center + half, high), nets[index % 2]))
    return tuple(found)


def rail_half(technology: Technology) -> int:
    """Return half the height of a supply rail, which two rows share, in nm."""
    macro, config = technology.macro(technology.config.fillers[0]), technology.config
    name = technology.layers[0].name
    boxes = [box for layer, box in macro.pins[config.ground].shapes if layer == name]
    return max(box.top for box in boxes)
