"""Sources, and each way in which a file can be wrong: always one line that names the place."""

from __future__ import annotations

import gzip
from http.client import IncompleteRead
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import sklearn.datasets

from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import data_file, data_sources, load_table, locate
from dwn_asic.data.sources.sklearn import NAMES as SKLEARN
from dwn_asic.data.table import Table
from dwn_asic.errors import ConfigError, DataError

PLAIN = "write numbers with a decimal point and without thousands separators, percent or currency signs"
MEND = "correct or empty the others, or put a letter before each cell to make the column text"
NAMELESS = "name it, or drop it from the file if it only numbers the rows (pandas: to_csv(..., index=False))"
HEADERLESS = "(a row of data? The file needs a header row)"
GOOD = "a,b,class\n" + "".join(f"{n},{n / 2},{n % 2}\n" for n in range(8))


def rows(*lines: str, label: str = "class") -> str:
    """A table of columns a and b: the given rows, then enough good ones for two classes."""
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


# --- csv: what is read


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


def test_path_starts_at_the_folder_else_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows, work = tmp_path / "flows", tmp_path / "work"
    for folder in (flows, work):
        folder.mkdir()
    (work / "t.csv").write_text(GOOD, encoding="utf-8")
    monkeypatch.chdir(work)
    here, absolute = "csv:t.csv", f"csv:{work / 't.csv'}"
    assert locate(here, flows) == Path("t.csv")
    assert load_table(DataConfig(source=here)).feature_names == ("a", "b")
    (flows / "t.csv").write_text(GOOD.replace("a,b", "c,d"), encoding="utf-8")
    assert locate(here, flows) == flows / "t.csv"
    table = load_table(DataConfig(source=here, file=str(flows / "t.csv")))
    assert (table.source, table.feature_names) == (here, ("c", "d"))
    assert load_table(DataConfig(source=here)).feature_names == ("a", "b")
    assert locate(absolute, flows) == work / "t.csv"
    assert load_table(DataConfig(source=absolute)).feature_names == ("a", "b")


def test_only_a_file_of_the_user_s_is_a_data_file(tmp_path: Path) -> None:
    assert data_file(DataConfig(source="csv:t.csv")) == Path("t.csv")
    assert data_file(DataConfig(source="csv:t.csv", file="a/t.csv")) == Path("a/t.csv")
    assert data_file(DataConfig(source="csv:~/t.csv")) == tmp_path / "t.csv"  # HOME of the tests
    for source in ("bundled:phoneme", "sklearn:iris", "openml:42", "csv:", "none:t.csv"):
        assert data_file(DataConfig(source=source)) is None


# --- csv: missing cells


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
    assert (error.column, error.problem) == ("y", "no value to impute from")


@pytest.mark.parametrize("impute", [None, "mode"])
def test_missing_label_is_never_imputed(tmp_path: Path, impute: str | None) -> None:
    error = fault(tmp_path, rows("1,2,0", "1,2,?"), impute=impute)
    assert (error.row, error.column, error.problem) == (2, "class", "the label is missing")


# --- csv: what is refused


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
        ("1,2", 2, None, "has 2 cells, the header has 3"),
        ("1,2,0,7", 2, None, "has 4 cells, the header has 3"),
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
        ("class\n0\n1\n", "no feature columns beside the label column 'class'"),
        (
            "a,,class\n1,2,0\n",
            f"column 2 of 3 has no name in the header: {NAMELESS}",
        ),
        (
            "1,2.5,x\n3,4.5,y\n",
            f"no label column 'class' (set data.label); its columns: 1, 2.5, x {HEADERLESS}",
        ),
        (b"a,class\n\xff\xfe,0\n", "not UTF-8 text"),
        ('a,class\n"1,0\n', "not a comma-separated file: unexpected end of data"),
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
    assert "no label column 'target'" in problem
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
        ("a;b;n;class", "the header has one column and 3 semicolons: separator ';'?"),
        ('"a";"b";"class"', "the header has one column and 2 semicolons: separator ';'?"),
        ("a\tclass", "the header has one column and 1 tab: separator '\\t'?"),
        ("a|b|class", "the header has one column and 2 bars: separator '|'?"),
        ("a (x,y);b;class", "the header has 2 columns and 2 semicolons: separator ';'?"),
        ("sep=;", "the header has one column and 1 semicolon: separator ';'?"),
    ],
)
def test_wrong_separator(tmp_path: Path, header: str, says: str) -> None:
    problem = fault(tmp_path, f"\n{header}\n5,62;2,74;50;alpha\n").problem
    assert problem == f"{says} Save the file separated by commas, with decimal points"


