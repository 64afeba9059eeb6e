"""Liberty files: what is kept, what is left out, units, and files in another format."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary
from dwn_asic.targets.asic.liberty import LibertyReading, read_liberty

HEAD = """library (toy) {
  /* a comment with "quotes" and { braces */
  capacitive_load_unit (1, pf);
  leakage_power_unit : "1nW";
  default_cell_leakage_power : 0.5;
  default_input_pin_cap : 0.007;
  default_operating_conditions : typical;
"""
BASICS = """
  cell (INV) { area : 1; pin (A) { direction : input; capacitance : 0.001; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; capacitance : 0.001; }
    pin (Y) { direction : output; function : "A"; } }
  cell (NAND2) { area : 1.5; pin (A) { direction : input; capacitance : 0.001; }
    pin (B) { direction : input; capacitance : 0.001; } pin (Y) { direction : output; function : "!(A B)"; } }
"""


def gate(
    name: str, area: float | str, function: str, *pins: str, capacitance: str = "0.001", extra: str = ""
) -> str:
    inputs = "".join(f"pin ({pin}) {{ direction : input; capacitance : {capacitance}; }} " for pin in pins)
    output = f'pin (Y) {{ direction : output; function : "{function}"; }}'
    return f"  cell ({name}) {{ area : {area}; {extra} {inputs} {output} }}\n"


def dff(
    name: str, area: float, *, state: str, pins: str = "CK D", output: str = "IQ", extra: str = ""
) -> str:
    inputs = "".join(f"pin ({pin}) {{ direction : input; capacitance : 0.001; }} " for pin in pins.split())
    return (
        f'  cell ({name}) {{ area : {area}; ff (IQ, IQN) {{ clocked_on : "CK"; {state} }} {inputs}'
        f'pin (Q) {{ direction : output; function : "{output}"; }} {extra} }}\n'
    )


def reading(folder: Path, cells: str, *, head: str = HEAD, **options: object) -> LibertyReading:
    path = folder / "toy.lib"
    path.write_text(head + BASICS + cells + "}\n")
    return read_liberty([path], **options)  # type: ignore[arg-type]


def read(folder: Path, cells: str, *, head: str = HEAD, **options: object) -> CellLibrary:
    return reading(folder, cells, head=head, **options).library


def names(library: CellLibrary) -> list[str]:
    return [cell.name for cell in library.cells]


def test_basics(tmp_path: Path) -> None:
    library = read(tmp_path, "", copyright_line="Somebody", licence="MIT")
    assert names(library) == ["BUF", "INV", "NAND2"]
    assert (library.name, library.corner, library.nand2, library.nand2_area) == (
        "toy",
        "typical",
        "NAND2",
        1.5,
    )
    assert (library.origin, library.copyright, library.licence) == ("toy.lib", "Somebody", "MIT")
    assert library.cells[2] == Cell("NAND2", 1.5, ("A", "B"), "Y", "!(A B)", (0.001, 0.001), 0.5)


def test_smallest_of_each_function_up_to_input_order(tmp_path: Path) -> None:
    cells = (
        gate("AOI_BIG", 4, "!(A B + C)", "A", "B", "C")
        + gate("AOI", 3, "!(B C + A)", "A", "B", "C")
        + gate("INV_SMALL_CAP", 1, "A'", "A", capacitance="0.0005")
        + gate("INV_A_SAME", 1, "!A", "A", capacitance="0.0005")
    )
    library = read(tmp_path, cells)
    assert names(library) == ["AOI", "BUF", "INV_A_SAME", "NAND2"]


@pytest.mark.parametrize(
    "cell",
    [
        gate("X", 0.1, "A B", "A", "B", extra="dont_use : true;"),
        gate("X", 0.1, "A B", "A", "B", extra="is_isolation_cell : true;"),
        gate("X", 0.1, "A B", "A", "B", extra='clock_gating_integrated_cell : "latch_posedge";'),
        gate("X", 0.1, "A B", "A", "B", extra='latch (IQ, IQN) { enable : "A"; }'),
        gate("X", 0.1, "A B", "A", "B", extra="pin (Z) { direction : output; function : A; }"),
        gate("X", 0.1, "A B", "A", "B", extra="pin (Z) { direction : inout; }"),
        gate("X", 0.1, "A B", "A", "B", "C"),
        gate("X", 0.1, "A B", "A"),
        gate("X", 0.1, "A +", "A"),
        gate("X", 0.1, "A B", *"ABCDEFGHIJK"),
        gate("X", 0.1, "1"),
        gate("SKIP_ME", 0.1, "A B", "A", "B"),
        "  cell (X) { area : 0.1; pin (A) { direction : input; } }\n",
        (
            "  cell (X) { area : 0.1; pin (A) { direction : input; } pin (E) { direction : input; }"
            ' pin (Y) { direction : output; function : "A"; three_state : "!E"; } }\n'
        ),
        '  cell (X) { pin (A) { direction : input; } pin (Y) { direction : output; function : "A"; } }\n',
    ],
)
def test_cells_that_are_no_gates(tmp_path: Path, cell: str) -> None:
    assert names(read(tmp_path, cell, dont_use=["SKIP_*"])) == ["BUF", "INV", "NAND2"]


def test_dont_use_false_means_use(tmp_path: Path) -> None:
    assert "AND" in names(read(tmp_path, gate("AND", 3, "A B", "A", "B", extra="dont_use : false;")))


def test_units_become_pf_and_nw(tmp_path: Path) -> None:
    head = HEAD.replace("(1, pf)", '(1, "ff")').replace("1nW", "1pW")
    cell = gate("AND", 3, "A B", "A", "B", capacitance="0.583", extra="cell_leakage_power : 31.0414;")
    library = read(tmp_path, cell, head=head)
    found = library.cell("AND")
    assert found.capacitance == (0.000583, 0.000583)
    assert found.leakage == 0.0310414
    library = read(tmp_path, cell, head=HEAD.replace("(1, pf)", "(10, ff)").replace("1nW", "10uW"))
    assert library.cell("AND").capacitance == (0.00583, 0.00583)
    assert library.cell("AND").leakage == 310414.0


def test_missing_values_come_from_the_next_best(tmp_path: Path) -> None:
    cells = """
  cell (AND) { area : 3;
    leakage_power () { value : 4; when : "A"; related_pg_pin : VDD; }
    leakage_power () { value : 2; when : "A"; related_pg_pin : VSS; }
    leakage_power () { value : 1; when : "!A"; related_pg_pin : VDD; }
    pin (A) { direction : input; rise_capacitance : 0.002; fall_capacitance : 0.004; }
    pin (B) { direction : input; }
    pin (Y) { direction : output; function : "A B"; } }
  cell (OR) { area : 3;
    leakage_power () { value : 4; when : "A"; }
    leakage_power () { value : 2; }
    pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "A + B"; } }
