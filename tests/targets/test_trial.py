"""The trial of a PDK: the small design is mapped to every library, proved, and described in a few lines."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.pdk import Pdk, load_pdk
from dwn_asic.targets.asic.trial import trial, trial_circuit

PDKS = ("sky130hd", "ihp-sg13g2", "gf180mcu", "asap7")


def test_the_circuit_has_comparators_logic_and_four_classes() -> None:
    circuit = trial_circuit()
    assert len(circuit.core.inputs) == 12
    assert len(circuit.core.luts) == 18
    assert len(circuit.core.outputs) == 2
    again = trial_circuit()
    assert [again.graph.node(i) for i in range(len(again.graph))] == [
        circuit.graph.node(i) for i in range(len(circuit.graph))
    ]


@pytest.mark.parametrize("name", PDKS)
def test_every_pdk_maps_and_proves_the_design_with_registers(name: str) -> None:
    pdk = load_pdk(name)
    found = trial(pdk)
    metrics, library = found.built.metrics, pdk.library
    assert found.built.registers == "both"
    assert [check.what for check in found.proof.checks if check.how == "proof"] == [
        "graph == minimized",
        "graph == Verilog",
        "graph == netlist",
    ]
    assert 60 < metrics["area__core__nand2_equivalent"] < 130
    assert 20 < metrics["area__encoder__nand2_equivalent"] < 60
    # The cost model, by which circuits are chosen, knows the registers exactly.
    registers = metrics["area__registers__nand2_equivalent"]
    assert registers == pytest.approx(CellCost(library, "both").overhead(trial_circuit().core))
    lines = dict(found.lines())
    area = metrics["design__instance__area"]
    assert lines["area"].startswith(
        f"{area:.6g} um2, {area / library.nand2_area:.1f} NAND2-equivalents: core "
    )
    assert lines["mapped"] == f"{metrics['design__instance__count']:.0f} cells"
    assert lines["proof"] == "graph == minimized, graph == Verilog, graph == netlist: for every input"
    assert lines["time"] == f"{found.seconds:.1f} s"


def test_an_installed_pdk_has_the_same_areas(shared_pdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = trial(load_pdk("asap7")).built.metrics
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    installed = trial(load_pdk("asap7")).built.metrics
    areas = [name for name in embedded if name.startswith(("area__", "design__"))]
    assert len(areas) > 10
    assert all(installed[name] == embedded[name] for name in areas)
    assert (embedded["timing__estimated"], installed["timing__estimated"]) == (1.0, 0.0)
    for name in ("timing__delay", "energy__inference", "power__leakage"):
        assert embedded[name] == pytest.approx(installed[name], rel=0.1)


def test_a_library_without_a_flip_flop_has_no_registers() -> None:
    pdk = load_pdk("sky130hd")
    gates = replace(pdk, library=replace(pdk.library, flip_flops=()))
    found = trial(gates)
    assert found.built.registers == "none"
    assert found.built.metrics["area__registers"] == 0
    assert dict(found.lines())["registers"] == "none"


def swapped(pdk: Pdk) -> Pdk:
    """Return a PDK in which the functions of NAND2 and NOR2 have changed places."""
    names = ("sky130_fd_sc_hd__nand2_1", "sky130_fd_sc_hd__nor2_1")
    one, other = (next(cell for cell in pdk.library.cells if cell.name == name) for name in names)
    wrong = {
        one.name: replace(one, function=other.function),
        other.name: replace(other, function=one.function),
    }
    cells = tuple(wrong.get(cell.name, cell) for cell in pdk.library.cells)
    return replace(pdk, library=replace(pdk.library, cells=cells))


def test_a_wrong_netlist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pdk = load_pdk("sky130hd")
    right = trial(pdk).built
    monkeypatch.setattr(
        "dwn_asic.targets.asic.target.AsicTarget.implement", lambda *_arguments, **_options: right
    )
    with pytest.raises(VerificationError, match="netlist"):
        trial(swapped(pdk))


def test_a_missing_yosys_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWN_ASIC_YOSYS", "/nowhere/yosys")
    with pytest.raises(ToolError, match="DWN_ASIC_YOSYS is '/nowhere/yosys'"):
        trial(load_pdk("sky130hd"))


def test_a_missing_simulator_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dwn_asic.targets.asic.cross_checks.find_tool", lambda _: None)
    lines = dict(trial(load_pdk("sky130hd")).lines())
    assert lines["note"] == "testbench passes on netlist: not run: iverilog is not installed"
    assert "simulation" not in lines


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
def test_the_simulator_runs_where_it_is_installed() -> None:
    lines = dict(trial(load_pdk("asap7")).lines())
    assert lines["simulation"].startswith("testbench passes on Verilog, testbench passes on netlist: on 500 ")
