"""Elaboration of the modules of a Verilog text into one BooleanGraph.

Registers must form a plain pipeline on one clock. They are treated as wires; :attr:`Elaborated.latencies`
counts the registers between inputs and outputs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from dwn_asic.boolean import truth_table as tt
from dwn_asic.boolean.fold import FALSE, TRUE, FoldingBuilder, Literal
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Input, Interface
from dwn_asic.boolean.ports import CLASS_PORT, CLOCK_PORT, feature_of_port, feature_port
from dwn_asic.errors import DataError, PdkError, VerificationError
from dwn_asic.verilog.cell import Cell, FlipFlop
from dwn_asic.verilog.reader import Bit, Design, Module, ModuleReader, integer, is_kind

__all__ = ["Cells", "Elaborated", "elaborate", "elaborate_top", "feature_bit"]

_RECURSION_LIMIT = 50_000
_MOST_ADDRESS_BITS = 16


class Cells(Protocol):
    """A source of cell functions, for example a cell library."""

    def cell(self, name: str) -> Cell | FlipFlop:
        """Return the cell or flip-flop of that name; raises PdkError if there is none."""


@dataclass(frozen=True)
class Elaborated:
    """A module as logic.

    Attributes
    ----------
    graph
        The graph, whose outputs are the bits of all output ports, in port order, least significant first.
    latencies
        The numbers of registers on the paths from inputs to outputs: one number for a valid pipeline, none
        for a constant circuit.
    """

    graph: BooleanGraph
    latencies: frozenset[int]


def elaborate(
    design: Design,
    top: str,
    input_of: Callable[[str, int], Input],
    interface: Interface,
    library: Cells | None = None,
) -> Elaborated:
    """Flatten ``top`` into a BooleanGraph.

    Parameters
    ----------
    design
        A design from :func:`read_verilog`.
    top
        Name of the top module.
    input_of
        Function (port, index) -> graph input; index 0 is the port's least significant bit.
    interface
        Interface of the graph.
    library
        Functions of the cells that are not modules of the design.

    Raises
    ------
    DataError
        The design has an unknown module, cell or pin, an undriven net, a combinational loop, or a register
        whose clock is not the port :data:`CLOCK_PORT` of ``top``.
    """
    if top not in design.modules:
        raise DataError(design.source, f"has no module {top} (modules: {', '.join(design.modules)})")
    builder = FoldingBuilder(interface)
    scope = _Scope(design, design.modules[top], builder, library, top)
    module = scope.module
    for port in module.inputs:
        if port == CLOCK_PORT:
            scope.outside[port, 0] = lambda: _CLOCK
            continue
        for position, bit in enumerate(module.bits(port)):
            scope.outside[bit] = partial(_top_input, builder, input_of, port, position)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        values = [scope.value(bit) for port in module.outputs for bit in module.bits(port)]
    except RecursionError as error:
        raise DataError(design.source, f"the logic of {top} is nested too deeply") from error
    finally:
        sys.setrecursionlimit(limit)
    if any(value is _CLOCK for value in values):
        raise DataError(design.source, f"{top}: {CLOCK_PORT} is used as data")
    latencies = frozenset[int]().union(*(value.latencies for value in values))
    return Elaborated(builder.finish([value.literal for value in values]), latencies)


def elaborate_top(
    design: Design, top: str, interface: Interface, library: Cells | None, latency: int
) -> Elaborated:
    """Elaborate a top module written by this package, or mapped from one; check its ports and pipeline depth.

    Raises
    ------
    VerificationError
        Some path from an input to an output crosses a number of registers other than ``latency``, an input
        port has not the name of a feature, or the output port is not :data:`CLASS_PORT`.
    """

    def input_of(port: str, bit: int) -> Input:
        found = feature_bit(interface, port, bit)
        if found is None:
            raise VerificationError(f"{design.source}: port {port} of {top} is not a feature")
        return found

    elaborated = elaborate(design, top, input_of, interface, library)
    outputs = design.modules[top].outputs
    if outputs != [CLASS_PORT]:
        raise VerificationError(
            f"{design.source}: the outputs of {top} are {', '.join(outputs)}, expected {CLASS_PORT}"
        )
    if not elaborated.latencies <= {latency}:
        found = ", ".join(map(str, sorted(elaborated.latencies)))
        raise VerificationError(
            f"{design.source}: {found} registers from input to output, expected {latency}"
        )
    return elaborated


def feature_bit(interface: Interface, port: str, bit: int) -> CodeBit | None:
    """Return the code bit at a bit of a port; None if the port is not that of a feature of this width."""
    feature = feature_of_port(port)
    if feature is None or feature >= len(interface.widths) or bit >= interface.widths[feature]:
        return None
    named = port == feature_port(feature, interface.feature_names[feature])
    return CodeBit(feature, bit) if named else None


def _top_input(
    builder: FoldingBuilder, input_of: Callable[[str, int], Input], port: str, position: int
) -> _Value:
    return _Value(builder.input(input_of(port, position)), frozenset({0}))


@dataclass(frozen=True)
class _Value:
    """A bit's function, and the numbers of registers on the paths to it (none for constants)."""

    literal: Literal
    latencies: frozenset[int]


