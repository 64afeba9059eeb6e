"""The router's grid for a placement: what is blocked or reserved, and how each net's pins are reached."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.targets.asic.tapeout.cell_access import Access, cell_geometry
from dwn_asic.targets.asic.tapeout.geometry import Box, around
from dwn_asic.targets.asic.tapeout.placement import Placement
from dwn_asic.targets.asic.tapeout.power import PowerGrid
from dwn_asic.targets.asic.tapeout.rows import PlacedCell
from dwn_asic.targets.asic.tapeout.search import LAYERS, RESOURCES_PER_CROSSING
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["NetPin", "RoutingGrid", "build_grid", "cell_corner", "spaced_accesses"]

_BLOCKED = -1


@dataclass(frozen=True)
class NetPin:
    """A pin of a net.

    Attributes
    ----------
    name
        ``instance/pin``, or the name of a port.
    accesses
        Node and way of each access; a port has one without a way.
    """

    name: str
    accesses: tuple[tuple[int, Access | None], ...]


@dataclass(eq=False)
class RoutingGrid:
    """The grid of crossings of a die.

    Attributes
    ----------
    technology
        Technology with its tracks.
    columns, lines
        Number of vertical and horizontal tracks.
    owner
        (9 S,) number of the net that a resource is reserved for; 0 if it is free, -1 if it is blocked.
    nets
        Pins of each net that has at least two.
    numbers
        Number of each net, from 1.
    """

    technology: Technology
    columns: int
    lines: int
    owner: NDArray[np.int32]
    nets: dict[str, list[NetPin]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of crossings."""
        return self.columns * self.lines

    def position(self, node: int) -> tuple[int, int]:
        """Return the position of a node in nm."""
        line, column = divmod(node % self.size, self.columns)
        technology = self.technology
        return (
            technology.offset_x + column * technology.step_x,
            technology.offset_y + line * technology.step_y,
        )

    def node(self, layer: int, x: int, y: int) -> int:
        """Return the node of a layer at the crossing that is nearest to a position in nm."""
        technology = self.technology
        column = round((x - technology.offset_x) / technology.step_x)
        line = round((y - technology.offset_y) / technology.step_y)
        return layer * self.size + line * self.columns + column


def cell_corner(cell: PlacedCell, placement: Placement, technology: Technology) -> tuple[int, int]:
    """Return the lower left corner of a placed cell in nm."""
    plan = placement.plan
    return (
        plan.left + cell.site * technology.site_width,
        plan.bottom + cell.row * technology.row_height,
    )


def build_grid(placement: Placement, technology: Technology, power: PowerGrid) -> RoutingGrid:
    """Return the grid for a placement, with everything blocked that is not free for wires."""
    plan = placement.plan
    columns, lines = plan.width // technology.step_x, plan.height // technology.step_y
    owner = np.zeros(RESOURCES_PER_CROSSING * columns * lines, np.int32)
    grid = RoutingGrid(technology, columns, lines, owner)
    grid.numbers = {net: number for number, net in enumerate(placement.netlist.nets, 1)}
    builder = _Builder(grid, placement, technology)
    builder.block_edges()
    for box, _ in power.rails:
        builder.block(0, box, _BLOCKED)
    for layer, box, _ in power.shapes:
        if layer >= 0:
            builder.block(layer, box, _BLOCKED)
    pins = list(builder.cells()) + list(builder.ports())
    builder.forbid_pads()
    if technology.layers[0].pins_only:
        owner[: grid.size] = _BLOCKED
    members: dict[str, list[NetPin]] = {}
    for net, pin in pins:
        members.setdefault(net, []).append(pin)
    grid.nets = {net: found for net, found in members.items() if len(found) > 1}
    return grid


