"""Rows in memory: the same table, and the same errors, as from a file."""

from __future__ import annotations

import doctest
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dwn_asic.data.dataset
from dwn_asic.data.config import DataConfig, SplitConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.data.table import PARTS, Split
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.errors import DataError

X = np.arange(40.0).reshape(20, 2) / 3
Y = np.arange(20) % 2


def refused(X: Any, y: Any, **more: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        Dataset.from_arrays(X, y, **more)
    assert str(caught.value).startswith("arrays")
    assert "\n" not in str(caught.value)
    return caught.value


def same(first: Dataset, second: Dataset) -> None:
    """Assert that the data sets are equal but for their source."""
    for name in ("feature_names", "class_names", "notes"):
        assert getattr(first.table, name) == getattr(second.table, name)
    assert first.table.values.tobytes() == second.table.values.tobytes()
    assert first.codes.tolist() == second.codes.tolist()
    for part in PARTS:
        assert [a.tolist() for a in first.part(part)] == [a.tolist() for a in second.part(part)]


def frame() -> pd.DataFrame:
    n = np.arange(60)
    return pd.DataFrame(
        {
            "width": n / 7,
            "count": n % 5,
            "flag": n % 3 == 0,
            "colour": np.array(["red", "green", "blue", "10"])[n % 4],
            "size": pd.Categorical(
                np.array(["small", "large"])[n % 2], categories=["small", "large", "none"]
            ),
            "grade": pd.Categorical(n % 4),
            "written": (n / 4).astype(str),
            "nullable": pd.array(n % 6, dtype="Int64"),
            "small": (n / 7).astype(np.float32),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(n % 9, unit="D"),
        }
    )


def test_a_frame_is_what_its_file_would_be() -> None:
    table, labels = frame(), np.array(["no", "yes", "perhaps"])[np.arange(60) % 3]
    # A file holds truth values as texts and fewer digits of small floats.
    written = table.assign(flag=table["flag"].astype(int), small=table["small"].astype(float))
    written.assign(**{"class": labels}).to_csv("t.csv", index=False)
    config = DataConfig(source="csv:t.csv", split=SplitConfig(val=0.1, test=0.3))
    expected = prepare(config, EncoderConfig(input_bits=5), 3)
    found = Dataset.from_arrays(table, labels, val=0.1, test=0.3, seed=3, input_bits=5)
    same(found, expected)
    assert found.table.source == "arrays"
    assert found.table.feature_names == tuple(table.columns)
    assert found.table.notes == (
        "text column 'colour', 4 categories",
        "text column 'size', 2 categories",
        "text column 'day', 9 categories",
    )


def test_texts_become_codes_in_lists_and_arrays_of_any_type() -> None:
    rows = [[n, n / 4, "ab"[n % 2], n % 3 == 0] for n in range(12)]
    expected = [[n, n / 4, n % 2, n % 3 == 0] for n in range(12)]
    for values in (rows, np.array(rows, dtype=object), [tuple(row) for row in rows]):
        table = Dataset.from_arrays(values, Y[:12]).table
        assert table.values.tolist() == expected
        assert table.feature_names == ("x0", "x1", "x2", "x3")
        assert table.notes == ("text column 'x2', 2 categories",)
    texts = np.array([row[:3] for row in rows])  # of texts all
    assert Dataset.from_arrays(texts, Y[:12]).table.values.tolist() == [row[:3] for row in expected]


def test_a_frame_needs_no_pandas() -> None:
    class Columns(dict[str, list[object]]):
        @property
        def columns(self) -> list[str]:
            return list(self)

    found = Dataset.from_arrays(Columns(a=list(range(20)), b=["x", "y"] * 10), Y)
    assert found.table.feature_names == ("a", "b")
    assert found.table.values.tolist() == [[n, n % 2] for n in range(20)]
    code = "import sys; sys.modules['pandas'] = None; from dwn_asic.data.dataset import Dataset; "
    code += "Dataset.from_arrays([[n, 'ab'[n % 2]] for n in range(9)], ['x', 'y', 'z'] * 3)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("y", "names", "first"),
    [
        (Y, ("0", "1"), [0, 1]),
        (Y == 1, ("False", "True"), [0, 1]),
        (Y * 5.0 + 5, ("5", "10"), [0, 1]),  # numbers, not texts
        (np.array(["yes", "no"])[Y], ("no", "yes"), [1, 0]),
        (["b", "a"] * 10, ("a", "b"), [1, 0]),
        (pd.Series(["b", "a"] * 10, dtype="category"), ("a", "b"), [1, 0]),
    ],
)
def test_labels(y: Any, names: tuple[str, ...], first: list[int]) -> None:
    table = Dataset.from_arrays(X, y).table
    assert table.class_names == names
    assert table.labels[:2].tolist() == first


