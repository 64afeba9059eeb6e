"""Verilog reader: pyverilog parses, and each module becomes flat lists of drivers and instances.

The reader supports the subset that this package and Yosys' ``write_verilog -noattr -noexpr`` write: assigns,
vectors, localparam tables, instances, library cells, and registers. Anything else is an error, never a guess.
:mod:`dwn_asic.verilog.elaborate` turns the modules into logic.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dwn_asic.errors import DataError

__all__ = [
    "Bit",
    "Design",
    "Module",
    "ModuleReader",
    "integer",
    "is_kind",
    "parse_verilog",
    "read_verilog",
]

Bit = tuple[str, int]
"""A net and an index into it; index 0 for a scalar."""


@dataclass
class Module:
    """One module as flat lists; expressions are pyverilog nodes.

    Attributes
    ----------
    name
        Name of the module.
    inputs, outputs
        Port names in order.
    ranges
        Net name -> (lowest index, width).
    parameters
        localparam name -> value.
    drivers
        Bit -> (expression, bit of the expression's value).
    registers
        Bit driven by a clocked assignment -> the clock's expression.
    instances
        (module or cell name, instance name, port -> expression).
    inouts
        Names of the ports of both directions, which are those of supplies.
    """

    name: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    drivers: dict[Bit, tuple[Any, int]] = field(default_factory=dict)
    registers: dict[Bit, Any] = field(default_factory=dict)
    instances: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    inouts: list[str] = field(default_factory=list)

    def bits(self, net: str) -> Iterator[Bit]:
        """Return the bits of a net, least significant first."""
        low, width = self.ranges[net]
        return ((net, low + i) for i in range(width))


@dataclass(frozen=True)
class Design:
    """The modules of one Verilog text by name; ``source`` names the text in messages."""

    source: str
    modules: dict[str, Module]


def read_verilog(path: Path) -> Design:
    """Read and parse a Verilog file; raises DataError that names the file."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, f"cannot be read: {getattr(error, 'strerror', error)}") from error
    return parse_verilog(text, str(path))


def parse_verilog(text: str, source: str) -> Design:
    """Parse Verilog text; ``source`` names it in errors.

    Raises
    ------
    DataError
        The text is not Verilog, or uses a construct that is not supported.
    """
    from pyverilog.vparser.parser import ParseError

    parser = _parser()
    parser.lexer.reset_lineno()
    try:
        tree = parser.parse(text, debug=0)
    except ParseError as error:
        problem = str(error).removeprefix("None: ").strip()
        raise DataError(source, f"pyverilog cannot parse it: {problem}") from error
    reader = ModuleReader(source)
    definitions = [item for item in tree.description.definitions if is_kind(item, "ModuleDef")]
    return Design(source, {item.name: reader.read(item) for item in definitions})


@cache
def _parser() -> Any:
    """Return the parser of this process, since building its tables takes over a second."""
    from pyverilog.vparser.parser import VerilogParser

    # ply writes tables to a directory and warnings to stderr; neither concerns the user.
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stderr(io.StringIO()):
        return VerilogParser(outputdir=scratch, debug=False)


def is_kind(node: Any, *kinds: str) -> bool:
    """Return whether a pyverilog node belongs to one of these classes."""
    return type(node).__name__ in kinds


class ModuleReader:
    """A reader that builds a :class:`Module` from a pyverilog ModuleDef."""

    def __init__(self, source: str) -> None:
        self.source = source

    def read(self, definition: Any) -> Module:
        """Return the module of a pyverilog ModuleDef; raises DataError for unsupported constructs."""
        module = Module(definition.name)
        for port in definition.portlist.ports if definition.portlist else ():
            if is_kind(port, "Ioport"):
                self._declare(module, port.first)
        later = []
        for item in definition.items:
            if is_kind(item, "Decl"):
                for declared in item.list:
                    if is_kind(declared, "Assign"):
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
        if is_kind(node, "Localparam", "Parameter"):
            module.parameters[node.name] = self._constant(module, node.value.var)
            return
        if not is_kind(node, "Input", "Output", "Inout", "Wire", "Reg"):
            raise self._fail(module, node, f"{type(node).__name__} is not supported")
        if node.dimensions is not None:
            raise self._fail(module, node, f"{node.name} is an array, which is not supported")
        if is_kind(node, "Input") and node.name not in module.inputs:
            module.inputs.append(node.name)
        if is_kind(node, "Output") and node.name not in module.outputs:
            module.outputs.append(node.name)
        if is_kind(node, "Inout") and node.name not in module.inouts:
            module.inouts.append(node.name)
        if node.width is not None:
            high, low = self._limits(module, node.width)
            module.ranges[node.name] = (low, high - low + 1)
        else:
            module.ranges.setdefault(node.name, (0, 1))

    def _item(self, module: Module, item: Any) -> None:
        if is_kind(item, "Assign"):
            self._assign(module, item.left.var, item.right.var)
        elif is_kind(item, "InstanceList"):
            for instance in item.instances:
                connections = {port.portname: port.argname for port in instance.portlist}
                if None in connections:
                    raise self._fail(module, item, f"instance {instance.name} connects ports by position")
                if instance.parameterlist or instance.array:
                    raise self._fail(module, item, f"instance {instance.name} has parameters or is an array")
                module.instances.append((instance.module, instance.name, connections))
        elif is_kind(item, "Always"):
            edges = item.sens_list.list
            if len(edges) != 1 or edges[0].type != "posedge":
                raise self._fail(module, item, "only always @(posedge clock) is supported")
            statements = item.statement.statements if is_kind(item.statement, "Block") else [item.statement]
            for statement in statements:
                if not is_kind(statement, "NonblockingSubstitution"):
                    raise self._fail(module, item, "only plain registers (q <= d) are supported in always")
                for bit in self._assign(module, statement.left.var, statement.right.var):
                    module.registers[bit] = edges[0].sig
        else:
            raise self._fail(module, item, f"{type(item).__name__} is not supported")

    def _assign(self, module: Module, left: Any, right: Any) -> list[Bit]:
        targets = self.target_bits(module, left)
        for position, bit in enumerate(targets):
            if bit in module.drivers or bit[0] in module.inputs:
                raise self._fail(module, left, f"{bit[0]}[{bit[1]}] has two drivers")
            module.drivers[bit] = (right, position)
        return targets

    def target_bits(self, module: Module, node: Any) -> list[Bit]:
        """Return the bits of a net expression, least significant first."""
        if is_kind(node, "Identifier"):
            if node.name not in module.ranges:
                # An undeclared net is a scalar wire.
                module.ranges[node.name] = (0, 1)
            return list(module.bits(node.name))
        if is_kind(node, "Pointer"):
            return [(node.var.name, self._constant(module, node.ptr))]
        if is_kind(node, "Partselect"):
            high, low = self._limits(module, node)
            return [(node.var.name, i) for i in range(low, high + 1)]
        if is_kind(node, "Concat", "LConcat"):
            return [bit for part in reversed(node.list) for bit in self.target_bits(module, part)]
        raise self._fail(module, node, f"{type(node).__name__} is not supported as a net")

    def _limits(self, module: Module, node: Any) -> tuple[int, int]:
        """Return the highest and the lowest index of a range or a part-select."""
        high, low = self._constant(module, node.msb), self._constant(module, node.lsb)
        if high < low:
            raise self._fail(module, node, f"the ascending range [{high}:{low}] is not supported")
        return high, low

    def _constant(self, module: Module, node: Any) -> int:
        if is_kind(node, "Rvalue"):
            node = node.var
        if is_kind(node, "IntConst"):
            return integer(node.value)[0]
        if is_kind(node, "Identifier") and node.name in module.parameters:
            return module.parameters[node.name]
        raise self._fail(module, node, "expected a constant")


def integer(text: str) -> tuple[int, int | None]:
    """Return value and width (None if unsized) of a Verilog integer; x and z digits are read as 0."""
    text = text.replace("_", "")
    if "'" not in text:
        return int(text), None
    size, rest = text.split("'")
    rest = rest.lower().lstrip("s")
    base = {"b": 2, "o": 8, "d": 10, "h": 16}[rest[0]]
    digits = rest[1:].translate(str.maketrans("xz?", "000"))
    return int(digits, base), int(size) if size else None
