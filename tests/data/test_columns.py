"""A column is decided by all its cells, never by the first one or by the order of the rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dwn_asic.data.columns import MISSING, column_values
from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import load_table, read_source
from dwn_asic.errors import DataError

PLAIN = ("1", "2.5", "-3", "+4", "1e3", ".5", "5.", "007", "12345")
OTHER_NOTATION = (
    *("1,163", "12,345,678", "1.234.567,89", "1,234.5", "1 163", "1'163", "1_000", "1,23,456", "1\u00a0163"),
    *("5,62", ",5", "-5,62", "1,5e3", "\u22125"),
    *("50%", "50 %", "5,5%", "12‰"),
    *("$9.50", "-$9.50", "$-9.50", "9.50 €", "9,50€", "£1,000", "USD 5", "5 EUR", "(1,234)", "($5)"),
)
TEXTS = (
    *("red", "x1", "<=50K", "18-24", "5more", "2020-01-05", "05.01.2020", "12:30", "192.168.1.1", "1/2"),
    *("50k", "5 kg", "0x1F", "1,2,3", "$", "%", "1-2", "N/A", "none", "True", "1.2.3", "--5", "1)", "(5"),
)


def decide(*cells: str) -> tuple[list[float], bool]:
    column = column_values("t.csv", "x", cells)
    return column.values.tolist(), column.categories is not None


def refused(*cells: str) -> DataError:
    with pytest.raises(DataError) as caught:
        decide(*cells)
    assert caught.value.column == "x"
    assert "\n" not in str(caught.value)
    return caught.value


# --- what a cell is


@pytest.mark.parametrize("cell", PLAIN)
def test_numbers(cell: str) -> None:
    assert decide("red", "blue", cell)[1]
    assert decide(cell, "8") == ([float(cell), 8.0], False)


@pytest.mark.parametrize("cell", OTHER_NOTATION)
def test_a_column_in_another_notation_is_an_error_and_no_categories(cell: str) -> None:
    error = refused(cell, cell, cell)
    assert error.row == 1
    assert error.problem.startswith(
        f"{cell!r} is not a number (likewise 2 more); write numbers with a decimal "
    )


@pytest.mark.parametrize("cell", TEXTS)
def test_other_texts_are_categories(cell: str) -> None:
    assert decide(cell, cell, "zz") == ([0.0, 0.0, 1.0], True)


@pytest.mark.parametrize("cell", sorted(MISSING))
def test_missing_cells_have_no_part_in_it(cell: str) -> None:
    numbers, is_text = decide(cell, "1", cell)
    assert (np.isnan(numbers).tolist(), is_text) == ([True, False, True], False)
    codes, is_text = decide(cell, "b", "a")
    assert (np.isnan(codes[0]), codes[1:], is_text) == (True, [1.0, 0.0], True)
    assert not decide(cell, cell)[1]


# --- what a column is


def test_a_mostly_numeric_column_is_an_error_that_names_cells_and_rows() -> None:
    error = refused("1", "2", "abc", "3", "", "4", "x", "abc", "y", "5", "z", "6", "7")
    assert error.row == 3
    assert error.problem == (
        "'abc' is not a number (likewise 'x' in row 7, 'y' in row 9, 2 more); 7 of 12 cells are numbers: "
        "correct or clear the other cells, or put a letter before each cell to make this a text column"
    )


def test_numbers_and_other_notations_count_together() -> None:
    assert "3 of 5 cells are numbers" in refused("1", "5,62", "50%", "red", "blue").problem
    # Neither more than half.
    assert decide("1", "5,62", "red", "blue") == ([0.0, 1.0, 3.0, 2.0], True)


def test_a_text_column_keeps_the_texts_of_its_numbers() -> None:
    assert decide("b", "1.0", "1", "a", "c", "01", "d") == ([4.0, 2.0, 1.0, 3.0, 5.0, 0.0, 6.0], True)


def test_infinity_is_a_number_out_of_range_but_may_be_the_name_of_a_category() -> None:
    error = refused("1", "2", "-1e999", "inf")
    assert (error.row, error.problem) == (3, "'-1e999' is not a finite number")
    assert decide("inf", "sup", "max") == ([0.0, 2.0, 1.0], True)


# --- in a file


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_numbers_of_an_earlier_block_are_categories_of_a_text_column(tmp_path: Path) -> None:
    cells = ["1.0"] * 5000 + ["b"] * 3000 + ["1"] * 10 + ["a"] * 3000
    write(tmp_path / "t.csv", [["x", "class"], *([cell, str(n % 2)] for n, cell in enumerate(cells))])
    raw = read_source(DataConfig(source="csv:t.csv"))
    assert raw.categorical.tolist() == [True]
    code = {"1": 0, "1.0": 1, "a": 2, "b": 3}
    assert raw.values[:, 0].tolist() == [code[cell] for cell in cells]
    assert raw.notes == ("text column 'x', 4 categories",)


def test_a_text_after_many_numbers_is_found(tmp_path: Path) -> None:
    cells = [*map(str, range(9000)), "n/a"]
    write(tmp_path / "t.csv", [["x", "class"], *([cell, str(n % 2)] for n, cell in enumerate(cells))])
    with pytest.raises(DataError, match=r"'n/a' is not a number; 9000 of 9001 cells are") as caught:
        read_source(DataConfig(source="csv:t.csv"))
    assert (caught.value.row, caught.value.column) == (9001, "x")


# --- notes


@pytest.mark.parametrize(
    "name", ["Id", "id", "index", "customer_id", "PassengerId", "Unnamed: 0", "row", "ID"]
)
def test_an_index_is_noted(tmp_path: Path, name: str) -> None:
    write(tmp_path / "t.csv", [[name, "a", "class"], *([str(n), "7", str(n % 2)] for n in range(8))])
    note = f"column {name!r} differs in every row: an identifier? Leave it out with data.drop"
    assert load_table(DataConfig(source="csv:t.csv")).notes == (note,)


@pytest.mark.parametrize("name", ["width", "paid", "grid", "humid", "indexed", "arrow"])
def test_other_columns_may_be_different_in_every_row(tmp_path: Path, name: str) -> None:
    write(tmp_path / "t.csv", [[name, "id", "class"], *([str(n), str(n // 2), str(n % 2)] for n in range(8))])
    assert load_table(DataConfig(source="csv:t.csv")).notes == ()


def test_an_identifier_of_fractions_or_with_gaps_is_none(tmp_path: Path) -> None:
    rows = [[str(n + 0.5), "" if n == 3 else str(n), str(n % 2)] for n in range(8)]
    write(tmp_path / "t.csv", [["id", "index", "class"], *rows])
    assert load_table(DataConfig(source="csv:t.csv", impute="mean")).notes == ()


def test_a_text_that_is_different_in_every_row_is_noted(tmp_path: Path) -> None:
    rows = [[f"name {n}", ("red", "green", "")[n % 3], "one", str(n % 2)] for n in range(8)]
    write(tmp_path / "t.csv", [["who", "colour", "kind", "class"], *rows])
    assert load_table(DataConfig(source="csv:t.csv", impute="mode")).notes == (
        "column 'who' differs in every row: an identifier? Leave it out with data.drop",
        "text column 'colour', 2 categories",
        "text column 'kind', 1 category",
    )


# --- the order of the rows


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]]]:
    """Draw a table's rows in two orders: columns of numbers, of texts, and of every mixture."""
    n_rows = draw(st.integers(6, 24))
    pools = [PLAIN, PLAIN, TEXTS, OTHER_NOTATION, ("", "?", "NA"), ("inf", "1e999"), ("0.1", "0.2", "0.7")]
    columns = []
    for _ in range(draw(st.integers(1, 3))):
        pool = [
            cell for each in draw(st.lists(st.sampled_from(pools), min_size=1, max_size=3)) for cell in each
        ]
        columns.append(draw(st.lists(st.sampled_from(pool), min_size=n_rows, max_size=n_rows)))
    columns.append(draw(st.lists(st.sampled_from("ab"), min_size=n_rows, max_size=n_rows)))
    rows = [[str(n), *cells] for n, cells in enumerate(zip(*columns, strict=True))]
    return rows, draw(st.permutations(rows))


