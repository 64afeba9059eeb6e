"""Verilog read back: pyverilog parses, :func:`elaborate` turns a module into a BooleanGraph.

Understood is what this package and Yosys' ``write_verilog -noattr -noexpr`` write: assigns, vectors,
localparam tables, instances, cells of a library, and registers that are a plain pipeline (they count as
wires; :attr:`Elaborated.latencies` says how many stand between inputs and outputs).
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from dwn_asic.errors import DataError, PdkError
from dwn_asic.logic.fold import FALSE, TRUE, FoldingBuilder, Literal
from dwn_asic.network.graph import BooleanGraph, Input, Interface
from dwn_asic.synth.cell_library import Cell, CellLibrary, FlipFlop

__all__ = ["Design", "Elaborated", "Module", "elaborate", "read_verilog"]

Bit = tuple[str, int]
"""A net and an index into it; 0 for a scalar."""

_RECURSION_LIMIT = 200_000


@dataclass
class Module:
    """One module as flat lists; expressions are pyverilog nodes.

    Attributes
    ----------
    inputs, outputs
        Port names in order.
    ranges
        Net name -> (lowest index, width).
    parameters
        localparam name -> value.
    drivers
        Bit -> (expression, bit of the expression's value).
    registers
        Bits driven by a clocked assignment.
    instances
        (module or cell name, instance name, port -> expression).
    """

    name: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    drivers: dict[Bit, tuple[Any, int]] = field(default_factory=dict)
    registers: set[Bit] = field(default_factory=set)
    instances: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def bits(self, net: str) -> Iterator[Bit]:
        """The bits of a net, least significant first."""
        low, width = self.ranges[net]
        return ((net, low + i) for i in range(width))


@dataclass(frozen=True)
class Design:
    """The modules of one Verilog text by name; ``source`` is for messages."""

    source: str
    modules: dict[str, Module]


@dataclass(frozen=True)
class Elaborated:
    """A module as logic.

    Attributes
    ----------
    graph
        Its outputs are the bits of all output ports, in port order, least significant first.
    latencies
        The numbers of registers on the paths from inputs to outputs: one number for a sound pipeline,
        none for a constant circuit.
    """

    graph: BooleanGraph
    latencies: frozenset[int]


def read_verilog(path: Path) -> Design:
    """Parse a Verilog file; raises DataError that names the file."""
    try:
        text = path.read_text()
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    return parse_verilog(text, str(path))


def parse_verilog(text: str, source: str) -> Design:
    """Parse Verilog text; ``source`` names it in errors."""
    from pyverilog.vparser.parser import ParseError

    try:
        tree = _parser().parse(text, debug=0)
    except ParseError as error:
        raise DataError(source, f"not Verilog that pyverilog reads: {error}") from error
    if tree is None:
        raise DataError(source, "holds no Verilog module")
    reader = _ModuleReader(source)
    definitions = [item for item in tree.description.definitions if _is(item, "ModuleDef")]
    return Design(source, {item.name: reader.read(item) for item in definitions})


@cache
def _parser() -> Any:
    """One parser per process: building its tables takes over a second."""
    from pyverilog.vparser.parser import VerilogParser

    # ply writes its tables into a directory and its warnings to stderr: neither is the user's business.
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stderr(io.StringIO()):
        return VerilogParser(outputdir=scratch, debug=False)


def _is(node: Any, *kinds: str) -> bool:
    return type(node).__name__ in kinds


class _ModuleReader:
    """Fills a :class:`Module` from a pyverilog ModuleDef."""

    def __init__(self, source: str) -> None:
        self.source = source

    def read(self, definition: Any) -> Module:
        module = Module(definition.name)
        for port in definition.portlist.ports if definition.portlist else ():
            if _is(port, "Ioport"):
                self._declare(module, port.first)
        later = []
        for item in definition.items:
            if _is(item, "Decl"):
                for declared in item.list:
                    if _is(declared, "Assign"):
                        later.append(declared)
                    else:
                        self._declare(module, declared)
            else:
                later.append(item)
        for item in later:
            self._item(module, item)
        return module

    def _fail(self, module: Module, node: Any, problem: str) -> DataError:
        line = getattr(node, "lineno", 0)
        return DataError(self.source, f"module {module.name}: {problem}", row=line or None)

    def _declare(self, module: Module, node: Any) -> None:
        if _is(node, "Localparam", "Parameter"):
            module.parameters[node.name] = self._constant(module, node.value.var)
            return
        if not _is(node, "Input", "Output", "Wire", "Reg"):
            raise self._fail(module, node, f"{type(node).__name__} is not understood")
        if _is(node, "Input") and node.name not in module.inputs:
            module.inputs.append(node.name)
        if _is(node, "Output") and node.name not in module.outputs:
            module.outputs.append(node.name)
        if node.width is not None:
            ends = [self._constant(module, node.width.msb), self._constant(module, node.width.lsb)]
            module.ranges[node.name] = (min(ends), max(ends) - min(ends) + 1)
        else:
            module.ranges.setdefault(node.name, (0, 1))

    def _item(self, module: Module, item: Any) -> None:
        if _is(item, "Assign"):
            self._assign(module, item.left.var, item.right.var)
        elif _is(item, "InstanceList"):
            for instance in item.instances:
                connections = {port.portname: port.argname for port in instance.portlist}
                if None in connections:
                    raise self._fail(module, item, f"instance {instance.name} connects ports by position")
                module.instances.append((instance.module, instance.name, connections))
        elif _is(item, "Always"):
            statements = item.statement.statements if _is(item.statement, "Block") else [item.statement]
            for statement in statements:
                if not _is(statement, "NonblockingSubstitution"):
                    raise self._fail(module, item, "only plain registers (q <= d) are understood in always")
                for bit in self._assign(module, statement.left.var, statement.right.var):
                    module.registers.add(bit)
        else:
            raise self._fail(module, item, f"{type(item).__name__} is not understood")

    def _assign(self, module: Module, left: Any, right: Any) -> list[Bit]:
        targets = self.target_bits(module, left)
        for position, bit in enumerate(targets):
            if bit in module.drivers:
                raise self._fail(module, left, f"{bit[0]}[{bit[1]}] has two drivers")
            module.drivers[bit] = (right, position)
        return targets

    def target_bits(self, module: Module, node: Any) -> list[Bit]:
        """The bits of a net expression, least significant first."""
        if _is(node, "Identifier"):
            if node.name not in module.ranges:
                # An undeclared net is a scalar wire.
                module.ranges[node.name] = (0, 1)
            return list(module.bits(node.name))
        if _is(node, "Pointer"):
            return [(node.var.name, self._constant(module, node.ptr))]
        if _is(node, "Partselect"):
            high, low = self._constant(module, node.msb), self._constant(module, node.lsb)
            return [(node.var.name, i) for i in range(low, high + 1)]
        if _is(node, "Concat", "LConcat"):
            return [bit for part in reversed(node.list) for bit in self.target_bits(module, part)]
        raise self._fail(module, node, f"{type(node).__name__} is not understood as a net")

    def _constant(self, module: Module, node: Any) -> int:
        if _is(node, "Rvalue"):
            node = node.var
        if _is(node, "IntConst"):
            return _integer(node.value)[0]
        if _is(node, "Identifier") and node.name in module.parameters:
            return module.parameters[node.name]
        raise self._fail(module, node, "expected a constant")


def _integer(text: str) -> tuple[int, int | None]:
    """Value and width (None: unsized) of a Verilog integer; x and z digits read as 0."""
    text = text.replace("_", "")
    if "'" not in text:
        return int(text), None
    size, rest = text.split("'")
    rest = rest.lower().lstrip("s")
    base = {"b": 2, "o": 8, "d": 10, "h": 16}[rest[0]]
    digits = rest[1:].translate(str.maketrans("xz?", "000"))
    return int(digits, base), int(size) if size else None


def elaborate(
    design: Design,
    top: str,
    input_of: Callable[[str, int], Input],
    interface: Interface,
    library: CellLibrary | None = None,
) -> Elaborated:
    """Flatten ``top`` into a BooleanGraph.

    Parameters
    ----------
    design
        From :func:`read_verilog`.
    top
        Module name.
    input_of
        What bit ``index`` (counted from the port's least significant bit) of an input port means.
    interface
        For the graph.
    library
        Functions of the cells that are not modules of the design.

    Raises
    ------
    DataError
        For an unknown module or cell, an undriven net, or a combinational loop.
    """
    if top not in design.modules:
        raise DataError(design.source, f"has no module {top} (modules: {', '.join(design.modules)})")
    builder = FoldingBuilder(interface)
    scope = _Scope(design, design.modules[top], builder, library, top)
    module = scope.module
    for port in module.inputs:
        for position, bit in enumerate(module.bits(port)):
            scope.outside[bit] = partial(_top_input, builder, input_of, port, position)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        values = [scope.value(bit) for port in module.outputs for bit in module.bits(port)]
    finally:
        sys.setrecursionlimit(limit)
    latencies = frozenset[int]().union(*(value.latencies for value in values))
    return Elaborated(builder.finish([value.literal for value in values]), latencies)


def _top_input(
    builder: FoldingBuilder, input_of: Callable[[str, int], Input], port: str, position: int
) -> _Value:
    return _Value(builder.input(input_of(port, position)), frozenset({0}))


@dataclass(frozen=True)
class _Value:
    """A bit's function, and the numbers of registers on the paths to it (none for constants)."""

    literal: Literal
    latencies: frozenset[int]

    def registered(self) -> _Value:
        return _Value(self.literal, frozenset(n + 1 for n in self.latencies))


class _Scope:
    """One instance of a module during elaboration; values are found on demand, each once."""

    def __init__(
        self, design: Design, module: Module, builder: FoldingBuilder, library: CellLibrary | None, path: str
    ) -> None:
        self.design, self.module, self.path = design, module, path
        self.builder, self.library = builder, library
        self.outside: dict[Bit, Callable[[], _Value]] = {}
        self._values: dict[Bit, _Value | None] = {}
        self._inside: dict[Bit, Callable[[], _Value]] = {}
        self._reader = _ModuleReader(design.source)
        for kind, name, connections in module.instances:
            self._connect(kind, name, connections)

    def _fail(self, problem: str) -> DataError:
        return DataError(self.design.source, f"{self.path}: {problem}")

    def _connect(self, kind: str, name: str, connections: dict[str, Any]) -> None:
        if kind in self.design.modules:
            child = self.design.modules[kind]
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
        self._drive(connections, cell.output, 0, partial(self._cell, name, connections, cell))

    def _cell(self, name: str, connections: dict[str, Any], cell: Cell | FlipFlop) -> _Value:
        if isinstance(cell, Cell):
            return self._function([self._pin(name, connections, pin, 0) for pin in cell.inputs], cell.table)
        held = self._pin(name, connections, cell.data, 0).registered()
        return self._function([held], 0b01) if cell.inverting else held

    def _drive(
        self, connections: dict[str, Any], port: str, position: int, value: Callable[[], _Value]
    ) -> None:
        if connections.get(port) is None:
            return
        bit = self._reader.target_bits(self.module, connections[port])[position]
        if bit in self._inside or bit in self.module.drivers:
            raise self._fail(f"{bit[0]}[{bit[1]}] has two drivers")
        self._inside[bit] = value

    def _pin(self, name: str, connections: dict[str, Any], port: str, position: int) -> _Value:
        if connections.get(port) is None:
            raise self._fail(f"input {port} of instance {name} is not connected")
        return self._expression(connections[port], position)

    def _function(self, values: list[_Value], table: int) -> _Value:
        literal = self.builder.lut([value.literal for value in values], table)
        return _Value(literal, frozenset().union(*(value.latencies for value in values)))

    def value(self, bit: Bit) -> _Value:
        """The value of one bit of one net of this instance."""
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
                found = found.registered()
        elif bit in self._inside:
            found = self._inside[bit]()
        elif bit in self.outside:
            found = self.outside[bit]()
        else:
            raise self._fail(f"{bit[0]}[{bit[1]}] has no driver")
        self._values[bit] = found
        return found

    def _expression(self, node: Any, position: int) -> _Value:
        """Bit ``position`` of an expression's value."""
        if _is(node, "Rvalue"):
            node = node.var
        if _is(node, "IntConst"):
            return _CONSTANTS[_integer(node.value)[0] >> position & 1]
        if _is(node, "Pointer") and node.var.name in self.module.parameters:
            return self._table(node)
        if _is(node, "Identifier", "Pointer", "Partselect", "Concat"):
            return self._part(node, position)
        if _is(node, "Unot", "Ulnot"):
            return self._function([self._expression(node.right, position)], 0b01)
        if _is(node, "Cond"):
            parts = [node.false_value, node.true_value]
            chosen = [self._expression(part, position) for part in parts]
            return self._function([*chosen, self._expression(node.cond, 0)], 0b11001010)
        table = _OPERATORS.get(type(node).__name__)
        if table is None:
            raise self._fail(f"{type(node).__name__} is not understood")
        return self._function(
            [self._expression(node.left, position), self._expression(node.right, position)], table
        )

    def _part(self, node: Any, position: int) -> _Value:
        if _is(node, "Concat"):
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
        if _is(node, "IntConst"):
            return _integer(node.value)[1] or 32
        if _is(node, "Identifier", "Pointer", "Partselect"):
            return len(self._reader.target_bits(self.module, node))
        if _is(node, "Concat"):
            return sum(self._width(part) for part in node.list)
        raise self._fail(f"{type(node).__name__} inside a concatenation is not understood")

    def _table(self, node: Any) -> _Value:
        """``TABLE[{a, b, c}]``: a lookup table."""
        address = node.ptr
        n = self._width(address)
        return self._function(
            [self._expression(address, k) for k in range(n)], self.module.parameters[node.var.name]
        )


_CONSTANTS = (_Value(FALSE, frozenset()), _Value(TRUE, frozenset()))
_OPERATORS = {
    "And": 0b1000,
    "Or": 0b1110,
    "Xor": 0b0110,
    "Xnor": 0b1001,
    "Land": 0b1000,
    "Lor": 0b1110,
}