def test_other_separators_may_stand_in_the_names(tmp_path: Path) -> None:
    table = load(tmp_path, "a;b,a|b,class\n" + "1,2,x\n3,4,y\n" * 3)
    assert table.feature_names == ("a;b", "a|b")


# --- which sources there are


def test_a_source_is_a_module_of_the_package() -> None:
    sources = data_sources()
    assert set(sources) == {"bundled", "csv", "openml", "sklearn"}
    assert {scheme for scheme, source in sources.items() if source.has_file} == {"csv"}
    assert all(source.form.startswith(f"{scheme}:") for scheme, source in sources.items())


PLUGIN = """
import numpy as np
from dwn_asic.data.data_source import DataSource
from dwn_asic.data.raw import RawTable

def read(config):
    n = int(config.name)
    return RawTable.build(
        config.source, config.source, values=np.arange(2.0 * n).reshape(n, 2),
        categorical=np.zeros(2, np.bool_), labels=[str(i % 2) for i in range(n)],
        feature_names=["a", "b"], label_name="y",
    )

SOURCE = DataSource("rows", "rows:COUNT", read)
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    """What pip does with a package of one module that has an entry point."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dwn_asic.data_sources]\n{name} = {name}:SOURCE\n")
    monkeypatch.syspath_prepend(folder)


def test_another_package_adds_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError):
        load_table(DataConfig(source="rows:8"))
    install(tmp_path, monkeypatch, "counted_rows", PLUGIN)
    table = load_table(DataConfig(source="rows:8"))
    assert table.values.tolist() == [[2 * n, 2 * n + 1] for n in range(8)]
    with pytest.raises(ConfigError, match="rows:COUNT"):
        load_table(DataConfig(source="rows:"))


def test_two_sources_of_one_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "second_csv", PLUGIN.replace('"rows"', '"csv"'))
    with pytest.raises(ConfigError, match="csv: two data sources"):
        load_table(DataConfig(source="csv:t.csv"))


@pytest.mark.parametrize("source", ["phoneme", "file:x.csv", "csv:", "", ":x", "BUNDLED:phoneme"])
def test_unknown_scheme_lists_the_schemes(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(DataConfig(source=source))
    assert caught.value.key == "data.source"
    assert repr(source) in str(caught.value)
    for form in ("bundled:NAME", "sklearn:NAME", "csv:PATH", "openml:ID"):
        assert form in caught.value.allowed


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("bundled:mnist", "australian, phoneme, segment"),
        ("bundled:../x", "australian, phoneme, segment"),
        ("sklearn:diabetes", "breast_cancer, digits, iris, wine"),
        ("openml:phoneme", "openml: and the data set's number"),
    ],
)
def test_unknown_name_lists_the_names(source: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(DataConfig(source=source))
    assert caught.value.key == "data.source"
    assert caught.value.allowed == allowed


# --- sklearn


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("breast_cancer", (569, 30), ("benign", "malignant")),
        ("digits", (1797, 64), tuple("0123456789")),
        ("iris", (150, 4), ("setosa", "versicolor", "virginica")),
        ("wine", (178, 13), ("class_0", "class_1", "class_2")),
    ],
)
def test_sklearn(name: str, shape: tuple[int, int], classes: tuple[str, ...]) -> None:
    assert name in SKLEARN
    table = load_table(DataConfig(source=f"sklearn:{name}"))
    assert table.values.shape == shape
    assert len(table.feature_names) == shape[1]
    assert table.class_names == classes


def test_sklearn_labels_keep_their_meaning() -> None:
    table = load_table(DataConfig(source="sklearn:breast_cancer"))
    counts = dict(zip(table.class_names, np.bincount(table.labels).tolist(), strict=True))
    assert counts == {"benign": 357, "malignant": 212}