def test_names_of_features_and_classes() -> None:
    table = Dataset.from_arrays(X, Y, feature_names=["a", "b"], class_names=["off", "on"]).table
    assert (table.feature_names, table.class_names) == (("a", "b"), ("off", "on"))
    assert table.labels.tolist() == Y.tolist()


def test_a_given_split_is_kept() -> None:
    split = Split(np.arange(10), np.arange(10, 15), np.arange(15, 20))
    dataset = Dataset.from_arrays(X, Y, split=split, seed=9)
    assert dataset.split is split
    assert dataset.quantizer.lo.tolist() == X[0].tolist()
    with pytest.raises(ValueError, match="each of the 20 rows"):
        Dataset.from_arrays(X, Y, split=Split(np.arange(10), np.arange(10, 15), np.arange(15, 19)))


def test_what_is_given_stays_as_it_was_and_what_comes_is_read_only() -> None:
    values, labels = X.copy(), Y.copy()
    table = Dataset.from_arrays(values, labels).table
    values[0, 0] = labels[0] = 7
    assert (table.values[0, 0], table.labels[0]) == (0.0, 0)
    assert not table.values.flags.writeable
    assert not table.labels.flags.writeable


def with_cell(value: object, dtype: Any = None) -> Any:
    cells = X.astype(object)
    cells[4, 1] = value
    return cells if dtype is None else cells.astype(dtype)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (with_cell(np.nan, float), "the value is missing; missing values must be filled first"),
        (with_cell(np.nan), "the value is missing; missing values must be filled first"),
        (with_cell(None), "the value is missing; missing values must be filled first"),
        (with_cell(pd.NA), "the value is missing; missing values must be filled first"),
        (with_cell("?"), "the value is missing; missing values must be filled first"),
        (with_cell(-np.inf, float), "the value is infinite"),
        (
            pd.DataFrame(X, columns=["x0", "x1"]).mask(with_cell(-1.0) == -1.0),
            "the value is missing; missing values must be filled first",
        ),
        (with_cell("abc"), "'abc' is not a number; 19 of 20 cells are numbers"),
        (with_cell("1,163"), "'1,163' is not a number; write numbers with a decimal point"),
    ],
)
def test_a_wrong_value_is_named(values: Any, problem: str) -> None:
    error = refused(values, Y)
    assert (error.row, error.column) == (5, "x1")
    assert error.problem.startswith(problem)


@pytest.mark.parametrize(
    ("missing", "column"),
    [([None, "x"] * 10, "y"), ([np.nan, 1.0] * 10, "y"), (["", "x"] * 10, "y")],
)
def test_a_missing_label(missing: list[object], column: str) -> None:
    error = refused(X, missing)
    assert (error.row, error.column, error.problem) == (1, column, "the label is missing")


@pytest.mark.parametrize(
    ("values", "labels", "more", "says"),
    [
        (X[:, 0], Y, {}, "X has the shape (20,); expected (rows, features)"),
        (X[:0], Y[:0], {}, "no rows"),
        (X[:, :0], Y, {}, "no feature columns"),
        (X, Y[:19], {}, "X has 20 rows, y has 19 labels"),
        (X, X, {}, "y has the shape (20, 2); expected (rows,)"),
        (X, Y * 0, {}, "only one class, '0'"),
        (X, np.arange(20) // 18, {}, "class '1' has 2 rows; training, validation and test each need one"),
        (X, Y, {"feature_names": ["a"]}, "1 feature names for 2 columns of X"),
        (X, Y, {"feature_names": ["a", "a"]}, "column a: the column name occurs twice"),
        (X, Y, {"feature_names": ["a", " "]}, "column 2 of 2 has no name"),
        (pd.DataFrame(X, columns=["a", "a"]), Y, {}, "column a: the column name occurs twice"),
        (pd.DataFrame(X, columns=["", "a"]), Y, {}, "column 1 of 2 has no name"),
        (X, Y, {"class_names": ["a"]}, "class names a: one name is needed for each of 0, 1, all different"),
        (
            X,
            Y,
            {"class_names": ["a", "a"]},
            "class names a, a: one name is needed for each of 0, 1, all different",
        ),
        (
            np.where(X < 9, 1.7e308, -1.7e308),
            Y,
            {},
            "column x0: the values span a range that float64 cannot represent",
        ),
    ],
)
def test_what_does_not_fit(values: Any, labels: Any, more: dict[str, Any], says: str) -> None:
    assert says in str(refused(values, labels, **more))


def test_the_example_of_the_documentation() -> None:
    failed, tried = doctest.testmod(dwn_asic.data.dataset)
    assert tried >= 6
    assert failed == 0
