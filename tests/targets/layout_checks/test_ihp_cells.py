"""IHP's own cells: each alone and in rows is clean and matches its SPICE netlist, and damages are found."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import klayout.db as kdb
import pytest

import dwn_asic
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.layout_checks.cell_spice import CellCircuit, find_spice, read_cells
from dwn_asic.targets.asic.layout_checks.design_rules import check_rules
from dwn_asic.targets.asic.layout_checks.layout_file import Regions, read_layout
from dwn_asic.targets.asic.layout_checks.technology import Technology, load_technology
from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict

LIBRARY = "ihp-sg13g2/libs.ref/sg13g2_stdcell"
OUTLINE, HEIGHT = (189, 4), 3780
OUTPUTS = {"X", "Y", "Q", "Q_N", "L_HI", "L_LO", "Z", "GCLK"}
MATCHED = ("buf_8", "nand2_2", "a21oi_1", "xor2_1", "mux2_1", "tiehi", "antennanp", "dfrbpq_1", "ebufn_2")

SPICE = """* widths and lengths of three cells, in metres
.subckt sg13g2_inv_1 Y A VDD VSS
XN Y A VSS VSS sg13_lv_nmos w=740n l=130n m=1
XP Y A VDD VDD sg13_lv_pmos w=1.12u l=130n m=1
.ends
.subckt sg13g2_nand2_1 Y A B VDD VSS
XN1 Y A between VSS sg13_lv_nmos w=740n l=130n m=1
XN2 between B VSS VSS sg13_lv_nmos w=740n l=130n m=1
XP1 Y A VDD VDD sg13_lv_pmos w=1.12u l=130n m=1
XP2 Y B VDD VDD sg13_lv_pmos w=1.12u l=130n m=1
.ends
.subckt sg13g2_nor2_1 Y A B VDD VSS
XN1 Y A VSS VSS sg13_lv_nmos w=740n l=130n m=1
XN2 Y B VSS VSS sg13_lv_nmos w=740n l=130n m=1
XP1 between A VDD VDD sg13_lv_pmos w=1.12u l=130n m=1
XP2 Y B between VDD sg13_lv_pmos w=1.12u l=130n m=1
.ends
"""

Circuits = Mapping[str, CellCircuit]
Change = Callable[[kdb.Cell, Regions], None]


@pytest.fixture(scope="module")
def technology() -> Technology:
    return load_technology("ihp-sg13g2")


@pytest.fixture
def cells(shared_pdk: Path) -> kdb.Layout:
    """Return the cells as IHP drew them."""
    path = shared_pdk / LIBRARY / "gds" / "sg13g2_stdcell.gds"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return read_layout(path)


@pytest.fixture
def circuits(technology: Technology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Circuits:
    """Install SPICE netlists of three cells in the home folder of the test, and return their transistors."""
    folder = tmp_path / ".ciel" / LIBRARY / "spice"
    folder.mkdir(parents=True)
    (folder / "three_cells.spice").write_text(SPICE)
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = [f"sg13g2_{each}" for each in ("inv_1", "nand2_1", "nor2_1")]
    return read_cells(find_spice(technology.spice), names, technology.devices)


@pytest.fixture
def all_circuits(
    shared_pdk: Path, cells: kdb.Layout, technology: Technology, monkeypatch: pytest.MonkeyPatch
) -> Circuits:
    """Return the transistors of the cells from IHP's SPICE netlists."""
    monkeypatch.setenv("PDK_ROOT", str(shared_pdk))
    try:
        folder = find_spice(technology.spice)
    except PdkError:
        pytest.skip(f"no SPICE netlists of IHP's cells in {shared_pdk}")
    return read_cells(folder, [each.name for each in cells.each_cell()], technology.devices)


def violations(cell: kdb.Cell, technology: Technology) -> dict[str, int]:
    return {each.rule: each.count for each in check_rules(cell, technology, "").rules if each.count}


def test_each_cell_is_clean(cells: kdb.Layout, technology: Technology) -> None:
    found = {cell.name: violations(cell, technology) for cell in cells.each_cell()}
    assert len(found) == 84
    # The pSD of the narrowest filler has its area only together with that of its neighbours.
    assert {name: wrong for name, wrong in found.items() if wrong} == {"sg13g2_fill_1": {"pSD.k": 1}}


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_cells_are_clean(seed: int, cells: kdb.Layout, technology: Technology) -> None:
    rng, known = random.Random(seed), [*cells.each_cell()]
    top = cells.create_cell("rows")
    for row in range(3):
        x = 0
        while x < 30_000:
            cell = rng.choice(known)
            width = cell.bbox(cells.layer(*OUTLINE)).width()
            top.insert(kdb.CellInstArray(cell.cell_index(), place(x, row, width, rng.random() < 0.5)))
            x += width
    assert violations(top, technology) == {}


