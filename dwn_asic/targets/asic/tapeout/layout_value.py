"""A finished layout: its placement, its supply and its wires, and the geometry of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.tapeout.geometry import Box
from dwn_asic.targets.asic.tapeout.grid import cell_corner
from dwn_asic.targets.asic.tapeout.placement import Placement
from dwn_asic.targets.asic.tapeout.power import PowerGrid
from dwn_asic.targets.asic.tapeout.routing import Routing
from dwn_asic.targets.asic.tapeout.technology import Technology
from dwn_asic.targets.asic.tapeout.wires import Wiring

__all__ = ["PhysicalDesign"]


@dataclass(frozen=True, eq=False)
class PhysicalDesign:
    """A placed and routed netlist.

    Attributes
    ----------
    technology
        Technology of the layout.
    placement
        Places of cells and ports.
    power
        Supply rails and straps.
    routing
        Routes on the router's grid.
    wiring
        Rectangles of the routes.
    """

    technology: Technology
    placement: Placement
    power: PowerGrid
    routing: Routing
    wiring: Wiring

    @property
    def top(self) -> str:
        """Name of the module and of the top cell."""
        return self.placement.netlist.top

    @cached_property
    def layout(self) -> db.Layout:
        """The geometry, with one cell for each library cell and one for the top module."""
        return _Drawing(self).layout

    @cached_property
    def gds(self) -> bytes:
        """The geometry as a GDS file; equal layouts have equal bytes."""
        options = db.SaveLayoutOptions()
        options.format = "GDS2"
        options.gds2_write_timestamps = False
        return bytes(self.layout.write_bytes(options))


class _Drawing:
    """Draws a design."""

    def __init__(self, design: PhysicalDesign) -> None:
        self._design = design
        self.layout = db.Layout()
        self.layout.dbu = 0.001
        self._top = self.layout.create_cell(design.top)
        self._cells()
        self._supply()
        for shapes in design.wiring.shapes.values():
            for layer, box in shapes:
                self._draw(self._gds(layer), box)
        self._ports()
        plan = design.placement.plan
        self._draw(design.technology.config.outline_gds, Box(0, 0, plan.width, plan.height))

    def _gds(self, layer: int) -> tuple[int, int]:
        technology = self._design.technology
        return technology.layers[layer].gds if layer >= 0 else technology.vias[-1 - layer].gds

    def _draw(self, gds: tuple[int, int], box: Box) -> None:
        self._top.shapes(self.layout.layer(*gds)).insert(db.Box(*box))

    def _label(self, layer: int, box: Box, text: str) -> None:
        figures = self._design.technology.layers[layer]
        self._draw(figures.pin_gds, box)
        label = db.Text(text, db.Trans(*box.center))
        self._top.shapes(self.layout.layer(*figures.label_gds)).insert(label)

    def _cells(self) -> None:
        design, known = self._design, dict[str, int]()
        technology, source = design.technology, design.technology.cells()
        for cell in design.placement.cells:
            if cell.cell not in known:
                copy = self.layout.create_cell(cell.cell)
                copy.copy_tree(source.cell(cell.cell))
                known[cell.cell] = copy.cell_index()
            x, y = cell_corner(cell, design.placement, technology)
            flipped = cell.row % 2 == 1
            turn = db.Trans(0, flipped, x, y + (technology.row_height if flipped else 0))
            instance = self._top.insert(db.CellInstArray(known[cell.cell], turn))
            instance.set_property(1, cell.name)

    def _supply(self) -> None:
        design, top = self._design, len(self._design.technology.layers) - 1
        strapped = {strap.net for strap in design.placement.plan.straps}
        for box, net in design.power.rails:
            self._draw(self._gds(0), box)
            if net not in strapped:
                self._label(0, box, net)
        for layer, box, net in design.power.shapes:
            self._draw(self._gds(layer), box)
            if layer == top:
                self._label(layer, box, net)

    def _ports(self) -> None:
        for name, (_, layer, box) in self._design.wiring.ports.items():
            self._label(layer, box, name)
