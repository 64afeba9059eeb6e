"""Structural Verilog: NAME_encoder (comparators), NAME_core (logic), NAME_top (both, and registers).

The top module may have registers at its inputs, between encoder and core, and at its outputs. Where encoder
or core are large graphs with modules, each of these is a Verilog module of its own, a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from dwn_asic.boolean.comparators import bits_read
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, Input, Interface, Lut, Threshold
from dwn_asic.boolean.modules import Pieces
from dwn_asic.boolean.ports import (
    CLASS_PORT,
    CLOCK_PORT,
    PART_INPUTS,
    PART_OUTPUTS,
    THERMOMETER_PORT,
    feature_port,
    part_instance,
    part_module,
)

__all__ = ["Registers", "design_verilog", "latency", "register_bits", "used_bits", "used_features"]

Registers = Literal["none", "inputs", "outputs", "both"]

# Two-input functions as operators; fan-in 0 is a, the least significant address bit.
_TWO_INPUT = {
    0b0001: "~({a} | {b})",
    0b0010: "{a} & ~{b}",
    0b0100: "~{a} & {b}",
    0b0110: "{a} ^ {b}",
    0b0111: "~({a} & {b})",
    0b1000: "{a} & {b}",
    0b1001: "~({a} ^ {b})",
    0b1011: "{a} | ~{b}",
    0b1101: "~{a} | {b}",
    0b1110: "{a} | {b}",
}
_THREE_INPUT = {
    0b10010110: "{a} ^ {b} ^ {c}",
    0b11101000: "({a} & {b}) | ({a} & {c}) | ({b} & {c})",
    0b11001010: "{c} ? {b} : {a}",
}
_ONE_INPUT = {0b01: "~{a}", 0b10: "{a}"}


@dataclass(frozen=True)
class _Port:
    direction: Literal["input", "output"]
    name: str
    width: int

    def declaration(self) -> str:
        return f"    {self.direction:<6} wire {_range(self.width)}{self.name}"


def latency(registers: Registers, *, pipeline: bool = False) -> int:
    """Return the clock cycles from features to class index; 0 for a combinational circuit."""
    return {"none": 0, "inputs": 1, "outputs": 1, "both": 2}[registers] + pipeline


def register_bits(graph: BooleanGraph, registers: Registers, *, pipeline: bool = False) -> int:
    """Return the number of flip-flops of the top module, given a graph with the features it reads.

    Registered inputs hold the bits that the graph reads, a pipeline register the inputs of the graph, which
    are the thermometer bits.
    """
    inputs = sum(map(len, used_bits(graph).values()))
    held_in, held_out = registers in {"inputs", "both"}, registers in {"outputs", "both"}
    return inputs * held_in + len(graph.inputs) * pipeline + len(graph.outputs) * held_out


def used_features(graph: BooleanGraph) -> list[int]:
    """Return the indices of the features that a circuit reads, ascending; these become ports."""
    return sorted({node.feature for _, node in graph.inputs})


def used_bits(graph: BooleanGraph) -> dict[int, tuple[int, ...]]:
    """Return the bits that a circuit reads of each feature, both ascending."""
    found: dict[int, set[int]] = {feature: set() for feature in used_features(graph)}
    for _, node in graph.inputs:
        found[node.feature].update(bits_read(node, graph.interface.widths[node.feature]))
    return {feature: tuple(sorted(bits)) for feature, bits in found.items()}


def design_verilog(
    name: str,
    encoder: BooleanGraph,
    core: BooleanGraph,
    registers: Registers,
    *,
    pipeline: bool = False,
) -> str:
    """Return the whole design as Verilog text.

    Parameters
    ----------
    name
        Prefix of the module names.
    encoder
        Graph from :class:`CodeBit` inputs to one output per core input, in the core's input order.
    core
        Graph from thresholds (or code bits) to the bits of the class index.
    registers
        Where the top module has flip-flops.
    pipeline
        Whether it has flip-flops between encoder and core too.
    """
    modules = [
        *_encoder_modules(f"{name}_encoder", encoder, core),
        *_core_modules(f"{name}_core", core),
        _top_module(name, encoder, core, registers, pipeline=pipeline),
    ]
    return "\n".join(modules)


def _encoder_modules(name: str, encoder: BooleanGraph, core: BooleanGraph) -> list[str]:
    interface = core.interface
    comments = [
        _comment(f"{THERMOMETER_PORT}[{t}]: {_meaning(node, interface)}")
        for t, (_, node) in enumerate(core.inputs)
    ]
    wires = {
        index: f"{feature_port(node.feature, interface.feature_names[node.feature])}"
        + (f"[{node.bit}]" if interface.widths[node.feature] > 1 else "")
        for index, node in encoder.inputs
        if isinstance(node, CodeBit)
    }
    ports = _feature_ports(encoder, interface)
    if encoder.outputs:
        ports.append(_Port("output", THERMOMETER_PORT, len(encoder.outputs)))
    parts, logic = _parts_and_logic(name, encoder, wires, THERMOMETER_PORT)
    text = f"{name}: quantized features to thermometer bits."
    return [*parts, _module(text, name, ports, [*comments, *logic])]


def _meaning(node: Input, interface: Interface) -> str:
    name = interface.feature_names[node.feature]
    return f"{name} code >= {node.constant}" if isinstance(node, Threshold) else f"{name} code bit {node.bit}"


def _core_modules(name: str, core: BooleanGraph) -> list[str]:
    ports = [_Port("input", THERMOMETER_PORT, len(core.inputs))] if core.inputs else []
    ports.append(_Port("output", CLASS_PORT, len(core.outputs)))
    wires = {index: _bit(THERMOMETER_PORT, t, len(core.inputs)) for t, (index, _) in enumerate(core.inputs)}
    parts, logic = _parts_and_logic(name, core, wires, CLASS_PORT)
    return [*parts, _module(f"{name}: thermometer bits to class index.", name, ports, logic)]


def _top_module(
    name: str, encoder: BooleanGraph, core: BooleanGraph, registers: Registers, *, pipeline: bool
) -> str:
    features = _feature_ports(encoder, core.interface)
    width, bits = len(core.outputs), len(core.inputs)
    clock = [_Port("input", CLOCK_PORT, 1)] if latency(registers, pipeline=pipeline) else []
    held_in, held_out = registers in {"inputs", "both"}, registers in {"outputs", "both"}
    inside = {port.name: port.name for port in features}
    class_net = f"{CLASS_PORT}_d" if held_out else CLASS_PORT
    body: list[str] = []
    if held_in and features:
        read = [*zip(features, used_bits(encoder).values(), strict=True)]
        held = [(_picked(p.name, its, p.width), f"{p.name}_q", len(its)) for p, its in read]
        body += ["    // Input registers, of the bits that are read.", *_registers(held)]
        inside = {p.name: _spread(f"{p.name}_q", its, p.width) for p, its in read}
    if bits:
        body += ["    // Thermometer encoder.", f"    wire {_range(bits)}{THERMOMETER_PORT};"]
        body.append(_instance(f"{name}_encoder", "encoder", {**inside, THERMOMETER_PORT: THERMOMETER_PORT}))
    given = f"{THERMOMETER_PORT}_q" if pipeline else THERMOMETER_PORT
    if bits and pipeline:
        body += ["    // Pipeline registers.", *_registers([(THERMOMETER_PORT, given, bits)])]
    if held_out:
        body += ["    // Output registers.", f"    wire {_range(width)}{class_net};"]
        body += _registers([(class_net, f"{CLASS_PORT}_q", width)])
        body.append(f"    assign {CLASS_PORT} = {CLASS_PORT}_q;")
    connections = ({THERMOMETER_PORT: given} if bits else {}) | {CLASS_PORT: class_net}
    body += ["    // Core.", _instance(f"{name}_core", "core", connections)]
    classes = ", ".join(f"{i} = {text}" for i, text in enumerate(core.interface.class_names))
    return _module(
        f"{name}_top: quantized features to class index ({classes}).",
        f"{name}_top",
        [*clock, *features, _Port("output", CLASS_PORT, width)],
        body,
    )


def _feature_ports(encoder: BooleanGraph, interface: Interface) -> list[_Port]:
    return [
        _Port("input", feature_port(f, interface.feature_names[f]), interface.widths[f])
        for f in used_features(encoder)
    ]


def _registers(held: Sequence[tuple[str, str, int]]) -> list[str]:
    lines = [f"    reg {_range(width)}{target};" for _, target, width in held]
    lines.append(f"    always @(posedge {CLOCK_PORT}) begin")
    lines += [f"        {target} <= {source};" for source, target, _ in held]
    return [*lines, "    end"]


def _picked(port: str, bits: Sequence[int], width: int) -> str:
    """Return the expression of some bits, ascending, of a port."""
    if len(bits) == width:
        return port
    parts = [f"{port}[{last}]" if first == last else f"{port}[{last}:{first}]" for first, last in _runs(bits)]
    return parts[0] if len(parts) == 1 else f"{{{', '.join(reversed(parts))}}}"


def _spread(net: str, bits: Sequence[int], width: int) -> str:
    """Return the expression of a port's value whose bits, ascending, a net holds; all others are 0."""
    if len(bits) == width:
        return net
    parts, done, held = [], 0, 0
    for first, last in _runs(bits):
        parts += _zeros(first - done)
        parts.append(_picked(net, range(held, held + last + 1 - first), len(bits)))
        done, held = last + 1, held + last + 1 - first
    parts += _zeros(width - done)
    return f"{{{', '.join(reversed(parts))}}}"


