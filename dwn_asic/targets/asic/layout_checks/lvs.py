"""Layout versus schematic: the transistors extracted from a layout against those of its netlist."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dwn_asic.targets.asic.klayout_module import db as kdb
from dwn_asic.targets.asic.layout_checks.cell_netlist import CellNetlist
from dwn_asic.targets.asic.layout_checks.cell_spice import CellCircuit
from dwn_asic.targets.asic.layout_checks.extract import LayoutCells, labels, top_circuit
from dwn_asic.targets.asic.layout_checks.reference import reference_netlist
from dwn_asic.targets.asic.layout_checks.technology import Technology
from dwn_asic.targets.asic.layout_checks.verdict import LvsVerdict

__all__ = ["Comparison", "compare_with_netlist"]

_MOST_DIFFERENCES = 20
_BRANCHES, _DEPTH = 100_000, 100
"""Effort of klayout's comparison where nets are told apart only by what follows from a guess."""


@dataclass(frozen=True)
class Comparison:
    """A comparison of a layout with a netlist.

    Attributes
    ----------
    verdict
        What was found.
    pairs
        Name of an instance of the netlist -> name of the instance in the layout that it was matched with.
    """

    verdict: LvsVerdict
    pairs: Mapping[str, str]


def compare_with_netlist(
    layout: LayoutCells,
    wanted: CellNetlist,
    cells: Mapping[str, CellCircuit],
    technology: Technology,
    source: str,
    seconds: float = 0.0,
) -> Comparison:
    """Compare the cells of a layout with a netlist, transistor by transistor, and ports by name.

    Cells with supply pins alone, such as fillers, taps and decoupling capacitors, are left out on both sides.

    Parameters
    ----------
    layout
        The cells of the layout, which get pins at the ports.
    wanted
        The netlist.
    cells
        Name -> transistors of each cell of the netlist.
    technology
        Devices and supplies.
    source
        Name of the layout in the verdict.
    seconds
        Time that the extraction took, which is added to that of the comparison.
    """
    start = time.perf_counter()
    supply_pins = {pin for pins in technology.supplies.values() for pin in pins}
    logic = {name: cell for name, cell in cells.items() if not supply_pins.issuperset(cell.pins)}
    differences = [f"the layout has the cell {name}, which is not in the netlist" for name in layout.unknown]
    top = layout.top
    ports = _port_nets(top, wanted)
    differences += _port_differences(ports, wanted)
    reference = reference_netlist(wanted, logic, technology.devices)
    for each in {id(net): net for found in ports.values() for net in found}.values():
        top.connect_pin(top.create_pin(each.expanded_name()), each)
    layout.netlist.purge_nets()
    reference.purge_nets()
    nets = sum(1 for _ in top.each_net())
    differences += _unconnected(top, reference.circuit_by_name(wanted.top), wanted)
    differences += _device_differences(layout.netlist, reference, logic)
    log = _compare(layout.netlist, reference, wanted, technology)
    differences += log.found
    placed = [logic[each.cell] for each in wanted.instances if each.cell in logic]
    shown = tuple(differences[:_MOST_DIFFERENCES])
    if len(differences) > _MOST_DIFFERENCES:
        shown += (f"... ({len(differences)} differences in all)",)
    transistors = sum(len(cell.devices) for cell in placed)
    seconds += time.perf_counter() - start
    verdict = LvsVerdict(source, wanted.source, len(placed), transistors, nets, shown, seconds)
    return Comparison(verdict, log.pairs)


def _port_nets(top: kdb.Circuit, wanted: CellNetlist) -> dict[str, list[kdb.Net]]:
    """Return the nets with the label of each port; a port of one bit may have the label ``NAME[0]``."""
    labelled: dict[str, list[kdb.Net]] = defaultdict(list)
    for net in top.each_net():
        for name in labels(net):
            labelled[name].append(net)
    return {port: labelled.get(port) or labelled.get(f"{port}[0]", []) for port in wanted.ports}


def _port_differences(ports: Mapping[str, list[kdb.Net]], wanted: CellNetlist) -> Iterator[str]:
    """Yield what is wrong with the labels of ports."""
    at: dict[int, list[str]] = defaultdict(list)
    for port, nets in ports.items():
        if not nets:
            yield f"port {port} has no label in the layout"
        if len(nets) > 1:
            yield f"port {port} is {len(nets)} separate nets in the layout"
        for net in nets:
            at[net.cluster_id].append(port)
    for names in at.values():
        if len({wanted.ports[name] for name in names}) > 1:
            yield f"ports {', '.join(sorted(names))} are one net in the layout"


def _unconnected(top: kdb.Circuit, reference: kdb.Circuit, wanted: CellNetlist) -> Iterator[str]:
    """Yield the ports that reach a cell in only one circuit; nets without cells are purged from both.

    The comparison does not see them: it takes the net that has lost its port for that of the netlist.
    """
    drawn = _port_nets(top, wanted)
    for port, net in wanted.ports.items():
        if not drawn[port] and reference.net_by_name(net):
            yield f"port {port} reaches no cell in the layout"
        if drawn[port] and not reference.net_by_name(net):
            yield f"port {port} reaches a cell in the layout, and none in the netlist"


