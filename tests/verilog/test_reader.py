"""The Verilog reader: each supported construct, and a one-line error for each unsupported one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from strategies import patterns

from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Input, Interface
from dwn_asic.errors import DataError
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary, FlipFlop
from dwn_asic.verilog.elaborate import Elaborated, elaborate
from dwn_asic.verilog.reader import parse_verilog, read_verilog

INTERFACE = Interface(("a", "b", "c"), (4, 4, 4), ("no", "yes"))


def read(text: str, library: CellLibrary | None = None) -> Elaborated:
    """Elaborate the first module of a text; port a, b, c is feature 0, 1, 2."""

    def input_of(port: str, bit: int) -> Input:
        return CodeBit("abc".index(port), bit)

    design = parse_verilog(text, "f.v")
    return elaborate(design, next(iter(design.modules)), input_of, INTERFACE, library)


def outputs(graph: BooleanGraph, inputs: list[CodeBit]) -> list[int]:
    """Return the output number at each pattern of ``inputs``."""
    rows = patterns(len(inputs))[:, [inputs.index(node) for _, node in graph.inputs]]  # type: ignore[arg-type]
    found = graph.simulate(rows)
    return (found @ (1 << np.arange(found.shape[1]))).tolist()


A0, A1, B0, C0 = CodeBit(0, 0), CodeBit(0, 1), CodeBit(1, 0), CodeBit(2, 0)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        # One output y of two bits, inputs a[1:0] (pattern bits 0 and 1) and b (pattern bit 2).
        ("assign y = a;", [0, 1, 2, 3] * 2),
        ("assign y = ~a;", [3, 2, 1, 0] * 2),
        ("assign y[1:0] = a[1:0];", [0, 1, 2, 3] * 2),
        ("assign y[0] = a[1]; assign y[1] = a[0];", [0, 2, 1, 3] * 2),
        ("assign y = {a[0], a[1]};", [0, 2, 1, 3] * 2),
        ("assign {y[0], y[1]} = a;", [0, 2, 1, 3] * 2),
        ("assign y = {b, a[0]};", [0, 1, 0, 1, 2, 3, 2, 3]),
        ("assign y = {~a[0], a[0] & a[1]};", [2, 0, 2, 1] * 2),
        ("assign y = a & {b, b};", [0, 0, 0, 0, 0, 1, 2, 3]),
        ("assign y = a | {1'b0, b};", [0, 1, 2, 3, 1, 1, 3, 3]),
        ("assign y = a ^ 2'b10;", [2, 3, 0, 1] * 2),
        ("assign y = a ~^ 2'd2;", [1, 0, 3, 2] * 2),
        ("assign y = b ? a : 2'h1;", [1, 1, 1, 1, 0, 1, 2, 3]),
        ("assign y = b ? ~a : a;", [0, 1, 2, 3, 3, 2, 1, 0]),
        ("assign y = (a[0] & b) ? 2 : 0;", [0, 0, 0, 0, 0, 2, 0, 2]),
        # A narrower value is extended with zeros, a wider one cut; ~ works on the extended value.
        ("assign y = b;", [0, 0, 0, 0, 1, 1, 1, 1]),
        ("assign y = ~b;", [3, 3, 3, 3, 2, 2, 2, 2]),
        ("assign y = {b, a};", [0, 1, 2, 3] * 2),
        # Constants.
        ("assign y = 3;", [3] * 8),
        ("assign y = 2'o2;", [2] * 8),
        ("assign y = 'h1;", [1] * 8),
        ("assign y = 2'b1_0;", [2] * 8),
        ("assign y = 2'bx1;", [1] * 8),
        ("assign y = 2'b1z;", [2] * 8),
        # Declarations.
        ("wire n = a[0] & b; assign y = {n, n};", [0, 0, 0, 0, 0, 3, 0, 3]),
        ("wire [5:4] n; assign n[4] = a[1]; assign n[5] = a[0]; assign y = n;", [0, 2, 1, 3] * 2),
        ("assign n = b; assign y = {n, b};", [0, 0, 0, 0, 3, 3, 3, 3]),  # n is not declared
        ("wire n, m; assign n = a[0]; assign m = ~n; assign y = {m, n};", [2, 1, 2, 1] * 2),
        # Lookup tables.
        ("localparam [3:0] T = 4'h6; assign y = T[{a[1], a[0]}];", [0, 1, 1, 0] * 2),
        ("localparam [3:0] T = 4'b0100; assign y = T[a];", [0, 0, 1, 0] * 2),
        ("localparam [3:0] T = 4'h6; assign y = T[b];", [0, 0, 0, 0, 1, 1, 1, 1]),
        ("localparam [7:0] T = 8'h80; assign y = {T[{b, a}], 1'b0};", [0] * 7 + [2]),
        ("parameter T = 8; assign y = T[{a[1], a[0]}];", [0, 0, 0, 1] * 2),
        ("localparam K = 1; assign y = a[K];", [0, 0, 1, 1] * 2),
        # Modules.
        ("inv i0 (.i(a[0]), .o(y[0])); inv i1 (.o(y[1]), .i(y[0]));", [1, 2, 1, 2] * 2),
        ("pair p (.i({a[0], b}), .o(y));", [0, 2, 0, 2, 1, 3, 1, 3]),
        ("pair p (.i(a), .o({y[0], y[1]}));", [0, 2, 1, 3] * 2),
        ("wire n; pair p (.i(a), .o(n)); assign y = n;", [0, 1, 0, 1] * 2),  # the upper bit is dropped
        ("pair p (.i(a), .o(y)); pair q (.i(a), .o());", [0, 1, 2, 3] * 2),
    ],
)
def test_supported(body: str, wanted: list[int]) -> None:
    text = f"""
        module m (input [1:0] a, input b, output [1:0] y); {body} endmodule
        module inv (i, o); input i; output o; wire o; assign o = ~i; endmodule
        module pair (input wire [1:0] i, output wire [1:0] o); assign o = i; endmodule
    """
    found = read(text)
    assert outputs(found.graph, [A0, A1, B0]) == wanted
    assert found.latencies <= {0}


def test_comments_and_directives_are_skipped() -> None:
    found = read(
        "// c\n`timescale 1ns/1ps\n/* d */ module m(input a, output y);\nassign y = ~a; // e\nendmodule"
    )
    assert outputs(found.graph, [A0]) == [1, 0]


def test_registers_count_as_wires() -> None:
    body = "reg q, r; always @(posedge clk) begin q <= ~a; r <= q; end assign y = r;"
    found = read(f"module m (input clk, input a, output y); {body} endmodule")
    assert outputs(found.graph, [A0]) == [1, 0]
    assert found.latencies == {2}


def test_unequal_paths_show_as_two_latencies() -> None:
    body = "reg q; always @(posedge clk) q <= a; assign y = q ^ b;"
    found = read(f"module m (input clk, input a, input b, output y); {body} endmodule")
    assert outputs(found.graph, [A0, B0]) == [0, 1, 1, 0]
    assert found.latencies == {0, 1}


def test_clock_reaches_registers_through_modules_and_wires() -> None:
    found = read(
        "module m (input clk, input a, output y);\n"
        "wire k; assign k = clk; r r (.c(k), .d(a), .q(y)); endmodule\n"
        "module r (input c, input d, output q); reg q; always @(posedge c) q <= d; endmodule"
    )
    assert outputs(found.graph, [A0]) == [0, 1]
    assert found.latencies == {1}


def test_a_constant_has_no_latency() -> None:
    assert read("module m (input a, output y); assign y = 1'b1; endmodule").latencies == frozenset()


def cells() -> CellLibrary:
    inv = Cell("INV", 1.0, ("A",), "Y", "!A", (0.1,), 0.0)
    nand = Cell("NAND", 2.0, ("A", "B"), "Y", "!(A & B)", (0.1, 0.1), 0.0)
    plain = FlipFlop("DFF", 5.0, "CK", "D", "Q", (0.1, 0.1), 0.0)
    inverting = FlipFlop("DFFN", 5.0, "CK", "D", "QN", (0.1, 0.1), 0.0, inverting=True)
    reset = FlipFlop("DFFR", 6.0, "CK", "D", "Q", (0.1, 0.1, 0.1), 0.0, reset="RN")
    return CellLibrary("toy", "typical", (inv, nand), (plain, inverting, reset), "NAND", 2.0)


@pytest.mark.parametrize(
    ("body", "wanted", "latency"),
    [
        ("INV g (.A(a), .Y(y));", [1, 0, 1, 0], 0),
        ("NAND g (.Y(y), .B(b), .A(a));", [1, 1, 1, 0], 0),
        ("NAND g (.A(1'h1), .B(b), .Y(y));", [1, 1, 0, 0], 0),
        ("DFF r (.CK(clk), .D(a), .Q(y));", [0, 1, 0, 1], 1),
        ("DFFN r (.CK(clk), .D(a), .QN(y));", [1, 0, 1, 0], 1),
        ("DFFR r (.CK(clk), .D(a), .RN(1'h1), .Q(y));", [0, 1, 0, 1], 1),
        ("wire n; DFF r (.CK(clk), .D(a), .Q(n)); DFF s (.CK(clk), .D(n), .Q(y));", [0, 1, 0, 1], 2),
    ],
)
def test_cells(body: str, wanted: list[int], latency: int) -> None:
    found = read(f"module m (input clk, input a, input b, output y); {body} endmodule", cells())
    assert outputs(found.graph, [A0, B0]) == wanted
    assert found.latencies == {latency}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sub s (.i(a), .o(y));", "m: instance s of unknown module sub"),
        ("", r"m: y\[0\] has no driver"),
        ("wire n; assign y = n & a;", r"m: n\[0\] has no driver"),
        ("assign y = a[9];", r"m: a\[9\] has no driver"),
        ("assign y = a[0]; assign y = b;", r"module m: y\[0\] has two drivers"),
        ("inv i (.i(a[0]), .o(y)); assign y = b;", r"m: y\[0\] has two drivers"),
        ("inv i (.i(b), .o(y)); inv j (.i(b), .o(y));", r"m: y\[0\] has two drivers"),
        ("assign b = a[0]; assign y = b;", r"module m: b\[0\] has two drivers"),
        ("inv i (.i(y), .o(b)); assign y = b;", r"m: b\[0\] has two drivers"),
        ("assign y = y & b;", r"m: combinational loop through y\[0\]"),
        ("wire n; inv i (.i(n), .o(y)); inv j (.i(y), .o(n));", "combinational loop through"),
        ("reg q; always @(posedge clk) q <= q ^ b; assign y = q;", "combinational loop through q"),
        ("inv i (b, y);", "module m: instance i connects ports by position"),
        ("inv #(.K(1)) i (.i(b), .o(y));", "instance i has parameters or is an array"),
        ("inv i [1:0] (.i(a), .o(y));", "instance i has parameters or is an array"),
        ("inv i (.o(y));", "m: input i of instance i is not connected"),
        ("inv i (.i(), .o(y));", "m: input i of instance i is not connected"),
        ("inv i (.i(b), .o(y), .p(b));", "m: instance i: inv has no pin p"),
        ("inv i (.i(b), .o(~y));", "Unot is not supported as a net"),
        ("assign y = a + b;", "m: Plus is not supported"),
        ("assign y = !a;", "m: Ulnot is not supported"),
        ("assign y = &a;", "m: Uand is not supported"),
        ("assign y = a && b;", "m: Land is not supported"),
        ("assign y = {2{b}};", "m: Repeat is not supported"),
        ("assign y = a ? b : 1'b0;", "m: a condition wider than one bit is not supported"),
        ("assign y = a[b];", "expected a constant"),
        ("assign y = a[0:1];", r"module m: the ascending range \[0:1\] is not supported"),
        ("wire [0:1] n; assign n = a; assign y = n[0];", r"module m: the ascending range \[0:1\]"),
        ("reg n [0:3]; assign y = n[0];", "module m: n is an array, which is not supported"),
        ("localparam T = 2; assign y = T[0];", "T has an address of 32 bits, more than 16"),
        ("integer i; assign y = b;", "module m: Integer is not supported"),
        ("initial y = b;", "module m: Initial is not supported"),
        ("reg q; always @* q = b; assign y = q;", r"module m: only always @\(posedge clock\)"),
        ("reg q; always @(negedge clk) q <= b; assign y = q;", r"only always @\(posedge clock\)"),
        (
            "reg q; always @(posedge clk or posedge b) q <= b; assign y = q;",
            r"only always @\(posedge clock\)",
        ),
        (
            "reg q; always @(posedge clk) if (b) q <= b; assign y = q;",
            r"module m: only plain registers \(q <=",
        ),
        ("reg q; always @(posedge b) q <= b; assign y = q;", "m: register q is not clocked by the port clk"),
        ("reg q; always @(posedge clk) q <= clk; assign y = q ^ b;", "m: clk is used as data"),
        ("assign y = clk;", "m: clk is used as data"),
        ("assign y = clk & b;", "m: clk is used as data"),
    ],
)
def test_not_supported(body: str, problem: str) -> None:
    text = (
        f"module m (input clk, input [1:0] a, input b, output y);\n{body}\nendmodule\n"
        "module inv (input i, output o); assign o = ~i; endmodule"
    )
    with pytest.raises(DataError, match=problem) as caught:
        read(text)
    assert str(caught.value).startswith("f.v")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("XOR g (.A(a), .B(b), .Y(y));", r"m: instance g: toy \(typical\): no cell 'XOR'"),
        ("NAND g (.A(a), .Y(y));", "m: input B of instance g is not connected"),
        ("INV g (.A(a), .B(b), .Y(y));", "m: instance g: INV has no pin B"),
        ("DFF r (.CK(b), .D(a), .Q(y));", "m: register r is not clocked by the port clk"),
        ("wire n; INV g (.A(clk), .Y(n)); DFF r (.CK(n), .D(a), .Q(y));", "m: clk is used as data"),
        ("DFF r (.CK(clk), .D(clk), .Q(y));", "m: clk is used as data"),
        ("DFFR r (.CK(clk), .D(a), .RN(b), .Q(y));", "m: the reset of r is not tied off"),
        ("DFFR r (.CK(clk), .D(a), .RN(1'h0), .Q(y));", "m: the reset of r is not tied off"),
    ],
)
def test_wrong_cells(body: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read(f"module m (input clk, input a, input b, output y); {body} endmodule", cells())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "at end of input"),
        ("// nothing\n", "at end of input"),
        ("garbage", 'line:1: before: "garbage"'),
        ("module m (input a, output y);\n\nassign y = a +;\nendmodule", 'line:3: before: ";"'),
        ("module m (input a, output y); assign y = a;", "at end of input"),
        ("module m; endmodule\0", "Illegal character"),
    ],
)
def test_not_verilog(text: str, problem: str) -> None:
    for _ in range(2):  # line numbers start anew with each text
        with pytest.raises(DataError, match=f"pyverilog cannot parse it: .*{problem}") as caught:
            parse_verilog(text, "f.v")
        assert "\n" not in str(caught.value)


def test_line_number_of_what_is_not_supported() -> None:
    for _ in range(2):
        with pytest.raises(DataError, match=r"f\.v, row 3: module m: Initial"):
            parse_verilog("module m (input a, output y);\n\ninitial y = a;\nendmodule", "f.v")


def test_unknown_top() -> None:
    design = parse_verilog("module m (input a, output y); assign y = a; endmodule", "f.v")
    with pytest.raises(DataError, match=r"f\.v: has no module top \(modules: m\)"):
        elaborate(design, "top", lambda *_: A0, INTERFACE)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "m.v"
    with pytest.raises(DataError, match=r"m\.v: cannot be read: No such file"):
        read_verilog(path)
    path.write_bytes(b"module m; \xff\xfe endmodule")
    with pytest.raises(DataError, match=r"m\.v: cannot be read"):
        read_verilog(path)
    path.write_text("module m (input a, output y); assign y = a; endmodule")
    assert list(read_verilog(path).modules) == ["m"]


def test_deep_logic() -> None:
    def chain(length: int) -> str:
        inverters = "".join(f"INV g{i} (.A(n{i}), .Y(n{i + 1}));\n" for i in range(length))
        return f"module m (input a, output y); wire n0 = a;\n{inverters}assign y = n{length}; endmodule"

    assert outputs(read(chain(1001), cells()).graph, [A0]) == [1, 0]
    with pytest.raises(DataError, match=r"f\.v: the logic of m is nested too deeply"):
        read(chain(9000), cells())