def test_sklearn_has_no_label_column_to_choose() -> None:
    with pytest.raises(ConfigError) as caught:
        load_table(DataConfig(source="sklearn:iris", label="class"))
    assert caught.value.key == "data.label"


# --- openml, with a local stand-in


class Bunch(SimpleNamespace):
    """What fetch_openml gives back, as far as it is used."""

    def get(self, key: str) -> Any:
        return getattr(self, key, None)


def answer(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> dict[str, Any]:
    """Replace the download; the returned dictionary fills with what it was asked for."""
    fields = {
        "data": np.array([[1.5, 0.0], [2.5, 1.0], [3.5, 1.0]] * 3),
        "target": np.array(["no", "yes", "no"] * 3, dtype=object),
        "feature_names": ["length", "colour"],
        "target_names": ["verdict"],
        "categories": {"colour": ["red", "blue"]},
    }
    asked: dict[str, Any] = {}

    def fetch(**arguments: Any) -> Bunch:
        asked.update(arguments)
        return Bunch(**(fields | changes))

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    return asked


def test_openml(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch)
    table = load_table(DataConfig(source="openml:42"))
    assert (asked["data_id"], asked["target_column"]) == (42, "default-target")
    assert asked["as_frame"] is False  # pandas is not a dependency
    assert asked["parser"] == "liac-arff"
    assert table.feature_names == ("length", "colour")
    assert table.class_names == ("no", "yes")
    assert table.values[0].tolist() == [1.5, 0.0]


def test_openml_label_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch)
    load_table(DataConfig(source="openml:42", label="colour"))
    assert asked["target_column"] == "colour"


def test_openml_numeric_target(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, target=np.array([1.0, 2.0, 10.0] * 3))
    assert load_table(DataConfig(source="openml:42")).class_names == ("1", "2", "10")


def test_openml_sparse_data(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.sparse import csr_matrix

    dense = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]] * 3)
    answer(monkeypatch, data=csr_matrix(dense), categories=None)
    assert load_table(DataConfig(source="openml:42")).values.tolist() == dense.tolist()


def test_openml_missing_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.array([[1.0, 0.0], [np.nan, np.nan], [3.0, 1.0], [8.0, 1.0]] * 3)
    answer(monkeypatch, data=data, target=np.array(["no", "yes", "no", "yes"] * 3, dtype=object))
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="openml:42"))
    assert (caught.value.file, caught.value.row, caught.value.column) == ("openml:42", 2, "length")
    table = load_table(DataConfig(source="openml:42", impute="mean"))
    assert table.values[1].tolist() == [4.0, 1.0]  # the mean, and the mode of the categories


def test_openml_infinite_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, data=np.array([[1.0, 0.0], [2.0, np.inf], [3.0, 1.0]] * 3))
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="openml:42"))
    assert (caught.value.row, caught.value.column, caught.value.problem) == (2, "colour", "is infinite")


@pytest.mark.parametrize("target", [None, np.zeros((9, 2))])
def test_openml_without_a_single_target(monkeypatch: pytest.MonkeyPatch, target: Any) -> None:
    answer(monkeypatch, target=target)
    with pytest.raises(DataError, match=r"openml:42: .* set data.label"):
        load_table(DataConfig(source="openml:42"))


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (URLError("Name or service not known"), "Name or service not known; the first fetch needs a network"),
        (TimeoutError("timed out"), "timed out"),
        (IncompleteRead(b""), "IncompleteRead"),
        (ValueError("STRING attributes are\nnot supported"), "STRING attributes are not supported"),
    ],
)
def test_openml_failure_is_one_line(monkeypatch: pytest.MonkeyPatch, failure: Exception, text: str) -> None:
    def fetch(**_: Any) -> None:
        raise failure

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    with pytest.raises(DataError) as caught:
        load_table(DataConfig(source="openml:42"))
    message = str(caught.value)
    assert message.startswith("openml:42: cannot be fetched from OpenML: ")
    assert text in message
    assert "\n" not in message
