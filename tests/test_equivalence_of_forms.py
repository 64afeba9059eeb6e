"""The property that everything rests on: model == graph == minimized == Verilog read back == netlist."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import lut_networks, rows

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import compose
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph, Threshold
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.equivalence.check import check_equal, check_rows, check_verilog, specification
from dwn_asic.optimize.exact.minimize import minimize
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.simulate import run_testbench
from dwn_asic.verilog.testbench import bench_verilog
from dwn_asic.verilog.writer import Registers, design_verilog, latency

REGISTERS = st.sampled_from(["none", "inputs", "outputs", "both"])


def parts(graph: BooleanGraph) -> tuple[BooleanGraph, BooleanGraph]:
    """Encoder and core of a graph."""
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
    read = check_verilog(design, "demo_top", core.interface, None, latency(registers)).graph
    check_rows("model == Verilog", network.predict(codes), read.predict(codes), codes, core.interface)
    check_equal("graph == Verilog", specification(core), read)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(network=lut_networks(max_inputs=6), registers=REGISTERS, count=st.sampled_from([1, 64, 130]))
def test_all_forms_agree(
    network: LutNetwork, registers: Registers, count: int, library: CellLibrary, tmp_path: Path
) -> None:
    codes = rows(network, count)
    model = network.predict(codes)
    graph = to_graph(network)
    core = minimize(graph, library, effort="low").graph
    encoder = minimize(parts(core)[0], library, effort="low").graph
    wanted = specification(graph)
    check_equal("graph == minimized", wanted, compose(encoder, core))
    design = tmp_path / "design.v"
    design.write_text(design_verilog("demo", encoder, core, registers))
    netlist = synthesize(design, "demo", library).netlist
    cycles = latency(registers)
    mapped = check_verilog(
        parse_verilog(netlist, "netlist.v"), "demo_top", graph.interface, library, cycles
    ).graph
    check_rows("model == netlist", model, mapped.predict(codes), codes, graph.interface)
    check_equal("graph == netlist", wanted, mapped)


@pytest.mark.tool("iverilog", "vvp")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=lut_networks(max_inputs=4), registers=REGISTERS)
def test_testbench_passes_on_the_design(network: LutNetwork, registers: Registers, tmp_path: Path) -> None:
    codes = rows(network, 40)
    encoder, core = parts(to_graph(network))
    files = [tmp_path / "design.v", tmp_path / "tb.v"]
    files[0].write_text(design_verilog("demo", encoder, core, registers))
    files[1].write_text(
        bench_verilog("demo", core.interface, encoder, codes, network.predict(codes), registers)
    )
    run_testbench(files, "demo_tb")
