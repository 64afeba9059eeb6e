"""Comparison tables in Markdown and CSV."""

from __future__ import annotations

import csv
import io
import re

from report_examples import circuit, methods, result, software
from rich.console import Console

from dwn_asic.report.result import PdkResult
from dwn_asic.report.table import (
    comparison_csv,
    comparison_markdown,
    escape,
    sorted_methods,
    summary_markdown,
    terminal_table,
)

NASTY = r"a|b \| *x* _y_ `z` <i>&amp;</i> [l](u) $m$" + "\nnext"


def lines_of_table(markdown: str) -> list[list[str]]:
    """Return the cells of each line that starts with a pipe, split as GitHub splits them."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in re.findall(r"((?:\\.|[^|\\])*)\|", line.removeprefix("|"))]
        for line in lines
    ]


def rows_of_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def on_terminal(table: object, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_markdown_shows_each_value_in_its_column() -> None:
    table = lines_of_table(comparison_markdown(result()))
    row = next(dict(zip(table[0], line, strict=True)) for line in table if line[0] == "DWN, shrunk")
    assert row == {
        "method": "DWN, shrunk",
        "kind": "shrunk",
        "accuracy train": "0.8752",
        "accuracy val": "0.8482",
        "accuracy test": "0.8442",
        "core (um2)": "68.7",
        "encoder (um2)": "261.6",
        "total = core + encoder + registers (um2)": "330.3",
        "core (NAND2)": "18.3",
        "encoder (NAND2)": "69.7",
        "total = core + encoder + registers (NAND2)": "88.0",
        "cells in total": "59",
        "delay (ns)": "1.23",
        "energy (pJ)": "0.457",
        "proved": "-",
    }


def test_areas_of_tiny_cells_have_three_decimals() -> None:
    """A NAND2 of ASAP7 measures 0.05832 um2, so one decimal would show most areas as 0.1."""
    tiny = circuit("dwn", "dwn", 0.9, 1.0, 2.0)
    areas = {"area__core": 0.05832, "area__encoder": 0.11664, "design__instance__area": 0.17496}
    tiny = tiny.model_copy(update={"metrics": {**tiny.metrics, **areas, "area__nand2": 0.05832}})
    (row,) = rows_of_csv(comparison_csv(result().model_copy(update={"methods": (tiny,)})))
    assert [row[name] for name in row if "um2" in name] == ["0.058", "0.117", "0.175"]
    assert [row[name] for name in row if "NAND2" in name] == ["1.0", "2.0", "3.0"]
    assert row["accuracy test"] == "0.9000"


def test_each_line_has_a_cell_per_column() -> None:
    for text in (comparison_markdown(result()), summary_markdown([result()], "{flow}/x.md")):
        table = lines_of_table(text)
        assert len(table) == 2 + len(result().methods)
        assert {len(line) for line in table} == {len(table[0])}
        assert all(set(cell) <= set(":-") for cell in table[1])


def test_software_has_dashes_for_areas() -> None:
    row = rows_of_csv(comparison_csv(result()))[-1]
    assert row["method"] == "gradient boosting"
    assert row["accuracy test"] == "0.9056"
    areas = [row[name] for name in row if "um2" in name or "NAND2" in name or "cells" in name]
    assert areas == ["-"] * 7
    assert row["proved"] == "-"


def test_registers_are_in_the_total() -> None:
    with_registers = circuit("dwn", "dwn", 0.8, 10.0, 20.0, registers=5.0)
    row = rows_of_csv(comparison_csv(result(methods=(with_registers,))))[0]
    assert row["total = core + encoder + registers (NAND2)"] == "35.0"


def test_dwn_is_first_then_baselines_by_area() -> None:
    order = ["dwn-shrunk", "dwn", "tree-8", "tree-16", "tree-32", "tiny-2", "tiny-4", "gbdt"]
    assert [method.name for method in sorted_methods(result())] == order
    assert [method.name for method in sorted_methods(result(methods=methods()[::-1]))] == order


def test_notes_say_what_was_measured_how() -> None:
    text = comparison_markdown(result())
    for said in (
        "PDK: sky130hd, library sky130_fd_sc_hd, corner tt_025C_1v80; cells from embedded table",
        "dwn-asic 0.1.0; yosys 0.70",
        "seed 7",
        "3242 training, 1081 validation, 1081 test rows",
        "quantized to 8 bits",
        "2 classes (nasal, oral)",
        "bundled:phoneme",
    ):
        assert said in text


def test_tables_know_nothing_of_the_run() -> None:
    other = result(run={"started": "2030-01-01T00:00:00Z", "seconds": 99.0})
    assert comparison_markdown(other) == comparison_markdown(result())
    assert comparison_csv(other) == comparison_csv(result())
    assert "2026" not in comparison_markdown(result())


def test_csv_round_trips_names_as_they_are() -> None:
    nasty = circuit("dwn", "dwn", 0.8, 1.0, 2.0, label=NASTY + ' "quoted", comma')
    text = comparison_csv(result(methods=(nasty, software())))
    assert "\r" not in text
    rows = rows_of_csv(text)
    assert len(rows) == 2
    assert rows[0]["method"] == NASTY + ' "quoted", comma'


def test_markdown_escapes_names() -> None:
    nasty = circuit("dwn", "dwn", 0.8, 1.0, 2.0, label=NASTY)
    text = comparison_markdown(result(methods=(nasty, software()), class_names=("x|y", "_z_")))
    table = lines_of_table(text)
    assert [len(line) for line in table] == [15] * 4
    assert table[2][0].startswith(r"a\|b \\\| \*x\* \_y\_ \`z\` &lt;i&gt;&amp;amp;")
    assert r"2 classes (x\|y, \_z\_)" in text


def test_names_with_inner_underscores_stay_readable() -> None:
    assert escape("sky130_fd_sc_hd") == "sky130_fd_sc_hd"


def test_summary_links_each_row_to_its_page() -> None:
    both = [result("alpha"), result("beta")]
    table = lines_of_table(summary_markdown(both, "{flow}/comparison.md"))
    assert [line[0] for line in table[2:]] == (
        ["[alpha](alpha/comparison.md)"] * 8 + ["[beta](beta/comparison.md)"] * 8
    )


def test_terminal_of_80_columns_shows_whole_numbers() -> None:
    shown = on_terminal(terminal_table(result()), 80)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    shrunk = next(line for line in shown.splitlines() if " shrunk " in line)
    assert shrunk.split()[-8:] == ["0.8752", "0.8482", "0.8442", "18.3", "69.7", "88.0", "59", "-"]
    below = shown.splitlines()[shown.splitlines().index(shrunk) + 1]
    assert below.split() == ["68.7", "261.6", "330.3"]
    assert "proved" in shown.split("exact")[1]
    assert "total = core + encoder + registers" in shown


def test_terminal_does_not_read_names_as_markup() -> None:
    odd = circuit("dwn", "dwn", 0.8, 1.0, 2.0, label="[bold]x[/]")
    shown = on_terminal(terminal_table(result(methods=(odd,), source="csv:[red]t.csv")), 120)
    assert "[bold]x[/]" in shown
    assert "csv:[red]t.csv" in shown


def test_a_result_without_methods_is_a_table_without_rows() -> None:
    empty = result(methods=(), tools={})
    assert len(lines_of_table(comparison_markdown(empty))) == 2
    assert rows_of_csv(comparison_csv(empty)) == []
    assert "Tools: none recorded" in comparison_markdown(empty)


def test_pdk_origin_is_escaped() -> None:
    pdk = PdkResult(name="p", library="l", corner="c", origin="a|b")
    assert r"cells from a\|b." in comparison_markdown(result(pdk=pdk))


def test_tables_name_the_score_and_keep_the_accuracy() -> None:
    scores = {f"balanced_accuracy__{part}": 0.61 for part in ("train", "val", "test")}
    methods = [
        each.model_copy(update={"metric": "balanced_accuracy", "metrics": {**each.metrics, **scores}})
        for each in result().methods
    ]
    balanced = result(methods=tuple(methods))
    header, first = comparison_csv(balanced).splitlines()[:2]
    columns = dict(zip(header.split(","), next(csv.reader([first])), strict=True))
    assert [*columns][2:6] == [
        *(f"balanced accuracy {part}" for part in ("train", "val", "test")),
        "accuracy test",
    ]
    assert columns["balanced accuracy test"] == "0.6100"
    assert columns["accuracy test"] == "0.8442"
    page = comparison_markdown(balanced)
    assert "Balanced accuracy is the mean over the classes" in page
    assert "Balanced accuracy is the mean" not in comparison_markdown(result())
    both = summary_markdown([result(), balanced], "{flow}.md")
    assert both.count("| flow |") == 2