def _device_differences(layout: kdb.Netlist, reference: kdb.Netlist, cells: Iterable[str]) -> Iterator[str]:
    """Yield the cells whose numbers of transistors of each size differ."""
    for name in sorted(cells):
        drawn = layout.circuit_by_name(name)
        if drawn is None:
            continue
        one, other = _sizes(drawn), _sizes(reference.circuit_by_name(name))
        if one != other:
            texts = (_counted(extra) or "none" for extra in (one - other, other - one))
            yield "{}: {} in the layout, {} in the netlist".format(name, *texts)


def _sizes(circuit: kdb.Circuit) -> Counter[tuple[str, float, float]]:
    """Count the transistors of a cell by model, width and length (um)."""
    return Counter(
        (device.device_class().name, round(device.parameter("W"), 4), round(device.parameter("L"), 4))
        for device in circuit.each_device()
        if isinstance(device.device_class(), kdb.DeviceClassMOS4Transistor)
    )


def _counted(sizes: Counter[tuple[str, float, float]]) -> str:
    return ", ".join(f"{n} x {model} {w:g}/{l:g} um" for (model, w, l), n in sorted(sizes.items()))


def _compare(
    layout: kdb.Netlist, reference: kdb.Netlist, wanted: CellNetlist, technology: Technology
) -> _Differences:
    """Run klayout's comparison."""
    comparer = kdb.NetlistComparer(log := _Differences())
    comparer.max_branch_complexity, comparer.max_depth = _BRANCHES, _DEPTH
    for resistor in technology.devices.resistors:
        for netlist in (layout, reference):
            if kind := netlist.device_class_by_name(resistor.models[0]):
                kind.equal_parameters = kdb.EqualDeviceParameters.ignore(kdb.DeviceClassResistor.PARAM_R)
    top, other = top_circuit(layout), reference.circuit_by_name(wanted.top)
    comparer.same_circuits(top, other)
    for net in top.each_net():
        for name in labels(net):
            port = name if name in wanted.ports else name.removesuffix("[0]")
            if port in wanted.ports and (same := other.net_by_name(wanted.ports[port])):
                comparer.same_nets(net, same, must_match=True)
                break
    if not comparer.compare(layout, reference) and not log.found:
        log.found.append("the circuits differ")
    return log


class _Differences(kdb.GenericNetlistCompareLogger):
    """A receiver of what klayout's comparison finds; the layout is the first netlist."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.pairs: dict[str, str] = {}
        self._circuit = ""

    def begin_circuit(self, a: kdb.Circuit | None, b: kdb.Circuit | None) -> None:
        self._circuit = a.name if a else b.name if b else ""

    def circuit_mismatch(self, a: kdb.Circuit | None, b: kdb.Circuit | None, _message: str = "") -> None:
        if a is None and b is not None:
            self.found.append(f"the layout has no cell {b.name}")
        elif b is None and a is not None:
            self.found.append(f"the netlist has no cell {a.name}")

    def net_mismatch(self, a: kdb.Net | None, b: kdb.Net | None, _message: str = "") -> None:
        self._add("net", _name(a), _name(b))

    def device_mismatch(self, a: kdb.Device | None, b: kdb.Device | None, _message: str = "") -> None:
        self._add("device", _name(a), _name(b))

    def match_devices_with_different_parameters(self, a: kdb.Device, b: kdb.Device) -> None:
        self._add("size of device", a.expanded_name(), b.expanded_name())

    def match_devices_with_different_device_classes(self, a: kdb.Device, b: kdb.Device) -> None:
        self._add("kind of device", a.expanded_name(), b.expanded_name())

    def subcircuit_mismatch(
        self, a: kdb.SubCircuit | None, b: kdb.SubCircuit | None, _message: str = ""
    ) -> None:
        self._add(
            "cell", _placed(a) if a else "", f"{b.expanded_name()} ({b.circuit_ref().name})" if b else ""
        )

    def match_subcircuits(self, a: kdb.SubCircuit, b: kdb.SubCircuit) -> None:
        self.pairs[b.expanded_name()] = a.expanded_name()

    def pin_mismatch(self, a: kdb.Pin | None, b: kdb.Pin | None, _message: str = "") -> None:
        self._add("pin", _name(a), _name(b))

    def _add(self, what: str, layout: str, netlist: str) -> None:
        self.found.append(
            f"{self._circuit}: {what} {layout or '-'} in the layout, {netlist or '-'} in the netlist"
        )


def _name(each: kdb.Net | kdb.Device | kdb.Pin | None) -> str:
    return each.expanded_name() if each else ""


def _placed(subcircuit: kdb.SubCircuit) -> str:
    at = subcircuit.trans.disp
    return f"{subcircuit.circuit_ref().name} at ({at.x:g}, {at.y:g})"
