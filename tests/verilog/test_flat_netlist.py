"""The flat netlist: what it holds, that that it computes what elaboration does, and its errors."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import lut_networks, patterns

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import CodeBit, Input, Interface, Threshold
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.boolean.ports import feature_of_port
from dwn_asic.errors import DataError
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary, FlipFlop
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.elaborate import elaborate, elaborate_top
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate, Register, flat_netlist
from dwn_asic.verilog.reader import Design, parse_verilog
from dwn_asic.verilog.writer import Registers, design_verilog, latency


def toy() -> CellLibrary:
    inv = Cell("INV", 1.0, ("A",), "Y", "!A", (0.1,), 0.0)
    nand = Cell("NAND", 2.0, ("A", "B"), "Y", "!(A & B)", (0.1, 0.1), 0.0)
    odd = Cell("ODD", 2.0, ("A[0]", "A[1]"), "Y", '"A[0]" ^ "A[1]"', (0.1, 0.1), 0.0)
    plain = FlipFlop("DFF", 5.0, "CK", "D", "Q", (0.1, 0.1), 0.0)
    inverting = FlipFlop("DFFN", 5.0, "CK", "D", "QN", (0.1, 0.1), 0.0, inverting=True)
    reset = FlipFlop("DFFR", 6.0, "CK", "D", "Q", (0.1, 0.1, 0.1), 0.0, reset="RN")
    return CellLibrary("toy", "typical", (inv, nand, odd), (plain, inverting, reset), "NAND", 2.0)


def flat(text: str) -> FlatNetlist:
    """Flatten the first module of a text."""
    design = parse_verilog(text, "f.v")
    return flat_netlist(design, next(iter(design.modules)), toy())


def values(netlist: FlatNetlist, given_bits: dict[tuple[str, int], bool]) -> dict[tuple[str, int], bool]:
    """Simulate one input, instance by instance, with registers as wires."""
    found = {net: given_bits[bit] for bit, net in netlist.inputs.items()}
    found.update(netlist.constants)
    for each in netlist.instances:
        if isinstance(each, Gate):
            address = sum(found[net] << k for k, net in enumerate(each.inputs))
            found[each.output] = bool(each.cell.table >> address & 1)
        else:
            found[each.output] = found[each.data] ^ each.cell.inverting
    return {bit: found[net] for bit, net in netlist.outputs.items()}


def test_hierarchy_concatenations_and_assigns_are_joined() -> None:
    found = flat(
        """
        module m (input clk, input [1:0] a, input b, output [2:0] y);
          wire [3:2] n; wire p;
          pair two (.i({b, a[0]}), .o(n));
          NAND g (.A(n[3]), .B(n[2]), .Y(p));
          assign {y[1], y[0]} = {p, n[2]};
          DFF r (.CK(clk), .D(p), .Q(y[2]));
        endmodule
        module pair (input [1:0] i, output [1:0] o);
          INV u (.A(i[0]), .Y(o[0]));
          INV v (.A(i[1]), .Y(o[1]));
        endmodule
        """
    )
    assert found.inputs == {("a", 0): 0, ("a", 1): 1, ("b", 0): 2}
    assert (found.clock, found.constants) == (3, {})
    assert found.net_names == ("a[0]", "a[1]", "b", "clk", "two.o[0]", "two.o[1]", "p", "y[2]")
    assert [(each.name, each.cell.name, each.inputs, each.output) for each in found.instances] == [
        ("two.u", "INV", (0,), 4),
        ("two.v", "INV", (2,), 5),
        ("g", "NAND", (5, 4), 6),
        ("r", "DFF", (3, 6), 7),
    ]
    assert found.outputs == {("y", 0): 4, ("y", 1): 6, ("y", 2): 7}
    assert [each.name for each in found.gates] == ["two.u", "two.v", "g"]
    assert [(each.name, each.data) for each in found.registers] == [("r", 6)]
    assert found.drivers == (None, None, None, None, 0, 1, 2, 3)
    assert found.readers == (((0, 0),), (), ((1, 0),), ((3, 0),), ((2, 1),), ((2, 0),), ((3, 1),), ())


def test_topological_order_does_not_follow_the_text() -> None:
    found = flat(
        "module m (input a, output y); wire n, p;\n"
        "INV c (.A(p), .Y(y)); INV b (.A(n), .Y(p)); INV a0 (.A(a), .Y(n)); endmodule"
    )
    assert [each.name for each in found.instances] == ["a0", "b", "c"]


def test_constants_are_nets_only_where_something_reads_them() -> None:
    found = flat(
        "module m (input a, output [2:0] y);\n"
        "NAND g (.A(a), .B(1'h1), .Y(y[0])); assign y[2:1] = 2'b10; endmodule"
    )
    assert found.constants == {1: False, 2: True}
    assert found.net_names == ("a", "1'b0", "1'b1", "y[0]")
    assert found.instances[0].inputs == (0, 2)
    assert found.outputs == {("y", 0): 3, ("y", 1): 1, ("y", 2): 2}
    assert flat("module m (input a, output y); INV g (.A(a), .Y(y)); endmodule").constants == {}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("assign y = a;", [0, 1, 2, 3] * 2),
        ("assign y = {b, a[1]};", [0, 0, 1, 1, 2, 2, 3, 3]),
        # A narrower value is extended with zeros, a wider one cut.
        ("assign y = b;", [0, 0, 0, 0, 1, 1, 1, 1]),
        ("assign y = {b, a};", [0, 1, 2, 3] * 2),
        ("pair p (.i(b), .o(y));", [3, 3, 3, 3, 2, 2, 2, 2]),
        ("wire n; pair p (.i(a), .o(n)); assign y = {n, n};", [3, 0, 3, 0] * 2),
        ("pair p (.i(a), .o(y)); pair q (.i(a), .o()); pair r (.i(a));", [3, 2, 1, 0] * 2),
        ("assign n = b; assign y = {n, n};", [0, 0, 0, 0, 3, 3, 3, 3]),  # n is not declared
        ("ODD g (.\\A[0] (a[0]), .\\A[1] (b), .Y(y[0])); assign y[1] = 0;", [0, 1, 0, 1, 1, 0, 1, 0]),
    ],
)
def test_connections(body: str, wanted: list[int]) -> None:
    text = f"""
        module m (input [1:0] a, input b, output [1:0] y); {body} endmodule
        module pair (input [1:0] i, output [1:0] o);
          INV u (.A(i[0]), .Y(o[0])); INV v (.A(i[1]), .Y(o[1]));
        endmodule
    """
    netlist = flat(text)
    got = [
        values(netlist, dict(zip((("a", 0), ("a", 1), ("b", 0)), map(bool, row), strict=True)))
        for row in patterns(3)
    ]
    assert [row["y", 0] + 2 * row["y", 1] for row in got] == wanted


def test_escaped_names_lose_their_backslash() -> None:
    found = flat("module m (input a, output y); wire \\n.1 ; INV \\u[0] (.A(a), .Y(\\n.1 )); "
                 "INV v (.A(\\n.1 ), .Y(y)); endmodule")  # fmt: skip
    assert found.net_names == ("a", "n.1", "y")
    assert [each.name for each in found.instances] == ["u[0]", "v"]


def test_an_unconnected_output_has_a_net_of_its_own() -> None:
    found = flat("module m (input a, output y); INV u (.A(a)); INV v (.A(a), .Y(y)); endmodule")
    assert found.net_names == ("a", "u.Y", "y")


def test_registers_keep_all_pins() -> None:
    body = "wire n; DFFR r (.CK(clk), .D(a), .RN(1'h1), .Q(n)); DFFN s (.CK(clk), .D(n), .QN(y));"
    found = flat(f"module m (input clk, input a, output y); {body} endmodule")
    first, second = found.instances
    assert isinstance(first, Register)
    assert isinstance(second, Register)
    assert [found.net_names[net] for net in first.inputs] == ["clk", "a", "1'b1"]
    assert second.data == first.output
    assert values(found, {("a", 0): True}) == {("y", 0): False}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sub s (.i(b), .o(y));", "m: instance s: toy .*no cell 'sub'"),
        ("INV g (.A(b), .Z(y));", "m: instance g: INV has no pin Z"),
        ("box s (.p(b), .o(y));", "m: instance s: box has no pin p"),
        ("INV g (.Y(y));", "m: input A of instance g is not connected"),
        ("INV g (.A(), .Y(y));", "m: input A of instance g is not connected"),
        ("box s (.o(y));", "m: s.i has no driver"),
        ("", "m: y has no driver"),
        ("wire n; INV g (.A(n), .Y(y));", "m: n has no driver"),
        ("INV g (.A(b), .Y(y)); wire n; INV h (.A(n));", "m: n has no driver"),
        ("assign y = a[9];", r"m: a\[9\] has no driver"),
        ("INV g (.A(b), .Y(y)); INV h (.A(b), .Y(y));", "m: y has two drivers"),
        ("assign y = b; INV h (.A(b), .Y(y));", "m: y has two drivers"),
        ("assign y = b; INV h (.A(y), .Y(b));", "m: b has two drivers"),
        ("assign y = b; wrong w (.i(b));", r"m: w\.i has two drivers"),
        ("INV g (.A(y), .Y(y));", "m: combinational loop through y"),
        ("wire n; assign y = n; assign n = y;", "m: combinational loop through [ny]"),
        ("wire n; box g (.i(n), .o(y)); NAND h (.A(b), .B(y), .Y(n));", "m: combinational loop through "),
        ("wire n; DFF r (.CK(clk), .D(n), .Q(y)); INV h (.A(y), .Y(n));", "m: combinational loop through "),
        ("assign y = a[0] & b;", "m: And is logic that is not mapped to cells"),
        ("localparam T = 2; assign y = T[b];", "m: Pointer is logic that is not mapped to cells"),
        ("localparam T = 2; assign y = T;", "m: Identifier is logic that is not mapped to cells"),
        ("INV g (.A(~b), .Y(y));", "m: Unot is logic that is not mapped to cells"),
        ("reg q; always @(posedge clk) q <= b; assign y = q;", "m: the register q is not mapped to a cell"),
        ("DFF r (.CK(b), .D(a[0]), .Q(y));", "m: register r is not clocked by the port clk"),
        ("DFF r (.CK(clk), .D(clk), .Q(y));", "m: clk is used as data"),
        ("INV g (.A(clk), .Y(y));", "m: clk is used as data"),
        ("assign y = clk;", "m: clk is used as data"),
        ("DFFR r (.CK(clk), .D(b), .RN(1'h0), .Q(y));", "m: the reset of r is not tied off"),
        ("DFFR r (.CK(clk), .D(b), .RN(b), .Q(y));", "m: the reset of r is not tied off"),
        ("self s (.i(b), .o(y));", "m.s: instance t: self contains itself"),
    ],
)
def test_a_fault_is_an_error(body: str, problem: str) -> None:
    text = f"""
        module m (input clk, input [1:0] a, input b, output y); {body} endmodule
        module box (input i, output o); INV u (.A(i), .Y(o)); endmodule
        module wrong (input i); INV u (.A(i), .Y(i)); endmodule
        module self (input i, output o); self t (.i(i), .o(o)); endmodule
    """
    with pytest.raises(DataError, match=f"^f.v: {problem}"):
        flat(text)


def test_an_unknown_top_is_an_error() -> None:
    with pytest.raises(DataError, match=r"f\.v: has no module top"):
        flat_netlist(Design("f.v", {}), "top", toy())


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(
    network=lut_networks(max_inputs=4),
    registers=st.sampled_from(["none", "inputs", "outputs", "both"]),
)
def test_it_computes_what_elaboration_computes(
    network: LutNetwork, registers: Registers, library: CellLibrary
) -> None:
    core = to_graph(network)
    interface = core.interface
    encoder = encoder_graph([node for _, node in core.inputs if isinstance(node, Threshold)], interface)
    text = synthesize(design_verilog("demo", encoder, core, registers), "demo", library).netlist
    design = parse_verilog(text, "netlist.v")
    graph = elaborate_top(design, "demo_top", interface, library, latency(registers)).graph
    netlist = flat_netlist(design, "demo_top", library)
    codes = np.random.default_rng(0).integers(0, 1 << np.array(interface.widths), (20, len(interface.widths)))
    for row, wanted in zip(codes, graph.predict(codes), strict=True):
        bits = {
            (port, bit): bool(row[feature_of_port(port)] >> bit & 1)  # type: ignore[index]
            for port, bit in netlist.inputs
        }
        got = values(netlist, bits)
        assert sum(got[bit] << bit[1] for bit in netlist.outputs) == wanted


def test_parts_of_a_module_that_is_used_twice_are_separate() -> None:
    text = """
        module m (input a, output y); wire n; box s (.i(a), .o(n)); box t (.i(n), .o(y)); endmodule
        module box (input i, output o); wire n; INV u (.A(i), .Y(n)); INV v (.A(n), .Y(o)); endmodule
    """
    assert [each.name for each in flat(text).instances] == ["s.u", "s.v", "t.u", "t.v"]


def test_50_000_cells_take_seconds() -> None:
    """Pyverilog's parser takes longer, so the modules are many instances of one that is parsed once."""
    rng = random.Random(0)
    nets = ["a[0]", "a[1]"]
    lines = []
    for k in range(500):
        lines.append(f"wire n{k}; NAND g{k} (.A({rng.choice(nets)}), .B({rng.choice(nets)}), .Y(n{k}));")
        nets.append(f"n{k}")
    box = f"module box (input [1:0] a, output y); {' '.join(lines)} assign y = n499; endmodule"
    instances = [f"box b{k} (.a({{w[{k}], w[{k + 1}]}}), .y(w[{k + 2}]));" for k in range(100)]
    top = "module m (input [1:0] a, output y); wire [101:0] w; assign w[1:0] = a; assign y = w[101];"
    design = parse_verilog(f"{top} {' '.join(instances)} endmodule {box}", "f.v")
    start = time.process_time()
    netlist = flat_netlist(design, "m", toy())
    assert time.process_time() - start < 20
    assert len(netlist.gates) == 50_000

    def input_of(_port: str, bit: int) -> Input:
        return CodeBit(0, bit)

    graph = elaborate(design, "m", input_of, Interface(("a",), (2,), ("no", "yes")), toy()).graph
    for code in range(4):
        got = values(netlist, {("a", 0): bool(code & 1), ("a", 1): bool(code >> 1)})
        assert got["y", 0] == graph.predict(np.array([[code]]))[0]
