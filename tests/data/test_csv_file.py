"""Files of comma-separated values, and each way in which one can be wrong: one line that names the place."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import check_source, load_table
from dwn_asic.data.table import Table
from dwn_asic.errors import ConfigError, DataError

PLAIN = "write numbers with a decimal point and without thousands separators, percent signs or currency signs"
MEND = "correct or clear the other cells, or put a letter before each cell to make this a text column"
NAMELESS = (
    "name it, or drop it with data.drop: [''] if it contains row numbers (pandas: to_csv(..., index=False))"
)
HEADERLESS = "; if that is a row of data, add a header row"
GOOD = "a,b,class\n" + "".join(f"{n},{n / 2},{n % 2}\n" for n in range(8))


def rows(*lines: str, label: str = "class") -> str:
    """Return a table of columns a and b: the given rows, then enough good ones for two classes."""
    return "\n".join([f"a,b,{label}", *lines, *(f"{n},{n},{n % 2}" for n in range(6))]) + "\n"


def load(tmp_path: Path, text: str | bytes, **config: Any) -> Table:
    content = text.encode() if isinstance(text, str) else text
    (tmp_path / "t.csv").write_bytes(content)
    return load_table(DataConfig(source="csv:t.csv", file=str(tmp_path / "t.csv"), **config))


def fault(tmp_path: Path, text: str | bytes, **config: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        load(tmp_path, text, **config)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "t.csv"))
    assert "\n" not in message
    return caught.value


# --- what is read


def test_csv(tmp_path: Path) -> None:
    table = load(tmp_path, GOOD)
    assert table.source == "csv:t.csv"
    assert table.feature_names == ("a", "b")
    assert table.class_names == ("0", "1")
    assert table.values.dtype == np.float64
    assert table.values.tolist() == [[n, n / 2] for n in range(8)]
    assert table.labels.dtype == np.int64
    assert table.labels.tolist() == [0, 1] * 4
    assert not table.values.flags.writeable
    assert not table.labels.flags.writeable


def test_gzip_csv(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    table = load_table(DataConfig(source="csv:t.csv.gz"))
    assert table.values.tolist() == load(tmp_path, GOOD).values.tolist()


def test_label_may_be_any_column(tmp_path: Path) -> None:
    table = load(tmp_path, "kind,x\n" + "p,1\nq,2\n" * 3, label="kind")
    assert table.feature_names == ("x",)
    assert table.class_names == ("p", "q")


def test_more_rows_than_one_block(tmp_path: Path) -> None:
    n_rows = 10_000
    table = load(tmp_path, "t,x,class\n" + "".join(f"c{n % 7},{n},{n % 3}\n" for n in range(n_rows)))
    assert table.values[:, 1].tolist() == list(range(n_rows))
    assert table.values[:, 0].tolist() == [n % 7 for n in range(n_rows)]
    assert table.labels.tolist() == [n % 3 for n in range(n_rows)]


def test_row_number_in_a_later_block(tmp_path: Path) -> None:
    text = "x,class\n" + "".join(f"{n},{n % 3}\n" for n in range(9000)) + "bad,1\n"
    error = fault(tmp_path, text)
    assert (error.row, error.column) == (9001, "x")


def test_text_columns_become_codes_of_their_sorted_categories(tmp_path: Path) -> None:
    text = "size,class\n" + "large,0\nsmall,0\nmedium,0\n10,1\nsmall,1\nlarge,1\n"
    assert load(tmp_path, text).values[:, 0].tolist() == [1, 3, 2, 0, 3, 1]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ("10 9 2", ("2", "9", "10")),  # numbers, not texts
        ("-1 0 +1", ("-1", "0", "1")),
        ("1.0 2 1", ("1", "2")),  # 1.0 and 1 are one class
        ("b a 10", ("10", "a", "b")),
        ("0.5 1.5 1", ("0.5", "1", "1.5")),
    ],
)
def test_order_of_classes(tmp_path: Path, labels: str, names: tuple[str, ...]) -> None:
    text = "x,class\n" + "".join(f"1,{label}\n" for label in labels.split() * 3)
    assert load(tmp_path, text).class_names == names


def test_spaces_blank_lines_quotes_and_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeff a , b ,class\r\n\r\n" + ' 1 ,"x, y", 0 \r\n2,z,1\r\n\r\n' * 3
    table = load(tmp_path, text)
    assert table.feature_names == ("a", "b")
    assert table.values.tolist() == [[1, 0], [2, 1]] * 3


# --- missing cells


@pytest.mark.parametrize("cell", ["", "?", "NA", "nan", "NaN", "  "])
def test_missing_cell_is_an_error_without_impute(tmp_path: Path, cell: str) -> None:
    error = fault(tmp_path, rows("1,2,0", f"3,{cell},1"))
    assert (error.row, error.column) == (2, "b")
    assert "missing" in error.problem
    assert "data.impute" in error.problem


@pytest.mark.parametrize(("impute", "value"), [("mean", 3.0), ("median", 2.0), ("mode", 1.0)])
def test_impute_numbers(tmp_path: Path, impute: str, value: float) -> None:
    text = "x,class\n" + "".join(f"{x},{n % 2}\n" for n, x in enumerate(["1", "?", "8", "1", "2", "3", ""]))
    table = load(tmp_path, text, impute=impute)
    assert table.values[:, 0].tolist() == [1, value, 8, 1, 2, 3, value]


def test_impute_takes_the_mode_of_text_columns(tmp_path: Path) -> None:
    text = "x,class\n" + "".join(f"{x},{n % 2}\n" for n, x in enumerate(["?", "b", "a", "c", "b", "a"]))
    # a and b are as frequent: the first in order.
    assert load(tmp_path, text, impute="mean").values[:, 0].tolist() == [0, 1, 0, 2, 1, 0]


def test_column_without_any_value(tmp_path: Path) -> None:
    text = "x,y,class\n" + "1,,0\n1,?,1\n" * 3
    error = fault(tmp_path, text, impute="mean")
    assert (error.column, error.problem) == ("y", "there is no value to impute from")


@pytest.mark.parametrize("impute", [None, "mode"])
def test_missing_label_is_never_imputed(tmp_path: Path, impute: str | None) -> None:
    error = fault(tmp_path, rows("1,2,0", "1,2,?"), impute=impute)
    assert (error.row, error.column, error.problem) == (2, "class", "the label is missing")


# --- what is refused


@pytest.mark.parametrize(
    ("line", "row", "column", "problem"),
    [
        (
            "1,abc,0",
            2,
            "b",
            f"'abc' is not a number; 7 of 8 cells are numbers: {MEND}",
        ),
        (
            "1,1_000,0",
            2,
            "b",
            f"'1_000' is not a number; {PLAIN}",
        ),
        ("inf,2,0", 2, "a", "'inf' is not a finite number"),
        ("-1e999,2,0", 2, "a", "'-1e999' is not a finite number"),
        ("1,2", 2, None, "has 2 cells; the header has 3"),
        ("1,2,0,7", 2, None, "has 4 cells; the header has 3"),
    ],
)
def test_bad_row(tmp_path: Path, line: str, row: int, column: str | None, problem: str) -> None:
    error = fault(tmp_path, rows("1,2,1", line))
    assert (error.row, error.column, error.problem) == (row, column, problem)
    assert f"row {row}" in str(error)


def test_infinite_first_cell_does_not_make_a_column_text(tmp_path: Path) -> None:
    error = fault(tmp_path, rows("inf,2,0"))
    assert (error.row, error.column) == (1, "a")


def test_span_of_a_column_must_be_finite(tmp_path: Path) -> None:
    error = fault(tmp_path, rows("-1.7e308,0,0", "1.7e308,0,0"))
    assert error.column == "a"
    assert "span" in error.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty file"),
        ("\n\n", "empty file"),
        ("a,b,class\n", "no rows below the header"),
        ("a,b,class\n\n", "no rows below the header"),
        ("class\n0\n1\n", "no feature columns besides the label column 'class'"),
        (
            "a,,class\n1,2,0\n",
            f"column 2 of 3 has no name in the header: {NAMELESS}",
        ),
        (
            "1,2.5,x\n3,4.5,y\n",
            f"there is no label column 'class' (set data.label); its columns: 1, 2.5, x{HEADERLESS}",
        ),
        (b"a,class\n\xff\xfe,0\n", "not UTF-8 text"),
        ('a,class\n"1,0\n', "not a CSV file: unexpected end of data"),
    ],
)
def test_bad_file(tmp_path: Path, text: str | bytes, problem: str) -> None:
    assert fault(tmp_path, text).problem == problem


def test_column_name_twice(tmp_path: Path) -> None:
    error = fault(tmp_path, "a,b,a,class\n1,2,3,0\n")
    assert error.column == "a"
    assert "twice" in error.problem


def test_label_column_missing_lists_the_columns(tmp_path: Path) -> None:
    problem = fault(tmp_path, GOOD, label="target").problem
    assert "there is no label column 'target'" in problem
    assert problem.endswith("a, b, class")


def test_a_long_list_of_columns_is_cut(tmp_path: Path) -> None:
    problem = fault(tmp_path, ",".join(f"p{n}" for n in range(100)) + "\n").problem
    assert problem.endswith("p19, ... (100 in all)")


def test_one_class_only(tmp_path: Path) -> None:
    error = fault(tmp_path, "a,class\n" + "1,yes\n" * 5)
    assert error.column == "class"
    assert "only one class, 'yes'" in error.problem


@pytest.mark.parametrize(("count", "text"), [(1, "has 1 row;"), (2, "has 2 rows;")])
def test_class_too_small_for_three_parts(tmp_path: Path, count: int, text: str) -> None:
    problem = fault(tmp_path, rows(*["1,1,rare"] * count)).problem
    assert "class 'rare'" in problem
    assert text in problem


def test_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not found") as caught:
        load_table(DataConfig(source="csv:none.csv"))
    assert str(caught.value).startswith("none.csv: ")
    assert str(tmp_path / "none.csv") in str(caught.value)
    beside = DataConfig(source="csv:none.csv", file="flows/none.csv")
    with pytest.raises(DataError, match="not found") as caught:
        load_table(beside)
    assert str(caught.value).startswith("none.csv: ")
    assert f"{tmp_path / 'flows' / 'none.csv'} and {tmp_path / 'none.csv'}" in str(caught.value)


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        load_table(DataConfig(source="csv:t.csv"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "not gzip", "empty"])
def test_damaged_gzip(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress((GOOD * 50).encode(), mtime=0)
    middle = len(whole) // 2
    content = {
        "truncated": whole[:middle],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :],
        "not gzip": GOOD.encode(),
        "empty": b"",
    }[damage]
    path = tmp_path / "t.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="csv:t.csv.gz", file=str(path)))
    assert caught.value.file == str(path)
    assert "empty file" in str(caught.value) if damage == "empty" else "damaged gzip" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("a;b;n;class", "the header has one column but 3 semicolons; set data.separator: ';'"),
        ('"a";"b";"class"', "the header has one column but 2 semicolons; set data.separator: ';'"),
        ("a\tclass", "the header has one column but 1 tab; set data.separator: tab"),
        ("a|b|class", "the header has one column but 2 bars; set data.separator: '|'"),
        ("a (x,y);b;class", "the header has 2 columns but 2 semicolons; set data.separator: ';'"),
        ("sep=;", "the header has one column but 1 semicolon; set data.separator: ';'"),
    ],
)
def test_wrong_separator(tmp_path: Path, header: str, says: str) -> None:
    problem = fault(tmp_path, f"\n{header}\n5,62;2,74;50;alpha\n").problem
    assert problem == says


def test_other_separators_may_stand_in_the_names(tmp_path: Path) -> None:
    table = load(tmp_path, "a;b,a|b,class\n" + "1,2,x\n3,4,y\n" * 3)
    assert table.feature_names == ("a;b", "a|b")


# --- other forms of file


@pytest.mark.parametrize(("separator", "written"), [(";", ";"), ("\t", "tab"), ("\t", "\t"), ("|", "|")])
def test_separator(tmp_path: Path, separator: str, written: str) -> None:
    table = load(tmp_path, GOOD.replace(",", separator), separator=written)
    assert table.values.tolist() == load(tmp_path, GOOD).values.tolist()


def test_a_separator_that_the_file_does_not_have(tmp_path: Path) -> None:
    problem = fault(tmp_path, GOOD, separator=";").problem
    assert problem == "the header has one column but 2 commas; set data.separator: ','"


@pytest.mark.parametrize("separator", ["", "::", "a", "7", '"', "\n", "comma"])
def test_a_separator_that_is_none(separator: str) -> None:
    with pytest.raises(ValidationError, match="one character that is not a letter"):
        DataConfig(source="csv:t.csv", separator=separator)


def test_decimal_commas(tmp_path: Path) -> None:
    text = "a;b;class\n" + "5,62;-,5;0\n1,5e3;7;1\n" * 3
    table = load(tmp_path, text, separator=";", decimal=",")
    assert table.values.tolist() == [[5.62, -0.5], [1500, 7]] * 3
    quoted = text.replace("5,62", '"5,62"').replace("-,5", '"-,5"').replace("1,5e3", '"1,5e3"')
    found = load(tmp_path, quoted.replace(";", ","), decimal=",")
    assert found.values.tolist() == table.values.tolist()


@pytest.mark.parametrize("cell", ["1.163", "1.163,5", "1,2,3"])
def test_a_point_separates_no_decimals_beside_decimal_commas(tmp_path: Path, cell: str) -> None:
    text = "a;class\n" + f"5,62;0\n{cell};1\n7;1\n" * 3
    error = fault(tmp_path, text, separator=";", decimal=",")
    assert (error.row, error.column) == (2, "a")
    assert "write numbers with a decimal comma and" in error.problem or "6 of 9 cells" in error.problem


@pytest.mark.parametrize(("cell", "hint"), [("5,62", True), ("-,5", True), ("1,163", False), ("$5", False)])
def test_decimal_commas_are_advised_where_they_are_no_thousands(
    tmp_path: Path, cell: str, *, hint: bool
) -> None:
    problem = fault(tmp_path, "a,class\n" + f'"{cell}",0\n"{cell}",1\n' * 3).problem
    assert problem.startswith(f"{cell!r} is not a number (likewise ")
    assert problem.endswith(f"{PLAIN}, or set data.decimal: ','" if hint else PLAIN)


def test_columns_are_dropped_whatever_they_hold(tmp_path: Path) -> None:
    text = "Id,a,,note,a,class\n" + "".join(f"{n},1,{n},{'x' if n % 7 else 5},2,{n % 2}\n" for n in range(9))
    problem = fault(tmp_path, text, drop="a").problem
    assert problem.startswith("column 3 of 6 has no name in the header")
    table = load(tmp_path, text, drop=["a", "", "Id"])
    assert table.feature_names == ("note",)
    assert table.notes == ("text column 'note', 2 categories",)
    assert table.categories == {"note": ("5", "x")}


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        (["c"], "data.drop: there is no column 'c' (allowed: a, b)"),
        (["b", "c"], "data.drop: there is no column 'c' (allowed: a, b)"),
        (["class"], "data.drop: 'class' is the label column"),
    ],
)
def test_columns_that_cannot_be_dropped(tmp_path: Path, drop: list[str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD, drop=drop)
    assert str(caught.value) == f"{tmp_path / 't.csv'}: {says}"


def test_no_feature_is_left(tmp_path: Path) -> None:
    problem = fault(tmp_path, GOOD, drop=["a", "b"]).problem
    assert problem == "no feature columns besides the label column 'class'"


def test_columns_of_other_sources_are_dropped_too() -> None:
    table = load_table(DataConfig(source="sklearn:iris", drop=("sepal width (cm)",)))
    assert table.feature_names == ("sepal length (cm)", "petal length (cm)", "petal width (cm)")
    assert table.values[0].tolist() == [5.1, 1.4, 0.2]
    with pytest.raises(ConfigError, match=r"data.drop: there is no column 'width' \(allowed: sepal length"):
        load_table(DataConfig(source="sklearn:iris", drop=("width",)))


@pytest.mark.parametrize("key", ["separator", "decimal"])
def test_only_csv_files_have_a_form(key: str) -> None:
    for config in ({"source": "arff:t.arff"}, {"source": "sklearn:iris", "test": "pla:t.pla"}):
        data = DataConfig.model_validate({**config, key: ","})
        with pytest.raises(
            ConfigError, match=rf"f\.yaml: data.{key}: is ',' \(allowed: only with csv:PATH\)"
        ):
            check_source(data, "f.yaml")
    check_source(DataConfig.model_validate({"source": "arff:t.arff", "test": "csv:t", key: ","}), "f.yaml")
