"""Written Verilog: readable, accepted by Icarus without a warning, and the graph's function."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import boolean_graphs

from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.equivalence.check import check_equal
from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.tools import require_tool
from dwn_asic.verilog.elaborate import elaborate_top
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.simulate import run_testbench
from dwn_asic.verilog.testbench import bench_verilog
from dwn_asic.verilog.writer import (
    Registers,
    design_verilog,
    latency,
    register_bits,
    used_bits,
    used_features,
)

REGISTERS: list[Registers] = ["none", "inputs", "outputs", "both"]
WEIRD = ("a b/ü;\n`", "a b?ü", "module", "1st", "clk", "therm", "", "class_index", "n3", "\\escaped ")


def weird_core() -> BooleanGraph:
    """Build a core with troublesome feature names, tables of 1 to 4 inputs, a constant, a shared output."""
    interface = Interface(WEIRD, (1, 8) + (4,) * (len(WEIRD) - 2), ("no;\n`endmodule", "yes*/", "ü\\"))
    builder = GraphBuilder(interface)
    bits = [builder.add(Threshold(f, 1)) for f in range(len(WEIRD))]
    inverted = builder.add(Lut((bits[0],), 0b01))
    wide = builder.add(Lut((inverted, *bits[1:4]), 0xA53C))
    odd = builder.add(Lut((wide, bits[4], bits[5]), 0b01101011))
    rest = builder.add(Lut(tuple(bits[6:10]), 0x8001))
    one = builder.add(Constant(value=True))
    top = builder.add(Lut((odd, rest, one), 0b11001010))
    return builder.finish([top, odd])


def written(core: BooleanGraph, registers: Registers = "none", pipeline: bool = False) -> str:
    thresholds = [node for _, node in core.inputs if isinstance(node, Threshold)]
    encoder = encoder_graph(thresholds, core.interface)
    return design_verilog("demo", encoder, core, registers, pipeline=pipeline)


def small_core() -> BooleanGraph:
    builder = GraphBuilder(Interface(("height", "age"), (8, 3), ("small", "tall")))
    a, b = builder.add(Threshold(0, 128)), builder.add(Threshold(1, 3))
    return builder.finish([builder.add(Lut((a, b), 0b0111))])


def test_the_text() -> None:
    assert written(small_core(), "outputs") == (
        """\
// demo_encoder: quantized features to thermometer bits.
module demo_encoder (
    input  wire [7:0] x0_height,
    input  wire [2:0] x1_age,
    output wire [1:0] therm
);
    // therm[0]: height code >= 128
    // therm[1]: age code >= 3
    // Logic: 2 functions.
    wire n3 = x1_age[1] & x1_age[0];
    wire n5 = x1_age[2] | n3;
    // Outputs: 2.
    assign therm[0] = x0_height[7];
    assign therm[1] = n5;
endmodule

// demo_core: thermometer bits to class index.
module demo_core (
    input  wire [1:0] therm,
    output wire class_index
);
    // Logic: 1 functions.
    wire n2 = ~(therm[0] & therm[1]);
    // Outputs: 1.
    assign class_index = n2;
endmodule

// demo_top: quantized features to class index (0 = small, 1 = tall).
module demo_top (
    input  wire clk,
    input  wire [7:0] x0_height,
    input  wire [2:0] x1_age,
    output wire class_index
);
    // Thermometer encoder.
    wire [1:0] therm;
    demo_encoder encoder (
        .x0_height(x0_height),
        .x1_age(x1_age),
        .therm(therm)
    );
    // Output registers.
    wire class_index_d;
    reg class_index_q;
    always @(posedge clk) begin
        class_index_q <= class_index_d;
    end
    assign class_index = class_index_q;
    // Core.
    demo_core core (
        .therm(therm),
        .class_index(class_index_d)
    );
