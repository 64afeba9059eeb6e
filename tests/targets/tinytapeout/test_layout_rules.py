"""Rules of layouts: a drawn tile passes, and each damage breaks the rule that names it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tiny_projects import project_of

from dwn_asic.targets.asic.layout_checks.verdict import DrcVerdict, RuleCount
from dwn_asic.targets.asic.tinytapeout.precheck import layout as rules
from dwn_asic.targets.asic.tinytapeout.precheck.layout import CheckedLayout, LayoutFiles
from dwn_asic.targets.asic.tinytapeout.precheck.repository import Repository
from dwn_asic.targets.asic.tinytapeout.precheck.rule import Finding, checked
from dwn_asic.targets.asic.tinytapeout.precheck.run import precheck
from dwn_asic.targets.asic.tinytapeout.tiles import PORTS

db = pytest.importorskip("klayout.db")

TOP = "tt_um_dwn_demo"
STRAPS = {"VPWR": (21_000, 5_000, 22_600, 106_000), "VGND": (24_000, 5_000, 25_600, 106_000)}
EXTRA_PIN = "  PIN extra\n    USE SIGNAL ;\n  END extra\n  PIN ena\n"
Drawn = tuple["db.Layout", "db.Cell"]


def tile() -> Drawn:
    """Draw an empty tile with all pins, two straps and a cell with a wire."""
    layout = db.Layout()
    layout.dbu = 0.001
    top, cell = layout.create_cell(TOP), layout.create_cell("cell")
    cell.shapes(layout.layer(68, 20)).insert(db.Box(0, 0, 500, 300))
    top.insert(db.CellInstArray(cell.cell_index(), db.Trans(50_000, 50_000)))
    place = project_of("parallel").tile
    top.shapes(layout.layer(235, 4)).insert(db.Box(0, 0, place.width, place.height))
    for name, box in {**place.pins, **STRAPS}.items():
        for purpose in (20, 16):
            top.shapes(layout.layer(71, purpose)).insert(db.Box(*box))
        center = db.Box(*box).center()
        top.shapes(layout.layer(71, 5)).insert(db.Text(name, db.Trans(center.x, center.y)))
    return layout, top


def lef() -> str:
    """Return the LEF file of the tile."""
    place = project_of("parallel").tile
    lines = ["VERSION 5.7 ;", f"MACRO {TOP}", "  CLASS BLOCK ;", "  ORIGIN 0.000 0.000 ;"]
    lines.append(f"  SIZE {place.width / 1000:.3f} BY {place.height / 1000:.3f} ;")
    uses = {"VPWR": "POWER", "VGND": "GROUND"}
    for name, box in {**place.pins, **STRAPS}.items():
        rect = " ".join(f"{value / 1000:.3f}" for value in box)
        lines += [
            f"  PIN {name}",
            "    DIRECTION INOUT ;",
            f"    USE {uses.get(name, 'SIGNAL')} ;",
            "    PORT",
            "      LAYER met4 ;",
            f"        RECT {rect} ;",
            "    END",
            f"  END {name}",
        ]
    return "\n".join([*lines, f"END {TOP}", "END LIBRARY", ""])


def verilog() -> str:
    """Return the netlist of the tile, without its cells."""
    ports = ", ".join(["VGND", "VPWR", *(port.name for port in PORTS)])
    return f"module {TOP} ({ports}); // comment\nendmodule\n"


@cache
def files() -> LayoutFiles:
    """Return the files of the undamaged tile."""
    return LayoutFiles(tile()[0].write_bytes(db.SaveLayoutOptions()), lef(), verilog())


def findings(layout: LayoutFiles) -> dict[str, Finding]:
    """Return the finding of each rule of the layout."""
    subject = CheckedLayout(Repository(project_of("parallel").files), layout)
    return {each.rule.removeprefix("layout: "): each for each in checked(rules.RULES, subject)}


def broken(layout: LayoutFiles) -> dict[str, str]:
    return {name: each.detail for name, each in findings(layout).items() if each.verdict == "fail"}


def test_a_drawn_tile_passes() -> None:
    found = findings(files())
    assert broken(files()) == {}
    assert found["prBoundary"].detail == "161 um x 111.52 um"
    assert found["signal pins"].detail == "43 pins on met4 at the places of the template"
    assert found["power pins"].detail == "2 straps on met4"
    decks = [name for name, each in found.items() if each.verdict == "not checked"]
    assert decks == ["KLayout FEOL, BEOL, offgrid", "Magic DRC"]
    assert found["Magic DRC"].detail.startswith("magic: no deck sky130A.magicrc below ")
    every = precheck(project_of("parallel").files, files(), simulate=False)
    assert [each.rule for each in every.findings if each.rule.startswith("layout")] == [
        rule.name for rule in rules.RULES
    ]


def test_decks_that_are_installed_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = DrcVerdict("tile.gds", "KLayout, sky130A_mr.drc", (RuleCount("m1.1", "width", 0),), 1.0)
    wrong = DrcVerdict("tile.gds", "Magic, sky130A.magicrc", (RuleCount("met1.2", "spacing", 3),), 1.0)
    tops = []

    def decks(layout: Path, *, pdk: str, top: str) -> tuple[tuple[DrcVerdict, ...], tuple[str, ...]]:
        assert layout.read_bytes() == files().gds
        tops.append((pdk, top))
        return (clean, wrong), ()

    monkeypatch.setattr(rules, "official_decks", decks)
    found = findings(files())
    assert found["KLayout FEOL, BEOL, offgrid"].verdict == "pass"
    assert found["Magic DRC"].verdict == "fail"
    assert "met1.2" in found["Magic DRC"].detail
    assert tops == [("sky130hd", TOP)]
    monkeypatch.setattr(rules, "official_decks", lambda *_, **__: ((clean,), ("magic: exit code 11",)))
    assert findings(files())["KLayout FEOL, BEOL, offgrid"].verdict == "pass"
    assert findings(files())["Magic DRC"].detail == "magic: exit code 11"
    monkeypatch.setenv("DRC_DECK", "own.drc")
    assert findings(files())["KLayout FEOL, BEOL, offgrid"].detail == "DRC_DECK names another deck"


def box(layer: int, purpose: int, *place: int) -> Callable[[Drawn], None]:
    """Return a damage that draws a box."""

    def draw(drawn: Drawn) -> None:
        layout, top = drawn
        top.shapes(layout.layer(layer, purpose)).insert(db.Box(*place))

    return draw


def _rename(drawn: Drawn) -> None:
    drawn[1].name = "other"


def _second_top(drawn: Drawn) -> None:
    drawn[0].create_cell("stray")


def _no_boundary(drawn: Drawn) -> None:
    drawn[1].shapes(drawn[0].layer(235, 4)).clear()


def _hash(drawn: Drawn) -> None:
    drawn[0].cell("cell").name = "cell#1"


def _label_beside(drawn: Drawn) -> None:
    drawn[1].shapes(drawn[0].layer(71, 5)).insert(db.Text("x", db.Trans(80_000, 80_000)))


def _pin_not_drawn(drawn: Drawn) -> None:
    """Draw the pins in the cell below the top cell, where the precheck does not look for them."""
    layout, top = drawn
    for index in (layout.layer(71, 16),):
        top.shapes(index).clear()


@pytest.mark.parametrize(
    ("damage", "rule", "detail"),
    [
        (_rename, "top cell", "the top cells are other"),
        (_second_top, "top cell", "stray"),
        (_no_boundary, "prBoundary", "no shape on prBoundary 235/4"),
        (box(235, 4, 0, 0, 161_000, 120_000), "prBoundary", "(0, 0, 161000, 120000)"),
        (box(69, 20, 160_000, 50_000, 161_500, 50_300), "inside the boundary", "161500"),
        (box(72, 20, 10_000, 10_000, 12_000, 90_000), "no met5", "met5.drawing, 72/20"),
        (box(72, 5, 10_000, 10_000, 12_000, 90_000), "no met5", "met5.label"),
        (box(99, 7, 10_000, 10_000, 12_000, 90_000), "layers", "(99, 7)"),
        (_hash, "cell names", "cell#1"),
        (box(69, 20, 10_000, 10_000, 10_000, 20_000), "zero area", "without area"),
        (box(70, 16, 10_000, 10_000, 11_000, 11_000), "pins and labels on drawings", "a pin on met3"),
        (_label_beside, "pins and labels on drawings", "label x on met4"),
        (_pin_not_drawn, "pins of the LEF in the GDS", "is not on met4.pin"),
    ],
)
def test_each_damage_of_the_gds_breaks_its_rule(
    damage: Callable[[Drawn], None], rule: str, detail: str
) -> None:
    drawn = tile()
    damage(drawn)
    found = broken(replace(files(), gds=drawn[0].write_bytes(db.SaveLayoutOptions())))
    assert detail in found[rule]


@pytest.mark.parametrize(
    ("pattern", "text", "rule", "detail"),
    [
        (rf"MACRO {TOP}", "MACRO other", "size of the LEF", f"no macro {TOP}"),
        (r"  ORIGIN .*\n", "", "size of the LEF", "has no ORIGIN"),
        ("ORIGIN 0.000 0.000", "ORIGIN 0 0", "size of the LEF", "the length 0, which is no number"),
        ("ORIGIN 0.000", "ORIGIN 1.000", "size of the LEF", "(1000, 0) instead of (0, 0)"),
        ("SIZE 161.000", "SIZE 160.000", "size of the LEF", "(160000, 111520)"),
        (r"PIN clk\b", "PIN clock", "signal pins", "no pin clk"),
        ("RECT 146.590", "RECT 146.500", "signal pins", "pin ena is"),
        (r"  PIN ena\n", EXTRA_PIN, "signal pins", "other pins: extra"),
        ("VPWR", "VDDD", "power pins", "must have the pins VGND and VPWR"),
        ("USE GROUND", "USE SIGNAL", "power pins", "USE SIGNAL instead of GROUND"),
        ("22.600", "22.100", "power pins", "1.1 um wide, less than 1.2 um"),
        ("RECT 21.000 5.000", "RECT 21.000 11.000", "power pins", "ends more than 10 um from an edge"),
        ("22.600 106.000", "22.600 101.000", "power pins", "ends more than 10 um from an edge"),
        ("22.600 106.000", "22.600 112.000", "power pins", "is not inside the tile"),
        (r"met4 ;\n +RECT 21", "met3 ;\n RECT 21", "power pins", "on met3 instead of met4"),
        ("RECT 24.000", "RECT 22.600", "pins apart", "VPWR and VGND touch"),
    ],
)  # fmt: skip
def test_each_damage_of_the_lef_breaks_its_rule(pattern: str, text: str, rule: str, detail: str) -> None:
    damaged = re.sub(pattern, text, lef())
    assert damaged != lef()
    found = broken(replace(files(), lef=damaged))
    assert detail in found[rule]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("// nothing\n", "there is no netlist"),
        (verilog().replace(TOP, "other"), f"has no module {TOP}"),
        (verilog().replace("VPWR", "VDD"), "no power pins"),
        (verilog().replace("uio_oe", "other"), "lacks uio_oe"),
    ],
)
def test_each_damage_of_the_netlist_breaks_its_rule(text: str, detail: str) -> None:
    assert detail in broken(replace(files(), verilog=text))["netlist"]


def test_a_damaged_gds_and_a_missing_klayout_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be read" in broken(replace(files(), gds=b"no layout"))["top cell"]
    monkeypatch.setitem(sys.modules, "klayout", None)
    monkeypatch.delitem(sys.modules, "dwn_asic.targets.asic.klayout_module")
    found = findings(files())["top cell"]
    assert (found.verdict, found.detail) == (
        "not checked", "klayout: is not installed: pip install 'dwn-asic[layout]'"
    )  # fmt: skip
