"""PDK configurations: where the library comes from, and the message when it can't be found."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dwn_asic.errors import ConfigError, PdkError
from dwn_asic.targets.asic import pdk as pdk_module
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.liberty import LibertyReading
from dwn_asic.targets.asic.pdk import (
    check,
    extract,
    list_pdks,
    load_pdk,
    pdk_fingerprint,
    require_flip_flop,
    timing_fingerprint,
)
from dwn_asic.targets.asic.pdk_config import load_config

CONFIGS = Path(__file__).parents[2] / "pdk_configs"
SHARED = Path(os.environ.get("DWN_ASIC_SHARED_PDK") or Path(__file__).parents[3] / "shared" / "pdk")
SKY130_LIB = Path("sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib")
SHIPPED = {
    "sky130hd": ("tt_025C_1v80", "ss_100C_1v60", "ff_n40C_1v95"),
    "ihp-sg13g2": ("typ_1p20V_25C", "slow_1p08V_125C", "fast_1p32V_m40C"),
    "gf180mcu": ("tt_025C_5v00",),
    "asap7": ("TT",),
}
"""Name of each PDK with an embedded table, and its corners in the shared PDK files."""
needs_shared = pytest.mark.skipif(
    not (SHARED / SKY130_LIB).is_file(),
    reason=f"no PDK files in {SHARED} (set DWN_ASIC_SHARED_PDK to a folder that holds them)",
)

TOY = """
description: a toy
library: toy
corner: typical
folders: [toyA/lib, ciel/toy/versions/*/toyA/lib]
liberty: [toy.lib]
nand2: NAND2
get: "Draw one."
copyright: Nobody
licence: none
"""
TOY_LIB = """library (toy) { capacitive_load_unit (1, pf); leakage_power_unit : "1nW";
  cell (INV) { area : 1; pin (A) { direction : input; capacitance : 0.001; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; capacitance : 0.001; }
    pin (Y) { direction : output; function : "A"; } }
  cell (NAND2) { area : 1.5; pin (A) { direction : input; capacitance : 0.001; }
    pin (B) { direction : input; capacitance : 0.001; } pin (Y) { direction : output; function : "!(A B)"; } }
}
"""


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the host's own PDKs: an empty home and working directory, no PDK_ROOT."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.setattr("dwn_asic.targets.asic.pdk._SYSTEM_ROOTS", ())
    monkeypatch.chdir(tmp_path)
    return home


def write_toy(folder: Path, extra: str = "") -> Path:
    path = folder / "toy.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TOY + extra)
    return path


def install_toy(root: Path, folder: str = "toyA/lib") -> Path:
    path = root / folder / "toy.lib"
    path.parent.mkdir(parents=True)
    path.write_text(TOY_LIB)
    return path


def test_sky130_without_a_pdk_uses_the_embedded_table() -> None:
    pdk = load_pdk("sky130hd")
    assert pdk.origin == "embedded table sky130hd.cells.csv"
    assert pdk.liberty == ()
    assert pdk.library.nand2_area == 3.7536
    assert pdk.config.name == "sky130hd"


@pytest.mark.parametrize(
    ("name", "cells", "nand2_area", "flip_flop"),
    [
        ("ihp-sg13g2", 26, 7.2576, "sg13g2_dfrbpq_1"),
        ("gf180mcu", 33, 10.976, "gf180mcu_fd_sc_mcu7t5v0__dffq_1"),
        ("asap7", 75, 0.05832, "DFFHQNx1_ASAP7_75t_R"),
    ],
)
def test_the_other_pdks_have_embedded_tables_too(
    name: str, cells: int, nand2_area: float, flip_flop: str
) -> None:
    pdk = load_pdk(name)
    library = pdk.library
    assert pdk.origin == f"embedded table {name}.cells.csv"
    assert (pdk.liberty, pdk.corners, pdk.notes) == ((), {}, ())
    assert (len(library.cells), library.nand2_area, library.flip_flop.name) == (cells, nand2_area, flip_flop)


def test_the_reset_of_ihp_is_tied_and_the_flip_flop_of_asap7_inverts() -> None:
    reset, inverting = (load_pdk(name).library.flip_flop for name in ("ihp-sg13g2", "asap7"))
    assert (reset.reset, reset.reset_active_low, reset.inverting) == ("RESET_B", True, False)
    assert (inverting.reset, inverting.inverting) == ("", True)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_clock_delay_or_special_cell_is_mapped_to(name: str) -> None:
    names = [cell.name.rpartition("__")[2].lower() for cell in load_pdk(name).library.cells]
    special = ("clk", "ckinv", "dly", "hb", "lat", "icg", "hold", "tie", "conb", "lpflow", "probe", "ebuf")
    assert [cell for cell in names if cell.removeprefix("sg13g2_").startswith(special)] == []


def test_nangate45_says_where_its_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = r"flow/platforms/nangate45/lib/NangateOpenCellLibrary_typical\.lib: set PDK_ROOT"
    with pytest.raises(PdkError, match=f"not found, and it has no embedded table.*{hint}") as caught:
        load_pdk("nangate45")
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(PdkError, match=f"does not contain NangateOpenCellLibrary_typical.lib.*{hint}"):
        load_pdk("nangate45")


@pytest.mark.parametrize("folder", ["nangate45/lib", "lib"])
def test_nangate45_is_used_where_its_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    clock = AND.replace("(AND)", "(CLKGATE_X1)")
    text = re.sub(r"cell \((\w+)\)", r"cell (\1_X1)", TOY_LIB[:-2]) + clock + "}\n"
    (tmp_path / folder / "NangateOpenCellLibrary_typical.lib").write_text(text)
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    pdk = load_pdk("nangate45")
    assert [cell.name for cell in pdk.library.cells] == ["BUF_X1", "INV_X1", "NAND2_X1"]
    assert pdk.corners == {"typical": pdk.liberty}


def test_check_is_a_summary() -> None:
    summary = check("sky130hd")
    assert (summary.library, summary.corner) == ("sky130_fd_sc_hd", "tt_025C_1v80")
    assert (summary.cells, summary.flip_flop) == (77, "sky130_fd_sc_hd__dfxtp_1")
    assert (summary.nand2, summary.nand2_area) == ("sky130_fd_sc_hd__nand2_1", 3.7536)


@needs_shared
@pytest.mark.parametrize("name", SHIPPED)
def test_embedded_table_is_the_real_library_byte_for_byte(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(SHARED))
    config = load_config(CONFIGS / f"{name}.yaml")
    extracted = extract(load_pdk(name).liberty, config, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (CONFIGS / f"{name}.cells.csv").read_bytes()
    assert extracted.notes == ()
    assert extracted.library == CellLibrary.load_table(CONFIGS / f"{name}.cells.csv")
    extract(load_pdk(name).liberty, config, tmp_path / "sizes.csv", sizes=True)
    assert (tmp_path / "sizes.csv").read_bytes() == (CONFIGS / f"{name}.sizes.csv").read_bytes()


@needs_shared
@pytest.mark.parametrize("name", SHIPPED)
def test_pdk_root_gives_the_same_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = load_pdk(name).library
    monkeypatch.setenv("PDK_ROOT", str(SHARED))
    pdk = load_pdk(name)
    assert pdk.library == embedded
    assert pdk.origin == ", ".join(map(str, pdk.liberty))
    assert len(pdk.liberty) == (5 if name == "asap7" else 1)


@needs_shared
@pytest.mark.parametrize("name", SHIPPED)
def test_corners_of_an_installed_pdk(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(SHARED))
    pdk = load_pdk(name)
    assert tuple(pdk.corners) == SHIPPED[name]
    assert pdk.corners[pdk.library.corner] == pdk.liberty
    files = [path for corner in pdk.corners.values() for path in corner]
    assert len(set(files)) == len(files)
    for corner, paths in pdk.corners.items():
        assert all(path.is_file() and corner in path.name for path in paths)


def test_pdk_root_without_the_library_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(
        PdkError, match=r"PDK_ROOT is .* does not contain sky130_fd_sc_hd__tt_025C_1v80\.lib"
    ) as caught:
        load_pdk("sky130hd")
    message = str(caught.value)
    assert f"below {tmp_path}" in message
    assert "sky130A/libs.ref/sky130_fd_sc_hd/lib" in message
    assert "ciel" in message
    assert "Without PDK_ROOT, the embedded table of cells is used." in message
    assert "\n" not in message


def test_pdk_root_that_is_no_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(PdkError, match=r"PDK_ROOT is .*nowhere"):
        load_pdk("sky130hd")


def test_empty_pdk_root_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", "")
    assert load_pdk("sky130hd").origin.startswith("embedded")


@pytest.mark.parametrize("place", ["toyA/lib", "ciel/toy/versions/0123abc/toyA/lib"])
def test_installed_pdk_is_found_in_the_home_folder(
    nothing_installed: Path, tmp_path: Path, place: str
) -> None:
    path = install_toy(nothing_installed / ".ciel", place)
    pdk = load_pdk(write_toy(tmp_path))
    assert pdk.liberty == (path,)
    assert pdk.library.nand2_area == 1.5
    assert (pdk.library.copyright, pdk.library.licence) == ("Nobody", "none")
    assert check(tmp_path / "toy.yaml").flip_flop == ""


def test_chosen_version_comes_before_the_others(nothing_installed: Path, tmp_path: Path) -> None:
    install_toy(nothing_installed / ".volare", "ciel/toy/versions/0/toyA/lib")
    chosen = install_toy(nothing_installed / ".volare", "toyA/lib")
    assert load_pdk(write_toy(tmp_path)).liberty == (chosen,)


def test_folder_must_hold_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_toy(tmp_path / "root")
    monkeypatch.setenv("PDK_ROOT", "root")
    config = write_toy(tmp_path)
    config.write_text(TOY.replace("[toy.lib]", "[toy.lib, toy_ff.lib]"))
    with pytest.raises(PdkError, match=r"does not contain toy\.lib \+ toy_ff\.lib"):
        load_pdk(config)


def test_without_table_and_pdk_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(PdkError, match=r"PDK toy: not found, and it has no embedded table.*Draw one"):
        load_pdk(write_toy(tmp_path))


def test_table_of_another_library_is_an_error(tmp_path: Path) -> None:
    path = write_toy(tmp_path, "table: toy.csv\n")
    (tmp_path / "toy.csv").write_bytes((CONFIGS / "sky130hd.cells.csv").read_bytes())
    with pytest.raises(
        PdkError, match="is a table of sky130_fd_sc_hd tt_025C_1v80, which does not match PDK toy"
    ):
        load_pdk(path)


def test_extract_then_use_the_table(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "pdk_configs", "table: toy.csv\n")
    extracted = extract([install_toy(tmp_path)], load_config(path), path.parent / "toy.csv")
    pdk = load_pdk("toy")
    assert pdk.library == extracted.library
    assert pdk.origin == "embedded table toy.csv"


FLIP_FLOP = """  cell (FF) { area : 8; ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; CLEAR }
    pin (CK) { direction : input; } pin (D) { direction : input; } RESET
    pin (Q) { direction : output; function : "IQ"; } }
"""
PLAIN = FLIP_FLOP.replace("CLEAR", "").replace("RESET", "")
WITH_CLEAR = FLIP_FLOP.replace("CLEAR", 'clear : "!R";').replace("RESET", "pin (R) { direction : input; }")
AND = """  cell (AND) { area : 3; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "A B"; } }
"""


def toy_table(folder: Path, cells: str, extra: str = "") -> Path:
    """Write a YAML file with an embedded table of the toy library and ``cells``, extracted with ``extra``."""
    path = write_toy(folder, f"table: toy.csv\n{extra}")
    (folder / "toy.lib").write_text(TOY_LIB[:-2] + cells + "}\n")
    extract([folder / "toy.lib"], load_config(path), folder / "toy.csv")
    return path


def test_dont_use_drops_cells_of_the_embedded_table_too(tmp_path: Path) -> None:
    path = toy_table(tmp_path, AND + PLAIN)
    before = load_pdk(path)
    assert [cell.name for cell in before.library.cells] == ["AND", "BUF", "INV", "NAND2"]
    assert before.library.flip_flop.name == "FF"
    path.write_text(path.read_text() + "dont_use: [A*, 'F?']\n")
    after = load_pdk(path)
    assert [cell.name for cell in after.library.cells] == ["BUF", "INV", "NAND2"]
    assert after.library.flip_flops == ()
    assert after.library.nand2_area == 1.5
    assert after.notes[0].startswith("toy.csv: excluded by `dont_use`: AND, FF; ")
    assert not any("excluded by" in note for note in (*before.notes, *after.notes[1:]))
    path.write_text(path.read_text().replace("[A*, 'F?']", "[INV, BUF]"))
    with pytest.raises(PdkError, match=r"toy\.csv: no inverter and no buffer .* `dont_use` of toy allows"):
        load_pdk(path)


def test_tie_reset_is_heard_with_the_embedded_table_too(tmp_path: Path) -> None:
    path = toy_table(tmp_path, WITH_CLEAR, "tie_reset: true\n")
    assert load_pdk(path).library.flip_flop.reset == "R"
    path.write_text(path.read_text().replace("tie_reset: true\n", ""))
    pdk = load_pdk(path)
    assert pdk.library.flip_flops == ()
    assert pdk.notes[0].startswith("toy.csv: excluded by `tie_reset`: FF; ")


def test_registers_need_a_flip_flop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    lib, path = install_toy(tmp_path), write_toy(tmp_path)
    require_flip_flop(load_pdk(path), "none")
    with pytest.raises(PdkError, match=r"toy \(typical\): no plain D flip-flop .* set `tie_reset: true` in"):
        require_flip_flop(load_pdk(path), "both")
    path.write_text(TOY + "tie_reset: true\n")
    with pytest.raises(
        PdkError, match=r"no D flip-flop .*, not even one with a clear .* `hardware.registers: none`"
    ):
        require_flip_flop(load_pdk(path), "inputs")
    lib.write_text(TOY_LIB[:-2] + WITH_CLEAR + "}\n")
    require_flip_flop(load_pdk(path), "both")
    path.write_text(TOY)
    with pytest.raises(PdkError, match="no plain D flip-flop"):
        require_flip_flop(load_pdk(path), "outputs")
    lib.write_text(TOY_LIB[:-2] + PLAIN + "}\n")
    require_flip_flop(load_pdk(path), "both")


def test_notes_say_what_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    lib, path = install_toy(tmp_path), write_toy(tmp_path)
    lib.write_text(TOY_LIB[:-2] + AND + "cell (X) { a = 1; }\n}\n")
    notes = (
        "toy.lib: cell X is excluded: line 10: Unexpected token: =",
        "toy: leakage is unknown for all of 4 cells",
        "toy: input capacitance is unknown for AND, 1 of 4 cells",
    )
    assert load_pdk(path).notes == notes
    assert check(path).notes == notes
    assert extract([lib], load_config(path), tmp_path / "toy.csv").notes == notes[:1]
    assert load_pdk(path).library.cell("AND").capacitance == (None, None)
    monkeypatch.delenv("PDK_ROOT")
    assert load_pdk(write_toy(tmp_path, "table: toy.csv\n")).notes == notes[1:]


CORNERS = "corners: {slow: ['toy_s*.lib', toy_ff.lib], fast: [toy_fast.lib]}\n"


def test_a_corner_that_is_not_installed_is_left_out_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    lib, path = install_toy(tmp_path), write_toy(tmp_path, CORNERS)
    folder = lib.parent
    missing = {
        "slow": f"corner slow is left out: {folder} lacks toy_s*.lib + toy_ff.lib",
        "fast": f"corner fast is left out: {folder} lacks toy_fast.lib",
    }
    assert load_pdk(path).corners == {"typical": (lib,)}
    assert load_pdk(path).notes[-2:] == tuple(missing.values())
    files = [folder / name for name in ("toy_slow.lib", "toy_ff.lib.gz")]
    for file in files:
        file.write_bytes(b"not even looked into")
    pdk = load_pdk(path)
    assert list(pdk.corners.items()) == [("typical", (lib,)), ("slow", tuple(files))]
    assert pdk.notes[-1] == missing["fast"]
    assert missing["slow"] not in pdk.notes
    assert set(pdk_fingerprint(path)) == {"toy.yaml", "toy.lib"}
    assert check(path).corners == "typical, slow"


def test_the_embedded_table_has_no_corners(tmp_path: Path) -> None:
    path = toy_table(tmp_path, "", CORNERS)
    assert load_pdk(path).corners == {}
    assert not any("corner" in note for note in load_pdk(path).notes)
    assert check(path).corners == ""


def test_sky130_has_no_notes() -> None:
    assert load_pdk("sky130hd").notes == ()


def test_fingerprint_names_the_files_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toy_table(tmp_path / "configs", "")
    embedded = pdk_fingerprint(path)
    assert set(embedded) == {"toy.yaml", "toy.csv"}
    assert embedded["toy.csv"] == sha256((path.parent / "toy.csv").read_bytes()).hexdigest()
    assert pdk_fingerprint(str(path)) == embedded
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "root"))
    lib = install_toy(tmp_path / "root")
    installed = {"toy.yaml": embedded["toy.yaml"], "toy.lib": sha256(lib.read_bytes()).hexdigest()}
    assert pdk_fingerprint(path) == installed


def test_fingerprints_follow_the_keys_that_matter_to_them(tmp_path: Path) -> None:
    path = toy_table(tmp_path, "")
    mapped, timed = pdk_fingerprint(path), timing_fingerprint(path)
    whole = path.read_text()
    path.write_text(f"# A comment\n{whole}corners: {{slow: [toy_slow.lib]}}\n")
    assert (pdk_fingerprint(path), timing_fingerprint(path)) == (mapped, timed)
    path.write_text(f"{whole}output_load_pf: 0.5\n")
    assert pdk_fingerprint(path) == mapped
    assert timing_fingerprint(path) != timed
    path.write_text(f"{whole}tie_reset: true\n")
    assert pdk_fingerprint(path) != mapped
    assert timing_fingerprint(path) == timed


def test_fingerprint_changes_with_yaml_root_and_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = toy_table(tmp_path, "")
    found = [pdk_fingerprint(path)]
    path.write_text(path.read_text() + "dont_use: [X]\n")
    found.append(pdk_fingerprint(path))
    (tmp_path / "toy.csv").write_text((tmp_path / "toy.csv").read_text().replace("INV,1.0", "INV,1.25"))
    found.append(pdk_fingerprint(path))
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "root"))
    lib = install_toy(tmp_path / "root")
    found.append(pdk_fingerprint(path))
    lib.write_text(TOY_LIB.replace("area : 1;", "area : 1.25;"))
    found.append(pdk_fingerprint(path))
    assert len({tuple(sorted(fingerprint.items())) for fingerprint in found}) == 5
    lib.write_text(TOY_LIB)
    assert pdk_fingerprint(path) == found[3]


def test_fingerprint_covers_every_file_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    lib, path = install_toy(tmp_path), write_toy(tmp_path)
    path.write_text(TOY.replace("[toy.lib]", "[toy.lib, toy_ff.lib]"))
    (lib.parent / "toy_ff.lib.gz").write_bytes(b"not even looked into")
    assert set(pdk_fingerprint(path)) == {"toy.yaml", "toy.lib", "toy_ff.lib.gz"}


def test_fingerprint_fails_where_loading_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_toy(tmp_path)
    for broken, kind in ((path, PdkError), ("sky131", PdkError), (tmp_path / "none.yaml", ConfigError)):
        with pytest.raises(kind) as loading:
            load_pdk(broken)
        with pytest.raises(kind) as fingerprint:
            pdk_fingerprint(broken)
        assert str(fingerprint.value) == str(loading.value)
    with pytest.raises(PdkError, match=r"toy\.csv: cannot be read: No such file"):
        pdk_fingerprint(write_toy(tmp_path, "table: toy.csv\n"))
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(PdkError, match=r"PDK_ROOT is .* does not contain toy\.lib"):
        pdk_fingerprint(path)


def test_broken_liberty_in_pdk_root_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lib = install_toy(tmp_path)
    lib.write_text(TOY_LIB[:-20])
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    with pytest.raises(PdkError, match=r"toy\.lib: not a complete Liberty file"):
        load_pdk(write_toy(tmp_path, "table: toy.csv\n"))


def test_names(tmp_path: Path) -> None:
    shipped = tuple(sorted((*SHIPPED, "nangate45")))
    assert list_pdks() == shipped
    write_toy(tmp_path / "pdk_configs")
    assert list_pdks() == (*shipped, "toy")
    with pytest.raises(
        PdkError, match=r"no PDK 'sky131'; known PDKs: asap7, .*, sky130hd, toy; searched .*pdk_configs"
    ):
        load_pdk("sky131")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nand2: NAND2\n", "", "nand2: missing"),
        ("nand2: NAND2\n", "nand2: NAND2\nnand3: NAND3\n", "nand3: unknown key .*dont_use"),
        ("[toy.lib]", "toy.lib", "liberty: is 'toy.lib'"),
        ("[toy.lib]", "[]", "liberty: "),
        ("[toy.lib]", "[/pdk/toy.lib]", r"liberty: is .* \(allowed: relative patterns; PDK_ROOT"),
        ("licence: none", "licence: 2", "licence: is 2"),
        ("nand2: NAND2\n", "nand2: NAND2\ncorners: {slow: []}\n", "corners.slow: "),
        ("nand2: NAND2\n", "nand2: NAND2\ncorners: {slow: slow.lib}\n", "corners.slow: is 'slow.lib'"),
        (
            "nand2: NAND2\n",
            "nand2: NAND2\ncorners: {typical: [toy.lib]}\n",
            r"corners: is .* \(allowed: other names than that of `corner`",
        ),
    ],
)
def test_wrong_configs_name_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write_toy(tmp_path)
    assert old in TOY
    path.write_text(TOY.replace(old, new))
    with pytest.raises(ConfigError, match=f"toy.yaml: {message}"):
        load_pdk(path)


def test_missing_config_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_pdk(str(tmp_path / "none.yaml"))


def test_files_are_read_once_as_long_as_they_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Sequence[Path]] = []
    real = pdk_module.read_liberty

    def counted(liberty: Sequence[Path], **options: Any) -> LibertyReading:
        reads.append(liberty)
        return real(liberty, **options)

    monkeypatch.setattr(pdk_module, "read_liberty", counted)
    liberty, path = install_toy(tmp_path / "root"), write_toy(tmp_path)
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "root"))
    assert [load_pdk(path).library.nand2_area for _ in range(3)] == [1.5] * 3
    assert len(reads) == 1
    liberty.write_text(TOY_LIB.replace("1.5", "2.5"))
    assert load_pdk(path).library.nand2_area == 2.5
    write_toy(tmp_path, "tie_reset: true\n")
    assert load_pdk(path).config.tie_reset
    assert len(reads) == 3


def test_what_was_read_is_kept_for_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    install_toy(tmp_path / "root")
    path = write_toy(tmp_path)
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "root"))
    pdk_module._read_liberty.cache_clear()
    first = load_pdk(path)
    pdk_module._read_liberty.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(pdk_module, "read_liberty", lambda *_, **__: pytest.fail("read again"))
        second = load_pdk(path)
    assert (second.library, second.notes) == (first.library, first.notes)
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_bytes(b"{damaged")
    pdk_module._read_liberty.cache_clear()
    assert load_pdk(path).library == first.library