"""
    library = read(tmp_path, cells)
    assert library.cell("AND").capacitance == (0.003, 0.007)
    assert library.cell("AND").leakage == 3.5
    assert library.cell("OR").leakage == 2.0
    assert library.cell("INV").leakage == 0.5


def test_the_smallest_plain_flip_flop(tmp_path: Path) -> None:
    cells = (
        dff("BIG", 9, state='next_state : "D";')
        + dff("PLAIN", 8, state='next_state : "(D)";')
        + dff("FALLING", 1, state='next_state : "D"; clocked_on : "!CK";').replace('clocked_on : "CK"; ', "")
        + dff("RESET", 1, state='next_state : "D"; clear : "!R";', pins="CK D R")
        + dff("SET", 1, state='next_state : "D"; preset : "!S";', pins="CK D S")
        + dff("SCAN", 1, state='next_state : "(D !SE) + (SI SE)";', pins="CK D SE SI")
        + dff("INVERTING_BIG", 10, state='next_state : "!D";')
        + dff("EXTRA", 1, state='next_state : "D";', pins="CK D X")
    )
    (only,) = read(tmp_path, cells, tie_reset=True).flip_flops
    assert (only.name, only.clock, only.data, only.output, only.inverting) == ("PLAIN", "CK", "D", "Q", False)


@pytest.mark.parametrize(
    ("state", "output", "inverting"),
    [("D", "IQ", False), ("D", "IQN", True), ("!D", "IQ", True), ("!D", "IQN", False), ("D", "!IQ", True)],
)
def test_inverting_flip_flops(tmp_path: Path, state: str, output: str, inverting: bool) -> None:
    (found,) = read(tmp_path, dff("FF", 8, state=f'next_state : "{state}";', output=output)).flip_flops
    assert found.inverting is inverting


def test_true_output_is_taken_where_there_are_two(tmp_path: Path) -> None:
    both = dff(
        "FF",
        8,
        state='next_state : "D";',
        output="IQN",
        extra=('pin (QQ) { direction : output; function : "IQ"; }'),
    )
    (found,) = read(tmp_path, both).flip_flops
    assert (found.output, found.inverting) == ("QQ", False)


def test_a_smaller_inverting_flip_flop_is_kept_too(tmp_path: Path) -> None:
    cells = dff("TRUE", 8, state='next_state : "D";') + dff("INVERTING", 7, state='next_state : "!D";')
    assert [cell.name for cell in read(tmp_path, cells).flip_flops] == ["TRUE", "INVERTING"]


def test_reset_is_tied_only_on_request(tmp_path: Path) -> None:
    cells = dff("RESET", 9, state='next_state : "D"; clear : "!R";', pins="CK D R")
    assert read(tmp_path, cells).flip_flops == ()
    (found,) = read(tmp_path, cells, tie_reset=True).flip_flops
    assert (found.reset, found.reset_active_low, found.inputs) == ("R", True, ("CK", "D", "R"))


def test_several_files_are_one_library(tmp_path: Path) -> None:
    first, second = tmp_path / "a.lib", tmp_path / "b.lib.gz"
    first.write_text(HEAD + BASICS + "}\n")
    second.write_bytes(gzip.compress((HEAD + gate("AND", 3, "A B", "A", "B") + "}\n").encode()))
    library = read_liberty([first, second], library="all", corner="slow", nand2="AND").library
    assert names(library) == ["AND", "BUF", "INV", "NAND2"]
    assert (library.name, library.corner, library.nand2_area) == ("all", "slow", 3.0)
    assert library.origin == "a.lib b.lib.gz"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"/* only a comment */\n", "it is empty"),
        (
            b"hello garbage",
            r"not a Liberty file: it starts with 'hello garbage', not with 'library \(NAME\) {'",
        ),
        (b"library (toy)", r"not a Liberty file: it starts with 'library \(toy\)'"),
        (
            b"time_unit : 1ns; library (toy) {}",
            "not a Liberty file: it starts with 'time_unit : 1ns; library",
        ),
        (b"} library (toy) {", "not a Liberty file: it starts with ''"),
        (b"<html><body>404</body></html>", "not a Liberty file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not a Liberty file"),
        (b"\x80\x81\x82\x83", "not a Liberty file"),
        (b"foo (a) {}", "outermost group is 'foo'"),
        ((HEAD + BASICS).encode(), "groups are opened"),
        ((HEAD + BASICS).encode()[:-30], "groups are opened|inside a quoted string"),
        ((HEAD + '  cell (A) { x : "abc').encode(), "it ends inside a quoted string"),
        ((HEAD + "  /* never closed").encode(), "it ends inside a comment"),
        (gzip.compress((HEAD + BASICS + "}").encode())[:-40], "cannot be read"),
        (b"\x1f\x8bgarbage after the magic", "cannot be read"),
        ((HEAD + "}").encode(), "no inverter and no buffer and no NAND2"),
        (
            (HEAD + BASICS.replace("area : 1.5;", "area : huge;") + "}").encode(),
            "no NAND2 among .*; bad.lib: cell NAND2 is excluded: area 'huge' is not a number",
        ),
    ],
)
def test_bad_files_are_one_line_that_names_them(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.lib"
    path.write_bytes(content)
    with pytest.raises(PdkError, match=f"bad.lib: .*({message})") as caught:
        read_liberty([path])
    assert "\n" not in str(caught.value)


def test_braces_may_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    plain = reading(tmp_path, dff("FF", 8, state='next_state : "D";'))
    assert len(plain.library.cells) == 3
    assert plain.notes == ()
    for number, loose in enumerate(
        [
            lambda text: text.replace(") {", ")\n{"),
            lambda text: text.replace(") {", ")\r\n\t{"),
            lambda text: text.replace(") {", ") // the (brace) comes {\n\n  {"),
            lambda text: text.replace(") {", ") /* the\nbrace } */ {").replace(" (", "\n("),
            lambda text: text.replace(" :", "\n:").replace(": ", ":\n"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "toy.lib").write_bytes(loose((tmp_path / "toy.lib").read_text()).encode())
        assert read_liberty([folder / "toy.lib"]) == plain


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        (
            "  cell (LAT) { area : 4;\n   latch (IQ, IQN) { enable : (G); data_in : D; } }\n",
            "cell LAT is excluded: line 16: not Liberty syntax",
        ),
        ("  cell (X)\n {\n area = 4; }\n", "cell X is excluded: line 17: Unexpected token: ="),
        ("  cell (X,\n Y) { area = 4; }\n", "cell X, Y is excluded: line 16: Unexpected token: ="),
        (gate("X", 3, "A +", "A"), "cell X is excluded: function 'A +': ends where an operand is needed"),
        (gate("X", 3, "A B", "A"), "cell X is excluded: function 'A B' reads 'B', which is not one of A"),
        (gate("X", "huge", "A", "A"), "cell X is excluded: area 'huge' is not a number"),
        (gate("X", "unit_area * 2", "A", "A"), "cell X is excluded: area 'unit_area*2' is not a number"),
        (gate("X", 0, "A", "A"), "cell X is excluded: area '0' is not greater than 0"),
        (gate("X", "1e-999", "A", "A"), "cell X is excluded: area '1e-999' is not greater than 0"),
        (gate("X", -1, "A", "A"), "cell X is excluded: area '-1' is not a finite number of at least 0"),
        (gate("X", "nan", "A", "A"), "cell X is excluded: area 'nan' is not a finite number of at least 0"),
        (gate("X", 3, "A", "A").replace("area : 3;", ""), "cell X is excluded: it has no area"),
        (gate("", 3, "A", "A"), "cell () is excluded: it has no name"),
        (
            dff("X", 3, state='next_state : "D";').replace("area : 3;", ""),
            "cell X is excluded: it has no area",
        ),
        (
            dff("X", 3, state='next_state : "D +";'),
            "cell X is excluded: function 'D +': ends where an operand is needed",
        ),
        (
            dff("X", 3, state='next_state : "D";', output="IQ ("),
            "cell X is excluded: function 'IQ (': ends where an operand is needed",
        ),
        ("  unit = 2.0; x : 3;\n", "a statement is skipped: line 15: Unexpected token: ="),
        (
            "\n  x : 3; /* no name */\n nameless { x : 3; }\n",
            "a group is skipped: line 17: 'KIND (NAME)' is missing before its brace",
        ),
    ],
)
def test_what_cannot_be_understood_costs_itself_alone(tmp_path: Path, cell: str, note: str) -> None:
    found = reading(tmp_path, cell + gate("AND", 3, "A B", "A", "B"))
    assert names(found.library) == ["AND", "BUF", "INV", "NAND2"]
    assert found.library.flip_flops == ()
    (only,) = found.notes
    assert only == f"toy.lib: {note}"
    assert found.library == read(tmp_path, gate("AND", 3, "A B", "A", "B"))


@pytest.mark.parametrize(
    "cell",
    [
        "  cell (SKIP) { enable : (G); }\n",
        gate("SKIP", "huge", "A +", "A"),
        gate("FILL", "", "").replace("area : ;", "is_filler_cell : true;"),
        '  cell (PAD) { pad_cell : true; area : 0; pin (Y) { direction : output; function : "A +"; } }\n',
        "  cell (TIE) { area : 0; pin (Y) { direction : output; function : 1; } }\n",
    ],
)
def test_cells_that_nobody_wants_are_not_worth_a_note(tmp_path: Path, cell: str) -> None:
    assert reading(tmp_path, cell, dont_use=["SKIP"]).notes == ()


def test_other_groups_of_the_library_are_not_even_parsed(tmp_path: Path) -> None:
    assert reading(tmp_path, "  lu_table_template (x) { index_1 = (G); }\n").notes == ()


def test_names_in_notes_are_the_file_s_bytes_whatever_they_are(tmp_path: Path) -> None:
    (tmp_path / "toy.lib").write_bytes(
        (HEAD + BASICS).encode() + b'cell ("\xff") { area : 1; x : "\xff"; } }'
    )
    (note,) = read_liberty([tmp_path / "toy.lib"]).notes
    assert note.startswith("toy.lib: cell \ufffd is excluded: line 15: ")


@pytest.mark.parametrize("unit", ["1", "1xW", "1.2.3nW", "0nW", None])
def test_without_a_leakage_unit_leakage_is_unknown(tmp_path: Path, unit: str | None) -> None:
    head = HEAD.replace("leakage_power_unit", "other_unit" if unit is None else "leakage_power_unit")
    found = reading(
        tmp_path, dff("FF", 8, state='next_state : "D";'), head=head.replace("1nW", unit or "1nW")
    )
    assert found.notes == ("toy.lib: no usable leakage_power_unit, so leakage is unknown",)
    assert {cell.leakage for cell in (*found.library.cells, found.library.flip_flop)} == {None}
    assert found.library.cells[2] == Cell("NAND2", 1.5, ("A", "B"), "Y", "!(A B)", (0.001, 0.001), None)


@pytest.mark.parametrize("unit", ["(1, farad)", "(x, pf)", "(0, pf)", "(-1, pf)", "(1)", None])
def test_without_a_load_unit_capacitances_are_unknown(tmp_path: Path, unit: str | None) -> None:
    head = HEAD.replace("capacitive_load_unit (1, pf);", f"capacitive_load_unit {unit};" if unit else "")
    found = reading(tmp_path, dff("FF", 8, state='next_state : "D";'), head=head)
    assert found.notes == ("toy.lib: no usable capacitive_load_unit, so capacitances are unknown",)
    assert found.library.flip_flop.capacitance == (None, None)
    assert found.library.cells[2] == Cell("NAND2", 1.5, ("A", "B"), "Y", "!(A B)", (None, None), 0.5)


def test_values_that_are_not_there_or_not_numbers_are_unknown(tmp_path: Path) -> None:
    head = HEAD.replace("default_cell_leakage_power : 0.5;", "").replace("default_input_pin_cap : 0.007;", "")
    cells = """
  cell (AND) { area : 3; cell_leakage_power : low;
    pin (A) { direction : input; rise_capacitance : 0.002; }
    pin (B) { direction : input; capacitance : -1; }
    pin (Y) { direction : output; function : "A B"; } }
  cell (OR) { area : 3;
    leakage_power () { value : 4; when : "A"; }
    leakage_power () { when : "!A"; }
    pin (A) { direction : input; capacitance : 0.003; } pin (B) { direction : input; capacitance : much; }
    pin (Y) { direction : output; function : "A + B"; } }
