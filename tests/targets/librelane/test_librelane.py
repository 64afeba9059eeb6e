"""Designs for LibreLane: their files, LibreLane's own check of them, and the constraints read by OpenSTA."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import yaml
from tiny_projects import circuit_of, project_of, sky130

from dwn_asic.errors import DwnAsicError, ToolError
from dwn_asic.targets.asic.librelane import tools
from dwn_asic.targets.asic.librelane.check import check_by_librelane
from dwn_asic.targets.asic.librelane.design import LibreLaneDesign, librelane_design
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Implementation, Vectors
from dwn_asic.tools import find_tool
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers

KINDS = {"none": "serial", "both": "parallel"}
"""Kind of the circuit for each kind of registers."""


@cache
def target_of(registers: Registers) -> AsicTarget:
    return replace(sky130(), hardware=HardwareConfig(registers=registers))


@cache
def built(registers: Registers) -> Implementation:
    circuit = circuit_of(KINDS[registers])
    return target_of(registers).implement(circuit, "demo", Vectors.drawn(circuit, 20))


@cache
def design(registers: Registers) -> LibreLaneDesign:
    return librelane_design(circuit_of(KINDS[registers]), built(registers), target_of(registers))


@pytest.fixture(params=KINDS)
def registers(request: pytest.FixtureRequest) -> Registers:
    found: Registers = request.param
    return found


def need_librelane() -> None:
    """Skip the test if LibreLane is not installed, or fail it if tools are required."""
    try:
        tools.librelane_interpreter()
    except ToolError as error:
        if os.environ.get("DWN_ASIC_REQUIRE_TOOLS") == "1":
            raise
        pytest.skip(str(error))


# ---- files -------------------------------------------------------------------------------------------------
def test_the_configuration_names_the_files_and_the_clock(registers: Registers) -> None:
    found, clocked = design(registers), registers != "none"
    content = yaml.safe_load(found.files["config.yaml"])
    for key in ("VERILOG_FILES", "PNR_SDC_FILE", "SIGNOFF_SDC_FILE", "IO_PIN_ORDER_CFG"):
        paths = content[key] if isinstance(content[key], list) else [content[key]]
        assert all(path.removeprefix("dir::") in found.files for path in paths)
    assert content["DESIGN_NAME"] == found.top == "demo_top"
    assert content["CLOCK_PORT"] == ("clk" if clocked else None)
    assert content["RUN_CTS"] is clocked
    assert content["CLOCK_PERIOD"] == found.clock_ns == 10
    assert content["DIE_AREA"] == [0, 0, found.die_um, found.die_um]
    assert found.files["src/demo.v"] == built(registers).files["design.v"]
    assert found.lines()[0] == "demo_top: sky130A, sky130_fd_sc_hd"


def test_period_and_surroundings_come_from_flow_and_pdk() -> None:
    target = target_of("both")
    config = target.pdk.config.model_copy(
        update={"driving_cell": "sky130_fd_sc_hd__inv_2", "output_load_pf": 0.03}
    )
    given = replace(target, hardware=HardwareConfig(registers="both", clock_ns=4.5))
    given = replace(given, pdk=replace(given.pdk, config=config))
    found = librelane_design(circuit_of("parallel"), built("both"), given)
    assert found.clock_ns == 4.5
    constraints = found.files["constraints.sdc"]
    assert "create_clock -name clk -period 4.5 [get_ports clk]" in constraints
    assert "set_driving_cell -lib_cell sky130_fd_sc_hd__inv_2 $codes" in constraints
    assert "set_load 0.03 [all_outputs]" in constraints
    slow = replace(built("both"), metrics={**built("both").metrics, "timing__delay": 7.1})
    assert librelane_design(circuit_of("parallel"), slow, target).clock_ns == 22


def test_the_die_holds_the_cells_and_the_pins(registers: Registers) -> None:
    circuit, target = circuit_of(KINDS[registers]), target_of(registers)
    for area in (1.0, 2000.0, 1e5):
        made = replace(built(registers), metrics={**built(registers).metrics, "design__instance__area": area})
        die = librelane_design(circuit, made, target).die_um
        assert die >= 60
        assert die == 60 or area / (die - 12) ** 2 == pytest.approx(0.45, rel=0.05)


@pytest.mark.parametrize("name", ["none", "both"])
def test_every_pin_is_on_one_side(name: Registers) -> None:
    found = design(name)
    header = re.search(r"^module demo_top \((.*?)\);", found.files["src/demo.v"], re.MULTILINE | re.DOTALL)
    assert header is not None
    pins = []
    for width, port in re.findall(r"wire (?:\[(\d+):0\] )?(\w+)", header[1]):
        pins += [f"{port}[{bit}]" for bit in range(int(width) + 1)] if width else [port]
    lines = [line for line in found.files["pin_order.cfg"].splitlines() if line and line[0] != "#"]
    for pin in pins:
        assert sum(re.fullmatch(line, pin) is not None for line in lines) == 1
    assert found.files["pin_order.cfg"].startswith("#W\n")


def test_many_pins_are_on_three_sides() -> None:
    from dwn_asic.targets.asic.librelane.design import _sides

    ports = [(f"x{k}", width) for k, width in enumerate(np.random.default_rng(0).integers(1, 9, 40).tolist())]
    sides = _sides(ports)
    assert [*sides] == ["W", "N", "S"]
    assert [port for those in sides.values() for port in those] == ports
    sums = [sum(width for _, width in those) for those in sides.values()]
    assert max(sums) - min(sums) <= 16


def test_another_library_is_an_error() -> None:
    target = target_of("none")
    other = replace(target, pdk=replace(target.pdk, library=replace(target.pdk.library, name="other")))
    with pytest.raises(DwnAsicError, match="LibreLane does not support the library other"):
        librelane_design(circuit_of("serial"), built("none"), other)


@pytest.mark.tool("sta")
def test_opensta_reads_the_constraints(registers: Registers, tmp_path: Path) -> None:
    found, sta = design(registers), find_tool("sta")
    assert sta is not None
    edges = [
        f"{edge}_{point}"
        for edge in ("input_threshold_pct", "output_threshold_pct")
        for point in ("rise", "fall")
    ]
    slews = [
        f"slew_{point}_threshold_pct_{edge}" for point in ("lower", "upper") for edge in ("rise", "fall")
    ]
    header = [
        f"  {name} : {80 if 'upper' in name else 20 if 'lower' in name else 50};" for name in (*edges, *slews)
    ]
    (tmp_path / "cells.lib").write_text(target_of(registers).pdk.library.liberty(header))
    (tmp_path / "netlist.v").write_text(built(registers).files["netlist.v"])
    (tmp_path / "constraints.sdc").write_text(found.files["constraints.sdc"])
    (tmp_path / "script.tcl").write_text(
        "read_liberty cells.lib\nread_verilog netlist.v\nlink_design demo_top\nread_sdc constraints.sdc\n"
        "report_checks -unconstrained\nputs [llength $codes]\nputs {all read}\nexit\n"
    )
    done = subprocess.run([sta, "script.tcl"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "all read" in done.stdout, done.stdout + done.stderr
    assert "Error" not in done.stdout + done.stderr
    assert "Warning: port" not in done.stdout + done.stderr


def clean(metrics: Mapping[str, int]) -> bool:
    """Return whether the linter found nothing but logic that is not in use, which random circuits have."""
    return len(metrics) == 4 and not any(
        value for name, value in metrics.items() if name != "design__lint_warning__count"
    )


# ---- LibreLane itself --------------------------------------------------------------------------------------
def test_a_missing_librelane_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tools.OVERRIDE, raising=False)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolError, match=r"librelane: is not installed: pip install 'dwn-asic\[librelane\]'"):
        check_by_librelane(design("none").files, "config.yaml")
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda _: ModuleSpec("librelane", None))
    with pytest.raises(ToolError, match=r"librelane: is not installed"):  # a folder of this name
        tools.librelane_interpreter()
    monkeypatch.setenv(tools.OVERRIDE, "no-such-python")
    with pytest.raises(ToolError, match="DWN_ASIC_LIBRELANE_PYTHON is 'no-such-python'"):
        tools.librelane_interpreter()
    monkeypatch.setattr(tools, "find_tool", lambda name: "there" if name == "yosys" else None)
    assert tools.missing_tools() == ("OpenROAD", "Magic", "Netgen")


def test_librelane_knows_every_key_and_finds_nothing_to_lint(registers: Registers) -> None:
    need_librelane()
    found = check_by_librelane(design(registers).files, "config.yaml")
    content = yaml.safe_load(design(registers).files["config.yaml"])
    assert found.keys == len(content) - 1
    if find_tool("verilator") is not None:
        assert found.steps[0] == "Verilator.Lint"
        assert clean(found.metrics)


@pytest.mark.parametrize(("old", "new"), [("RUN_CTS", "RUN_CTZ"), ("absolute", "other"), ("src/", "no/")])
def test_librelane_rejects_a_wrong_key_value_or_file(old: str, new: str) -> None:
    need_librelane()
    files = dict(design("none").files)
    files["config.yaml"] = files["config.yaml"].replace(old, new)
    with pytest.raises(ToolError, match="librelane: exit code 1"):
        check_by_librelane(files, "config.yaml")


def test_librelane_knows_every_key_of_a_tiny_tapeout_project() -> None:
    """Check ``src/config.json`` with the keys that the tools of Tiny Tapeout add to it."""
    need_librelane()
    project = project_of("serial")
    added = {
        "PDK": "sky130A",
        "STD_CELL_LIBRARY": "sky130_fd_sc_hd",
        "DESIGN_NAME": project.top,
        "VERILOG_FILES": ["dir::src/project.v", "dir::src/classifier.v"],
        "DIE_AREA": [0, 0, project.tile.width / 1000, project.tile.height / 1000],
    }
    # The linter's models of the PDK are not at hand.
    content = {**json.loads(project.files["src/config.json"]), **added, "LINTER_INCLUDE_PDK_MODELS": False}
    found = check_by_librelane({**project.files, "config.json": json.dumps(content)}, "config.json")
    assert found.keys == len(content)
    if find_tool("verilator") is not None:
        assert clean(found.metrics)
