"""Checks of whole layouts: a right one passes, and each kind of damage is found and described."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest
from layouts.damages import KINDS, damage
from layouts.drawn_cells import CELLS, CIRCUIT, HEIGHT, PREFIX, Drawing, Row, draw_cell, write

import dwn_asic
from dwn_asic.errors import DataError, PdkError, ToolError
from dwn_asic.targets.asic.layout_checks.layout_file import read_layout
from dwn_asic.targets.asic.layout_checks.technology import Technology
from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict

pytestmark = pytest.mark.usefixtures("spice")

Change = Callable[[kdb.Layout, Technology], None]


def checked(row: Row, technology: Technology, folder: Path, change: Change | None = None) -> LayoutVerdict:
    """Check the layout of a row after a change, against the netlist before it."""
    layout, netlist = write(row, technology, folder)
    if change is not None:
        opened = read_layout(layout)
        change(opened, technology)
        opened.write(str(layout))
    return dwn_asic.check_layout(layout, netlist)


def drawing(layout: kdb.Layout, technology: Technology) -> Drawing:
    return Drawing(technology, layout.top_cell(), layout)


def differences(found: LayoutVerdict) -> str:
    assert found.lvs is not None
    assert not found.lvs.clean
    return "\n".join(found.lvs.differences)


def test_a_right_layout_is_clean(technology: Technology, tmp_path: Path) -> None:
    found = checked(CIRCUIT, technology, tmp_path)
    assert found.clean
    assert found.lvs is not None
    assert (found.lvs.cells, found.lvs.transistors) == (5, 16)
    assert [each.what for each in found.function] == ["netlist == layout"]
    assert found.summary() == "clean"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_random_damages_are_found(kind: str, seed: int, technology: Technology, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    done = []

    def change(layout: kdb.Layout, process: Technology) -> None:
        done.append(damage(layout.top_cell(), process, kind, rng))

    found = checked(CIRCUIT, technology, tmp_path, change)
    assert done[0] is not None
    assert not found.clean, done[0]
    assert found.lvs is not None
    assert not found.lvs.clean, done[0]


def test_a_missing_label_is_named(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        shapes = layout.top_cell().shapes(layout.layer(*process.labels["met1"]))
        for each in [*shapes.each()]:
            if each.text_string == "b":
                each.delete()

    assert "port b has no label in the layout" in differences(checked(CIRCUIT, technology, tmp_path, change))


def test_two_ports_on_one_net_are_named(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        # From the track of a to that of b, beside that of n1.
        drawing(layout, process).box("met1", 4.1, HEIGHT + 1.0, 4.3, HEIGHT + 2.2)

    found = checked(CIRCUIT, technology, tmp_path, change)
    assert "ports a, b are one net in the layout" in differences(found)


def test_a_port_in_two_pieces_is_named(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        top = drawing(layout, process)
        top.box("met1", 0, 20, 1, 21)
        top.label("met1", "y", 0.5, 20.5)

    found = checked(CIRCUIT, technology, tmp_path, change)
    assert "port y is 2 separate nets in the layout" in differences(found)


def test_exchanged_inputs_of_a_cell_are_found(technology: Technology, tmp_path: Path) -> None:
    wrong = replace(
        CIRCUIT, cells=(*CIRCUIT.cells[:3], ("nand2_1", {"A": "a", "B": "n3", "Y": "y"}), *CIRCUIT.cells[4:])
    )
    layout, _ = write(wrong, technology, tmp_path)
    netlist = tmp_path / "right.v"
    netlist.write_text(CIRCUIT.verilog())
    found = dwn_asic.check_layout(layout, netlist)
    assert "nand2_1" in differences(found)
    # Both compute the same.
    assert [each.verdict for each in found.function] == ["equal"]


def test_a_wrong_function_has_a_counterexample(technology: Technology, tmp_path: Path) -> None:
    wrong = replace(CIRCUIT, cells=(*CIRCUIT.cells[:4], ("inv_1", {"A": "n2", "Y": "z"})))
    layout, _ = write(wrong, technology, tmp_path)
    netlist = tmp_path / "right.v"
    netlist.write_text(CIRCUIT.verilog())
    found = dwn_asic.check_layout(layout, netlist)
    assert not found.function
    assert "netlist == layout fails: at " in found.failures[0]
    assert "expected z = " in found.failures[0]


def test_the_function_may_be_that_of_another_netlist(technology: Technology, tmp_path: Path) -> None:
    layout, placed = write(CIRCUIT, technology, tmp_path)
    mapped = tmp_path / "mapped.v"
    last = {"A": "n3", "B": "a", "Y": "y"}
    for wrong in (False, True):
        cells = (*CIRCUIT.cells[:3], ("nor2_1" if wrong else "nand2_1", last), *CIRCUIT.cells[4:])
        mapped.write_text(replace(CIRCUIT, cells=cells).verilog())
        found = dwn_asic.check_layout(layout, placed, mapped=mapped)
        assert found.lvs is not None
        assert found.lvs.clean  # with what was placed
        assert found.clean is not wrong
        assert bool(found.function) is not wrong


def test_a_transistor_of_another_size_is_found(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        cell = layout.cell(f"{PREFIX}inv_1")
        poly = cell.shapes(layout.layer(*process.layers["poly"]))
        tall = max(poly.each(), key=lambda shape: shape.bbox().height())
        tall.box = tall.bbox().enlarged(20, 0)

    found = checked(CIRCUIT, technology, tmp_path, change)
    sizes = "inv_1: 1 x sky130_fd_pr__nfet_01v8 0.65/0.19 um, 1 x sky130_fd_pr__pfet_01v8_hvt 1/0.19 um"
    assert f"{sizes} in the layout" in differences(found)
    assert not found.failures


def test_an_extra_cell_is_found(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        cell = layout.cell(f"{PREFIX}inv_1")
        move = kdb.DTrans(kdb.DVector(20.0, 0)).to_itype(layout.dbu)
        layout.top_cell().insert(kdb.CellInstArray(cell.cell_index(), move))

    assert "inv_1 at (20, 0) in the layout, - in the netlist" in differences(
        checked(CIRCUIT, technology, tmp_path, change)
    )


def test_a_cell_that_the_netlist_lacks_is_named(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        top, cell = drawing(layout, process), layout.create_cell("strange")
        draw_cell(Drawing(process, cell, layout), CELLS["inv_1"])
        move = kdb.DTrans(kdb.DVector(20.0, 0)).to_itype(layout.dbu)
        top.cell.insert(kdb.CellInstArray(cell.cell_index(), move))
        top.at("mcon", 20.7, 1.9, 0.085, 0.085)
        top.at("met1", 20.7, 1.9, 0.2, 0.2)

    found = checked(CIRCUIT, technology, tmp_path, change)
    assert "the layout has the cell strange, which is not in the netlist" in differences(found)


def test_wires_in_cells_of_their_own_are_joined(technology: Technology, tmp_path: Path) -> None:
    def change(layout: kdb.Layout, process: Technology) -> None:
        top, vias = layout.top_cell(), layout.create_cell("VIA")
        for name in ("via", "mcon"):
            layer = layout.layer(*process.layers[name])
            vias.shapes(layer).insert(top.shapes(layer))
            top.shapes(layer).clear()
        top.insert(kdb.CellInstArray(vias.cell_index(), kdb.Trans()))

    assert checked(CIRCUIT, technology, tmp_path, change).clean


def test_vectors_and_modules_of_the_netlist_are_flattened(technology: Technology, tmp_path: Path) -> None:
    row = Row(
        (("inv_1", {"A": "x[0]", "Y": "n"}), ("nor2_1", {"A": "n", "B": "x[1]", "Y": "y"})), ("x",), ("y",)
    )
    layout = tmp_path / "row.gds"
    replace(row, inputs=("x[0]", "x[1]")).draw(technology).write(str(layout))
    netlist = tmp_path / "row.v"
    netlist.write_text(
        f"""module inner (a, b, y); input a; input b; output y; wire n;
          {PREFIX}inv_1 i (.A(a), .Y(n)); {PREFIX}nor2_1 g (.A(n), .B(b), .Y(y)); endmodule
        module row (x, y, VPWR, VGND); input [1:0] x; output y; inout VPWR; inout VGND; wire [1:0] w;
          assign w = {{x[0], x[1]}};
          inner core (.a(w[1]), .b(w[0]), .y(y)); endmodule"""
    )
    found = dwn_asic.check_layout(layout, netlist)
    assert found.clean, "\n".join(found.lines())


def test_one_bit_of_a_port_may_be_labelled_with_its_index(technology: Technology, tmp_path: Path) -> None:
    row = Row((("inv_1", {"A": "a[0]", "Y": "y"}),), ("a[0]",), ("y",))
    layout = tmp_path / "row.gds"
    row.draw(technology).write(str(layout))
    netlist = tmp_path / "row.v"
    netlist.write_text(Row((("inv_1", {"A": "a", "Y": "y"}),), ("a",), ("y",)).verilog())
    assert dwn_asic.check_layout(layout, netlist).clean


def test_two_ports_may_share_a_net(technology: Technology, tmp_path: Path) -> None:
    row = Row((("inv_1", {"A": "a", "Y": "y"}),), ("a",), ("y",))

    def change(layout: kdb.Layout, process: Technology) -> None:
        drawing(layout, process).label("met1", "z", 2.9, HEIGHT + 1.6)

    layout, _ = write(row, technology, tmp_path)
    opened = read_layout(layout)
    places = opened.top_cell().shapes(opened.layer(*technology.labels["met1"]))
    at = next(each.bbox().center() for each in places.each() if each.text_string == "y")
    drawing(opened, technology).label("met1", "z", at.x / 1000, at.y / 1000)
    opened.write(str(layout))
    netlist = tmp_path / "row.v"
    netlist.write_text(
        f"module row (a, y, z); input a; output y; output z; {PREFIX}inv_1 u (.A(a), .Y(y));"
        " assign z = y; endmodule"
    )
    found = dwn_asic.check_layout(layout, netlist)
    assert found.clean, "\n".join(found.lines())


def test_only_design_rules_without_a_netlist(technology: Technology, tmp_path: Path) -> None:
    layout, _ = write(CIRCUIT, technology, tmp_path)
    found = dwn_asic.check_layout(layout)
    assert found.clean
    assert found.lvs is None
    assert not found.function


def test_wrong_files_are_named(technology: Technology, tmp_path: Path) -> None:
    layout, netlist = write(CIRCUIT, technology, tmp_path)
    text = tmp_path / "text.gds"
    text.write_text("no layout")
    with pytest.raises(DataError, match=r"text\.gds: is not a layout"):
        dwn_asic.check_layout(text)
    with pytest.raises(DataError, match=r"row\.gds: has no cell other \(top cells: row\)"):
        dwn_asic.check_layout(layout, top="other")
    with pytest.raises(DataError, match=r"none\.v: cannot be read"):
        dwn_asic.check_layout(layout, tmp_path / "none.v")
    netlist.write_text(netlist.read_text().replace("inv_1", "xyz_1"))
    with pytest.raises(PdkError, match="no SPICE netlist of sky130_fd_sc_hd__xyz_1"):
        dwn_asic.check_layout(layout, netlist)
    with pytest.raises(PdkError, match=r"asap7\.checks\.yaml: not found.*with checks: ihp-sg13g2, sky130hd"):
        dwn_asic.check_layout(layout, pdk="asap7")


def test_two_top_cells_need_a_name(technology: Technology, tmp_path: Path) -> None:
    layout, netlist = write(CIRCUIT, technology, tmp_path)
    opened = read_layout(layout)
    opened.create_cell("other")
    opened.write(str(layout))
    with pytest.raises(DataError, match=r"has 2 top cells, so one must be named \(top cells: other, row\)"):
        dwn_asic.check_layout(layout, netlist)
    assert dwn_asic.check_layout(layout, netlist, top="row").clean


def test_without_klayout_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("dwn_asic.targets.asic.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "klayout", None)
    with pytest.raises(ToolError, match=r"pip install 'dwn-asic\[layout\]'"):
        dwn_asic.check_layout("any.gds")
