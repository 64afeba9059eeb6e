"""A small circuit in all its forms, and an evaluation of each that shares no code with the checks."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from dwn_asic import api
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.boolean.ports import feature_port
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Implementation, Specification
from dwn_asic.verilog.writer import Registers

DESIGN, NETLIST = "design.v", "netlist.v"
_FIRST = 4
"""Number of the first code whose outputs are compared."""


@dataclass(frozen=True, eq=False)
class Case:
    """A circuit that was built without a fault.

    Attributes
    ----------
    name
        Name in reports.
    target
        Target that it is built for.
    graph, circuit, built
        The model's graph, the minimized circuit, and its implementation.
    """

    name: str
    target: AsicTarget
    graph: BooleanGraph
    circuit: Circuit
    built: Implementation

    @cached_property
    def codes(self) -> np.ndarray:
        """All codes of all features in random order: (N, F)."""
        grid = np.indices([1 << width for width in self.graph.interface.widths])
        codes = grid.reshape(len(grid), -1).T.astype(np.int64)
        return np.random.default_rng(0).permutation(codes)

    @cached_property
    def classes(self) -> np.ndarray:
        """The class of each code."""
        return evaluated(self.graph, self.codes)

    @cached_property
    def specification(self) -> Specification:
        """The function to implement, without rows, so that only proofs can find a fault."""
        none = np.zeros((0, len(self.graph.interface.widths)), np.int64)
        return Specification(self.graph, self.circuit, none, np.zeros(0, np.int64))

    @cached_property
    def traces(self) -> dict[str, list[str]]:
        """File -> outputs of the simulated text."""
        return {file: self.trace(file, self.built.files[file]) for file in (DESIGN, NETLIST)}

    def trace(self, file: str, text: str) -> list[str]:
        """Return the outputs of a design or netlist, with a new code in each clock cycle, by Icarus Verilog.

        The codes are :attr:`codes`, in their order. With a clock there are two outputs per code, before and
        after the clock edge. The first cycles, in which registers hold no values yet, are left out. A text
        that Icarus Verilog does not accept, for example as a port is missing, has no outputs.
        """
        features = sorted({node.feature for _, node in self.circuit.encoder.inputs})
        widths = [self.graph.interface.widths[feature] for feature in features]
        ports = [feature_port(f, self.graph.interface.feature_names[f]) for f in features]
        clocked = self.built.registers != "none"
        lows = np.concatenate([[0], np.cumsum(widths)]).astype(int)
        pins = [f".{port}(v[{low + w - 1}:{low}])" for port, low, w in zip(ports, lows, widths, strict=False)]
        pins += [".clk(clk)"] * clocked + [".class_index(y)"]
        words = [
            sum(int(row[f]) << int(low) for f, low in zip(features, lows, strict=False)) for row in self.codes
        ]
        show = f'if (i >= {_FIRST}) $display("%b", y);'
        edge = f"#1 clk = 1; #1 {show} clk = 0;" if clocked else ""
        bench = (
            f"module trace_tb; reg [{max(0, lows[-1] - 1)}:0] v, codes [0:{len(words) - 1}]; reg clk = 0; "
            f"wire [{self.graph.interface.class_bits - 1}:0] y; "
            f"{self.built.name}_top dut ({', '.join(pins)}); "
            f'integer i; initial begin $readmemh("codes.hex", codes); '
            f"for (i = 0; i < {len(words)}; i = i + 1) begin v = codes[i]; #1 {show} "
            f"{edge} end $finish; end endmodule\n"
        )
        sources = {"tb.v": bench, file: text}
        if file == NETLIST:
            sources["cells.v"] = self.built.files["cells.v"]
        with tempfile.TemporaryDirectory() as folder:
            for name, content in sources.items():
                (Path(folder) / name).write_text(content)
            (Path(folder) / "codes.hex").write_text("\n".join(f"{word:x}" for word in words))
            compile_ = ["iverilog", "-g2005", "-s", "trace_tb", "-o", "tb.vvp", *sources]
            if subprocess.run(compile_, cwd=folder, check=False, timeout=60, capture_output=True).returncode:
                return []
            done = subprocess.run(
                ["vvp", "-n", "tb.vvp"], cwd=folder, check=True, timeout=60, capture_output=True, text=True
            )
        return done.stdout.splitlines()


def evaluated(graph: BooleanGraph, codes: np.ndarray) -> np.ndarray:
    """Return the number that the outputs of a graph form at each of (N, F) codes, node by node."""
    return _numbers(_outputs(graph, [_input(node, codes) for _, node in graph.inputs], len(codes)))


def evaluated_circuit(circuit: Circuit, codes: np.ndarray) -> np.ndarray:
    """Return the class that encoder and core compute at each of (N, F) codes."""
    bits = _outputs(circuit.encoder, [_input(node, codes) for _, node in circuit.encoder.inputs], len(codes))
    return _numbers(_outputs(circuit.core, bits, len(codes)))


def _input(node: Threshold | CodeBit, codes: np.ndarray) -> np.ndarray:
    if isinstance(node, Threshold):
        return codes[:, node.feature] >= node.constant
    return (codes[:, node.feature] // 2**node.bit) % 2 == 1


def _outputs(graph: BooleanGraph, inputs: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    values: dict[int, np.ndarray] = {
        index: value for (index, _), value in zip(graph.inputs, inputs, strict=True)
    }
    for index, node in graph.nodes():
        if isinstance(node, Constant):
            values[index] = np.full(count, node.value)
        elif isinstance(node, Lut):
            entries = np.array([node.table >> a & 1 for a in range(1 << len(node.fanins))], bool)
            address = np.zeros(count, np.int64)
            for k, fanin in enumerate(node.fanins):
                address += values[fanin] * 2**k
            values[index] = entries[address]
    return [values[driver] for driver in graph.outputs]


def _numbers(bits: Sequence[np.ndarray]) -> np.ndarray:
    return np.sum([bit * 2**k for k, bit in enumerate(bits)], axis=0)


def built_case(
    name: str, graph: BooleanGraph, pdk: str, registers: Registers, *, minimized: bool = True
) -> Case:
    """Implement and verify a graph, minimized or as it is."""
    target = api.target(pdk=pdk, registers=registers)
    assert isinstance(target, AsicTarget)
    if minimized:
        circuit = api.minimize(graph, target, effort="low")
    else:
        circuit = Circuit(encoder_graph([node for _, node in graph.inputs], graph.interface), graph)
    case = Case(name, target, graph, circuit, api.implement(circuit, target, name="demo"))
    target.verify(case.built, case.specification)
    # The forms agree also for the independent evaluation.
    assert (case.classes == evaluated_circuit(circuit, case.codes)).all()
    latency = {"none": 0, "inputs": 1, "outputs": 1, "both": 2}[registers]
    shown = [f"{number:0{graph.interface.class_bits}b}" for number in case.classes.tolist()]
    for trace in case.traces.values():
        # After the first clock edge behind a code, one register more has it than there are edges before.
        after, behind = (trace[1::2], latency - 1) if latency else (trace, 0)
        assert after == shown[_FIRST - behind : len(shown) - behind]
    return case


def random_case(seed: int, pdk: str, registers: Registers, *, minimized: bool = True) -> Case:
    """Draw a graph with two to five classes, whose features have a few bits."""
    rng = np.random.default_rng(seed)
    n_classes = int(rng.integers(2, 6))
    widths = tuple(int(width) for width in rng.integers(2, 5, 3))
    names, classes = ("length", "width", "mass"), tuple(f"class {k}" for k in range(n_classes))
    builder = GraphBuilder(Interface(names, widths, classes))
    nodes = [
        builder.add(Threshold(feature, int(constant)))
        for feature, width in enumerate(widths)
        for constant in sorted(rng.choice(np.arange(1, 1 << width), min(3, (1 << width) - 1), replace=False))
    ]
    for _ in range(9):
        fanins = tuple(int(k) for k in rng.choice(nodes, int(rng.integers(2, 5)), replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(1, (1 << (1 << len(fanins))) - 1)))))
    graph = builder.finish(nodes[-builder.interface.class_bits :])
    name = f"random graph {seed}, {'minimized' if minimized else 'plain'}, registers {registers}"
    return built_case(name, graph, pdk, registers, minimized=minimized)


def iris_case(pdk: str, registers: Registers, leaves: int = 8) -> Case:
    """Fit a decision tree to the flowers of flows/iris.csv."""
    table = Path(__file__).resolve().parents[2] / "flows" / "iris.csv"
    dataset = api.read_data(f"csv:{table}", label="species", input_bits=3)
    tree = api.fit(dataset, "decision_tree", leaves=leaves)
    assert tree.graph is not None
    return built_case(f"iris tree, registers {registers}", tree.graph, pdk, registers)


def large_case(pdk: str, registers: Registers) -> Case:
    """Draw a network whose graph is built by modules, if modules are small enough."""
    rng, features = np.random.default_rng(0), 5
    layers = tuple(
        LutLayer(rng.integers(0, inputs, (luts, 4)), rng.random((luts, 16)) < 0.5)
        for inputs, luts in ((3 * features, 20), (20, 12))
    )
    network = LutNetwork(
        Quantizer(np.zeros(features), np.ones(features), np.full(features, 2)),
        Thermometer(np.repeat(np.arange(features), 3), np.tile([1, 2, 3], features)),
        layers,
        Head("popcount", "onehot", 3),
        ("length", "width", "mass", "height", "age"),
        ("low", "middle", "high"),
    )
    case = built_case(f"large network, registers {registers}", to_graph(network), pdk, registers)
    assert len(case.circuit.core.modules) > 5
    return case


@dataclass(frozen=True, eq=False)
class Mutant:
    """A case with a fault.

    Attributes
    ----------
    kind
        Kind of the fault.
    stage
        The form that has the fault: ``model``, ``graph``, ``minimized``, ``Verilog`` or ``netlist``.
    case
        The case, without the fault.
    built, wanted
        What verification sees.
    changed
        Whether the function, the timing or the meaning of a class or port changes, by another evaluation.
    """

    kind: str
    stage: str
    case: Case
    built: Implementation
    wanted: Specification
    changed: bool


def with_text(kind: str, case: Case, file: str, text: str) -> Mutant:
    """Return the mutant whose design or netlist is this text."""
    built = replace(case.built, files={**case.built.files, file: text})
    stage = {DESIGN: "Verilog", NETLIST: "netlist"}[file]
    changed = case.trace(file, text) != case.traces[file]
    return Mutant(kind, stage, case, built, case.specification, changed)