class _Scope:
    """One instance of a module during elaboration; each value is computed once, when it is first needed."""

    def __init__(
        self, design: Design, module: Module, builder: FoldingBuilder, library: Cells | None, path: str
    ) -> None:
        self.design, self.module, self.path = design, module, path
        self.builder, self.library = builder, library
        self.outside: dict[Bit, Callable[[], _Value]] = {}
        self._values: dict[Bit, _Value | None] = {}
        self._inside: dict[Bit, Callable[[], _Value]] = {}
        self._reader = ModuleReader(design.source)
        for kind, name, connections in module.instances:
            self._connect(kind, name, connections)

    def _fail(self, problem: str) -> DataError:
        return DataError(self.design.source, f"{self.path}: {problem}")

    def _connect(self, kind: str, name: str, connections: dict[str, Any]) -> None:
        if kind in self.design.modules:
            child = self.design.modules[kind]
            self._check_pins(name, kind, connections, {*child.inputs, *child.outputs})
            scope = _Scope(self.design, child, self.builder, self.library, f"{self.path}.{name}")
            for port in child.inputs:
                for position, bit in enumerate(child.bits(port)):
                    scope.outside[bit] = partial(self._pin, name, connections, port, position)
            for port in child.outputs:
                for position, bit in enumerate(child.bits(port)):
                    self._drive(connections, port, position, partial(scope.value, bit))
            return
        if self.library is None:
            raise self._fail(f"instance {name} of unknown module {kind}")
        try:
            cell = self.library.cell(kind)
        except PdkError as error:
            raise self._fail(f"instance {name}: {error}") from error
        self._check_pins(name, kind, connections, {*cell.inputs, cell.output})
        self._drive(connections, cell.output, 0, partial(self._cell, name, connections, cell))

    def _check_pins(self, name: str, kind: str, connections: dict[str, Any], known: set[str]) -> None:
        if unknown := sorted(connections.keys() - known):
            raise self._fail(f"instance {name}: {kind} has no pin {unknown[0]}")

    def _cell(self, name: str, connections: dict[str, Any], cell: Cell | FlipFlop) -> _Value:
        if isinstance(cell, Cell):
            return self._function([self._pin(name, connections, pin, 0) for pin in cell.inputs], cell.table)
        if cell.reset:
            inactive = TRUE if cell.reset_active_low else FALSE
            if self._pin(name, connections, cell.reset, 0).literal != inactive:
                raise self._fail(f"the reset of {name} is not tied off")
        clock, data = (self._pin(name, connections, pin, 0) for pin in (cell.clock, cell.data))
        held = self._register(name, clock, data)
        return self._function([held], 0b01) if cell.inverting else held

    def _drive(
        self, connections: dict[str, Any], port: str, position: int, value: Callable[[], _Value]
    ) -> None:
        if connections.get(port) is None:
            return
        bits = self._reader.target_bits(self.module, connections[port])
        if position >= len(bits):
            return  # Verilog leaves bits beyond the width of the net unconnected.
        bit = bits[position]
        if bit in self._inside or bit in self.module.drivers or bit[0] in self.module.inputs:
            raise self._fail(f"{bit[0]}[{bit[1]}] has two drivers")
        self._inside[bit] = value

    def _pin(self, name: str, connections: dict[str, Any], port: str, position: int) -> _Value:
        if connections.get(port) is None:
            raise self._fail(f"input {port} of instance {name} is not connected")
        return self._expression(connections[port], position)

    def _register(self, name: str, clock: _Value, data: _Value) -> _Value:
        if clock is not _CLOCK:
            raise self._fail(f"register {name} is not clocked by the port {CLOCK_PORT}")
        if data is _CLOCK:
            raise self._fail(f"{CLOCK_PORT} is used as data")
        return _Value(data.literal, frozenset(n + 1 for n in data.latencies))

    def _function(self, values: list[_Value], table: int) -> _Value:
        if any(value is _CLOCK for value in values):
            raise self._fail(f"{CLOCK_PORT} is used as data")
        literal = self.builder.lut([value.literal for value in values], table)
        return _Value(literal, frozenset().union(*(value.latencies for value in values)))

    def value(self, bit: Bit) -> _Value:
        """Return the value of one bit of one net of this instance."""
        if bit in self._values:
            known = self._values[bit]
            if known is None:
                raise self._fail(f"combinational loop through {bit[0]}[{bit[1]}]")
            return known
        self._values[bit] = None
        if bit in self.module.drivers:
            expression, position = self.module.drivers[bit]
            found = self._expression(expression, position)
            if bit in self.module.registers:
                clock = self._expression(self.module.registers[bit], 0)
                found = self._register(bit[0], clock, found)
        elif bit in self._inside:
            found = self._inside[bit]()
        elif bit in self.outside:
            found = self.outside[bit]()
        else:
            raise self._fail(f"{bit[0]}[{bit[1]}] has no driver")
        self._values[bit] = found
        return found

    def _expression(self, node: Any, position: int) -> _Value:
        """Return bit ``position`` of the value of an expression."""
        if is_kind(node, "Rvalue"):
            node = node.var
        if is_kind(node, "IntConst"):
            return _CONSTANTS[integer(node.value)[0] >> position & 1]
        if is_kind(node, "Pointer") and node.var.name in self.module.parameters:
            return self._table(node) if position == 0 else _CONSTANTS[0]
        if is_kind(node, "Identifier", "Pointer", "Partselect", "Concat"):
            return self._part(node, position)
        if is_kind(node, "Unot"):
            return self._function([self._expression(node.right, position)], 0b01)
        if is_kind(node, "Cond"):
            if self._width(node.cond) != 1:
                raise self._fail("a condition wider than one bit is not supported")
            parts = [node.false_value, node.true_value]
            chosen = [self._expression(part, position) for part in parts]
            return self._function([*chosen, self._expression(node.cond, 0)], 0b11001010)
        table = _OPERATORS.get(type(node).__name__)
        if table is None:
            raise self._fail(f"{type(node).__name__} is not supported")
        return self._function(
            [self._expression(node.left, position), self._expression(node.right, position)], table
        )

    def _part(self, node: Any, position: int) -> _Value:
        if is_kind(node, "Concat"):
            for part in reversed(node.list):
                width = self._width(part)
                if position < width:
                    return self._expression(part, position)
                position -= width
            return _CONSTANTS[0]
        bits = self._reader.target_bits(self.module, node)
        # Verilog extends a narrower value with zeros.
        return self.value(bits[position]) if position < len(bits) else _CONSTANTS[0]

    def _width(self, node: Any) -> int:
        if is_kind(node, "IntConst"):
            return integer(node.value)[1] or 32
        if is_kind(node, "Pointer"):
            return 1
        if is_kind(node, "Identifier", "Partselect"):
            return len(self._reader.target_bits(self.module, node))
        if is_kind(node, "Concat"):
            return sum(self._width(part) for part in node.list)
        if is_kind(node, "Unot"):
            return self._width(node.right)
        if type(node).__name__ in _OPERATORS:
            return max(self._width(node.left), self._width(node.right))
        raise self._fail(f"{type(node).__name__} is not supported where its width matters")

    def _table(self, node: Any) -> _Value:
        """Return the value of a lookup table, ``TABLE[{a, b, c}]``."""
        address = node.ptr
        n = self._width(address)
        if n > _MOST_ADDRESS_BITS:
            raise self._fail(f"{node.var.name} has an address of {n} bits, more than {_MOST_ADDRESS_BITS}")
        # A shorter address reaches only the start of the table.
        table = self.module.parameters[node.var.name] & tt.full(n)
        return self._function([self._expression(address, k) for k in range(n)], table)


# Compared by identity: the clock is not data, and registers must be driven by the clock port itself.
_CLOCK = _Value(FALSE, frozenset())
_CONSTANTS = (_Value(FALSE, frozenset()), _Value(TRUE, frozenset()))
_OPERATORS = {
    "And": 0b1000,
    "Or": 0b1110,
    "Xor": 0b0110,
    "Xnor": 0b1001,
}