def place(x: int, row: int, width: int, mirrored: bool) -> kdb.Trans:
    """Return the place of a cell; every other row stands on its head, so that rows share rails."""
    y = HEIGHT * (row + row % 2)
    if row % 2:
        return kdb.Trans(kdb.Trans.R180, x + width, y) if mirrored else kdb.Trans(kdb.Trans.M0, x, y)
    return kdb.Trans(kdb.Trans.M90, x + width, y) if mirrored else kdb.Trans(kdb.Trans.R0, x, y)


@dataclass(frozen=True)
class OneCell:
    """A layout of one cell with its ports, and the netlist that it must match."""

    cells: kdb.Layout
    circuits: Circuits
    technology: Technology
    folder: Path

    def checked(self, name: str, change: Change | None = None, drawn: str = "") -> LayoutVerdict:
        """Check a cell after a change; a cell with another name may be drawn in its place."""
        layout = kdb.Layout()
        layout.dbu = self.cells.dbu
        cell, top = layout.create_cell(name), layout.create_cell("top")
        cell.copy_tree(self.cells.cell(drawn or name))
        top.insert(kdb.CellInstArray(cell.cell_index(), kdb.Trans()))
        for number in self.technology.labels.values():
            for text in [each for each in cell.shapes(layout.layer(*number)).each() if each.is_text()]:
                top.shapes(layout.layer(*number)).insert(text)
        if change is not None:
            change(cell, Regions(cell, self.technology))
        gds, verilog = self.folder / "one.gds", self.folder / "one.v"
        layout.write(str(gds))
        verilog.write_text(self.netlist(name))
        return dwn_asic.check_layout(gds, verilog, pdk="ihp-sg13g2", drc=False)

    def netlist(self, name: str) -> str:
        pins = self.circuits[name].pins
        kinds = [
            "output" if pin in OUTPUTS else "inout" if pin in self.technology.supplies else "input"
            for pin in pins
        ]
        ports = "".join(f" {kind} {pin};" for kind, pin in zip(kinds, pins, strict=True))
        connected = ", ".join(f".{pin}({pin})" for pin in pins)
        return f"module top ({', '.join(pins)});{ports} {name} u ({connected}); endmodule\n"

    def drop(self, cell: kdb.Cell, layer: str, where: kdb.Region) -> None:
        """Remove the shapes of a drawn layer that touch a region."""
        self.draw(cell, layer, Regions(cell, self.technology)[layer].not_interacting(where))

    def draw(self, cell: kdb.Cell, layer: str, region: kdb.Region) -> None:
        shapes = cell.shapes(cell.layout().layer(*self.technology.layers[layer]))
        shapes.clear()
        shapes.insert(region.merged())


@pytest.fixture
def one_cell(cells: kdb.Layout, circuits: Circuits, technology: Technology, tmp_path: Path) -> OneCell:
    return OneCell(cells, circuits, technology, tmp_path)


@pytest.mark.parametrize("name", ["inv_1", "nand2_1", "nor2_1"])
def test_cells_match_their_transistors(name: str, one_cell: OneCell) -> None:
    found = one_cell.checked(f"sg13g2_{name}")
    assert found.clean, "\n".join(found.lines())


@pytest.mark.parametrize("name", MATCHED)
def test_cells_match_the_netlists_of_ihp(
    name: str, cells: kdb.Layout, all_circuits: Circuits, technology: Technology, tmp_path: Path
) -> None:
    found = OneCell(cells, all_circuits, technology, tmp_path).checked(f"sg13g2_{name}")
    assert found.clean, "\n".join(found.lines())


def test_a_swapped_cell_is_found(one_cell: OneCell) -> None:
    found = one_cell.checked("sg13g2_nand2_1", drawn="sg13g2_nor2_1")
    assert found.lvs is not None
    assert not found.lvs.clean


def test_an_output_without_contacts_is_found(one_cell: OneCell) -> None:
    def change(cell: kdb.Cell, regions: Regions) -> None:
        drain = [each for each in regions["source_n"].each() if each.bbox().left > 700]
        one_cell.drop(cell, "cont", kdb.Region(drain))

    found = one_cell.checked("sg13g2_inv_1", change)
    assert found.lvs is not None
    assert not found.lvs.clean


def test_a_short_is_found(one_cell: OneCell) -> None:
    def change(cell: kdb.Cell, regions: Regions) -> None:
        one_cell.draw(cell, "metal1", regions["metal1"] + kdb.Region(kdb.Box(500, 1600, 1000, 1700)))

    found = one_cell.checked("sg13g2_inv_1", change)
    assert found.lvs is not None
    assert "ports" in found.lvs.differences[0]


def test_a_narrower_transistor_is_found(one_cell: OneCell) -> None:
    def change(cell: kdb.Cell, regions: Regions) -> None:
        one_cell.draw(cell, "activ", regions["activ"] - kdb.Region(kdb.Box(300, 1280, 1200, 1400)))

    found = one_cell.checked("sg13g2_inv_1", change)
    assert found.lvs is not None
    assert any("sg13_lv_nmos 0.69/0.13 um in the layout" in each for each in found.lvs.differences)
