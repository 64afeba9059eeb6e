"""Verilog of a large circuit, module by module: what each part computes, and how the parts are connected.

The text is parsed one module at a time, so that memory never holds more than one part. A module with
instances of others is read as wiring: the pins of its instances become ports of it (:func:`opened`), and what
drives each of them is compared with the circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, Input, Interface
from dwn_asic.boolean.modules import Pieces
from dwn_asic.boolean.ports import (
    CLASS_PORT,
    PART_INPUTS,
    PART_OUTPUTS,
    THERMOMETER_PORT,
    feature_port,
    part_instance,
    part_module,
)
from dwn_asic.errors import DataError, VerificationError
from dwn_asic.verilog.elaborate import Cells, Elaborated, elaborate, feature_bit
from dwn_asic.verilog.plain import plain_graph
from dwn_asic.verilog.reader import Design, Module, ModuleReader, integer, is_kind, parse_verilog
from dwn_asic.verilog.text import split_modules
from dwn_asic.verilog.writer import Registers, used_bits

__all__ = ["Pair", "opened", "pairs"]

Given = Callable[[str, int], Input]
"""The input of a graph that stands for a bit of a port."""


Pair = tuple[str, BooleanGraph, BooleanGraph]
"""Name of a module, the graph that it must equal, and the module as logic."""


def pairs(
    text: str,
    source: str,
    name: str,
    circuit: Circuit,
    cells: Cells | None,
    registers: Registers,
    *,
    pipeline: bool = False,
) -> Iterator[Pair]:
    """Check the wiring of a large circuit's Verilog, and yield each part with the graph that it must equal.

    Parameters
    ----------
    text, source
        Verilog text, and its name in messages.
    name
        Prefix of the module names.
    circuit
        The circuit; encoder or core has modules.
    cells
        Functions of library cells.
    registers, pipeline
        Where the top module has flip-flops, and whether it has them between encoder and core.

    Raises
    ------
    VerificationError
        An instance is connected to something else than in the circuit, or registers are missing.
    DataError
        A module is missing or cannot be read.
    """
    texts = _Texts(split_modules(text), source, cells)
    core, encoder = circuit.core, circuit.encoder
    _check_top(texts, name, circuit, registers, pipeline=pipeline)
    feature = partial(_feature_bit, core.interface)
    yield from _pairs_of(texts, f"{name}_encoder", encoder, feature, THERMOMETER_PORT)
    thermometer = partial(_input_at, [node for _, node in core.inputs])
    yield from _pairs_of(texts, f"{name}_core", core, thermometer, CLASS_PORT)


def opened(module: Module, children: Mapping[str, Module], source: str) -> Module:
    """Return a module without its instances of other modules, whose pins become ports.

    An input pin P of instance I becomes the output port ``I.P``, and an output pin the input port ``I.P``.

    Parameters
    ----------
    module
        The module.
    children
        Modules by name, whose instances are removed.
    source
        Name of the text in messages.

    Raises
    ------
    DataError
        A net has two drivers.
    """
    reader = ModuleReader(source)
    found = replace(
        module,
        inputs=list(module.inputs),
        outputs=list(module.outputs),
        ranges=dict(module.ranges),
        drivers=dict(module.drivers),
        instances=[each for each in module.instances if each[0] not in children],
    )
    for kind, instance, connections in module.instances:
        if kind not in children:
            continue
        child = children[kind]
        if unknown := sorted(connections.keys() - {*child.inputs, *child.outputs}):
            raise DataError(source, f"instance {instance}: {kind} has no pin {unknown[0]}")
        for port in child.inputs:
            pin, width = f"{instance}.{port}", child.ranges[port][1]
            found.outputs.append(pin)
            found.ranges[pin] = (0, width)
            for index, driver in enumerate(_bits(found, reader, connections.get(port))[:width]):
                found.drivers[pin, index] = driver
        for port in child.outputs:
            pin, width = f"{instance}.{port}", child.ranges[port][1]
            found.inputs.append(pin)
            found.ranges[pin] = (0, width)
            targets = [] if connections.get(port) is None else reader.target_bits(found, connections[port])
            for index, bit in enumerate(targets[:width]):
                if bit in found.drivers or bit[0] in module.inputs:
                    raise DataError(source, f"module {module.name}: {bit[0]}[{bit[1]}] has two drivers")
                found.drivers[bit] = (_bit_of(pin, index), 0)
    return found


def _bits(module: Module, reader: ModuleReader, node: Any) -> list[tuple[Any, int]]:
    """Return the bits of an expression as (expression, bit of its value), least significant first."""
    if node is None:
        return []
    if is_kind(node, "Concat"):
        return [bit for part in reversed(node.list) for bit in _bits(module, reader, part)]
    if is_kind(node, "IntConst"):
        return [(node, index) for index in range(integer(node.value)[1] or 32)]
    return [(_bit_of(*bit), 0) for bit in reader.target_bits(module, node)]


def _bit_of(net: str, index: int) -> Any:
    from pyverilog.vparser.ast import Identifier, IntConst, Pointer

    return Pointer(Identifier(net), IntConst(str(index)))


@dataclass(frozen=True)
class _Texts:
    """The texts of the modules by name, which are parsed one at a time."""

    texts: Mapping[str, str]
    source: str
    cells: Cells | None

    def module(self, name: str) -> Module:
        """Return a module; raises DataError if it is missing."""
        if name not in self.texts:
            raise DataError(self.source, f"has no module {name}")
        return parse_verilog(self.texts[name], self.source).modules[name]

    def ports(self, name: str) -> Module:
        """Return the ports of a module alone."""
        module = self.module(name)
        return Module(name, module.inputs, module.outputs, module.ranges)

    def part(self, name: str, given: Given, interface: Interface) -> BooleanGraph:
        """Return the logic of a part."""
        graph = plain_graph(self.texts.get(name, ""), given, interface, self.cells)
        return self.logic(self.module(name), given, interface).graph if graph is None else graph

    def logic(self, module: Module, given: Given, interface: Interface) -> Elaborated:
        """Return the logic of a module without instances of other modules."""
        design = Design(self.source, {module.name: module})
        return elaborate(design, module.name, given, interface, self.cells)

    def check_wires(
        self,
        module: Module,
        given: Given,
        interface: Interface,
        expected: Mapping[str, Sequence[Input | Constant]],
        latency: int = 0,
    ) -> None:
        """Check that each of these output ports is driven by these inputs, through so many registers."""
        present = [port for port in expected if port in module.outputs]
        found = self.logic(replace(module, outputs=present), given, interface)
        drivers = iter(found.graph.node(driver) for driver in found.graph.outputs)
        for port, nodes in expected.items():
            width = module.ranges[port][1] if port in present else 0
            got = [next(drivers) for _ in range(width)]
            wrong = [i for i, pair in enumerate(zip(nodes, got, strict=False)) if pair[0] != pair[1]]
            if wrong or width != len(nodes):
                where = f"{port}[{wrong[0]}]" if wrong else f"{port}, {width} bits"
                raise VerificationError(f"{self.source}: wrong connection of {where} in module {module.name}")
        if not found.latencies <= {latency}:
            numbers = ", ".join(map(str, sorted(found.latencies)))
            raise VerificationError(
                f"{self.source}: {numbers} registers before {next(iter(expected))} in module {module.name}, "
                f"expected {latency}"
            )


def _input_at(inputs: Sequence[Input], port: str, index: int) -> Input:
    if index >= len(inputs):
        raise VerificationError(f"{port}[{index}] is not one of {len(inputs)} inputs")
    return inputs[index]


def _feature_bit(interface: Interface, port: str, bit: int) -> Input:
    found = feature_bit(interface, port, bit)
    if found is None:
        raise VerificationError(f"{port}[{bit}] is not a bit of a feature")
    return found


def _ports_of_part(name: str, inputs: int, outputs: int) -> Module:
    ranges = {PART_INPUTS: (0, inputs), PART_OUTPUTS: (0, outputs)}
    return Module(name, [PART_INPUTS] if inputs else [], [PART_OUTPUTS], ranges)


def _with_wires(interface: Interface, wires: int) -> Interface:
    """Return the interface with this many features of one bit more."""
    names = (*interface.feature_names, *(f"wire {wire}" for wire in range(wires)))
    return Interface(names, (*interface.widths, *(1,) * wires), interface.class_names)


def _pairs_of(texts: _Texts, name: str, graph: BooleanGraph, given: Given, output: str) -> Iterator[Pair]:
    """Check the wiring of encoder or core, and yield its parts."""
    if not graph.modules:
        yield name, graph, texts.logic(texts.module(name), given, graph.interface).graph
        return
    pieces, features = Pieces(graph), len(graph.interface.widths)
    children: dict[str, Module] = {}
    first: dict[str, int] = {}  # instance -> number of its first wire
    wires = 0
    expected: dict[str, Sequence[Input | Constant]] = {}
    for k, module in enumerate(graph.modules):
        piece, part, instance = pieces.piece(k), part_module(name, k), part_instance(k)
        inputs = [node for _, node in piece.graph.inputs]
        children[part] = _ports_of_part(part, len(inputs), len(module.outputs))
        yield part, piece.graph, texts.part(part, partial(_input_at, inputs), piece.graph.interface)
        first[f"{instance}.{PART_OUTPUTS}"] = wires
        wires += len(module.outputs)
        if inputs:
            expected[f"{instance}.{PART_INPUTS}"] = [
                node
                if node.feature < features
                else CodeBit(features + piece.wires[node.feature - features], 0)
                for node in inputs
            ]
    expected[output] = [
        CodeBit(features + driver, 0) if isinstance(driver, int) else driver for driver in pieces.drivers
    ]

    def wired(port: str, index: int) -> Input:
        return CodeBit(features + first[port] + index, 0) if port in first else given(port, index)

    whole = opened(texts.module(name), children, texts.source)
    texts.check_wires(whole, wired, _with_wires(graph.interface, wires), expected)


def _check_top(texts: _Texts, name: str, circuit: Circuit, registers: Registers, *, pipeline: bool) -> None:
    """Check the connections of encoder and core in the top module, and its registers."""
    interface, bits = circuit.core.interface, len(circuit.core.inputs)
    features = len(interface.widths)
    children = {module: texts.ports(module) for module in (f"{name}_encoder", f"{name}_core")}
    whole = opened(texts.module(f"{name}_top"), children, texts.source)
    first = {f"encoder.{THERMOMETER_PORT}": features, f"core.{CLASS_PORT}": features + bits}

    def given(port: str, index: int) -> Input:
        if port in first:
            return CodeBit(first[port] + index, 0)
        return _feature_bit(interface, port, index)

    held_in, held_out = registers in {"inputs", "both"}, registers in {"outputs", "both"}
    outputs = len(circuit.core.outputs)
    groups: list[tuple[dict[str, Sequence[Input | Constant]], int]] = [
        (
            {
                f"encoder.{feature_port(f, interface.feature_names[f])}": [
                    Constant(value=False) if held_in and bit not in read else CodeBit(f, bit)
                    for bit in range(interface.widths[f])
                ]
                for f, read in used_bits(circuit.encoder).items()
            },
            int(held_in),
        ),
        ({f"core.{THERMOMETER_PORT}": [CodeBit(features + bit, 0) for bit in range(bits)]}, int(pipeline)),
        ({CLASS_PORT: [CodeBit(features + bits + k, 0) for k in range(outputs)]}, int(held_out)),
    ]
    wide = _with_wires(interface, bits + outputs)
    for expected, latency in groups:
        texts.check_wires(whole, given, wide, expected, latency)
