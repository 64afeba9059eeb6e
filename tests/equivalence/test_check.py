"""The verification stage: its messages, and that it catches errors anywhere in a netlist."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut, Output, Threshold
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.equivalence.check import check_equal, check_rows
from dwn_asic.errors import DataError, VerificationError
from dwn_asic.optimize.exact.minimize import minimize
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary
from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.elaborate import elaborate_top
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.writer import design_verilog

INTERFACE = Interface(("height", "a b"), (3, 2), ("small", "tall"))


def core(table: int) -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    a, b = builder.add(Threshold(0, 4)), builder.add(Threshold(1, 3))
    return builder.finish([builder.add(Lut((a, b), table))])


def test_rows_that_agree() -> None:
    codes = np.zeros((5, 2), np.int64)
    classes = np.array([0, 1, 1, 0, 1])
    check = check_rows("model == graph", classes, classes.copy(), codes, INTERFACE)
    assert (check.what, check.how, check.size) == ("model == graph", "rows", 5)
    assert check.seconds >= 0


def test_rows_that_differ() -> None:
    codes = np.array([[0, 0], [7, 1], [5, 2], [6, 3]])
    with pytest.raises(VerificationError) as caught:
        check_rows("model == graph", np.array([0, 1, 1, 0]), np.array([0, 1, 0, 1]), codes, INTERFACE)
    assert str(caught.value) == (
        "model == graph fails on 2 of 4 rows, first row 3: "
        "at x0_height=5 x1_a_b=2 expected class 1, got class 0"
    )


def test_graphs_that_are_equal() -> None:
    check = check_equal("a == b", specification(core(0b1000)), specification(core(0b1000)))
    assert (check.what, check.how, check.size) == ("a == b", "proof", 0)


def test_graphs_that_differ() -> None:
    expected, got = specification(core(0b1000)), specification(core(0b0000))
    with pytest.raises(VerificationError) as caught:
        check_equal("a == b", expected, got)
    error = caught.value
    found = re.fullmatch(r"x0_height=(\d+) x1_a_b=(\d+)", error.inputs)
    assert found is not None
    codes = np.array([[int(found[1]), int(found[2])]])
    assert expected.predict(codes) == 1 != got.predict(codes)
    assert (error.expected, error.got) == ("class_index 1", "class_index 0")
    assert "\n" not in str(error)


def test_graphs_of_other_widths_differ() -> None:
    builder = GraphBuilder(INTERFACE)
    wide = builder.finish([builder.add(CodeBit(0, 0))] * 2)
    with pytest.raises(VerificationError, match="a == b fails: the circuits have 1 and 2 outputs"):
        check_equal("a == b", specification(core(0b1000)), wide)


def test_specification_compares_each_threshold() -> None:
    codes = np.array([[h, a] for h in range(8) for a in range(4)])
    wanted = (codes[:, 0] >= 4) & (codes[:, 1] >= 3)
    graph = specification(core(0b1000))
    assert all(isinstance(node, CodeBit) for _, node in graph.inputs)
    np.testing.assert_array_equal(graph.predict(codes), wanted)


@pytest.mark.parametrize(
    ("ports", "problem"),
    [
        ("input x9_late", "port x9_late of demo_top is not a feature"),
        ("input enable", "port enable of demo_top is not a feature"),
        ("input [3:0] x1_a_b", "port x1_a_b of demo_top is not a feature"),
    ],
)
def test_ports_that_are_no_features(ports: str, problem: str) -> None:
    name = ports.rsplit(maxsplit=1)[-1]
    wide = "[3]" if "[" in ports else ""
    text = f"module demo_top ({ports}, output class_index); assign class_index = {name}{wide}; endmodule"
    with pytest.raises(VerificationError, match=problem):
        elaborate_top(parse_verilog(text, "d.v"), "demo_top", INTERFACE, None, 0)


@pytest.mark.parametrize(
    ("body", "latency", "found"),
    [
        ("assign class_index = x0_height[0];", 1, "0"),
        ("reg q; always @(posedge clk) q <= x0_height[0]; assign class_index = q;", 0, "1"),
        ("reg q; always @(posedge clk) q <= x0_height[0]; assign class_index = q ^ x0_height[1];", 1, "0, 1"),
    ],
)
def test_unbalanced_pipelines(body: str, latency: int, found: str) -> None:
    text = f"module demo_top (input clk, input [2:0] x0_height, output class_index); {body} endmodule"
    problem = rf"d\.v: {found} registers from input to output, expected {latency}$"
    with pytest.raises(VerificationError, match=problem):
        elaborate_top(parse_verilog(text, "d.v"), "demo_top", INTERFACE, None, latency)


@dataclass(frozen=True)
class Chip:
    """A small network and what the flow made of it."""

    network: LutNetwork
    wanted: BooleanGraph
    design: str
    netlist: str
    library: CellLibrary

    def verify(self, text: str, *, mapped: bool) -> None:
        """Check a design or a netlist as the pipeline does, and that its counterexample is real."""
        interface = self.wanted.interface
        design = parse_verilog(text, "chip.v")
        library = self.library if mapped else None
        read = elaborate_top(design, "demo_top", interface, library, 2).graph
        try:
            check_equal("graph == Verilog", self.wanted, read)
        except VerificationError as error:
            self._is_real(error, read)
            raise

    def _is_real(self, error: VerificationError, read: BooleanGraph) -> None:
        codes = np.zeros((1, len(self.wanted.interface.widths)), np.int64)
        for feature, code in re.findall(r"x(\d+)_\w*=(\d+)", error.inputs):
            codes[0, int(feature)] = int(code)
        model, chip = int(self.network.predict(codes)[0]), int(read.predict(codes)[0])
        assert model != chip
        assert (error.expected, error.got) == (f"class_index {model}", f"class_index {chip}")
        with pytest.raises(VerificationError, match="on 1 of 1 rows"):
            check_rows(
                "model == Verilog",
                self.network.predict(codes),
                read.predict(codes),
                codes,
                self.wanted.interface,
            )


@pytest.fixture(scope="module")
def chip(cost: CellCost) -> Chip:
    rng = np.random.default_rng(5)
    tables = [rng.random((4, 16)) < 0.5, rng.random((3, 8)) < 0.5]
    network = LutNetwork(
        Quantizer(np.zeros(2), np.ones(2), np.array([4, 3])),
        Thermometer(np.array([0, 0, 0, 1, 1]), np.array([3, 7, 10, 2, 5])),
        (
            LutLayer(np.array([[0, 1, 2, 3], [4, 3, 2, 1], [0, 2, 4, 3], [1, 4, 0, 2]]), tables[0]),
            LutLayer(np.array([[0, 1, 2], [1, 2, 3], [3, 0, 1]]), tables[1]),
        ),
        Head("direct", "onehot", 3),
        ("height", "a b"),
        ("small", "middle", "tall"),
    )
    graph = to_graph(network)
    # Folded only: exact minimization leaves too few cells to tamper with.
    smaller = fold(graph)
    thresholds = [node for _, node in smaller.inputs if isinstance(node, Threshold)]
    encoder = minimize(encoder_graph(thresholds, graph.interface), cost, effort="low").graph
    # The tables stay visible as localparams where the core isn't minimized.
    plain = encoder_graph([n for _, n in graph.inputs if isinstance(n, Threshold)], graph.interface)
    netlist = synthesize(design_verilog("demo", encoder, smaller, "both"), "demo", cost.library).netlist
    design = design_verilog("demo", plain, graph, "both")
    return Chip(network, specification(graph), design, netlist, cost.library)


def test_the_right_chip_passes(chip: Chip) -> None:
    chip.verify(chip.design, mapped=False)
    chip.verify(chip.netlist, mapped=True)


def count_caught(chip: Chip, texts: list[str], *, mapped: bool) -> int:
    """Count the wrong texts that yield a counterexample, leaving out unsound netlists (with a loop).

    The others must really be equal, on every code.
    """
    codes = np.array([[h, a] for h in range(16) for a in range(8)])
    caught = 0
    for text in texts:
        try:
            chip.verify(text, mapped=mapped)
        except VerificationError:
            caught += 1
        except DataError as error:
            assert "combinational loop" in str(error)  # noqa: PT017
        else:
            design, library = parse_verilog(text, "chip.v"), chip.library if mapped else None
            read = elaborate_top(design, "demo_top", chip.wanted.interface, library, 2).graph
            np.testing.assert_array_equal(read.predict(codes), chip.network.predict(codes))
    return caught


def test_a_flipped_table_bit_is_caught(chip: Chip) -> None:
    """A flipped bit is caught unless no code reaches its address, or the head ignores it."""
    tables = list(re.finditer(r"(\d+)'h([0-9a-f]+);", chip.design))
    assert len(tables) >= 4
    texts = []
    for table in tables:
        for bit in range(0, int(table[1]), 3):
            value = f"{int(table[2], 16) ^ 1 << bit:x}"
            texts.append(chip.design[: table.start(2)] + value + chip.design[table.end(2) :])
    assert count_caught(chip, texts, mapped=False) >= len(texts) // 5


def test_a_flipped_bit_of_the_graph_s_table_is_caught(chip: Chip) -> None:
    builder = GraphBuilder(chip.wanted.interface)
    last = chip.wanted.luts[-1][0]
    for index, node in chip.wanted.nodes():
        if isinstance(node, Lut) and index == last:
            # Address 0 is in use: the head's first bit is set for one class alone.
            node = replace(node, table=node.table ^ 1)
        if not isinstance(node, Output):
            builder.add(node)
    wrong = builder.finish(chip.wanted.outputs)
    with pytest.raises(VerificationError, match=r"^a == b fails: at x0_height=\d+ x1_a_b=\d+ expected class"):
        check_equal("a == b", chip.wanted, wrong)


def test_swapped_nets_are_caught(chip: Chip) -> None:
    """Nets at inputs of the core's cells are swapped in pairs."""
    start = chip.netlist.index("module demo_core")
    end = chip.netlist.index("endmodule", start)
    pins = list(re.finditer(r"\.[A-D]\w*\(([^()]+)\)", chip.netlist[start:end]))
    texts = []
    for first, second in zip(pins, pins[3:], strict=False):
        if first[1] == second[1]:
            continue
        a, b = (slice(start + pin.start(1), start + pin.end(1)) for pin in (first, second))
        text = chip.netlist
        texts.append(text[: a.start] + second[1] + text[a.stop : b.start] + first[1] + text[b.stop :])
    assert len(texts) > 5
    assert count_caught(chip, texts, mapped=True) > len(texts) // 3


