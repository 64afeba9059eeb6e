"""Layouts in IHP SG13G2, whose pins are on the lowest metal, and whose rows have no taps."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from netlists import random_netlist

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.pdk import Pdk
from dwn_asic.targets.asic.tapeout.antenna import antenna_excesses
from dwn_asic.targets.asic.tapeout.cell_access import cell_geometry
from dwn_asic.targets.asic.tapeout.clock_tree import clock_sinks
from dwn_asic.targets.asic.tapeout.exchange_files import def_text
from dwn_asic.targets.asic.tapeout.figures_of_layout import measured
from dwn_asic.targets.asic.tapeout.geometry import Box
from dwn_asic.targets.asic.tapeout.lay_out import LaidOut, LayoutOptions, lay_out
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.netlist import CellInstance, Netlist, Port, prepared
from dwn_asic.targets.asic.tapeout.self_check import check_design
from dwn_asic.targets.asic.tapeout.technology import Technology, load_technology


@pytest.fixture(scope="module")
def second(ihp: Pdk) -> Technology:
    """Return its technology."""
    return load_technology(ihp)


@pytest.fixture(scope="module")
def second_layout(ihp: Pdk, second: Technology) -> LaidOut:
    """Return the layout of a random netlist with flip-flops."""
    netlist = random_netlist(ihp.library, 60, seed=3, registers=0.3)
    return lay_out(netlist, second, LayoutOptions(utilization=0.7, seed=3))


def test_all_pins_can_be_reached_from_above(ihp: Pdk, second: Technology) -> None:
    config = second.config
    extra = (config.buffer.cell, config.clock_buffer.cell, config.diode.cell)
    ties = (config.ties.low.cell, config.ties.high.cell)
    for name in (*(each.name for each in ihp.library.cells), ihp.library.flip_flop.name, *extra, *ties):
        for pin, accesses in cell_geometry(second, name).accesses.items():
            assert accesses, (name, pin)
            assert {each.layer for each in accesses} == {1}
            assert {each.lower_pad for each in accesses} <= set(second.vias[1].at_pins)


def test_a_random_netlist_is_laid_out_without_a_violation(second_layout: LaidOut, second: Technology) -> None:
    design = second_layout.design
    assert check_design(design) == ()
    assert len(second_layout.attempts) == 1
    assert antenna_excesses(design) == ()
    lengths = [sum(each) for each in zip(*design.wiring.lengths.values(), strict=True)]
    assert lengths[0] == 0  # the lowest metal belongs to the cells
    assert all(lengths[1:])
    for row in range(design.placement.plan.rows):
        cells = [cell for cell in design.placement.cells if cell.row == row]
        ends = [cell.site + second.sites(cell.cell) for cell in cells]
        assert [cell.site for cell in cells] == [0, *ends[:-1]]
        assert ends[-1] == design.placement.plan.sites


def test_pieces_below_the_least_area_are_enlarged(second_layout: LaidOut, second: Technology) -> None:
    design = second_layout.design
    for index in (1, 2, 3):
        for net, shapes in design.wiring.shapes.items():
            region = db.Region([db.Box(*box) for layer, box in shapes if layer == index]).merged()
            assert region.with_area(0, second.layers[index].lef.area, inverse=False).is_empty(), (net, index)


def test_flip_flops_get_a_clock_tree_although_the_lef_file_names_no_clock(
    second_layout: LaidOut, second: Technology
) -> None:
    sinks = clock_sinks(second_layout.design.placement.netlist, second)
    assert sum(map(len, sinks.values())) >= 18
    assert all(len(each) <= second.config.clock_fanout for each in sinks.values())


def test_spice_has_the_pins_of_the_cells_in_the_order_of_the_pdk(
    second_layout: LaidOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = second_layout.design
    folder = tmp_path / "ihp-sg13g2/libs.ref/sg13g2_stdcell/spice"
    folder.mkdir(parents=True)
    subcircuits = ".subckt sg13g2_nand2_1 Y A B\n+ VDD VSS\n.ends\n.subckt sg13g2_inv_1 Y A VDD VSS\n.ends\n"
    (folder / "sg13g2_stdcell.spice").write_text(subcircuits)
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    text = measured(second_layout).files(layers=False)[f"{design.top}.spice"].decode().replace("\n+", "")
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.startswith("X")}
    nands = [each for each in design.placement.netlist.instances if each.cell == "sg13g2_nand2_1"]
    assert nands
    for each in nands:
        wanted = [each.pins["Y"], each.pins["A"], each.pins["B"], "VDD", "VSS", "sg13g2_nand2_1"]
        assert lines[f"X{each.name}"] == wanted


def test_def_names_the_via_of_each_pin(second_layout: LaidOut, second: Technology) -> None:
    design = second_layout.design
    text = def_text(design)
    for used in ("Via1_YY", "Via1_XY"):
        pads = second.vias[1].at_pins[0 if used == "Via1_YY" else 1]
        ways = [way for route in design.routing.routes.values() for _, way in route.accesses if way]
        assert text.count(f" {used}\n") == sum(
            way.lower_pad in {pads, Box(pads.left, -pads.top, pads.right, -pads.bottom)} for way in ways
        )


def test_spef_has_the_resistance_of_the_cut_at_each_pin(second_layout: LaidOut) -> None:
    text = measured(second_layout).files(layers=False)[f"{second_layout.design.top}.spef"].decode()
    joins = re.findall(r"^\d+ \*\d+:[A-Z]\w* \*\d+:\d+ (\S+)$", text, re.MULTILINE)
    assert len(joins) > 100
    assert set(joins) == {"0.02000000"}  # Via1, 20 ohm


def test_tracks_that_do_not_suit_flipped_rows_are_refused(
    ihp: Pdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ihp.liberty
    source = ihp.liberty[0].parents[1]
    for kind in ("lib", "lef", "gds"):
        (tmp_path / kind).mkdir()
    (tmp_path / "gds" / "sg13g2_stdcell.gds").symlink_to(source / "gds" / "sg13g2_stdcell.gds")
    shutil.copyfile(source / "lef" / "sg13g2_stdcell.lef", tmp_path / "lef" / "sg13g2_stdcell.lef")
    text = (source / "lef" / "sg13g2_tech.lef").read_text()
    shifted = re.sub(r"OFFSET\s+0\.0", "OFFSET 0.1", text, count=1)
    (tmp_path / "lef" / "sg13g2_tech.lef").write_text(shifted)
    files = tuple(tmp_path / "lib" / path.name for path in ihp.liberty)
    with pytest.raises(PdkError, match=r"Metal1: tracks 420 nm apart from 100 nm on do not suit rows"):
        load_technology(replace(ihp, liberty=files))


def test_constants_have_a_cell_each(second: Technology) -> None:
    inverter = CellInstance("u0", "sg13g2_nand2_1", {"A": "0", "B": "1", "Y": "y"})
    ports = (Port("y", is_input=False, net="y"), Port("z", is_input=False, net="1"))
    made = prepared(Netlist("top", ports, (inverter,)), second)
    added = {each.cell: dict(each.pins) for each in made.instances if each.name.startswith("added")}
    assert added == {"sg13g2_tielo": {"L_LO": "tied_low"}, "sg13g2_tiehi": {"L_HI": "tied_high"}}
    assert [each.cell for each in made.instances].count("sg13g2_tiehi") == 2


def test_the_rule_of_antennas_is_that_of_the_pdk(second_layout: LaidOut, second: Technology) -> None:
    design = second_layout.design

    def ratios(**rule: object) -> dict[tuple[str, str], float]:
        antenna = second.config.antenna.model_copy(update={"ratio": 1e-6, **rule})
        strict = replace(second, config=second.config.model_copy(update={"antenna": antenna}))
        judged = PhysicalDesign(strict, design.placement, design.power, design.routing, design.wiring)
        return {(each.net, each.layer): each.ratio for each in antenna_excesses(judged)}

    alone, together = ratios(cumulative=False), ratios(cumulative=True)
    assert alone
    assert alone.keys() <= together.keys()
    assert all(together[place] >= ratio for place, ratio in alone.items())
    assert any(together[place] > ratio for place, ratio in alone.items())
    sides, layer = ratios(cumulative=False, area="side"), second.layers[1].lef
    net = next(net for net, name in alone if name == "Metal2")
    factor = 2 * layer.thickness / (layer.width / 1000)
    assert sides[net, "Metal2"] == pytest.approx(factor * alone[net, "Metal2"])