class _Builder:
    """Fills a grid."""

    def __init__(self, grid: RoutingGrid, placement: Placement, technology: Technology) -> None:
        self._grid, self._placement, self._technology = grid, placement, technology
        self._pads: dict[int, set[int]] = {}
        """Nets that may have a pad at a crossing of the lowest layer, where not all may."""

    def block_edges(self) -> None:
        """Mark the crossings at the edge of the die as blocked."""
        grid = self._grid
        shaped = grid.owner[: LAYERS * grid.size].reshape(LAYERS, grid.lines, grid.columns)
        shaped[:, [0, -1], :] = _BLOCKED
        shaped[:, :, [0, -1]] = _BLOCKED

    def _range(self, layer: int, box: Box, half_x: int, half_y: int) -> tuple[int, int, int, int]:
        """Return the crossings around which a rectangle of these half extents is too close to a box."""
        technology, grid = self._technology, self._grid
        space = technology.layers[layer].lef.spacing
        near = box.grown(half_x + space - 1, half_y + space - 1)
        return (
            max(0, math.ceil((near.left - technology.offset_x) / technology.step_x)),
            min(grid.columns - 1, math.floor((near.right - technology.offset_x) / technology.step_x)),
            max(0, math.ceil((near.bottom - technology.offset_y) / technology.step_y)),
            min(grid.lines - 1, math.floor((near.top - technology.offset_y) / technology.step_y)),
        )

    def block(self, layer: int, box: Box, net: int) -> None:
        """Mark as a net's own, or as blocked, the crossings where another net would be too close."""
        grid, figures = self._grid, self._technology.layers[layer]
        half_x, half_y = figures.end_x, figures.end_y
        if layer == 0:
            # Away from pads, wires of the lowest layer are narrow; whether pads are allowed is noted apart.
            for node in self._nodes(self._range(layer, box, half_x, half_y)):
                self._pads.setdefault(node, set()).add(net)
            half_y = figures.half_width
        left, right, bottom, top = self._range(layer, box, half_x, half_y)
        shaped = grid.owner[layer * grid.size : (layer + 1) * grid.size].reshape(grid.lines, grid.columns)
        part = shaped[bottom : top + 1, left : right + 1]
        part[(part != 0) & (part != net)] = _BLOCKED
        part[part == 0] = net

    def _nodes(self, where: tuple[int, int, int, int]) -> Iterator[int]:
        left, right, bottom, top = where
        for line in range(bottom, top + 1):
            yield from range(line * self._grid.columns + left, line * self._grid.columns + right + 1)

    def forbid_pads(self) -> None:
        """Mark where pads would be too close to a shape of another net."""
        grid = self._grid
        first = (RESOURCES_PER_CROSSING - 1) * grid.size
        for node, nets in self._pads.items():
            grid.owner[first + node] = next(iter(nets)) if len(nets) == 1 else _BLOCKED

    def cells(self) -> Iterator[tuple[str, NetPin]]:
        """Yield the pins of all cells with their nets, and mark what the cells block."""
        technology, grid = self._technology, self._grid
        instances = {each.name: each for each in self._placement.netlist.instances}
        for cell in self._placement.cells:
            pins: Mapping[str, str] = instances[cell.name].pins if cell.is_logic else {}
            geometry = cell_geometry(technology, cell.cell)
            x, y = cell_corner(cell, self._placement, technology)
            flipped = cell.row % 2 == 1
            for layer, box, owner in geometry.obstacles:
                number = grid.numbers[pins[owner]] if owner in pins else _BLOCKED
                self.block(layer, _turned(box, technology.row_height, flipped=flipped).moved(x, y), number)
            column, line = x // technology.step_x, y // technology.step_y
            spaced = spaced_accesses(geometry.accesses, pins, technology)
            for pin, net in pins.items():
                accesses = []
                for access in spaced[pin]:
                    track = technology.flipped_track(access.track) if flipped else access.track
                    node = access.layer * grid.size + (line + track) * grid.columns + column + access.column
                    accesses.append((node, _turned_access(access, flipped=flipped)))
                yield net, NetPin(f"{cell.name}/{pin}", tuple(accesses))

    def ports(self) -> Iterator[tuple[str, NetPin]]:
        """Yield the ports with their nets, and mark their places."""
        technology, grid = self._technology, self._grid
        names = [layer.name for layer in technology.layers]
        for port in self._placement.netlist.ports:
            slot = self._placement.slots[port.name]
            layer = names.index(slot.pin.layer)
            figures = technology.layers[layer]
            node = grid.node(layer, slot.x, slot.y)
            x, y = grid.position(node)
            box, end = slot.pin.box, around(x, y, figures.end_x, figures.end_y)
            reserved = Box(
                min(box.left, end.left) if not figures.lef.horizontal else box.left,
                min(box.bottom, end.bottom) if figures.lef.horizontal else box.bottom,
                max(box.right, end.right) if not figures.lef.horizontal else box.right,
                max(box.top, end.top) if figures.lef.horizontal else box.top,
            )
            self.block(layer, reserved, grid.numbers[port.net])
            yield port.net, NetPin(port.name, ((node, None),))


def spaced_accesses(
    accesses: Mapping[str, tuple[Access, ...]], pins: Mapping[str, str], technology: Technology
) -> dict[str, tuple[Access, ...]]:
    """Return the accesses to the pins of a cell without cuts of one net that are too close to each other.

    Those of different nets are kept apart by the router's resources.
    """
    found = {pin: accesses[pin] for pin in pins}
    for one, other in combinations(pins, 2):
        if pins[one] != pins[other]:
            continue
        for pin, beside in ((other, one), (one, other)):
            far = tuple(
                each
                for each in found[pin]
                if not any(_too_close(each, another, technology) for another in found[beside])
            )
            if far:
                found[pin] = far
                break
    return found


def _too_close(one: Access, other: Access, technology: Technology) -> bool:
    """Return whether the cuts of two accesses to a cell break their spacing."""
    if not one.has_cut or not other.has_cut or one.layer != other.layer:
        return False
    via = technology.vias[one.layer]
    x = (one.column - other.column) * technology.step_x + one.shift_x - other.shift_x
    y = (one.track - other.track) * technology.step_y + one.shift_y - other.shift_y
    gap_x, gap_y = max(0, abs(x) - via.cut.width), max(0, abs(y) - via.cut.height)
    return gap_x**2 + gap_y**2 < via.cut_spacing**2


def _turned(box: Box, height: int, *, flipped: bool) -> Box:
    """Return a rectangle of a cell as it is in a row, upside down in every second one."""
    return Box(box.left, height - box.top, box.right, height - box.bottom) if flipped else box


def _turned_access(access: Access, *, flipped: bool) -> Access:
    if not flipped:
        return access
    return replace(access, shift_y=-access.shift_y)  # pads are symmetric