endmodule
"""
    )


def test_unused_features_are_no_ports() -> None:
    builder = GraphBuilder(Interface(("a", "b", "c"), (4, 4, 4), ("no", "yes")))
    core = builder.finish([builder.add(Threshold(1, 3))])
    assert used_features(encoder_graph([Threshold(1, 3)], core.interface)) == [1]
    text = written(core)
    assert "x1_b" in text
    assert "x0_a" not in text
    assert "x2_c" not in text


def test_a_threshold_reads_no_bit_below_the_lowest_of_its_constant() -> None:
    builder = GraphBuilder(Interface(("a", "b", "c"), (8, 3, 5), ("no", "yes")))
    read = [Threshold(0, 0b01011000), Threshold(1, 1), CodeBit(2, 0), CodeBit(2, 3)]
    core = builder.finish([builder.add(Lut(tuple(builder.add(node) for node in read), 0x6996))])
    assert used_bits(core) == {0: (3, 4, 5, 6, 7), 1: (0, 1, 2), 2: (0, 3)}
    builder = GraphBuilder(core.interface)
    fixed = [builder.add(Threshold(feature, constant)) for feature, constant in ((0, 0), (1, 9), (2, 32))]
    assert used_bits(builder.finish(fixed)) == {0: (), 1: (), 2: ()}
    assert register_bits(core, "both") == 5 + 3 + 2 + 1
    assert register_bits(core, "outputs") == 1


def test_only_bits_that_are_read_are_held() -> None:
    interface = Interface(("gaps", "high", "whole", "one"), (7, 8, 3, 4), ("no", "yes"))
    builder = GraphBuilder(interface)
    read = [*(CodeBit(0, bit) for bit in (1, 2, 5)), *(CodeBit(1, bit) for bit in (6, 7))]
    read += [*(CodeBit(2, bit) for bit in range(3)), CodeBit(3, 2)]
    nodes = [builder.add(node) for node in read]
    parity = nodes[0]
    for node in nodes[1:]:
        parity = builder.add(Lut((parity, node), 0b0110))
    core = builder.finish([parity])
    encoder = GraphBuilder(interface)
    encoder_bits = encoder.finish([encoder.add(node) for node in read])
    text = design_verilog("demo", encoder_bits, core, "both")
    for held in (
        "x0_gaps_q <= {x0_gaps[5], x0_gaps[2:1]};",
        "x1_high_q <= x1_high[7:6];",
        "x2_whole_q <= x2_whole;",
        "x3_one_q <= x3_one[2];",
        ".x0_gaps({1'b0, x0_gaps_q[2], 2'b00, x0_gaps_q[1:0], 1'b0}),",
        ".x1_high({x1_high_q, 6'b000000}),",
        ".x2_whole(x2_whole_q),",
        ".x3_one({1'b0, x3_one_q, 2'b00}),",
    ):
        assert held in text
    top = elaborate_top(parse_verilog(text, "d.v"), "demo_top", interface, None, 2)
    assert top.latencies == {2}
    check_equal("graph == Verilog", core, top.graph)


@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize(("registers", "cycles"), [("none", 0), ("inputs", 1), ("outputs", 1), ("both", 2)])
def test_latency_is_what_is_read_back(registers: Registers, cycles: int, pipeline: bool) -> None:
    cycles += pipeline
    assert latency(registers, pipeline=pipeline) == cycles
    core = weird_core()
    read = elaborate_top(
        parse_verilog(written(core, registers, pipeline), "d.v"), "demo_top", core.interface, None, cycles
    )
    assert read.latencies == {cycles}
    check_equal("graph == Verilog", specification(core), read.graph)


def test_weird_names_stay_in_one_comment_line() -> None:
    lines = written(weird_core()).splitlines()
    assert "    // therm[0]: a b/?; ` code >= 1" in lines
    assert "// demo_top: quantized features to class index (0 = no; `endmodule, 1 = yes*/, 2 = ?\\)." in lines
    assert all(line.isascii() for line in lines)


@settings(max_examples=60)
@given(boolean_graphs(max_inputs=4, max_luts=4), st.sampled_from(REGISTERS), st.booleans())
def test_any_graph_reads_back_equal(core: BooleanGraph, registers: Registers, pipeline: bool) -> None:
    design = parse_verilog(written(core, registers, pipeline), "d.v")
    cycles = latency(registers, pipeline=pipeline)
    read = elaborate_top(design, "demo_top", core.interface, None, cycles)
    check_equal("graph == Verilog", specification(core), read.graph)


@pytest.mark.tool("iverilog", "vvp")
@pytest.mark.parametrize("registers", REGISTERS)
def test_icarus_has_nothing_to_warn_of(registers: Registers, tmp_path: Path) -> None:
    path = tmp_path / "design.v"
    path.write_text(written(weird_core(), registers, pipeline=registers != "inputs"))
    done = subprocess.run(
        [require_tool("iverilog"), "-Wall", "-g2005", "-t", "null", "-s", "demo_top", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.tool("iverilog", "vvp")
@settings(max_examples=10)
@given(
    core=boolean_graphs(max_inputs=4, max_luts=4),
    registers=st.sampled_from(REGISTERS),
    pipeline=st.booleans(),
)
def test_icarus_computes_the_same(core: BooleanGraph, registers: Registers, pipeline: bool) -> None:
    bench(core, registers, core.predict(np.arange(8)[:, None]), pipeline)


def bench(core: BooleanGraph, registers: Registers, expected: np.ndarray, pipeline: bool = False) -> int:
    """Run the testbench on codes 0, 1, ... of the first feature."""
    codes = np.zeros((len(expected), len(core.interface.widths)), np.int64)
    codes[:, 0] = np.arange(len(expected))
    thresholds = [node for _, node in core.inputs if isinstance(node, Threshold)]
    encoder = encoder_graph(thresholds, core.interface)
    wide = Interface(core.interface.feature_names, core.interface.widths, ("c",) * (1 << len(core.outputs)))
    text = bench_verilog("demo", wide, encoder, codes, expected, registers, pipeline=pipeline)
    return run_testbench({"design.v": written(core, registers, pipeline), "tb.v": text}, "demo_tb")


@pytest.mark.tool("iverilog", "vvp")
@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize("registers", REGISTERS)
def test_the_testbench_reports_a_wrong_class(registers: Registers, pipeline: bool) -> None:
    core = small_core()
    codes = np.zeros((200, 2), np.int64)
    codes[:, 0] = np.arange(200)
    right = core.predict(codes)
    assert bench(core, registers, right, pipeline) == 200
    wrong = right.copy()
    wrong[7] ^= 1
    with pytest.raises(VerificationError, match=r"demo_tb: FAIL: vector 7: class 1, expected 0$"):
        bench(core, registers, wrong, pipeline)


@pytest.mark.tool("iverilog", "vvp")
def test_icarus_refuses_what_is_no_verilog() -> None:
    with pytest.raises(ToolError, match="iverilog: exit code") as caught:
        run_testbench({"design.v": "module demo_tb; garbage"}, "demo_tb")
    assert "\n" not in str(caught.value)