def outcome(path: Path, rows: list[list[str]], impute: Any) -> object:
    """Load the rows; return the table with rows in order of their numbers, or that there was an error."""
    write(path, [["n", *(f"c{f}" for f in range(len(rows[0]) - 2)), "class"], *rows])
    try:
        table = load_table(DataConfig(source=f"csv:{path}", impute=impute))
    except DataError:
        return "an error"
    by_number = sorted(
        (tuple(values), label) for values, label in zip(table.values, table.labels, strict=True)
    )
    return by_number, table.feature_names, table.class_names, table.notes


@given(tables(), st.sampled_from([None, "mean", "median", "mode"]))
@example(([["0", "1", "a"], ["1", "x", "b"], *([str(n), "y", "ab"[n % 2]] for n in range(2, 8))],) * 2, None)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_depends_on_the_order_of_the_rows(
    tmp_path: Path, orders: tuple[list[list[str]], list[list[str]]], impute: str | None
) -> None:
    path = tmp_path / "t.csv"
    assert outcome(path, orders[0], impute) == outcome(path, orders[1], impute)


def test_the_mean_of_an_imputation_does_not_depend_on_the_order_of_the_rows(tmp_path: Path) -> None:
    cells = ["1e16", "1", "-1e16", "1", "?", "2"]
    rows = [[str(n), cell, "ab"[n % 2]] for n, cell in enumerate(cells)]
    sums = {sum(map(float, order)) for order in (["1e16", "1", "-1e16"], ["1e16", "-1e16", "1"])}
    assert len(sums) == 2  # floats added one after another
    other = sorted(rows, key=lambda row: row[1])
    assert outcome(tmp_path / "t.csv", rows, "mean") == outcome(tmp_path / "t.csv", other, "mean")