def _zeros(count: int) -> list[str]:
    """Return the expression of so many zeros, or nothing for none."""
    return [f"{count}'b{'0' * count}"] if count else []


def _runs(bits: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of successive bits."""
    for _, run in groupby(enumerate(bits), lambda pair: pair[1] - pair[0]):
        found = [bit for _, bit in run]
        yield found[0], found[-1]


def _instance(module: str, name: str, connections: dict[str, str]) -> str:
    pins = ",\n".join(f"        .{port}({net})" for port, net in connections.items())
    return f"    {module} {name} (\n{pins}\n    );"


def _module(comment: str, name: str, ports: Sequence[_Port], body: Sequence[str]) -> str:
    header = ",\n".join(port.declaration() for port in ports)
    return "\n".join([_comment(comment).strip(), f"module {name} (", header, ");", *body, "endmodule", ""])


def _comment(text: str) -> str:
    """Return one comment line; names come from the user's table and may contain any character."""
    return "    // " + " ".join(text.encode("ascii", "replace").decode().split())


def _parts_and_logic(
    name: str, graph: BooleanGraph, wires: dict[int, str], port: str
) -> tuple[list[str], list[str]]:
    """Return the text of the parts of a large module, and the lines of the module itself."""
    if not graph.modules:
        return [], _logic(graph, wires, port)
    pieces, features = Pieces(graph), len(graph.interface.widths)
    given = {node: wires[index] for index, node in graph.inputs}
    nets: list[str] = []
    parts, lines = [], [f"    // Logic: {len(pieces)} parts."]
    for k in range(len(pieces)):
        piece, net = pieces.piece(k), part_instance(k)
        inputs, n_outputs = piece.graph.inputs, len(piece.graph.outputs)
        parts.append(_part_module(part_module(name, k), name, piece.graph))
        read = [
            given[node] if node.feature < features else nets[piece.wires[node.feature - features]]
            for _, node in inputs
        ]
        pins = {PART_INPUTS: f"{{{', '.join(reversed(read))}}}"} if read else {}
        lines.append(f"    wire {_range(n_outputs)}{net}_{PART_OUTPUTS};")
        lines.append(_instance(part_module(name, k), net, {**pins, PART_OUTPUTS: f"{net}_{PART_OUTPUTS}"}))
        nets += [_bit(f"{net}_{PART_OUTPUTS}", j, n_outputs) for j in range(n_outputs)]
    lines.append(f"    // Outputs: {len(graph.outputs)}.")
    for k, driver in enumerate(pieces.drivers):
        if isinstance(driver, Constant):
            value = f"1'b{int(driver.value)}"
        else:
            value = nets[driver] if isinstance(driver, int) else given[driver]
        lines.append(f"    assign {_bit(port, k, len(graph.outputs))} = {value};")
    return parts, lines


def _part_module(name: str, whole: str, graph: BooleanGraph) -> str:
    inputs = graph.inputs
    ports = [_Port("input", PART_INPUTS, len(inputs))] if inputs else []
    ports.append(_Port("output", PART_OUTPUTS, len(graph.outputs)))
    wires = {index: _bit(PART_INPUTS, i, len(inputs)) for i, (index, _) in enumerate(inputs)}
    return _module(f"{name}: a part of {whole}.", name, ports, _logic(graph, wires, PART_OUTPUTS))


def _logic(graph: BooleanGraph, wires: dict[int, str], port: str) -> list[str]:
    """Return wires and assigns of every LUT and output; ``wires`` names the inputs."""
    wires = dict(wires)
    lines = []
    if graph.luts:
        lines.append(f"    // Logic: {len(graph.luts)} functions.")
    for index, node in graph.nodes():
        if isinstance(node, Constant):
            wires[index] = f"1'b{int(node.value)}"
        elif isinstance(node, Lut):
            wires[index] = f"n{index}"
            lines += _lut(f"n{index}", [wires[f] for f in node.fanins], node.table)
    lines.append(f"    // Outputs: {len(graph.outputs)}.")
    return lines + [
        f"    assign {_bit(port, k, len(graph.outputs))} = {wires[driver]};"
        for k, driver in enumerate(graph.outputs)
    ]


def _lut(name: str, fanins: Sequence[str], table: int) -> list[str]:
    n = len(fanins)
    known = {1: _ONE_INPUT, 2: _TWO_INPUT, 3: _THREE_INPUT}.get(n, {})
    if table in known:
        expression = known[table].format(**dict(zip("abc", fanins, strict=False)))
        return [f"    wire {name} = {expression};"]
    if n == 0:
        return [f"    wire {name} = 1'b{table};"]
    size = 1 << n
    address = ", ".join(reversed(fanins))
    return [
        f"    localparam [{size - 1}:0] T_{name} = {size}'h{table:0{max(1, size // 4)}x};",
        f"    wire {name} = T_{name}[{{{address}}}];",
    ]


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _bit(port: str, index: int, width: int) -> str:
    return f"{port}[{index}]" if width > 1 else port
