"""The netlist that a layout must match, as klayout's comparison takes it: cells, with their transistors."""

from __future__ import annotations

from collections.abc import Mapping

from dwn_asic.targets.asic.klayout_module import db as kdb
from dwn_asic.targets.asic.layout_checks.cell_netlist import CellNetlist
from dwn_asic.targets.asic.layout_checks.cell_spice import CellCircuit
from dwn_asic.targets.asic.layout_checks.technology import Devices

__all__ = ["reference_netlist"]

_TRANSISTOR, _RESISTOR = ("D", "G", "S", "B"), ("A", "B")


def reference_netlist(wanted: CellNetlist, cells: Mapping[str, CellCircuit], devices: Devices) -> kdb.Netlist:
    """Return a netlist with one circuit for each cell, and the top circuit with the ports as pins.

    Parameters
    ----------
    wanted
        The cells and their connections.
    cells
        Name -> transistors, for the cells to include; others are left out.
    devices
        Kinds of devices.
    """
    netlist = kdb.Netlist()
    classes: dict[str, kdb.DeviceClass] = {}
    for kind in devices.transistors:
        classes[kind.models[0]] = kdb.DeviceClassMOS4Transistor()
    for resistor in devices.resistors:
        classes[resistor.models[0]] = kdb.DeviceClassResistor()
    for name, each in classes.items():
        each.name = name
        netlist.add(each)
    circuits = {name: _cell(netlist, cells[name], classes) for name in sorted(cells)}
    top = kdb.Circuit()
    top.name = wanted.top
    netlist.add(top)
    nets = _Nets(top)
    for index, instance in enumerate(wanted.instances):
        if instance.cell not in circuits:
            continue
        circuit = circuits[instance.cell]
        placed = top.create_subcircuit(circuit, instance.name)
        for pin in circuit.each_pin():
            net = instance.pins.get(pin.name(), f"unconnected {index} {pin.name()}")
            placed.connect_pin(pin, nets[net])
    for net in dict.fromkeys(wanted.ports.values()):
        top.connect_pin(top.create_pin(net), nets[net])
    netlist.combine_devices()
    return netlist


def _cell(netlist: kdb.Netlist, cell: CellCircuit, classes: Mapping[str, kdb.DeviceClass]) -> kdb.Circuit:
    circuit = kdb.Circuit()
    circuit.name = cell.name
    netlist.add(circuit)
    nets = _Nets(circuit)
    for number, each in enumerate(cell.devices):
        device = circuit.create_device(classes[each.model], f"{number}")
        terminals = _TRANSISTOR if len(each.nets) == len(_TRANSISTOR) else _RESISTOR
        for terminal, net in zip(terminals, each.nets, strict=True):
            device.connect_terminal(terminal, nets[net])
        if terminals is _TRANSISTOR:
            device.set_parameter("W", each.width)
            device.set_parameter("L", each.length)
    for name in cell.pins:
        circuit.connect_pin(circuit.create_pin(name), nets[name])
    return circuit


class _Nets:
    """The nets of a circuit by name, made when first used."""

    def __init__(self, circuit: kdb.Circuit) -> None:
        self._circuit = circuit
        self._made: dict[str, kdb.Net] = {}

    def __getitem__(self, name: str) -> kdb.Net:
        if name not in self._made:
            self._made[name] = self._circuit.create_net(name)
        return self._made[name]
