"""Checks by other tools: what they accept, which faults they find, and what they say if they do not run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from mutation.case import DESIGN, NETLIST, Case, large_case, random_case
from mutation.judge import TEXTS, mutants

from dwn_asic.boolean import modules
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import Constant, GraphBuilder
from dwn_asic.equivalence.check import check_equal
from dwn_asic.errors import DataError, ToolError, ToolTimeoutError, VerificationError
from dwn_asic.targets.asic import cross_checks, yosys_proof
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Depth, Vectors
from dwn_asic.targets.prove import prove
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.verilator import run_verilated
from dwn_asic.verilog.writer import Registers, latency
from dwn_asic.verilog.yosys_reader import read_by_yosys

PDK = "sky130hd"
YOSYS = {"graph == Verilog read by Yosys", "Verilog == netlist in Yosys"}
VERILATOR = "testbench passes on netlist in Verilator"


@cache
def cases() -> tuple[Case, ...]:
    return random_case(2, PDK, "both"), random_case(3, PDK, "none")


def built_from(case: Case, circuit: Circuit, registers: Registers) -> Case:
    """Return the case with another circuit or with other registers, without verification."""
    target = replace(case.target, hardware=HardwareConfig(registers=registers))
    built = target.implement(circuit, "demo", Vectors.drawn(circuit))
    return Case(case.name, target, circuit.core, circuit, built)


def verdicts(case: Case, depth: Depth) -> dict[str, str]:
    target = case.target
    return {check.what: check.verdict for check in target.cross_check(case.built, case.specification, depth)}


def proved_by_yosys(case: Case, files: dict[str, str]) -> None:
    """Prove with Yosys alone; raises VerificationError."""
    built = replace(case.built, files={**case.built.files, **files})
    cross_checks._proved_by_yosys(case.target, built, case.specification)


def read(case: Case, text: str) -> None:
    """Compare a design, read by Yosys, with the circuit."""
    interface, cycles = case.circuit.core.interface, latency(case.built.registers)
    check_equal("", case.circuit.graph, read_by_yosys(text, DESIGN, "demo_top", interface, cycles))


# ---- what is right -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("large", [1, 1000])
@pytest.mark.parametrize("number", range(2))
def test_circuits_without_fault_pass(number: int, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yosys_proof, "_LARGE", large)
    assert verdicts(cases()[number], "usual") == dict.fromkeys(YOSYS, "equal")


@pytest.mark.parametrize("name", ["asap7", "ihp-sg13g2", "gf180mcu"])
def test_cells_of_other_libraries_are_read_by_yosys(name: str) -> None:
    """Some of their flip-flops invert, others have a reset that is tied off."""
    case = random_case(2, name, "both")
    assert set(verdicts(case, "usual").values()) == {"equal"}


def test_yosys_reads_the_liberty_files_of_an_installed_pdk(
    shared_pdk: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    pdk = load_pdk(PDK)
    assert pdk.liberty
    case = cases()[0]
    proved_by_yosys(replace(case, target=AsicTarget(pdk, case.target.hardware, 300.0)), {})


def test_a_circuit_that_is_constant() -> None:
    case = cases()[1]
    constant = built_from(case, constant_circuit(case, value=True), "none")
    assert set(verdicts(constant, "usual").values()) == {"equal"}
    other = built_from(case, constant_circuit(case, value=False), "none").built.files[NETLIST]
    with pytest.raises(VerificationError, match="fails in module demo_core"):
        proved_by_yosys(constant, {NETLIST: other})


def constant_circuit(case: Case, *, value: bool) -> Circuit:
    builder = GraphBuilder(case.graph.interface)
    bits = [builder.add(Constant(value=value))] * builder.interface.class_bits
    return Circuit(encoder_graph([], builder.interface), builder.finish(bits))


@pytest.mark.tool("verilator", "iverilog")
def test_verilator_runs_the_testbench() -> None:
    case = cases()[0]
    proof = prove(case.target, case.built, case.specification, "full")
    found = {check.what: check for check in proof.checks}
    assert found.keys() > {*YOSYS, VERILATOR}
    assert found[VERILATOR].size == 500
    assert found[VERILATOR].tool.startswith("Verilator")
    assert {check.verdict for check in proof.checks if check.how == "proof"} == {"equal"}
    assert all(check.tool for check in proof.checks if check.succeeded)
    assert [check.stage.split(" -> ")[0] for check in proof.checks] == [
        *["model"] * 1,
        "graph",
        *["minimized"] * 3,
        *["Verilog"] * 2,
        *["netlist"] * 2,
    ]
    wrong = case.built.files["testbench.v"].replace("if (class_index !== expected)", "if (1)")
    files = {"testbench.v": wrong, **{name: case.built.files[name] for name in (NETLIST, "cells.v")}}
    with pytest.raises(VerificationError, match="simulation of demo_tb: FAIL: vector 0"):
        run_verilated(files, "demo_tb")


# ---- faults ------------------------------------------------------------------------------------------------
@pytest.mark.tool("iverilog", "vvp")
@pytest.mark.parametrize("large", [1, 1000])
def test_yosys_alone_finds_faults_in_design_and_netlist(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yosys compares modules, so it may reject equal circuits; only changed ones must be found."""
    monkeypatch.setattr(yosys_proof, "_LARGE", large)
    found = [*mutants(cases(), 2 * len(TEXTS), np.random.default_rng(0), TEXTS)]
    changed = [mutant for mutant in found if mutant.changed]
    assert len(changed) > 0.7 * len(found)
    missed = []
    for mutant in changed:
        file = {"Verilog": DESIGN, "netlist": NETLIST}[mutant.stage]
        try:
            proved_by_yosys(mutant.case, {file: mutant.built.files[file]})
        except VerificationError:
            continue
        missed.append(f"{mutant.case.name}: {mutant.kind} in {mutant.stage}")
    assert missed == []


