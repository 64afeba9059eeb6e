"""Tests of dwn_asic.verilog.plain against the general reader."""

from __future__ import annotations

import pytest

from dwn_asic.boolean.graph import CodeBit, Interface
from dwn_asic.equivalence.combinational import find_difference
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.verilog.elaborate import elaborate
from dwn_asic.verilog.plain import plain_graph
from dwn_asic.verilog.reader import parse_verilog

INTERFACE = Interface(("a", "b"), (4, 1), ("0", "1"))
OURS = """module m (
    input  wire [3:0] a,
    input  wire b,
    output wire [2:0] y
);
    // Logic: and a comment; with a semicolon.
    wire n1 = a[0] & ~a[1];
    wire n2 = ~(n1 | a[2]);
    wire n3 = ~(a[3] ^ b);
    wire n4 = n2 ^ n3;
    assign y[0] = n4;
    assign y[1] = ~n1;
    assign y[2] = 1'b1;
endmodule
"""
NETLIST = """module m(a, b, y);
  input [3:0] a;
  wire [3:0] a;
  input b;
  wire b;
  output [2:0] y;
  wire [2:0] y;
  wire _0_;
  sky130_fd_sc_hd__nand2_1 _1_ (
    .A(_0_),
    .B(b),
    .Y(y[0])
  );
  sky130_fd_sc_hd__nor2_1 _2_ (
    .A(a[0]),
    .B(a[1]),
    .Y(_0_)
  );
  assign y[1] = a[3];
  assign y[2] = 1'h0;
endmodule
"""
CELLS = load_pdk(SynthesisConfig().pdk).library


def given(port: str, index: int) -> CodeBit:
    return CodeBit("ab".index(port), index)


@pytest.mark.parametrize("text", [OURS, NETLIST])
def test_plain_module_is_read_like_by_the_general_reader(text: str) -> None:
    plain = plain_graph(text, given, INTERFACE, CELLS)
    assert plain is not None
    general = elaborate(parse_verilog(text, "m.v"), "m", given, INTERFACE, CELLS).graph
    assert len(plain.outputs) == 3
    assert find_difference(general, plain) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a[0] & ~a[1]", "a[0] & ~a[1] & b"),
        ("a[0] & ~a[1]", "b ? a[0] : a[1]"),
        ("~(n1 | a[2])", "(n1 | a[2])"),
        ("wire n3", "wire n2"),
        ("n2 ^ n3", "n2 ^ n9"),
        ("n1 | a[2]", "n4 | a[2]"),
        ("wire n1 =", "wire b ="),
        ("    assign y[2] = 1'b1;\n", ""),
        ("endmodule", "always @(posedge b) q <= a; endmodule"),
    ],
)
def test_anything_else_is_left_to_the_general_reader(old: str, new: str) -> None:
    assert old in OURS
    assert plain_graph(OURS.replace(old, new), given, INTERFACE, CELLS) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nand2_1", "no_such_cell"),
        (".B(b)", ".C(b)"),
        (".B(b),\n", ""),
        (".B(b)", ".B(~b)"),
        ("_2_ (", "#(1) _2_ ("),
        ("nor2_1", "dfxtp_1"),
    ],
)
def test_unknown_cells_and_pins_are_left_to_the_general_reader(old: str, new: str) -> None:
    assert old in NETLIST
    assert plain_graph(NETLIST.replace(old, new), given, INTERFACE, CELLS) is None
    assert plain_graph(NETLIST, given, INTERFACE, None) is None
