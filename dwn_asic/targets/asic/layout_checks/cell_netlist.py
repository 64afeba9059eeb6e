"""Netlists of cells as plain connections: which net is at which pin, without what the cells compute.

Both sides of a comparison have this form: the Verilog netlist, and the cells that are found in a layout.
Unlike :mod:`dwn_asic.verilog.flat_netlist` it has all cells, also those without logic, such as fillers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dwn_asic.errors import DataError
from dwn_asic.verilog.flat_netlist import plain_name
from dwn_asic.verilog.reader import Bit, Design, Module, ModuleReader, integer, is_kind

__all__ = ["CellInstance", "CellNetlist", "cell_netlist", "top_module"]


@dataclass(frozen=True)
class CellInstance:
    """An instance of a library cell.

    Attributes
    ----------
    name
        Hierarchical name below the top module.
    cell
        Name of the cell.
    pins
        Pin -> net, for the connected pins.
    """

    name: str
    cell: str
    pins: Mapping[str, str]


@dataclass(frozen=True)
class CellNetlist:
    """Cells and the nets between them, without hierarchy.

    Attributes
    ----------
    source
        Name of the file.
    top
        Name of the top module or cell.
    ports
        Bit of a port, such as ``x0_V1[3]``, or supply -> net; several ports may have one net.
    inputs, outputs
        Those of the ports that are inputs and outputs.
    instances
        The cells.
    """

    source: str
    top: str
    ports: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    instances: tuple[CellInstance, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the cells, each once, sorted."""
        return tuple(sorted({each.cell for each in self.instances}))


def top_module(design: Design, name: str = "") -> str:
    """Return the module of that name, or the only one that no other contains; raises DataError without it."""
    inside = {kind for module in design.modules.values() for kind, *_ in module.instances}
    tops = [each for each in design.modules if each not in inside]
    if name in design.modules or (not name and len(tops) == 1):
        return name or tops[0]
    problem = f"has no module {name}" if name else f"has {len(tops)} top modules, so one must be named"
    raise DataError(design.source, f"{problem} (modules: {', '.join(design.modules)})")


def cell_netlist(
    design: Design, top: str, supplies: Mapping[str, Sequence[str]], constants: tuple[str, str]
) -> CellNetlist:
    """Flatten a mapped design down to its library cells.

    Parameters
    ----------
    design
        A design of cells, module instances and assigns between nets.
    top
        Name of the top module.
    supplies
        Net of each supply -> names of the cell pins that it is at; netlists may leave them out.
    constants
        Supplies that 0 and 1 are tied to.

    Raises
    ------
    DataError
        The design has logic other than cells, a module within itself, or ports by position.
    """
    flattener = _Flattener(design, supplies, constants)
    flattener.fill(_Scope(design.modules[top], "", (top,)))
    return flattener.netlist(top)


@dataclass(frozen=True)
class _Scope:
    """One instance of a module: the module, its path below the top, and the modules above it."""

    module: Module
    path: str
    kinds: tuple[str, ...]

    def name(self, local: str) -> str:
        return f"{self.path}.{plain_name(local)}" if self.path else plain_name(local)

    def bit(self, bit: Bit) -> str:
        """Return the name of a bit of a net."""
        net, index = bit
        scalar = self.module.ranges.get(net, (0, 1)) == (0, 1)
        return self.name(net) + ("" if scalar else f"[{index}]")


@dataclass
class _Flattener:
    """Collects the instances of all modules, and joins the nets on both sides of ports and assigns."""

    design: Design
    supplies: Mapping[str, Sequence[str]]
    constants: tuple[str, str]
    joined: dict[str, str] = field(default_factory=dict)
    instances: list[CellInstance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = ModuleReader(self.design.source)

    def root(self, net: str) -> str:
        while (above := self.joined.get(net, net)) != net:
            self.joined[net] = self.joined.get(above, above)
            net = above
        return net

    def join(self, inner: str, outer: str) -> None:
        """Make two nets one; it keeps the name of a supply, else that of the outer net."""
        first, second = self.root(inner), self.root(outer)
        if first != second:
            if first in self.supplies:
                first, second = second, first
            self.joined[first] = second

    def fill(self, scope: _Scope) -> None:
        """Take over the assigns and instances of a module, and of those inside it."""
        module = scope.module
        if module.registers:
            net = next(iter(module.registers))
            raise DataError(self.design.source, f"the register {scope.bit(net)} is not mapped to a cell")
        for bit, (node, position) in module.drivers.items():
            bits = self.nets(scope, node)
            self.join(scope.bit(bit), bits[position] if position < len(bits) else self.constants[0])
        for kind, name, connections in module.instances:
            pins = {plain_name(pin): self.nets(scope, node) for pin, node in connections.items() if node}
            if kind in self.design.modules:
                self.descend(scope, kind, name, pins)
                continue
            at = {pin: bits[0] for pin, bits in pins.items()}
            for supply, names in self.supplies.items():
                at |= dict.fromkeys(names, supply)
            self.instances.append(CellInstance(scope.name(name), plain_name(kind), at))

    def descend(self, scope: _Scope, kind: str, name: str, pins: Mapping[str, list[str]]) -> None:
        if kind in scope.kinds:
            raise DataError(self.design.source, f"{kind} contains itself")
        inner = _Scope(self.design.modules[kind], scope.name(name), (*scope.kinds, kind))
        for port, outside in pins.items():
            inside = (
                [inner.bit(bit) for bit in inner.module.bits(port)] if port in inner.module.ranges else []
            )
            if not inside:
                raise DataError(self.design.source, f"{inner.path}: {kind} has no port {port}")
            for one, other in zip(inside, outside, strict=False):
                self.join(one, other)
        self.fill(inner)

    def nets(self, scope: _Scope, node: Any) -> list[str]:
        """Return the nets of an expression, least significant first."""
        if is_kind(node, "Rvalue"):
            node = node.var
        if is_kind(node, "IntConst"):
            value, width = integer(node.value)
            return [self.constants[value >> position & 1] for position in range(width or 32)]
        if is_kind(node, "Concat"):
            return [net for part in reversed(node.list) for net in self.nets(scope, part)]
        if not is_kind(node, "Identifier", "Pointer", "Partselect"):
            raise DataError(self.design.source, f"{type(node).__name__} is logic that is not mapped to cells")
        return [scope.bit(bit) for bit in self.reader.target_bits(scope.module, node)]

    def netlist(self, top: str) -> CellNetlist:
        scope = _Scope(self.design.modules[top], "", (top,))
        module = scope.module
        inputs, outputs = (
            tuple(scope.bit(bit) for port in ports for bit in module.bits(port) if port not in self.supplies)
            for ports in (module.inputs, module.outputs)
        )
        ports = {name: self.root(name) for name in (*inputs, *outputs)}
        ports |= {supply: supply for supply in self.supplies}
        instances = tuple(
            CellInstance(each.name, each.cell, {pin: self.root(net) for pin, net in each.pins.items()})
            for each in self.instances
        )
        return CellNetlist(self.design.source, top, ports, inputs, outputs, instances)
