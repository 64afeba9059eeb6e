"""Extraction of devices and nets from a layout, with klayout, cell by cell."""

from __future__ import annotations

import klayout.db as kdb

from dwn_asic.targets.asic.layout_checks.technology import Technology

__all__ = ["extract_netlist", "labels"]


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
    netlist = found.netlist().dup()
    netlist.combine_devices()
    return netlist


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