"""
    library = read(tmp_path, cells, head=head)
    assert (library.cell("AND").leakage, library.cell("AND").capacitance) == (None, (None, None))
    assert (library.cell("OR").leakage, library.cell("OR").capacitance) == (None, (0.003, None))
    assert library.cell("INV").leakage is None


def test_a_known_capacitance_comes_before_an_unknown_one(tmp_path: Path) -> None:
    head = HEAD.replace("default_input_pin_cap : 0.007;", "")
    unknown = "  cell (AAA) { area : 3; pin (A) { direction : input; } pin (B) { direction : input; } "
    unknown += 'pin (Y) { direction : output; function : "A B"; } }\n'
    assert "BBB" in names(read(tmp_path, unknown + gate("BBB", 3, "A B", "A", "B"), head=head))


@pytest.mark.parametrize(
    ("area", "problem"),
    [
        ("area : 0;", "area '0' is not greater than 0"),
        ("area : -1.5;", "area '-1.5' is not a finite number of at least 0"),
        ("area : inf;", "area 'inf' is not a finite number of at least 0"),
        ("area : wide;", "area 'wide' is not a number"),
        ("", "it has no area"),
        ("area = 1;", "line 13: Unexpected token: ="),
    ],
)
def test_the_cell_that_counts_areas_needs_an_area(tmp_path: Path, area: str, problem: str) -> None:
    path = tmp_path / "toy.lib"
    path.write_text(
        HEAD + BASICS.replace("area : 1.5;", area) + gate("NAND2_2", 3, "!(A B)", "A", "B") + "}\n"
    )
    with pytest.raises(PdkError) as caught:
        read_liberty([path], nand2="NAND2")
    where = f"{path}: cell 'NAND2', `nand2` of the PDK configuration, cannot be the unit of area"
    assert str(caught.value) == f"{where}: {problem}"
    assert read_liberty([path]).library.nand2 == "NAND2_2"


def test_an_error_quotes_the_first_notes(tmp_path: Path) -> None:
    path = tmp_path / "toy.lib"
    path.write_text(HEAD + "".join(gate(name, "x", "A", "A") for name in "ABCDE") + "}\n")
    with pytest.raises(
        PdkError, match=r"no NAND2 .*; toy.lib: cell A is .*; toy.lib: cell C .*; and 2 more$"
    ):
        read_liberty([path])


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(PdkError, match=r"none\.lib: cannot be read: No such file"):
        read_liberty([tmp_path / "none.lib"])
    with pytest.raises(PdkError, match="cannot be read: Is a directory"):
        read_liberty([tmp_path])
    with pytest.raises(PdkError, match="no file: no inverter"):
        read_liberty([])
    with pytest.raises(PdkError, match="toy: no cell 'NAND9', which `nand2` of"):
        read(tmp_path, "", nand2="NAND9")


SHARED = Path(os.environ.get("DWN_ASIC_SHARED_PDK") or Path(__file__).parents[3] / "shared" / "pdk")
needs_shared = pytest.mark.skipif(
    not (SHARED / "README.md").is_file(),
    reason=f"no PDK files in {SHARED} (set DWN_ASIC_SHARED_PDK to a folder that holds them)",
)


@needs_shared
@pytest.mark.parametrize("cut", [0.3, 0.5, 0.9, 0.999])
def test_truncated_sky130_is_an_error(tmp_path: Path, cut: float) -> None:
    source = SHARED / "sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib"
    content = source.read_bytes()
    (tmp_path / "cut.lib").write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(PdkError, match=r"cut\.lib: not a complete Liberty file"):
        read_liberty([tmp_path / "cut.lib"])


@needs_shared
def test_ihp() -> None:
    path = SHARED / "ihp-sg13g2/libs.ref/sg13g2_stdcell/lib/sg13g2_stdcell_typ_1p20V_25C.lib"
    library = read_liberty([path], nand2="sg13g2_nand2_1").library
    assert library.nand2_area == 7.2576
    assert library.flip_flops == ()
    assert 20 <= len(library.cells) <= 40
    (reset,) = read_liberty([path], nand2="sg13g2_nand2_1", tie_reset=True).library.flip_flops
    assert (reset.name, reset.area, reset.reset) == ("sg13g2_dfrbpq_1", 48.9888, "RESET_B")
    # The file's unit is 1pW.
    assert reset.leakage == 0.510517


@needs_shared
def test_gf180() -> None:
    name = "gf180mcu_fd_sc_mcu7t5v0"
    path = SHARED / f"gf180mcuD/libs.ref/{name}/lib/{name}__tt_025C_5v00.lib.gz"
    library = read_liberty(
        [path], library=name, corner="tt_025C_5v00", dont_use=["*__clk*", "*__dly*"]
    ).library
    assert (library.nand2, library.nand2_area) == (f"{name}__nand2_1", 10.976)
    assert library.flip_flop.name == f"{name}__dffq_1"
    # The file's unit is 1uW, and there is no cell_leakage_power.
    assert library.cell(library.nand2).leakage == 0.11536
    assert library.cell(library.nand2).capacitance == (0.004804, 0.004526)


@needs_shared
def test_asap7_needs_five_files() -> None:
    paths = sorted((SHARED / "asap7/lib").glob("*_RVT_TT_nldm_*.lib.gz"))
    assert len(paths) == 5
    nand2 = "NAND2xp5_ASAP7_75t_R"
    library = read_liberty(paths, library="asap7", nand2=nand2, dont_use=["HB*", "CK*"]).library
    assert library.nand2_area == 0.05832
    assert [cell.name for cell in library.flip_flops] == ["DFFHQx4_ASAP7_75t_R", "DFFHQNx1_ASAP7_75t_R"]
    assert library.flip_flops[1].inverting
    # The file's units are fF and pW.
    assert library.cell("NAND2xp33_ASAP7_75t_R").capacitance == (0.000336683, 0.000346682)
    assert library.cell("NAND2xp33_ASAP7_75t_R").leakage == 0.0304155
    inverters = next(path for path in paths if "INVBUF" in path.name)
    with pytest.raises(PdkError, match="no NAND2"):
        read_liberty([inverters])
