"""Timing and power beside OpenSTA on real libraries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from opensta import PERIOD, report

from dwn_asic.targets.asic.delay import DelayMapper
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.signoff.cache import load_timing
from dwn_asic.targets.asic.signoff.timing import Environment, analyze
from dwn_asic.targets.asic.signoff.uniform import estimate_uniform
from dwn_asic.targets.asic.trial import trial_circuit
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.flat_netlist import flat_netlist
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.writer import Registers, design_verilog

CORNERS = {
    "sky130hd": ("tt_025C_1v80", "ss_100C_1v60", "ff_n40C_1v95"),
    "ihp-sg13g2": ("typ_1p20V_25C", "slow_1p08V_125C", "fast_1p32V_m40C"),
    "gf180mcu": ("tt_025C_5v00",),
}
# On sky130 and GF180 there are no wires; IHP has a wire-load model with resistance.
CLOSE = {"sky130hd": 1e-4, "ihp-sg13g2": 0.01, "gf180mcu": 1e-4}
# Where a file has `cell_leakage_power`, OpenSTA takes it; on IHP it is not the mean over the states. Without
# it, the version in Debian adds up twice the mean over the states (its shares start at 2).
LEAKAGE = {"sky130hd": (1.0, 1e-3), "ihp-sg13g2": (1.0, 0.01), "gf180mcu": (2.0, 1e-3)}


@pytest.mark.tool("sta")
@pytest.mark.parametrize("registers", ["none", "both"])
@pytest.mark.parametrize("name", CORNERS)
def test_opensta_agrees(
    name: str, registers: Registers, shared_pdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    pdk, circuit = load_pdk(name), trial_circuit()
    assert tuple(pdk.corners) == CORNERS[name]
    design = design_verilog("trial", circuit.encoder, circuit.core, registers)
    text = synthesize(design, "trial", pdk.library).netlist
    netlist = flat_netlist(parse_verilog(text, "netlist.v"), "trial_top", pdk.library)
    assert (netlist.clock is not None) is (registers == "both")
    for corner, liberty in pdk.corners.items():
        folder = tmp_path / re.sub(r"\W", "_", corner)
        folder.mkdir()
        library = load_timing(liberty)
        theirs = report(
            text,
            "trial_top",
            liberty,
            folder,
            clocked=registers == "both",
            conditions=library.conditions.name,
            activity=0.2,
            output_load=0.02,
        )
        timing = analyze(netlist, library, Environment(output_load=0.02))
        assert timing.delay == pytest.approx(theirs.delay, rel=CLOSE[name])
        power = estimate_uniform(timing, 0.2)
        per_second = 1e3 / PERIOD
        times, close = LEAKAGE[name]
        assert times * power.leakage_power * 1e-3 == pytest.approx(theirs.leakage, rel=close)
        assert power.dynamic * per_second == pytest.approx(theirs.internal + theirs.switching, rel=0.01)


@pytest.mark.tool("sta")
def test_opensta_agrees_on_a_netlist_that_was_sized(
    shared_pdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    pdk, circuit = load_pdk("sky130hd"), trial_circuit()
    design = design_verilog("trial", circuit.encoder, circuit.core, "both", pipeline=True)
    found = DelayMapper(design, "trial", pdk, pipeline=True).meet(1.3)
    liberty = pdk.corners[pdk.config.corner]
    theirs = report(
        found.synthesis.netlist,
        "trial_top",
        liberty,
        tmp_path,
        clocked=True,
        conditions=load_timing(liberty).conditions.name,
    )
    assert found.delay <= 1.3
    assert theirs.delay == pytest.approx(found.delay, rel=1e-4)
