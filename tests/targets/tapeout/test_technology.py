"""Technologies: what suits the router, which cells may be placed, and how their pins are reached."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from dwn_asic.errors import ConfigError, PdkError
from dwn_asic.targets.asic.pdk import Pdk, list_pdks, load_pdk, with_sizes
from dwn_asic.targets.asic.tapeout.cell_access import Access, cell_geometry
from dwn_asic.targets.asic.tapeout.technology import Technology, load_technology
from dwn_asic.verilog.cell import Cell

PREFIX = "sky130_fd_sc_hd__"
CONFIGS = Path(__file__).resolve().parents[3] / "pdk_configs"


def claims(access: Access) -> set[tuple[str, int, int]]:
    """Return the crossings, and the gaps between pads, that an access takes."""
    found = set()
    for column in {access.column, access.column + access.beside}:
        found.add(("node", column, access.track))
        if access.has_cut:
            found |= {("gap", column, access.track), ("gap", column, access.track - 1)}
    return found


def reachable(pins: list[tuple[Access, ...]], taken: frozenset[tuple[str, int, int]] = frozenset()) -> bool:
    """Return whether all pins can be reached at once."""
    if not pins:
        return True
    return any(
        not claims(access) & taken and reachable(pins[1:], taken | claims(access)) for access in pins[0]
    )


def test_all_pins_of_a_cell_can_be_reached_at_once(technology: Technology, installed: Pdk) -> None:
    cells = [each.name for each in installed.library.cells if each.name not in technology.config.split]
    for name in [*cells, installed.library.flip_flop.name, technology.config.clock_buffer.cell]:
        accesses = cell_geometry(technology, name).accesses
        assert reachable(sorted(accesses.values(), key=len)), name


def test_cells_in_the_place_of_another_compute_the_same(technology: Technology, installed: Pdk) -> None:
    library = with_sizes(installed).library
    for name, replacement in technology.config.instead.items():
        one, other = library.cell(name), library.cell(replacement.use)
        assert isinstance(one, Cell)
        assert isinstance(other, Cell)
        assert (one.inputs, one.output, one.table) == (other.inputs, other.output, other.table)
    assert technology.config.split
    for name, split in technology.config.split.items():
        whole = library.cell(name)
        assert isinstance(whole, Cell)
        for values in product((0, 1), repeat=len(whole.inputs)):
            nets = dict(zip(whole.inputs, values, strict=True))
            for part in split.parts:
                cell = library.cell(part.cell)
                assert isinstance(cell, Cell)
                address = sum(nets[part.pins[pin]] << i for i, pin in enumerate(cell.inputs))
                nets[part.pins[cell.output]] = cell.table >> address & 1
            address = sum(value << i for i, value in enumerate(values))
            assert nets[whole.output] == whole.table >> address & 1


def test_a_cell_that_breaks_a_rule_is_replaced_or_refused(technology: Technology) -> None:
    assert technology.usable(f"{PREFIX}a2111oi_0") == f"{PREFIX}a2111oi_1"
    with pytest.raises(PdkError, match=r"buf_16 breaks rule licon\.8a by itself .* exclude it by `dont_use`"):
        technology.usable(f"{PREFIX}buf_16")
    with pytest.raises(PdkError, match=r"its LEF file has no cell nonsense"):
        technology.usable("nonsense")


def test_layout_files_are_no_pdks() -> None:
    assert "sky130hd" in list_pdks()
    assert not [name for name in list_pdks() if "layout" in name]


def test_a_pdk_without_layout_file_or_files_is_refused(
    installed: Pdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PdkError, match=r"cannot be laid out: there is no .*gf180mcu\.layout\.yaml"):
        load_technology(replace(installed, config=load_pdk("gf180mcu").config))
    monkeypatch.delenv("PDK_ROOT", raising=False)
    with pytest.raises(PdkError, match=r"sky130hd: a layout needs its LEF and GDS files"):
        load_technology(load_pdk("sky130hd"))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ((r"site: unithd", "site: none"), PdkError("has no site none")),
        ((r"M1M2_PR, cut: via,", "M1M2_PR, cut: via2,"), PdkError("via M1M2_PR has no shape on via2")),
        ((r"strap_um: 1.6", "strap_um: 0"), ConfigError("", "", "strap_um: is 0")),
    ],
)
def test_a_wrong_layout_file_is_an_error_that_says_why(
    wrong: tuple[str, str], error: Exception, installed: Pdk, tmp_path: Path
) -> None:
    folder = tmp_path / "pdk_configs"
    folder.mkdir()
    shutil.copy(CONFIGS / "sky130hd.yaml", folder)
    text = (CONFIGS / "sky130hd.layout.yaml").read_text()
    (folder / "sky130hd.layout.yaml").write_text(text.replace(*wrong))
    with pytest.raises(type(error), match=re.escape(str(error).removeprefix(": "))):
        load_technology(installed)
