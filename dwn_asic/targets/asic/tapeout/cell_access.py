"""Access to the pins of a cell for the router, exactly measured on the geometry of the cell.

A pin below the lowest layer of the router is reached by a cut at, or a little beside, a crossing of tracks; a
pin on that layer is reached where the wire lies inside the pin. Where the router draws no wires on the lowest
layer, a pin on it is reached from the layer above, by a cut too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.tapeout.geometry import Box, around
from dwn_asic.targets.asic.tapeout.lef import Macro
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["Access", "CellGeometry", "cell_geometry"]

_FRAME = 1000
"""Space around a cell that is looked at too, in nm."""
_CLOSE = 15
"""Distance in nm of a cut from the crossing of tracks up to which the pad of the crossing covers it."""
_ENOUGH = 3
"""Number of accesses to a pin from which on only those close to a crossing are used."""


@dataclass(frozen=True)
class Access:
    """A way to reach a pin.

    Attributes
    ----------
    column, track
        Crossing of tracks, counted from the lower left corner of the upright cell.
    shift_x, shift_y
        Position of the cut relative to the crossing in nm.
    beside
        1 or -1 if the landing also takes the room of the next column to the right or left, else 0.
    has_cut
        False for a pin where the wire lies inside it.
    layer
        Layer of the router whose wires reach the pin; the cut is that below this layer.
    lower_pad
        Pad of the cut on the layer of the pin, around (0, 0).
    """

    column: int
    track: int
    shift_x: int = 0
    shift_y: int = 0
    beside: int = 0
    has_cut: bool = True
    layer: int = 0
    lower_pad: Box | None = None


@dataclass(frozen=True, eq=False)
class CellGeometry:
    """The access to a cell's pins, and what blocks the router.

    Attributes
    ----------
    accesses
        Ways to reach each signal pin.
    obstacles
        (layer of the router, rectangle, pin or empty): shapes of the cell that wires of other nets must keep
        away from; supply rails at the edges are not among them.
    """

    accesses: Mapping[str, tuple[Access, ...]]
    obstacles: tuple[tuple[int, Box, str], ...]


_Boxes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


class _Raster:
    """Shapes on a grid, which tells in constant time whether they cover or touch rectangles.

    Rectangles are given as arrays of their left, lower, right and upper edges, which are on the grid.
    """

    def __init__(self, boxes: Iterable[Box], macro: Macro, grid: int) -> None:
        self._grid = grid
        size = (macro.height + 2 * _FRAME) // grid, (macro.width + 2 * _FRAME) // grid
        filled = np.zeros(size, np.bool_)
        for box in boxes:
            left, bottom = ((edge + _FRAME) // grid for edge in (box.left, box.bottom))
            right, top = (-(-(edge + _FRAME) // grid) for edge in (box.right, box.top))
            filled[max(bottom, 0) : max(top, 0), max(left, 0) : max(right, 0)] = True
        self._sums: NDArray[np.int64] = np.zeros((size[0] + 1, size[1] + 1), np.int64)
        self._sums[1:, 1:] = filled.cumsum(0).cumsum(1)

    def _count(self, boxes: _Boxes) -> NDArray[np.int64]:
        """Return the number of filled points in each rectangle."""
        grid, sums = self._grid, self._sums
        left, bottom, right, top = ((edge + _FRAME) // grid for edge in boxes)
        columns = [np.clip(edge, 0, sums.shape[1] - 1) for edge in (left, right)]
        rows = [np.clip(edge, 0, sums.shape[0] - 1) for edge in (bottom, top)]
        inside = sums[rows[1], columns[1]] - sums[rows[0], columns[1]]
        return inside - sums[rows[1], columns[0]] + sums[rows[0], columns[0]]

    def covers(self, boxes: _Boxes) -> NDArray[np.bool_]:
        left, bottom, right, top = boxes
        return self._count(boxes) == (right - left) // self._grid * ((top - bottom) // self._grid)

    def overlaps(self, boxes: _Boxes) -> NDArray[np.bool_]:
        return self._count(boxes) > 0


def _at(box: Box, x: NDArray[np.int64], y: NDArray[np.int64]) -> _Boxes:
    """Return a rectangle around (0, 0) at each of these points."""
    return x + box.left, y + box.bottom, x + box.right, y + box.top


def cell_geometry(technology: Technology, name: str) -> CellGeometry:
    """Return how to reach the pins of a cell.

    Raises
    ------
    PdkError
        The GDS file lacks the cell, or a pin cannot be reached.
    """
    return _geometry(technology, name)


@cache
def _geometry(technology: Technology, name: str) -> CellGeometry:
    return _Measurement(technology, technology.macro(name)).geometry()


class _Measurement:
    """Measures one cell."""

    def __init__(self, technology: Technology, macro: Macro) -> None:
        self._technology, self._macro = technology, macro
        self._lowest = technology.layers[0]
        layout = technology.cells()
        cell = layout.cell(macro.name)
        if cell is None:
            raise PdkError(f"{technology.gds}: has no cell {macro.name}")
        self._layout, self._cell = layout, cell
        self._wires = [list(self._polygons(layer.gds)) for layer in technology.layers]
        self._pins = list(self._polygons(technology.config.pin_layer.gds))
        # The layer of the router from which pins are reached through cuts.
        self._above = 1 if self._lowest.pins_only else 0
        grid = technology.config.grid_nm
        self._cuts = _Raster(_boxes(self._polygons(technology.vias[self._above].gds)), macro, grid)
        self._metal = _Raster(_boxes(self._wires[self._above]), macro, grid)

    def _polygons(self, gds: tuple[int, int]) -> Iterable[db.Polygon]:
        shapes = self._cell.begin_shapes_rec(self._layout.layer(*gds))
        return db.Region(shapes).merged().each()

    def geometry(self) -> CellGeometry:
        accesses = {}
        for pin in self._macro.signals:
            found = [] if self._above else self._on_lowest(pin.name)
            found = found or self._through_cut(pin.name)
            if not found:
                raise PdkError(
                    f"{self._technology.gds}: {self._macro.name}: pin {pin.name} cannot be reached"
                )
            accesses[pin.name] = tuple(found)
        return CellGeometry(accesses, tuple(self._obstacles()))

    def _rectangles(self, pin: str, layer: str) -> list[Box]:
        return [box for name, box in self._macro.pins[pin].shapes if name == layer]

    def _shapes_of(self, pin: str, layer: str, polygons: Iterable[db.Polygon]) -> list[db.Polygon]:
        """Return the polygons that a pin's rectangles of the LEF file lie in."""
        wanted = self._rectangles(pin, layer)
        return [
            each
            for each in polygons
            if any(any(box.touches(part) for box in wanted) for part in _boxes([each]))
        ]

    def _crossings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return column and track of each crossing of tracks in the cell."""
        technology, macro = self._technology, self._macro
        shape = macro.height // technology.step_y, macro.width // technology.step_x
        track, column = np.indices(shape).reshape(2, -1)
        return column.astype(np.int64), track.astype(np.int64)

    def _position(
        self, column: NDArray[np.int64], track: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        technology = self._technology
        return (
            technology.offset_x + column * technology.step_x,
            technology.offset_y + track * technology.step_y,
        )

    def _on_lowest(self, pin: str) -> list[Access]:
        layer, grid = self._lowest, self._technology.config.grid_nm
        if not self._rectangles(pin, layer.name):
            return []
        own = self._shapes_of(pin, layer.name, self._wires[0])
        others = _Raster(_boxes(each for each in self._wires[0] if each not in own), self._macro, grid)
        inside, half = _Raster(_boxes(own), self._macro, grid), layer.half_width + grid
        column, track = self._crossings()
        x, y = self._position(column, track)
        pad = around(0, 0, layer.end_x, layer.end_y).grown(layer.lef.spacing, layer.lef.spacing)
        free = ~others.overlaps(_at(pad, x, y))
        found = np.flatnonzero(free & inside.covers(_at(around(0, 0, half, half), x, y)))
        return [
            Access(int(column[i]), int(track[i]), has_cut=False)
            for i in found
            if not self._makes_notch(own, around(int(x[i]), int(y[i]), layer.end_x, layer.end_y), 0)
        ]

    def _makes_notch(self, pin: Iterable[db.Polygon], pad: Box, index: int) -> bool:
        """Return whether a pad of a layer of the router would be too close to another part of its pin."""
        whole = db.Region([*pin, db.Polygon(db.Box(*pad))]).merged()
        spacing = self._technology.layers[index].lef.spacing
        return not whole.space_check(spacing, whole_edges=False).is_empty()

    def _through_cut(self, pin: str) -> list[Access]:
        """Return the accesses to a pin from the layer above it, by the cut between."""
        technology, index = self._technology, self._above
        layer, via = technology.layers[index], technology.vias[index]
        below = technology.layers[index - 1].name if index else technology.config.pin_layer.name
        own = self._shapes_of(pin, below, self._wires[index - 1] if index else self._pins)
        if not own:
            return []
        column, track = self._crossings()
        shifts = self._shifts()
        # All cuts, those close to their crossings first.
        crossing = np.tile(np.arange(len(column)), len(shifts))
        shift_x, shift_y = np.repeat(shifts, len(column), axis=0).T
        x, y = self._position(column[crossing], track[crossing])
        lower = self._lower_pads(own, x + shift_x, y + shift_y)
        possible = lower >= 0
        crossing, shift_x, shift_y, x, y, lower = (
            each[possible] for each in (crossing, shift_x, shift_y, x, y, lower)
        )
        space, apart = layer.lef.spacing, via.cut_spacing
        landing = _at(via.above, x + shift_x, y + shift_y)
        pad = _at(around(0, 0, layer.end_x, layer.end_y), x, y)
        whole = (
            np.minimum(pad[0], landing[0]) - space,
            np.minimum(pad[1], landing[1]) - space,
            np.maximum(pad[2], landing[2]) + space,
            np.maximum(pad[3], landing[3]) + space,
        )
        near = self._cuts.overlaps(_at(via.cut.grown(apart, apart), x + shift_x, y + shift_y))
        free = np.flatnonzero(~near & ~self._metal.overlaps(whole))
        _, first = np.unique(crossing[free], return_index=True)
        chosen = sorted((int(i) for i in free[first]), key=lambda i: (abs(int(shift_x[i])), i))
        close = [i for i in chosen if index or abs(int(shift_x[i])) <= _CLOSE]
        if len(close) < _ENOUGH:
            close = chosen[:_ENOUGH]
        found = []
        for i in sorted(close, key=lambda i: int(crossing[i])):
            shift, below_it = int(shift_x[i]), via.at_pins[lower[i]]
            beside = 0 if index or abs(shift) <= _CLOSE else (1 if shift > 0 else -1)
            place = int(column[crossing[i]]), int(track[crossing[i]])
            found.append(Access(*place, shift, int(shift_y[i]), beside, layer=index, lower_pad=below_it))
        return found

    def _lower_pads(
        self, pin: list[db.Polygon], x: NDArray[np.int64], y: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the number of the lower pad that each place of a cut may have at a pin; -1 for none.

        The pad lies in the pin; where no place has such a pad, it may stick out of the pin.
        """
        technology, index, grid = self._technology, self._above, self._technology.config.grid_nm
        via, inside = technology.vias[index], _Raster(_boxes(pin), self._macro, grid)
        found = np.full(len(x), -1, np.int64)
        for number, pad in reversed(list(enumerate(via.at_pins))):
            found[inside.covers(_at(pad, x, y))] = number
        if (found >= 0).any() or not index:
            return found
        space = technology.layers[index - 1].lef.spacing
        others = [each for each in self._wires[index - 1] if each not in pin]
        metal, cut = _Raster(_boxes(others), self._macro, grid), inside.covers(_at(via.cut, x, y))
        for number, pad in reversed(list(enumerate(via.at_pins))):
            free = ~metal.overlaps(_at(pad.grown(space, space), x, y))
            for i in np.flatnonzero(free & cut):
                if not self._makes_notch(pin, pad.moved(int(x[i]), int(y[i])), index - 1):
                    found[i] = number
        return found

    def _shifts(self) -> NDArray[np.int64]:
        """Return the places of a cut relative to a crossing in nm, the closest first.

        A landing on the lowest layer may take the next crossing along the wire too. Landings on upper layers
        have to keep the spacing: across the wire to a landing on the next track that is shifted towards it,
        along the wire to one at the next crossing but one.
        """
        technology, grid = self._technology, self._technology.config.grid_nm
        if self._above == 0:
            reach, close = technology.step_x // 2, _CLOSE
        else:
            layer = technology.layers[self._above]
            along_x, along_y = (2, 1) if layer.lef.horizontal else (1, 2)
            reach = (along_x * technology.step_x - layer.lef.spacing) // 2 - layer.end_x
            close = (along_y * technology.step_y - layer.lef.spacing) // 2 - layer.end_y
        far, near = reach // grid * grid, close // grid * grid
        places = product(range(-far, far + 1, grid), range(-near, near + 1, grid))
        return np.array(
            sorted(places, key=lambda shift: (abs(shift[0]), abs(shift[1]), shift)),
            np.int64,
        )

    def _obstacles(self) -> Iterable[tuple[int, Box, str]]:
        for index, polygons in enumerate(self._wires):
            layer = self._technology.layers[index].name
            supplies = [
                box
                for pin in self._macro.pins.values()
                if pin.is_supply
                for name, box in pin.shapes
                if name == layer
            ]
            for polygon in polygons:
                owner = next(
                    (pin.name for pin in self._macro.signals if self._shapes_of(pin.name, layer, [polygon])),
                    "",
                )
                for box in _boxes([polygon]):
                    if not any(_inside(box, supply) for supply in supplies):
                        yield index, box, owner


def _boxes(polygons: Iterable[db.Polygon]) -> list[Box]:
    """Return rectangles that cover polygons; slanted edges get the rectangle around them."""
    found = []
    for polygon in polygons:
        parts = [polygon] if polygon.is_box() else polygon.decompose_trapezoids()
        for part in parts:
            box = part.bbox()
            found.append(Box(box.left, box.bottom, box.right, box.top))
    return found


def _inside(box: Box, other: Box) -> bool:
    return (
        other.left <= box.left
        and box.right <= other.right
        and other.bottom <= box.bottom
        and box.top <= other.top
    )
