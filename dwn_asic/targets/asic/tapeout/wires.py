"""The rectangles of a routing: wires, vias and pads of each net, without notches that would break a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.tapeout.geometry import Box, around
from dwn_asic.targets.asic.tapeout.grid import RoutingGrid
from dwn_asic.targets.asic.tapeout.placement import Placement
from dwn_asic.targets.asic.tapeout.routing import NetRoute, Routing
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["Shape", "Wiring", "build_wiring"]

Shape = tuple[int, Box]
"""A rectangle: its layer of the router, or -1 - v for a cut of via v."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """The rectangles of all nets.

    Attributes
    ----------
    shapes
        Rectangles of each net.
    ports
        Net and rectangle of each port, on its layer.
    lengths
        Length of wires on each layer in nm, for each net.
    vias
        Number of vias of each kind, for each net.
    """

    shapes: Mapping[str, tuple[Shape, ...]]
    ports: Mapping[str, tuple[str, int, Box]]
    lengths: Mapping[str, tuple[int, ...]]
    vias: Mapping[str, tuple[int, ...]]

    @property
    def length(self) -> int:
        """Length of all wires in nm."""
        return sum(map(sum, self.lengths.values()))

    @property
    def via_counts(self) -> tuple[int, ...]:
        """Number of vias of each kind."""
        return tuple(map(sum, zip(*self.vias.values(), strict=True)))


def build_wiring(routing: Routing, placement: Placement) -> Wiring:
    """Return the rectangles of a routing."""
    grid = routing.grid
    names = [layer.name for layer in grid.technology.layers]
    shapes = {net: _NetShapes(grid, route) for net, route in routing.routes.items()}
    found = {net: list(each.shapes()) for net, each in shapes.items()}
    ports = {}
    for port in placement.netlist.ports:
        slot = placement.slots[port.name]
        layer = names.index(slot.pin.layer)
        ports[port.name] = port.net, layer, slot.pin.box
        joined = [(layer, slot.pin.box)]
        if port.net in shapes:
            node = grid.node(layer, slot.x, slot.y)
            joined += _stub(grid, layer, slot.pin.box, grid.position(node))
        found.setdefault(port.net, []).extend(joined)
    return Wiring(
        {net: tuple(_filled(grid, boxes)) for net, boxes in found.items()},
        ports,
        {net: each.lengths() for net, each in shapes.items()},
        {net: each.vias() for net, each in shapes.items()},
    )


def _stub(grid: RoutingGrid, layer: int, pin: Box, end: tuple[int, int]) -> Iterator[Shape]:
    """Yield the wire between a port's rectangle and the crossing where the router reaches it."""
    figures, (x, y) = grid.technology.layers[layer], end
    pad, (middle_x, middle_y) = around(x, y, figures.end_x, figures.end_y), pin.center
    half = figures.half_width
    if figures.lef.horizontal:
        yield layer, Box(min(pin.left, pad.left), middle_y - half, max(pin.right, pad.right), middle_y + half)
        yield layer, Box(pad.left, min(y, middle_y) - half, pad.right, max(y, middle_y) + half)
    else:
        yield layer, Box(middle_x - half, min(pin.bottom, pad.bottom), middle_x + half, max(pin.top, pad.top))
        yield layer, Box(min(x, middle_x) - half, pad.bottom, max(x, middle_x) + half, pad.top)


