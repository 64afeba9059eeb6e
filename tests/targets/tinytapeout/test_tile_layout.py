"""Layouts of projects in their tiles pass the rules of the precheck."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_projects import project_of

from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.asic.tinytapeout.precheck import layout as rules
from dwn_asic.targets.asic.tinytapeout.precheck.layout import CheckedLayout, LayoutFiles
from dwn_asic.targets.asic.tinytapeout.precheck.repository import Repository
from dwn_asic.targets.asic.tinytapeout.precheck.rule import checked
from dwn_asic.targets.asic.tinytapeout.tile_layout import lay_out_tile, tile_template
from dwn_asic.targets.asic.tinytapeout.tiles import TILES
from dwn_asic.verilog.config import HardwareConfig


def test_the_template_of_a_tile_has_its_pins() -> None:
    for tile in TILES:
        template = tile_template(tile)
        assert (template.width, template.height) == (tile.width, tile.height)
        assert {name: (pin.layer, tuple(pin.box)) for name, pin in template.pins.items()} == {
            name: ("met4", place) for name, place in tile.pins.items()
        }


def test_a_layout_passes_every_rule(shared_pdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("klayout")
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    target, project = AsicTarget(load_pdk("sky130hd"), HardwareConfig(), 120.0), project_of("parallel")
    stages: list[str] = []
    made = lay_out_tile(project, target, watch=lambda stage, *_: stages.append(stage))
    assert [*made] == [f"layout/{project.top}.{suffix}" for suffix in ("gds", "lef", "v")]
    assert {"placement", "routing"} <= set(stages)
    gds, lef, verilog = made.values()
    files = LayoutFiles(gds, lef.decode(), verilog.decode())
    findings = [*checked(rules.RULES, CheckedLayout(Repository(project.files), files))]
    wrong = [each for each in findings if each.verdict == "fail"]
    assert not wrong
    assert len([each for each in findings if each.verdict == "pass"]) == len(rules.RULES) - 2
    # A pin that is 10 nm away from its place is found.
    other = replace(files, lef=files.lef.replace("RECT 146.590", "RECT 146.600"))
    again = {
        each.rule: each.verdict
        for each in checked(rules.RULES, CheckedLayout(Repository(project.files), other))
    }
    assert again["layout: signal pins"] == "fail"
