"""A mapped netlist without hierarchy: instances of cells in topological order, and the nets between them.

Unlike :mod:`dwn_asic.verilog.elaborate`, which returns the function, this keeps every instance, also those
that no output needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dwn_asic.boolean.ports import CLOCK_PORT
from dwn_asic.errors import DataError, PdkError
from dwn_asic.verilog.cell import Cell, FlipFlop
from dwn_asic.verilog.elaborate import Cells
from dwn_asic.verilog.reader import Bit, Design, Module, ModuleReader, integer, is_kind

__all__ = ["FlatNetlist", "Gate", "Pin", "Register", "flat_netlist", "plain_name"]

Pin = tuple[int, int]
"""An input pin: the index of an instance in :attr:`FlatNetlist.instances`, and the index of the pin in the
``inputs`` of its cell."""


@dataclass(frozen=True)
class Gate:
    """An instance of a combinational cell.

    Attributes
    ----------
    name
        Hierarchical name below the top module, for example ``core._12_``.
    cell
        The cell.
    inputs
        Nets at the input pins, in the order of ``cell.inputs``.
    output
        Net at the output pin.
    """

    name: str
    cell: Cell
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Register:
    """An instance of a flip-flop, which the clock of the netlist drives.

    Attributes
    ----------
    name
        Hierarchical name below the top module.
    cell
        The flip-flop.
    inputs
        Nets at the input pins, in the order of ``cell.inputs``: clock, data, and the reset, if there is one.
    output
        Net at the output pin.
    """

    name: str
    cell: FlipFlop
    inputs: tuple[int, ...]
    output: int

    @property
    def data(self) -> int:
        """Net at the data pin."""
        return self.inputs[1]


@dataclass(frozen=True)
class FlatNetlist:
    """A netlist of cells without hierarchy.

    Nets are 0..n-1: first the inputs, the clock and the constants, then the outputs of the instances in their
    order. Wires that ``assign`` or ports of modules join are one net. Each net has one driver.

    Attributes
    ----------
    source
        Name of the text in messages.
    top
        Name of the top module.
    net_names
        Name of each net, where it is driven, below the top module: ``core._12_`` or ``x0_V1[3]``; for
        constants ``1'b0`` and ``1'b1``.
    inputs
        (port, bit) -> net, for all bits of all input ports but the clock; bit 0 is the least significant one.
    clock
        Net of the clock port; None without one.
    outputs
        (port, bit) -> net, for all bits of all output ports.
    constants
        Net -> value, for the constants that something reads; at most two.
    instances
        Gates and registers in topological order, where a register counts as a wire: each comes after the
        drivers of its inputs, so registers must form a pipeline without feedback.
    """

    source: str
    top: str
    net_names: tuple[str, ...]
    inputs: Mapping[Bit, int]
    clock: int | None
    outputs: Mapping[Bit, int]
    constants: Mapping[int, bool]
    instances: tuple[Gate | Register, ...]

    @cached_property
    def gates(self) -> tuple[Gate, ...]:
        """The combinational instances, in topological order."""
        return tuple(each for each in self.instances if isinstance(each, Gate))

    @cached_property
    def registers(self) -> tuple[Register, ...]:
        """The flip-flops, in topological order."""
        return tuple(each for each in self.instances if isinstance(each, Register))

    @cached_property
    def drivers(self) -> tuple[int | None, ...]:
        """Index of the instance that drives each net; None for inputs, the clock and constants."""
        found: list[int | None] = [None] * len(self.net_names)
        for index, instance in enumerate(self.instances):
            found[instance.output] = index
        return tuple(found)

    @cached_property
    def readers(self) -> tuple[tuple[Pin, ...], ...]:
        """The input pins that each net drives; output ports are not among them."""
        found: list[list[Pin]] = [[] for _ in self.net_names]
        for index, instance in enumerate(self.instances):
            for pin, net in enumerate(instance.inputs):
                found[net].append((index, pin))
        return tuple(map(tuple, found))


def flat_netlist(design: Design, top: str, library: Cells) -> FlatNetlist:
    """Flatten a mapped design: all modules below ``top``, down to instances of library cells.

    Parameters
    ----------
    design
        A design of cells, module instances and assigns between nets, from
        :func:`~dwn_asic.verilog.reader.parse_verilog`.
    top
        Name of the top module.
    library
        The cells that are not modules of the design.

    Raises
    ------
    DataError
        The design has an unknown module, cell or pin, logic other than cells, an undriven net that something
        reads, a net with two drivers, a loop (also one through registers), a register whose clock is not the
        port :data:`CLOCK_PORT` of ``top``, or one whose reset is not tied off.
    """
    if top not in design.modules:
        raise DataError(design.source, f"has no module {top} (modules: {', '.join(design.modules)})")
    return _Flattener(design, top, library).netlist()


@dataclass(frozen=True)
class _Scope:
    """One instance of a module.

    Attributes
    ----------
    module
        The module.
    path
        Names of the instances from the top module to this one, joined by dots; empty for the top module.
    kinds
        Names of the modules from the top module to this one.
    wires
        Net -> wire of its lowest bit.
    values
        Wires of expressions, by the identity of the expression's node.
    """

    module: Module
    path: str
    kinds: tuple[str, ...]
    wires: dict[str, int] = field(default_factory=dict)
    values: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def name(self, local: str) -> str:
        """Return the hierarchical name of a net or an instance of this module."""
        return f"{self.path}.{plain_name(local)}" if self.path else plain_name(local)

    def bit_name(self, bit: Bit) -> str:
        """Return the hierarchical name of a bit of a net."""
        net, index = bit
        return self.name(net) + (f"[{index}]" if self.module.ranges.get(net, (0, 1)) != (0, 1) else "")


@dataclass(frozen=True)
class _Instance:
    """An instance of a cell; its pins are wires, not yet nets."""

    name: str
    cell: Cell | FlipFlop
    inputs: tuple[int, ...]
    output: int


# A wire is one bit of one net of one instance of a module, or the output pin of a cell; the first two are the
# constants.
_CONSTANTS = 0, 1
# What a wire follows, if not another wire.
_NOTHING, _ITSELF = -1, -2


class _Flattener:
    """Numbers the wires of all modules, records which wire each one follows, and joins these to nets."""

    def __init__(self, design: Design, top: str, library: Cells) -> None:
        self.design, self.library = design, library
        self._reader = ModuleReader(design.source)
        self._follows = [_ITSELF, _ITSELF]
        self._names = ["1'b0", "1'b1"]
        self._instances: list[_Instance] = []
        self._top = _Scope(design.modules[top], "", (top,))
        for port in self._top.module.inputs:
            for wire in self._port(self._top, port):
                self._follows[wire] = _ITSELF
        waiting = [self._top]
        while waiting:
            waiting += reversed(self._fill(waiting.pop()))

    # ---- wires ---------------------------------------------------------------------------------------------
    def _fail(self, scope: _Scope, problem: str) -> DataError:
        path = ".".join((self._top.module.name, *filter(None, [scope.path])))
        return DataError(self.design.source, f"{path}: {problem}")

    def _wire(self, scope: _Scope, bit: Bit) -> int:
        """Return the wire of a bit of a net."""
        net, index = bit
        low, width = scope.module.ranges.get(net, (0, 0))
        if not low <= index < low + width:
            raise self._fail(scope, f"{net}[{index}] has no driver")
        if net not in scope.wires:
            scope.wires[net] = len(self._follows)
            self._follows += [_NOTHING] * width
            self._names += map(scope.bit_name, scope.module.bits(net))
        return scope.wires[net] + index - low

    def _port(self, scope: _Scope, port: str) -> list[int]:
        """Return the wires of a port, least significant first."""
        return [self._wire(scope, bit) for bit in scope.module.bits(port)]

    def _targets(self, scope: _Scope, node: Any) -> list[int]:
        return [self._wire(scope, bit) for bit in self._reader.target_bits(scope.module, node)]

    def _value(self, scope: _Scope, node: Any) -> tuple[int, ...]:
        """Return the wires of an expression, least significant first."""
        found = scope.values.get(id(node))
        if found is None:
            found = scope.values[id(node)] = tuple(self._wires_of(scope, node))
        return found

    def _wires_of(self, scope: _Scope, node: Any) -> list[int]:
        if is_kind(node, "Rvalue"):
            node = node.var
        if is_kind(node, "IntConst"):
            value, width = integer(node.value)
            return [_CONSTANTS[value >> position & 1] for position in range(width or 32)]
        if is_kind(node, "Concat"):
            return [wire for part in reversed(node.list) for wire in self._wires_of(scope, part)]
        named = node.var if is_kind(node, "Pointer", "Partselect") else node
        if not is_kind(named, "Identifier") or named.name in scope.module.parameters:
            raise self._fail(scope, f"{type(node).__name__} is logic that is not mapped to cells")
        return self._targets(scope, node)

    def _drive(self, wire: int, source: int) -> None:
        if self._follows[wire] != _NOTHING:
            raise self._fail(self._top, f"{self._names[wire]} has two drivers")
        self._follows[wire] = source

    # ---- modules and cells ---------------------------------------------------------------------------------
    def _fill(self, scope: _Scope) -> list[_Scope]:
        """Record what the wires of a module follow; returns the scopes of its instances of other modules."""
        module = scope.module
        if module.registers:
            bit = next(iter(module.registers))
            raise self._fail(scope, f"the register {scope.bit_name(bit)} is not mapped to a cell")
        for bit, (node, position) in module.drivers.items():
            value = self._value(scope, node)
            # Verilog extends a narrower value with zeros.
            source = value[position] if position < len(value) else _CONSTANTS[0]
            self._drive(self._wire(scope, bit), source)
        found = []
        for kind, name, connections in module.instances:
            if kind in self.design.modules:
                found.append(self._instance(scope, kind, name, connections))
            else:
                self._cell(
                    scope,
                    plain_name(kind),
                    name,
                    {plain_name(pin): node for pin, node in connections.items()},
                )
        return found

    def _instance(self, scope: _Scope, kind: str, name: str, connections: Mapping[str, Any]) -> _Scope:
        if kind in scope.kinds:
            raise self._fail(scope, f"instance {plain_name(name)}: {kind} contains itself")
        child = self.design.modules[kind]
        self._check_pins(scope, name, kind, connections, {*child.inputs, *child.outputs})
        inner = _Scope(child, scope.name(name), (*scope.kinds, kind))
        for port in child.inputs:
            if connections.get(port) is None:
                continue  # an error only if something reads the port
            value = self._value(scope, connections[port])
            for position, wire in enumerate(self._port(inner, port)):
                self._drive(wire, value[position] if position < len(value) else _CONSTANTS[0])
        for port in child.outputs:
            self._output(scope, connections.get(port), self._port(inner, port))
        return inner

    def _cell(self, scope: _Scope, kind: str, name: str, connections: Mapping[str, Any]) -> None:
        try:
            cell = self.library.cell(kind)
        except PdkError as error:
            raise self._fail(scope, f"instance {plain_name(name)}: {error}") from error
        self._check_pins(scope, name, kind, connections, {*cell.inputs, cell.output})
        for pin in cell.inputs:
            if connections.get(pin) is None:
                raise self._fail(scope, f"input {pin} of instance {plain_name(name)} is not connected")
        inputs = tuple(self._value(scope, connections[pin])[0] for pin in cell.inputs)
        output = len(self._follows)
        self._follows.append(_ITSELF)
        self._names.append(f"{scope.name(name)}.{cell.output}")
        for wire in self._output(scope, connections.get(cell.output), [output]):
            self._names[output] = self._names[wire]
        self._instances.append(_Instance(scope.name(name), cell, inputs, output))

    def _check_pins(
        self, scope: _Scope, name: str, kind: str, connections: Mapping[str, Any], known: set[str]
    ) -> None:
        if unknown := sorted(connections.keys() - known):
            raise self._fail(scope, f"instance {plain_name(name)}: {kind} has no pin {unknown[0]}")

    def _output(self, scope: _Scope, node: Any, sources: list[int]) -> list[int]:
        """Let the wires at an output port follow the wires inside it; returns those that do."""
        wires = [] if node is None else self._targets(scope, node)
        # Verilog leaves bits beyond the width of the net, or of the port, unconnected.
        for wire, source in zip(wires, sources, strict=False):
            self._drive(wire, source)
        return wires[: len(sources)]

    # ---- nets ----------------------------------------------------------------------------------------------
    def netlist(self) -> FlatNetlist:
        """Join the wires to nets and order the instances; raises DataError for what is not a netlist."""
        top = self._top.module
        inputs = {
            (port, position): wire
            for port in top.inputs
            if port != CLOCK_PORT
            for position, wire in enumerate(self._port(self._top, port))
        }
        outputs = {
            (port, position): self._source(wire)
            for port in top.outputs
            for position, wire in enumerate(self._port(self._top, port))
        }
        clock = self._port(self._top, CLOCK_PORT)[0] if CLOCK_PORT in top.inputs else None
        instances = self._ordered([self._resolved(each) for each in self._instances])
        self._check_clock(instances, outputs, clock)
        read = {wire for each in instances for wire in each.inputs} | set(outputs.values())
        constants = [wire for wire in _CONSTANTS if wire in read]
        first = [*inputs.values(), *([] if clock is None else [clock]), *constants]
        wires = [*first, *(each.output for each in instances)]
        net = {wire: index for index, wire in enumerate(wires)}
        return FlatNetlist(
            self.design.source,
            top.name,
            tuple(self._names[wire] for wire in wires),
            {bit: net[wire] for bit, wire in inputs.items()},
            None if clock is None else net[clock],
            {bit: net[wire] for bit, wire in outputs.items()},
            {net[wire]: bool(wire) for wire in constants},
            tuple(_typed(each, net) for each in instances),
        )

    def _source(self, wire: int) -> int:
        """Return the driver of a wire: a constant, an input of the top module, or the output of a cell."""
        path = []
        while self._follows[wire] >= 0:
            path.append(wire)
            wire = self._follows[wire]
            if len(path) > len(self._follows):
                raise self._fail(self._top, f"combinational loop through {self._names[wire]}")
        if self._follows[wire] == _NOTHING:
            raise self._fail(self._top, f"{self._names[wire]} has no driver")
        for each in path:
            self._follows[each] = wire
        return wire

    def _resolved(self, instance: _Instance) -> _Instance:
        inputs = tuple(map(self._source, instance.inputs))
        return _Instance(instance.name, instance.cell, inputs, instance.output)

    def _ordered(self, instances: list[_Instance]) -> list[_Instance]:
        """Return the instances in topological order; in all other respects they stay in order."""
        place = {each.output: index for index, each in enumerate(instances)}
        readers: list[list[int]] = [[] for _ in instances]
        missing = [0] * len(instances)
        for index, each in enumerate(instances):
            for wire in each.inputs:
                if wire in place:
                    readers[place[wire]].append(index)
                    missing[index] += 1
        ready = deque(index for index, count in enumerate(missing) if not count)
        found = []
        while ready:
            index = ready.popleft()
            found.append(instances[index])
            for reader in readers[index]:
                missing[reader] -= 1
                if not missing[reader]:
                    ready.append(reader)
        if len(found) < len(instances):
            # Each instance that still waits reads another that waits, so going back ends on a loop.
            waits = {each.output: each for each, count in zip(instances, missing, strict=True) if count}
            wire, seen = next(iter(waits)), set[int]()
            while wire not in seen:
                seen.add(wire)
                wire = next(before for before in waits[wire].inputs if before in waits)
            raise self._fail(self._top, f"combinational loop through {self._names[wire]}")
        return found

    def _check_clock(self, instances: list[_Instance], outputs: Mapping[Bit, int], clock: int | None) -> None:
        data = set(outputs.values())
        for each in instances:
            if isinstance(each.cell, Cell):
                data.update(each.inputs)
                continue
            data.add(each.inputs[1])
            if each.inputs[0] != clock:
                raise self._fail(self._top, f"register {each.name} is not clocked by the port {CLOCK_PORT}")
            if each.cell.reset and each.inputs[2] != _CONSTANTS[each.cell.reset_active_low]:
                raise self._fail(self._top, f"the reset of {each.name} is not tied off")
        if clock in data:
            raise self._fail(self._top, f"{CLOCK_PORT} is used as data")


def _typed(instance: _Instance, net: Mapping[int, int]) -> Gate | Register:
    inputs, output = tuple(net[wire] for wire in instance.inputs), net[instance.output]
    if isinstance(instance.cell, Cell):
        return Gate(instance.name, instance.cell, inputs, output)
    return Register(instance.name, instance.cell, inputs, output)


def plain_name(name: str) -> str:
    """Return an identifier without the backslash that escapes it, and the space that ends it."""
    return name.strip().removeprefix("\\")
