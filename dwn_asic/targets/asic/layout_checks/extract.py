"""Extraction of devices and nets from a layout, with klayout, cell by cell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dwn_asic.targets.asic.klayout_module import db as kdb
from dwn_asic.targets.asic.layout_checks.technology import Technology

__all__ = ["LayoutCells", "extract_netlist", "labels", "layout_cells", "top_circuit"]


def extract_netlist(cell: kdb.Cell, technology: Technology) -> kdb.Netlist:
    """Return the netlist of a cell and of all cells in it, each as a circuit with its devices.

    Nets have the names of their labels, joined by commas where there are several.
    """
    layout = cell.layout()
    found = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(layout, cell, []))
    layers = _Layers(found, layout, technology)
    devices = technology.devices
    bulk = found.make_layer(devices.bulk)
    for transistor in devices.transistors:
        extractor = kdb.DeviceExtractorMOS4Transistor(transistor.models[0])
        source_drain = layers[transistor.source_drain]
        well = bulk if transistor.bulk == devices.bulk else layers[transistor.bulk]
        parts: dict[str, kdb.ShapeCollection] = {
            "SD": source_drain,
            "G": layers[transistor.gate],
            "W": well,
            "tS": source_drain,
            "tD": source_drain,
            "tG": layers[devices.poly],
        }
        found.extract_devices(extractor, parts)
    for resistor in devices.resistors:
        ends = layers[resistor.ends]
        parts = {"R": layers[resistor.body], "C": ends, "tA": ends, "tB": ends}
        found.extract_devices(kdb.DeviceExtractorResistor(resistor.models[0], 1.0), parts)
    for name in sorted({name for pair in devices.connections for name in pair}):
        found.connect(layers[name])
    for one, other in devices.connections:
        found.connect(layers[one], layers[other])
    for name, number in technology.labels.items():
        found.connect(layers[name], found.make_text_layer(layout.layer(*number), f"{name} labels"))
    found.connect_global(bulk, devices.bulk)
    found.connect_global(layers[devices.substrate_contact], devices.bulk)
    found.extract_netlist()
    found.netlist().combine_devices()
    return found.netlist().dup()


@dataclass(frozen=True, eq=False)
class LayoutCells:
    """The cells of a layout and the nets between them, as klayout has them.

    Attributes
    ----------
    netlist
        A top circuit that consists of cells, and the circuit of each cell.
    unknown
        Names of cells with transistors and signals that the netlist does not have.
    """

    netlist: kdb.Netlist
    unknown: tuple[str, ...]

    @property
    def top(self) -> kdb.Circuit:
        """Circuit of the whole layout."""
        return top_circuit(self.netlist)


def layout_cells(extracted: kdb.Netlist, known: Collection[str], technology: Technology) -> LayoutCells:
    """Flatten an extracted netlist down to its cells.

    Cells whose pins are all supplies, such as fillers and decoupling capacitors, lose their devices.

    Parameters
    ----------
    extracted
        Result of :func:`extract_netlist`, which stays as it is.
    known
        Names of the cells to expect; other cells become part of the top circuit.
    technology
        Supplies of cells.
    """
    netlist, unknown = extracted.dup(), []
    top = top_circuit(netlist)
    supply_pins = {pin for pins in technology.supplies.values() for pin in pins}
    for circuit in [*netlist.each_circuit_bottom_up()]:
        if circuit.name == top.name:
            continue
        devices = [*circuit.each_device()]
        if all(supply_pins.issuperset(pin.name().split(",")) for pin in circuit.each_pin()):
            for device in devices:
                circuit.remove_device(device)
        elif circuit.name in known:
            continue
        elif devices:
            unknown.append(circuit.name)
        netlist.flatten_circuit(circuit)
    return LayoutCells(netlist, tuple(sorted(unknown)))


def top_circuit(netlist: kdb.Netlist) -> kdb.Circuit:
    """Return the circuit that no other contains."""
    return next(iter(netlist.each_circuit_top_down()))


def labels(net: kdb.Net) -> tuple[str, ...]:
    """Return the names that labels give to a net; none if it has no label."""
    return tuple(net.name.split(",")) if net.name else ()


class _Layers:
    """Drawn and derived layers of an extraction, made and registered when first used."""

    def __init__(self, found: kdb.LayoutToNetlist, layout: kdb.Layout, technology: Technology) -> None:
        self._found, self._layout, self._technology = found, layout, technology
        self._made: dict[str, kdb.Region] = {}

    def __getitem__(self, name: str) -> kdb.Region:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> kdb.Region:
        if name in self._technology.layers:
            return self._found.make_layer(self._layout.layer(*self._technology.layers[name]), name)
        first, operator, second = self._technology.derived[name].split()
        a, b = self[first], self[second]
        region = a & b if operator == "and" else a + b if operator == "or" else a - b
        self._found.register(region, name)
        return region
