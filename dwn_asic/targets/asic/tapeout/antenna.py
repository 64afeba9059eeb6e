"""Antennas: wires that charge gates while the chip is made, before a higher layer connects their driver.

A net is built layer by layer. Up to each layer its wires form pieces; a piece with gates but without the
driver may have only so much wire per area of the gates. By the rule of the technology the sides of the wires
count or their tops, of that layer alone or of all up to it. A diode at the net discharges a piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import networkx as nx

from dwn_asic.errors import DataError
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.netlist import CellInstance
from dwn_asic.targets.asic.tapeout.placement import Placement
from dwn_asic.targets.asic.tapeout.rows import PlacedCell, fillers_for
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["AntennaExcess", "antenna_excesses", "with_diodes"]


@dataclass(frozen=True)
class AntennaExcess:
    """A piece of a net with too much wire.

    Attributes
    ----------
    net
        Name of the net.
    pin
        A pin of the piece, as ``instance/pin``.
    layer
        Layer of the wires.
    ratio
        Area of the wires over the area of the gates.
    """

    net: str
    pin: str
    layer: str
    ratio: float


def antenna_excesses(design: PhysicalDesign) -> tuple[AntennaExcess, ...]:
    """Return the pieces of nets whose ratio exceeds that of the technology."""
    return tuple(excess for net in design.routing.routes for excess in _excesses_of(design, net))


def _excesses_of(design: PhysicalDesign, net: str) -> Iterator[AntennaExcess]:
    technology, grid = design.technology, design.routing.grid
    route, pins = design.routing.routes[net], grid.nets[net]
    instances = {each.name: each for each in design.placement.netlist.instances}
    areas: dict[int, list[tuple[str, float, float]]] = {}
    for pin, (node, way) in zip(pins, route.accesses, strict=True):
        if way is None:
            continue
        name, _, terminal = pin.name.rpartition("/")
        figures = technology.macro(instances[name].cell).pins[terminal]
        areas.setdefault(node, []).append((pin.name, figures.gate_area, figures.diffusion_area))
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(node for node, _ in route.accesses)
    rule, wires = technology.config.antenna, list[tuple[int, float]]()
    for index, layer in enumerate(technology.layers):
        steps = [(int(a), int(b)) for a, b in route.edges if int(b) // grid.size == index]
        graph.add_edges_from(steps)
        wires = wires if rule.cumulative else []
        along = [(a, b) for a, b in steps if b - a != grid.size]
        per_step = (technology.step_x if layer.lef.horizontal else technology.step_y) / 1000
        width, thickness = layer.lef.width / 1000, layer.lef.thickness
        depth = 2 * thickness if rule.area == "side" else width
        wires += [(a, per_step * depth) for a, _ in along]
        for piece in nx.connected_components(graph):
            members = [pin for node in piece for pin in areas.get(node, ())]
            gates = sum(gate for _, gate, _ in members)
            if not gates or any(diffusion for *_, diffusion in members):
                continue
            area = sum(each for node, each in wires if node in piece)
            ratio = (area + width * depth) / gates if area else 0.0
            if ratio > rule.ratio:
                yield AntennaExcess(net, min(members)[0], layer.name, ratio)


def with_diodes(placement: Placement, technology: Technology, excesses: Sequence[AntennaExcess]) -> Placement:
    """Return a placement with a diode beside each antenna, in the place of fillers.

    Raises
    ------
    DataError
        There is no gap that is wide enough.
    """
    for excess in excesses:
        placement = _with_diode(placement, technology, excess)
    return placement


def _with_diode(placement: Placement, technology: Technology, excess: AntennaExcess) -> Placement:
    config = technology.config
    width = technology.sites(config.diode.cell)
    victim = next(cell for cell in placement.cells if cell.name == excess.pin.rpartition("/")[0])
    fillers = {*config.fillers, *config.decaps}
    runs = [
        (start, end, row)
        for row, start, end in _runs(placement.cells, fillers, technology)
        if end - start >= width
    ]
    if not runs:
        raise DataError("layout", f"no room for the antenna diode of net {excess.net}")

    def distance(run: tuple[int, int, int]) -> tuple[int, int, int]:
        site = min(max(victim.site, run[0]), run[1] - width)
        away = abs(site - victim.site) * technology.site_width
        return away + abs(run[2] - victim.row) * technology.row_height, run[2], run[0]

    start, end, row = min(runs, key=distance)
    site = min(max(victim.site, start), end - width)
    count = sum(each.cell == config.diode.cell for each in placement.netlist.instances)
    name = f"diode_{count}"
    kept = [
        cell
        for cell in placement.cells
        if not (cell.row == row and start <= cell.site < end and cell.cell in fillers)
    ]
    new = [PlacedCell(name, config.diode.cell, row, site)]
    for low, high in ((start, site), (site + width, end)):
        new += [
            PlacedCell(f"fill_{row}_{place}", cell, row, place, is_logic=False)
            for place, cell in fillers_for(low, high, technology)
        ]
    cells = sorted([*kept, *new], key=lambda cell: (cell.row, cell.site))
    diode = CellInstance(name, config.diode.cell, {config.diode.pin: excess.net})
    return replace(placement, netlist=placement.netlist.extended(diode), cells=tuple(cells))


def _runs(
    cells: Sequence[PlacedCell], fillers: set[str], technology: Technology
) -> Iterator[tuple[int, int, int]]:
    """Yield row, first site and end of each run of neighbouring fillers."""
    widths: Mapping[str, int] = {name: technology.sites(name) for name in fillers}
    row, start, end = -1, 0, -1
    for cell in cells:
        if cell.cell not in fillers:
            continue
        if cell.row == row and cell.site == end:
            end += widths[cell.cell]
            continue
        if end > start:
            yield row, start, end
        row, start, end = cell.row, cell.site, cell.site + widths[cell.cell]
    if end > start:
        yield row, start, end
