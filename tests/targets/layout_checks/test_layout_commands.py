"""The commands that check layouts: what they print, write, and exit with."""

from __future__ import annotations

import json
from pathlib import Path

import klayout.db as kdb
import pytest
from command_line import call
from layouts.drawn_cells import CIRCUIT, write

from dwn_asic.targets.asic.layout_checks.layout_file import read_layout
from dwn_asic.targets.asic.layout_checks.technology import Technology

pytestmark = pytest.mark.usefixtures("spice")


def test_a_clean_layout(
    technology: Technology,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    layout, netlist = write(CIRCUIT, technology, tmp_path)
    assert call(monkeypatch, "check-layout", layout, netlist) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"DRC by own rules: {len(technology.rules)} rules, 0 violations (")
    assert lines[1].startswith("LVS: match, 5 cells, 16 transistors, 10 nets (")
    assert lines[2].startswith("function: netlist == layout by proof (")
    assert lines[3] == f"wrote {tmp_path / 'row.check.json'}"
    record = json.loads((tmp_path / "row.check.json").read_text())
    assert record["clean"] is True
    assert [each["rule"] for each in record["drc"][0]["rules"]] == [each.rule for each in technology.rules]
    assert record["lvs"]["differences"] == []


def test_a_damaged_layout_exits_with_4(
    technology: Technology,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    layout, netlist = write(CIRCUIT, technology, tmp_path)
    opened = read_layout(layout)
    opened.top_cell().shapes(opened.layer(*technology.layers["met2"])).insert(kdb.Box(0, 3000, 8000, 3100))
    opened.write(str(layout))
    out = tmp_path / "verdict.json"
    assert call(monkeypatch, "drc", layout, "--no-decks", "--out", out) == 4
    printed = capsys.readouterr()
    assert "m2.1" in printed.out
    assert printed.err.startswith(f"dwn-asic: error: {layout}: ")
    assert "of own rules" in printed.err
    assert json.loads(out.read_text())["clean"] is False
    assert call(monkeypatch, "lvs", layout, netlist) == 4
    assert "MISMATCH" in capsys.readouterr().out
    assert (tmp_path / "row.lvs.json").is_file()


def test_the_folder_of_a_circuit_has_its_netlist(
    technology: Technology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, netlist = write(CIRCUIT, technology, tmp_path)
    netlist.rename(tmp_path / "netlist.v")
    assert call(monkeypatch, "lvs", layout, tmp_path) == 0


def test_decks_that_are_missing_are_named(
    technology: Technology,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    layout, _ = write(CIRCUIT, technology, tmp_path)
    assert call(monkeypatch, "drc", layout) == 0
    assert capsys.readouterr().out.startswith("not run: klayout: no deck sky130A_mr.drc below ")


def test_a_missing_file_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "drc", "none.gds") == 2
