"""The property that everything rests on: model == graph == minimized == Verilog read back == netlist."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import lut_networks, rows

from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.compose import compose
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph, Threshold
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.equivalence.check import check_equal, check_rows
from dwn_asic.optimize.exact.minimize import minimize
from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.elaborate import elaborate_top
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.simulate import run_testbench
from dwn_asic.verilog.testbench import bench_verilog
from dwn_asic.verilog.writer import Registers, design_verilog, latency

REGISTERS = st.sampled_from(["none", "inputs", "outputs", "both"])


def parts(graph: BooleanGraph) -> tuple[BooleanGraph, BooleanGraph]:
    """Return the encoder and core of a graph."""
    thresholds = [node for _, node in graph.inputs if isinstance(node, Threshold)]
    return encoder_graph(thresholds, graph.interface), graph


@given(lut_networks(), st.integers(1, 200))
def test_model_and_graph_agree(network: LutNetwork, count: int) -> None:
    codes = rows(network, count)
    graph = to_graph(network)
    check_rows("model == graph", network.predict(codes), graph.predict(codes), codes, graph.interface)


@settings(max_examples=40)
@given(lut_networks(max_inputs=5), REGISTERS)
def test_verilog_read_back_agrees(network: LutNetwork, registers: Registers) -> None:
    codes = rows(network, 100)
    encoder, core = parts(to_graph(network))
    design = parse_verilog(design_verilog("demo", encoder, core, registers), "demo.v")
    read = elaborate_top(design, "demo_top", core.interface, None, latency(registers)).graph
    check_rows("model == Verilog", network.predict(codes), read.predict(codes), codes, core.interface)
    check_equal("graph == Verilog", specification(core), read)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(network=lut_networks(max_inputs=6), registers=REGISTERS, count=st.sampled_from([1, 64, 130]))
def test_all_forms_agree(network: LutNetwork, registers: Registers, count: int, cost: CellCost) -> None:
    codes = rows(network, count)
    model = network.predict(codes)
    graph = to_graph(network)
    core = minimize(graph, cost, effort="low").graph
    encoder = minimize(parts(core)[0], cost, effort="low").graph
    wanted = specification(graph)
    check_equal("graph == minimized", wanted, compose(encoder, core))
    design = design_verilog("demo", encoder, core, registers)
    netlist = synthesize(design, "demo", cost.library).netlist
    cycles = latency(registers)
    mapped = elaborate_top(
        parse_verilog(netlist, "netlist.v"), "demo_top", graph.interface, cost.library, cycles
    ).graph
    check_rows("model == netlist", model, mapped.predict(codes), codes, graph.interface)
    check_equal("graph == netlist", wanted, mapped)


@pytest.mark.tool("iverilog", "vvp")
@settings(max_examples=8)
@given(network=lut_networks(max_inputs=4), registers=REGISTERS)
def test_testbench_passes_on_the_design(network: LutNetwork, registers: Registers) -> None:
    codes = rows(network, 40)
    encoder, core = parts(to_graph(network))
    bench = bench_verilog("demo", core.interface, encoder, codes, network.predict(codes), registers)
    design = design_verilog("demo", encoder, core, registers)
    assert run_testbench({"design.v": design, "tb.v": bench}, "demo_tb") == 40
