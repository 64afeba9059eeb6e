"""Proof that a layout computes what its netlist computes, from extracted connections, by SAT.

Both sides become Boolean graphs. Functions of the layout's cells come from the transistors that were
extracted from it, those of the netlist from the cell library. Cells that hold a state are cut open: what they
hold is an input of both graphs, and what arrives at their pins is an output.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from dwn_asic.boolean.fold import FALSE, TRUE, FoldingBuilder, Literal
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Interface
from dwn_asic.equivalence.check import Check, abc_prover
from dwn_asic.equivalence.combinational import Counterexample, find_difference
from dwn_asic.errors import DataError, VerificationError, shortened
from dwn_asic.targets.asic.klayout_module import db as kdb
from dwn_asic.targets.asic.layout_checks.cell_logic import CellLogic, cell_logic
from dwn_asic.targets.asic.layout_checks.cell_netlist import CellInstance, CellNetlist
from dwn_asic.targets.asic.layout_checks.cell_spice import CellCircuit, SpiceDevice
from dwn_asic.targets.asic.layout_checks.extract import LayoutCells, labels
from dwn_asic.targets.asic.layout_checks.technology import Technology

__all__ = ["drawn_logic", "layout_netlist", "prove_layout"]

Logic = Mapping[str, CellLogic]
"""Name of each cell -> its functions."""


def layout_netlist(layout: LayoutCells, wanted: CellNetlist, pairs: Mapping[str, str]) -> CellNetlist:
    """Return the cells of a layout in the form of a netlist.

    Parameters
    ----------
    layout
        The cells of the layout.
    wanted
        The netlist, whose names of ports and of matched instances are used.
    pairs
        Name of an instance of the netlist -> its name in the layout.
    """
    names = {drawn: name for name, drawn in pairs.items()}
    ports: dict[str, str] = {}
    for net in layout.top.each_net():
        for name in labels(net):
            port = name if name in wanted.ports else name.removesuffix("[0]")
            if port in wanted.ports:
                ports.setdefault(port, _net(net))
    for port in wanted.ports.keys() - ports.keys():
        ports[port] = f"no label {port}"  # an error only if something reads it
    instances = []
    for placed in layout.top.each_subcircuit():
        circuit = placed.circuit_ref()
        pins = {pin.expanded_name(): placed.net_for_pin(pin.id()) for pin in circuit.each_pin()}
        at = {pin: _net(net) for pin, net in pins.items() if net is not None}
        name = placed.expanded_name()
        instances.append(CellInstance(names.get(name, f"drawn {name}"), circuit.name, at))
    return CellNetlist("layout", wanted.top, ports, wanted.inputs, wanted.outputs, tuple(instances))


def _net(net: kdb.Net) -> str:
    return f"{net.cluster_id}" if net.cluster_id else net.expanded_name()


def drawn_logic(layout: LayoutCells, technology: Technology) -> dict[str, CellLogic]:
    """Return the functions of all cells of a layout, from the transistors that were extracted from it."""
    return {
        circuit.name: cell_logic(_drawn(circuit, technology), technology)
        for circuit in layout.netlist.each_circuit_top_down()
        if circuit.name != layout.top.name
    }


def _drawn(circuit: kdb.Circuit, technology: Technology) -> CellCircuit:
    """Return the transistors of an extracted cell; its pins are named by its labels."""
    kinds = {kind.models[0] for kind in technology.devices.transistors}
    devices = []
    for device in circuit.each_device():
        model = device.device_class().name
        nets = {}
        for terminal in device.device_class().terminal_definitions():
            net = device.net_for_terminal(terminal.id())
            nets[terminal.name] = net.expanded_name() if net is not None else f"open {device.expanded_name()}"
        order = "DGSB" if model in kinds else "AB"
        devices.append(SpiceDevice(model, tuple(nets[name] for name in order), 0.0, 0.0))
    nets_of = {pin.expanded_name(): circuit.net_for_pin(pin.id()) for pin in circuit.each_pin()}
    names = {net.expanded_name(): pin for pin, net in nets_of.items() if net is not None}
    renamed = tuple(
        SpiceDevice(each.model, tuple(names.get(net, f"inside {net}") for net in each.nets), 0.0, 0.0)
        for each in devices
    )
    return CellCircuit(circuit.name, tuple(nets_of), renamed)


def prove_layout(
    wanted: CellNetlist,
    wanted_logic: Logic,
    drawn: CellNetlist,
    drawn_logic: Logic,
    technology: Technology,
    *,
    timeout_s: float = 300.0,
) -> Check:
    """Prove that a layout computes what its netlist computes, in every state of its registers.

    Parameters
    ----------
    wanted, drawn
        The netlist, and the layout from :func:`layout_netlist`.
    wanted_logic, drawn_logic
        Functions of the cells of both.
    technology
        Supplies, the first of which is 1 and the others 0.
    timeout_s
        Time limit of the SAT solver in seconds.

    Raises
    ------
    VerificationError
        They differ; the error has the first inputs at which they do, and the output.
    DataError
        A net has no driver, or two; or a loop of gates.
    ToolTimeoutError
        The proof reaches the time limit.
    """
    start = time.perf_counter()
    sides = [
        _Side(netlist, logic, technology) for netlist, logic in ((wanted, wanted_logic), (drawn, drawn_logic))
    ]
    expected, got = (side.registers for side in sides)
    if expected != got:
        alone = sorted({name for name, _ in expected.items() ^ got.items()})
        raise VerificationError(f"netlist == layout fails: registers without a partner: {shortened(alone)}")
    inputs = (*wanted.inputs, *sides[0].held)
    interface = Interface(inputs, (1,) * len(inputs), ("0", "1"))
    difference = find_difference(*(side.graph(interface) for side in sides), timeout_s=timeout_s)
    if difference is not None:
        raise _error(difference, inputs, (*wanted.outputs, *sides[0].arriving))
    seconds = time.perf_counter() - start
    return Check("netlist == layout", "proof", 0, seconds, "netlist -> layout", abc_prover())


def _error(difference: Counterexample, inputs: Sequence[str], outputs: Sequence[str]) -> VerificationError:
    """Return the error for a counterexample: the inputs that are 1, and the first output that differs."""
    ones = [
        inputs[node.feature]
        for node, value in difference.inputs.items()
        if value and isinstance(node, CodeBit)
    ]
    index = next(
        k for k, (a, b) in enumerate(zip(difference.expected, difference.got, strict=True)) if a != b
    )
    return VerificationError(
        "netlist == layout fails",
        inputs=f"{shortened(sorted(ones)) or 'no input'} = 1",
        expected=f"{outputs[index]} = {int(difference.expected[index])}",
        got=f"{int(difference.got[index])}",
    )


class _Side:
    """A netlist with the functions of its cells.

    Attributes
    ----------
    registers
        Name of each instance that holds a state -> its cell.
    held, arriving
        Names of the output and input pins of these instances, as ``INSTANCE.PIN``.
    """

    def __init__(self, netlist: CellNetlist, logic: Logic, technology: Technology) -> None:
        self._netlist, self._logic = netlist, logic
        self._drivers: dict[str, tuple[CellInstance, str]] = {}
        high, *_ = technology.supplies
        self._fixed = {netlist.ports[name]: TRUE if name == high else FALSE for name in technology.supplies}
        for instance in netlist.instances:
            for pin in logic[instance.cell].outputs:
                if pin in instance.pins:
                    self._drive(instance.pins[pin], instance, pin)
        # Pins of a cell have no order in common: that of SPICE is not that of the layout.
        cut = sorted((each.name, each) for each in netlist.instances if logic[each.cell].held)
        self.registers = {name: each.cell for name, each in cut}
        self._held = {
            f"{n}.{pin}": each.pins.get(pin, "") for n, each in cut for pin in sorted(logic[each.cell].held)
        }
        arriving = {
            f"{n}.{pin}": each.pins.get(pin, "") for n, each in cut for pin in sorted(logic[each.cell].inputs)
        }
        self.held, self.arriving, self._arriving = tuple(self._held), tuple(arriving), arriving

    def _drive(self, net: str, instance: CellInstance, pin: str) -> None:
        if net in self._drivers or net in self._fixed:
            raise DataError(
                self._netlist.source, f"net {net} has two drivers, one of them {instance.name}.{pin}"
            )
        self._drivers[net] = instance, pin

    def graph(self, interface: Interface) -> BooleanGraph:
        """Return the function of the output ports, and of what arrives at pins of registers."""
        builder = FoldingBuilder(interface)
        netlist, values = self._netlist, dict(self._fixed)
        nets = [*(netlist.ports[name] for name in netlist.inputs), *self._held.values()]
        for number, net in enumerate(nets):
            if net in self._drivers or net in values:
                raise DataError(
                    netlist.source, f"net {net} has two drivers, one of them an input or a register"
                )
            if net:
                values[net] = builder.input(CodeBit(number, 0))
        wanted = [*(netlist.ports[name] for name in netlist.outputs), *self._arriving.values()]
        for net in wanted:
            self._evaluate(net, values, builder)
        return builder.finish([values[net] for net in wanted])

    def _evaluate(self, net: str, values: dict[str, Literal], builder: FoldingBuilder) -> None:
        """Compute the value of a net after those that it depends on."""
        stack, open_nets = [net], set[str]()
        while stack:
            current = stack[-1]
            if current in values:
                stack.pop()
                continue
            if current not in self._drivers:
                raise DataError(self._netlist.source, f"net {current or 'of an open pin'} has no driver")
            instance, pin = self._drivers[current]
            logic = self._logic[instance.cell]
            sources = [instance.pins.get(each, "") for each in logic.inputs]
            waiting = [each for each in sources if each not in values]
            if waiting and current in open_nets:
                raise DataError(self._netlist.source, f"net {current} depends on itself")
            open_nets.add(current)
            stack += waiting
            if not waiting:
                values[current] = builder.lut([values[each] for each in sources], logic.outputs[pin])
                open_nets.discard(stack.pop())