class _NetShapes:
    """Draws one net."""

    def __init__(self, grid: RoutingGrid, route: NetRoute) -> None:
        self._grid, self._route, self._size = grid, route, grid.size
        self._steps = {(int(a), int(b)) for a, b in route.edges}
        self._nodes = {node for step in self._steps for node in step} | {node for node, _ in route.accesses}

    def lengths(self) -> tuple[int, ...]:
        """Return the length of the wires on each layer in nm."""
        technology, found = self._grid.technology, [0] * len(self._grid.technology.layers)
        for a, b in self._steps:
            if b - a != self._size:
                layer = a // self._size
                horizontal = technology.layers[layer].lef.horizontal
                found[layer] += technology.step_x if horizontal else technology.step_y
        return tuple(found)

    def vias(self) -> tuple[int, ...]:
        """Return the number of vias of each kind, from the layer of pins up."""
        found = [0] * len(self._grid.technology.vias)
        for _, way in self._route.accesses:
            if way is not None and way.has_cut:
                found[way.layer] += 1
        for a, b in self._steps:
            if b - a == self._size:
                found[a // self._size + 1] += 1
        return tuple(found)

    def shapes(self) -> Iterator[Shape]:
        """Yield all rectangles."""
        wires, wired, raised = set(self._steps), set[int](), set[int]()
        self._join_neighbours(wires)
        pads = set[int]()
        for a, b in sorted(wires):
            layer = a // self._size
            if b - a == self._size:
                yield from self._via(layer + 1, a)
                if layer == 0:
                    pads.add(a)
                raised |= {node for node in (a, b) if node // self._size == 2}
            else:
                yield layer, self._wire(layer, a, b)
                wired |= {a, b}
        yield from self._landings(wires, wired, pads)
        yield from self._joined_pads(pads)
        for node in sorted(raised - wired):
            yield 2, self._least_area(2, node)

    def _join_neighbours(self, wires: set[tuple[int, int]]) -> None:
        """Join nodes of the upper layers that are next to each other along the wire, thus too close."""
        columns = self._grid.columns
        for node in self._nodes:
            layer = node // self._size
            following = node + (columns if layer in {1, 3} else 1)
            if layer and following in self._nodes and following // self._size == layer:
                wires.add((node, following))

    def _via(self, number: int, lower: int) -> Iterator[Shape]:
        via, (x, y) = self._grid.technology.vias[number], self._grid.position(lower)
        yield -1 - number, via.cut.moved(x, y)
        yield number - 1, via.below.moved(x, y)
        yield number, via.above.moved(x, y)

    def _wire(self, layer: int, a: int, b: int) -> Box:
        half = self._grid.technology.layers[layer].half_width
        (x1, y1), (x2, y2) = self._grid.position(a), self._grid.position(b)
        return Box(x1 - half, y1 - half, x2 + half, y2 + half)

    def _landings(self, wires: set[tuple[int, int]], wired: set[int], pads: set[int]) -> Iterator[Shape]:
        """Yield the cuts to pins, and their pads."""
        technology = self._grid.technology
        lowest = technology.layers[0]
        for node, way in self._route.accesses:
            if way is None or not way.has_cut:
                continue
            x, y = self._grid.position(node)
            via = technology.vias[way.layer]
            yield -1 - way.layer, via.cut.moved(x + way.shift_x, y + way.shift_y)
            landing = via.above.moved(x + way.shift_x, y + way.shift_y)
            yield way.layer, landing
            if way.layer:
                yield way.layer - 1, (way.lower_pad or via.below).moved(x + way.shift_x, y + way.shift_y)
                yield way.layer, self._wire_to(way.layer, (x, y), landing)
                continue
            if way.beside:
                half = lowest.half_width
                yield (
                    0,
                    Box(
                        min(x - half, landing.left), landing.bottom, max(x + half, landing.right), landing.top
                    ),
                )
            pads.add(node)
            if node not in wired and (node, node + self._size) not in wires:
                yield 0, around(x, y, lowest.end_x, lowest.end_y)

    def _wire_to(self, layer: int, end: tuple[int, int], landing: Box) -> Box:
        """Return the wire on a track from its end to a landing, beside which its neck would be too narrow."""
        figures, (x, y) = self._grid.technology.layers[layer], end
        half = figures.half_width
        if figures.lef.horizontal:
            return Box(min(x - half, landing.left), y - half, max(x + half, landing.right), y + half)
        return Box(x - half, min(y - half, landing.bottom), x + half, max(y + half, landing.top))

    def _joined_pads(self, pads: set[int]) -> Iterator[Shape]:
        """Join pads on neighbouring tracks of the lowest layer."""
        columns, lowest = self._grid.columns, self._grid.technology.layers[0]
        for node in sorted(pads):
            if node + columns in pads:
                x, y = self._grid.position(node)
                half = lowest.end_y
                yield 0, Box(x - half, y - half, x + half, y + self._grid.technology.step_y + half)

    def _least_area(self, layer: int, node: int) -> Box:
        """Return a piece of the least area at a node without wires."""
        figures, grid = self._grid.technology.layers[layer], self._grid.technology.config.grid_nm
        half_y = figures.end_y
        half_x = -(-figures.lef.area // (4 * half_y * grid)) * grid
        return around(*self._grid.position(node), max(half_x, figures.end_x), half_y)


def _filled(grid: RoutingGrid, shapes: list[Shape]) -> Iterator[Shape]:
    """Yield rectangles of a net, and those that fill its notches and holes that are too small."""
    yield from shapes
    region = db.Region
    for layer, figures in enumerate(grid.technology.layers):
        boxes = [box for each, box in shapes if each == layer]
        if not boxes:
            continue
        whole = region()
        for box in boxes:
            whole.insert(_klayout_box(box))
        whole = whole.merged()
        half = figures.lef.spacing // 2 - 1
        closed = whole.sized(half, half, 2).sized(-half, -half, 2).merged()
        holes = (whole + closed).merged().holes().with_area(0, figures.hole, inverse=False)
        if layer:  # on the lowest layer the pins of cells add their areas
            for polygon in (whole + closed).merged().with_area(0, figures.lef.area, inverse=False).each():
                yield layer, _enlarged(polygon.bbox(), grid.technology, layer)
        for polygon in ((closed - whole) + holes).merged().each():
            for part in polygon.decompose_trapezoids():
                bounds = part.bbox()
                yield layer, Box(bounds.left, bounds.bottom, bounds.right, bounds.top)


def _enlarged(box: db.Box, technology: Technology, layer: int) -> Box:
    """Return a rectangle of the least area around one that is smaller, as wide as its tracks allow."""
    figures, grid = technology.layers[layer], technology.config.grid_nm
    half_width = technology.room(layer) // 2 // grid * grid
    half_length = -(-figures.lef.area // (4 * half_width * grid)) * grid
    x, y = box.center().x // grid * grid, box.center().y // grid * grid
    if figures.lef.horizontal:
        y = _on_track(y, technology.offset_y, technology.step_y)
        half_x, half_y = half_length, half_width
    else:
        x = _on_track(x, technology.offset_x, technology.step_x)
        half_x, half_y = half_width, half_length
    around_it = around(x, y, half_x, half_y)
    return Box(
        min(around_it.left, box.left),
        min(around_it.bottom, box.bottom),
        max(around_it.right, box.right),
        max(around_it.top, box.top),
    )


def _on_track(position: int, offset: int, step: int) -> int:
    return offset + (position - offset + step // 2) // step * step


def _klayout_box(box: Box) -> db.Box:
    return db.Box(*box)
