"""A quick check of a layout's own shapes: spacing, width, area and holes of wires, and shorts and opens.

It measures the geometry as it is written, with the cells, and not the data of the router.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.tapeout.grid import cell_corner
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign

__all__ = ["Violation", "check_design"]


@dataclass(frozen=True)
class Violation:
    """A rule that a layout breaks: its name, how often, and where first, in um (or between which pins)."""

    rule: str
    count: int
    where: str

    def __str__(self) -> str:
        """Return the violation as a phrase."""
        return f"{self.rule} ({self.count}, first at {self.where})"


def check_design(design: PhysicalDesign) -> tuple[Violation, ...]:
    """Return the rules that a layout breaks; an empty tuple if it is clean.

    Spacing, width, area, holes and the manufacturing grid are checked on the layers of the router and their
    cuts. Shorts and opens are found by extracting which pins of cells and which ports are connected.
    """
    return (*_Rules(design).violations(), *_connections(design))


class _Rules:
    """Measures the shapes of a design, merged over all cells."""

    def __init__(self, design: PhysicalDesign) -> None:
        self._design, layout = design, design.layout
        self._layout, self._top = layout, layout.cell(design.top)

    def _region(self, gds: tuple[int, int]) -> db.Region:
        return db.Region(self._top.begin_shapes_rec(self._layout.layer(*gds))).merged()

    def violations(self) -> Iterator[Violation]:
        technology = self._design.technology
        for layer in technology.layers:
            shapes, lef = self._region(layer.gds), layer.lef
            yield from self._edges(
                f"{layer.name} spacing", shapes.space_check(lef.spacing, whole_edges=False)
            )
            yield from self._edges(f"{layer.name} width", shapes.width_check(lef.width, whole_edges=False))
            yield from self._polygons(f"{layer.name} area", shapes.with_area(0, lef.area, inverse=False))
            yield from self._polygons(
                f"{layer.name} hole", shapes.holes().with_area(0, layer.hole, inverse=False)
            )
            grid = technology.config.grid_nm
            yield from self._edges(f"{layer.name} grid", shapes.grid_check(grid, grid))
        metal = [technology.config.pin_layer.gds, *(layer.gds for layer in technology.layers)]
        for number, via in enumerate(technology.vias):
            cuts = self._region(via.gds)
            yield from self._edges(
                f"{via.cut_name} spacing",
                cuts.space_check(via.cut_spacing, whole_edges=False),
            )
            size = via.cut.width, via.cut.height
            wrong = [each for each in cuts.each() if (each.bbox().width(), each.bbox().height()) != size]
            yield from self._polygons(f"{via.cut_name} size", db.Region(wrong))
            above = self._region(metal[number + 1])
            yield from self._polygons(f"{via.cut_name} enclosure", cuts.not_inside(above))

    def _edges(self, rule: str, found: db.EdgePairs) -> Iterator[Violation]:
        if found.count():
            yield Violation(rule, found.count(), _place(next(found.each()).bbox()))

    def _polygons(self, rule: str, found: db.Region) -> Iterator[Violation]:
        if not found.is_empty():
            yield Violation(rule, found.count(), _place(next(found.each()).bbox()))


def _place(box: db.Box) -> str:
    return f"{box.center().x / 1000:.3f} {box.center().y / 1000:.3f}"


def _connections(design: PhysicalDesign) -> Iterator[Violation]:
    """Yield the nets that are in pieces, and the pieces that join several nets."""
    groups: dict[str, set[str]] = {}
    pieces: dict[str, set[str]] = {}
    first: dict[tuple[str, str], str] = {}
    for pin, net, cluster in _extracted(design):
        groups.setdefault(cluster, set()).add(net)
        pieces.setdefault(net, set()).add(cluster)
        first.setdefault((net, cluster), pin)
    opens = {net: found for net, found in pieces.items() if len(found) > 1}
    if opens:
        net, found = next(iter(opens.items()))
        yield Violation(
            "open", len(opens), f"{net}: " + " and ".join(first[net, each] for each in sorted(found)[:2])
        )
    shorts = [nets for nets in groups.values() if len(nets) > 1]
    if shorts:
        yield Violation("short", len(shorts), " and ".join(sorted(shorts[0])[:2]))


def _extracted(design: PhysicalDesign) -> Iterator[tuple[str, str, str]]:
    """Yield each pin and port, its net, and the name of the piece of metal that it is on.

    Inside cells the pin layer and the layers of the router count, so a pin is a rectangle of the LEF file.
    """
    technology = design.technology
    layout = design.layout
    extraction = db.LayoutToNetlist(db.RecursiveShapeIterator(layout, layout.cell(design.top), []))
    names = [technology.config.pin_layer.name, *(layer.name for layer in technology.layers)]
    gds = [technology.config.pin_layer.gds, *(layer.gds for layer in technology.layers)]
    layers = [extraction.make_layer(layout.layer(*each), name) for name, each in zip(names, gds, strict=True)]
    for number, via in enumerate(technology.vias):
        cuts = extraction.make_layer(layout.layer(*via.gds), via.cut_name)
        extraction.connect(cuts)
        extraction.connect(layers[number], cuts)
        extraction.connect(cuts, layers[number + 1])
    for each in layers:
        extraction.connect(each)
    extraction.extract_netlist()
    known: dict[str, db.Region] = dict(zip(names, layers, strict=True))
    for pin, net, layer, x, y in _probes(design):
        found = extraction.probe_net(known[layer], db.Point(x, y))
        yield pin, net, "" if found is None else f"{found.circuit().name} {found.cluster_id}"


def _probes(design: PhysicalDesign) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield name, net, layer and a point of each pin of a placed cell, and of each port."""
    technology, config = design.technology, design.technology.config
    instances = {each.name: each for each in design.placement.netlist.instances}
    layers = {config.pin_layer.name, *(layer.name for layer in technology.layers)}
    for cell in design.placement.cells:
        x, y = cell_corner(cell, design.placement, technology)
        pins = dict(instances[cell.name].pins) if cell.is_logic else {}
        macro = technology.macro(cell.cell)
        pins |= {pin: net for pin, net in config.supply_pins.items() if pin in macro.pins}
        for pin, net in pins.items():
            for layer, box in macro.pins[pin].shapes[:1]:
                if layer in layers:
                    middle_x, middle_y = box.center
                    if cell.row % 2 == 1:
                        middle_y = technology.row_height - middle_y
                    yield f"{cell.name}/{pin}", net, layer, x + middle_x, y + middle_y
    for name, (net, index, box) in design.wiring.ports.items():
        yield name, net, technology.layers[index].name, *box.center
