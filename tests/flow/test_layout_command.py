"""``dwn-asic gds``: a finished flow becomes a folder of layout files, or an error and no folder."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

import dwn_asic
from dwn_asic import cli
from dwn_asic.flow import Flow
from dwn_asic.report.datasheet.layout import layout_section
from dwn_asic.targets.asic.target import AsicTarget


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["dwn-asic", *arguments])
    try:
        with pytest.raises(SystemExit) as caught:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, handler)
    return int(caught.value.code or 0)


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
    assert "um" in str(layout_section(found.report))