@pytest.mark.tool("iverilog", "vvp")
def test_the_reading_by_yosys_finds_faults_in_a_design() -> None:
    designs = list(mutants(cases(), 40, np.random.default_rng(1), TEXTS[:10]))
    missed = []
    for mutant in designs:
        if not mutant.changed:
            continue
        try:
            read(mutant.case, mutant.built.files[DESIGN])
        except (VerificationError, DataError):
            continue
        missed.append(f"{mutant.case.name}: {mutant.kind}")
    assert missed == []


def test_faults_of_a_circuit_in_modules_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "MOST_NODES", 100)
    monkeypatch.setattr(modules, "MODULE_NODES", 60)
    case = large_case(PDK, "both")
    verdict = verdicts(case, "full")
    assert verdict["Verilog == netlist in Yosys"] == "equal"
    assert verdict["graph == Verilog read by Yosys"] == "not run: it takes too long"
    netlist = case.built.files[NETLIST]
    for old, new in (
        ("demo_core_part1 part1 (", "demo_core_part2 part1 ("),
        (".y(part1_y)", ".y(part2_y)"),
        ("part1 part1 (", "part1 part9 ("),
        ("nand2_1 ", "nor2_1 "),
    ):
        assert old in netlist
        with pytest.raises((VerificationError, ToolError), match=r"yosys|Yosys"):
            proved_by_yosys(case, {NETLIST: netlist.replace(old, new, 1)})


def test_a_pipeline_of_another_depth_is_found() -> None:
    case = cases()[0]
    with pytest.raises(VerificationError, match="2 registers from input to output, expected 1"):
        read_by_yosys(case.built.files[DESIGN], DESIGN, "demo_top", case.circuit.core.interface, 1)
    other = built_from(case, case.circuit, "inputs").built.files[NETLIST]
    with pytest.raises(VerificationError, match=r"netlist in Yosys fails in module demo_top: .* in cycle 1"):
        proved_by_yosys(case, {NETLIST: other})


def test_the_message_has_the_values_of_the_inputs() -> None:
    case = cases()[1]
    netlist = case.built.files[NETLIST]
    with pytest.raises(VerificationError, match=r"in Yosys fails in module demo_\w+: at \w+=\d+"):
        proved_by_yosys(case, {NETLIST: netlist.replace("nand2_1", "nor2_1", 1)})


# ---- what is not run ---------------------------------------------------------------------------------------
def late(*_: object, **__: object) -> int:
    raise ToolTimeoutError("yosys", "timed out")


@pytest.mark.parametrize(
    ("name", "value", "depth", "expected"),
    [
        ("find_tool", lambda _: None, "basic", "not run: iverilog is not installed"),
        ("_MOST_CELLS", 1, "usual", "cells, more than 1; dwn-asic prove runs it"),
        ("prove_netlist", late, "usual", "not finished in 300 s"),
    ],
)
def test_a_check_that_is_not_run_says_why(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Callable[..., object], depth: Depth, expected: str
) -> None:
    monkeypatch.setattr(cross_checks, name, value)
    assert any(verdict.endswith(expected) for verdict in verdicts(cases()[1], depth).values())