def same_pins(library: CellLibrary, name: str) -> list[str]:
    """Return the cells that could replace it by mistake: the same pins, another function."""
    cell = library.cell(name)
    return [
        other.name
        for other in library.cells
        if isinstance(cell, Cell)
        and (other.inputs, other.output) == (cell.inputs, cell.output)
        and other.table != cell.table
    ]


def test_replaced_cells_are_caught(chip: Chip) -> None:
    texts = [
        chip.netlist[: instance.start(1)] + other + chip.netlist[instance.end(1) :]
        for instance in re.finditer(r"^  (sky130_fd_sc_hd__\w+) _\d+_ \(", chip.netlist, re.MULTILINE)
        for other in same_pins(chip.library, instance[1])
    ]
    assert len(texts) > 5
    assert count_caught(chip, texts, mapped=True) > len(texts) // 2


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (".CLK(clk)", ".CLK(x0_height[0])", "is not clocked by the port clk"),
        (".CLK(clk)", ".CLK(1'h1)", "is not clocked by the port clk"),
        (".D(x0_height[0])", ".D(clk)", "clk is used as data"),
        (".D(x0_height[0])", ".D(x0_height[9])", r"x0_height\[9\] has no driver"),
    ],
)
def test_a_wrong_register_is_caught(chip: Chip, old: str, new: str, problem: str) -> None:
    assert old in chip.netlist
    with pytest.raises(DataError, match=problem):
        chip.verify(chip.netlist.replace(old, new, 1), mapped=True)


def test_a_bypassed_register_is_caught(chip: Chip) -> None:
    at = chip.netlist.index("sky130_fd_sc_hd__dfxtp_1")
    name = "sky130_fd_sc_hd__buf_1"
    cell = chip.netlist[at : chip.netlist.index(";", at)]
    bypass = re.sub(r"\s*\.CLK\(clk\),", "", cell).replace("dfxtp_1", "buf_1")
    bypass = bypass.replace(".D(", ".A(").replace(".Q(", ".X(")
    assert name in bypass
    with pytest.raises(VerificationError, match="1, 2 registers from input to output, expected 2"):
        chip.verify(chip.netlist.replace(cell, bypass, 1), mapped=True)
