"""Parts of the rows that are given: by files of their own, by a column, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import PARTS
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.errors import ConfigError, DataError, DwnAsicError

HEADER = "size,colour,class\n"
TRAIN = HEADER + "".join(f"{n},{('red', 'green')[n % 2]},{n % 2}\n" for n in range(20))
TEST = HEADER + "".join(f"{n},red,{n % 2}\n" for n in range(30, 36))
VAL = HEADER + "".join(f"{n},green,{n % 2}\n" for n in range(40, 44))


def read(seed: int = 0, **config: Any) -> Dataset:
    return prepare(DataConfig.model_validate(config), EncoderConfig(), seed)


def sizes(dataset: Dataset) -> list[int]:
    return [len(dataset.split.rows(part)) for part in PARTS]


def refused(**config: Any) -> DwnAsicError:
    with pytest.raises((DataError, ConfigError)) as caught:
        read(**config)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture(autouse=True)
def _files() -> None:
    for name, text in (("train", TRAIN), ("test", TEST), ("val", VAL)):
        Path(f"{name}.csv").write_text(text)


# ---- files -------------------------------------------------------------------------------------------------
def test_both_parts_in_files_of_their_own() -> None:
    dataset = read(source="csv:train.csv", test="csv:test.csv", val="csv:val.csv")
    assert sizes(dataset) == [20, 4, 6]
    assert dataset.table.values[dataset.split.train, 0].tolist() == list(range(20))
    assert dataset.table.values[dataset.split.val, 0].tolist() == list(range(40, 44))
    assert dataset.table.values[dataset.split.test, 0].tolist() == list(range(30, 36))
    # Nothing was fitted on them.
    assert dataset.part("test")[0][:, 0].max() == dataset.part("train")[0][:, 0].max() + 12 == 31
    assert dataset.table.source == "csv:train.csv"


@pytest.mark.parametrize(("part", "other"), [("test", "val"), ("val", "test")])
def test_a_part_without_a_file_is_drawn_from_the_source(part: str, other: str) -> None:
    dataset = read(3, source="csv:train.csv", **{part: f"csv:{part}.csv"}, split={other: 0.3})
    rows = {name: set(dataset.split.rows(name)) for name in PARTS}  # type: ignore[arg-type]
    assert rows[part] == set(range(20, len(dataset.table.labels)))
    assert len(rows[other]) == 6
    assert rows["train"] | rows[other] == set(range(20))
    again = read(3, source="csv:train.csv", **{part: f"csv:{part}.csv"}, split={other: 0.3})
    assert set(again.split.rows(other)) == rows[other]  # type: ignore[arg-type]
    assert set(read(4, source="csv:train.csv", **{part: f"csv:{part}.csv"}).split.train) != rows["train"]


def test_columns_in_another_order_are_the_same_columns() -> None:
    lines = [line.split(",") for line in TEST.splitlines()]
    Path("other.csv").write_text("\n".join(f"{c},{b},{a}" for a, b, c in lines) + "\n")
    first, second = (read(source="csv:train.csv", test=f"csv:{name}.csv") for name in ("test", "other"))
    assert first.table.values.tolist() == second.table.values.tolist()
    assert first.table.labels.tolist() == second.table.labels.tolist()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            TEST.replace("size", "height"),
            "the columns differ from those of train.csv: missing size; extra height",
        ),
        (TEST.replace("size,", "").replace("3", ""), "has 3 cells; the header has 2"),
        (
            HEADER.replace(",colour", "") + "1,0\n",
            "the columns differ from those of train.csv: missing colour",
        ),
        (TEST.replace("red", "7"), None),  # a category that is new
        (TEST.replace("30,", "big,").replace("31,", "b,").replace("32,", "c,").replace("33,", "d,"), "size"),
        (TEST.replace("class", "kind"), "there is no label column 'class'"),
        (
            TEST.replace("35,red,1", "35,red,2"),
            "row 6, column class: class '2' does not occur in train.csv",
        ),
        (TEST.replace("33,", ","), "row 4, column size: the cell is missing; set data.impute"),
        (HEADER, "no rows below the header"),
    ],
)
def test_a_file_that_does_not_fit(text: str, says: str | None) -> None:
    Path("test.csv").write_text(text)
    if says is None:
        assert sizes(read(source="csv:train.csv", test="csv:test.csv")) == [16, 4, 6]
        return
    message = str(refused(source="csv:train.csv", test="csv:test.csv"))
    assert message.startswith("test.csv")
    assert says in message


def test_a_text_column_is_one_in_every_file_and_nothing_about_the_first_depends_on_the_others() -> None:
    Path("train.csv").write_text("zip,class\n" + "7,0\nB2,1\n" * 10)
    alone = read(source="csv:train.csv")
    for cells, codes in ((("7", "B2"), (0, 1)), (("7", "7"), (0, 0)), (("A1", "7"), (2, 0))):
        Path("test.csv").write_text("zip,class\n" + "".join(f"{cell},0\n" for cell in cells))
        dataset = read(source="csv:train.csv", test="csv:test.csv")
        assert dataset.table.values[20:, 0].tolist() == list(codes)
        assert dataset.table.values[:20].tolist() == alone.table.values.tolist()
        assert dataset.table.categories["zip"][:2] == ("7", "B2")
        assert dataset.part("test")[0].max() <= 1  # a new category gets the nearest code


def test_numbers_in_one_file_and_texts_in_the_other() -> None:
    Path("test.csv").write_text("size,colour,class\nbig,red,0\nsmall,red,1\n")
    assert str(refused(source="csv:train.csv", test="csv:test.csv")) == (
        "test.csv, column size: the column has text, but numbers in train.csv"
    )


def test_a_class_may_be_absent_from_a_part_but_not_from_training() -> None:
    Path("test.csv").write_text(HEADER + "1,red,0\n")
    dataset = read(source="csv:train.csv", test="csv:test.csv", val="csv:val.csv")
    assert dataset.part("test")[1].tolist() == [0]
    Path("train.csv").write_text(HEADER + "1,red,0\n" * 3)
    parts = {"source": "csv:train.csv", "test": "csv:test.csv"}
    assert "only one class, '0'" in str(refused(**parts))
    message = str(refused(**parts, val="csv:val.csv"))
    assert message == "val.csv, row 2, column class: class '1' does not occur in train.csv; its classes: 0"


def test_too_few_rows_of_a_class_to_share_out() -> None:
    Path("train.csv").write_text(HEADER + "1,red,0\n" * 5 + "2,red,1\n")
    message = str(refused(source="csv:train.csv", test="csv:test.csv"))
    assert "class '1' has 1 row to draw from; training and validation each need one" in message
    assert sizes(read(source="csv:train.csv", test="csv:test.csv", val="csv:val.csv")) == [6, 4, 6]


def test_missing_cells_are_filled_from_training_rows() -> None:
    Path("test.csv").write_text(TEST.replace("33,", ","))
    dataset = read(source="csv:train.csv", test="csv:test.csv", val="csv:val.csv", impute="mean")
    assert dataset.table.values[27, 0] == 9.5


def test_the_label_and_the_columns_to_drop_are_those_of_every_file() -> None:
    for name in ("train", "test"):
        path = Path(f"{name}.csv")
        lines = path.read_text().replace("class", "kind").splitlines()
        numbered = [f"{'Id' if n == 0 else n},{line}" for n, line in enumerate(lines)]
        path.write_text("\n".join(numbered if name == "train" else lines) + "\n")
    dataset = read(source="csv:train.csv", test="csv:test.csv", label="kind", drop="Id")
    assert dataset.table.feature_names == ("size", "colour")
    message = str(refused(source="csv:train.csv", test="csv:test.csv", label="kind", drop=["Id", "id"]))
    assert message == "train.csv: data.drop: there is no column 'id' (allowed: size, colour, Id)"


def test_a_part_may_come_from_another_kind_of_source() -> None:
    rows = "".join(f"5,3.4,1.{n},0.2,setosa\n" for n in range(5))
    names = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)"
    Path("test.csv").write_text(f"{names},target\n{rows}")
    dataset = read(source="sklearn:iris", test="csv:test.csv")
    assert sizes(dataset) == [120, 30, 5]
    assert dataset.table.class_names[dataset.table.labels[-1]] == "setosa"


def test_one_against_the_rest_of_all_files() -> None:
    dataset = read(source="csv:train.csv", test="csv:test.csv", one_against_rest="1")
    assert dataset.table.class_names == ("not 1", "1")
    assert dataset.part("test")[1].tolist() == [0, 1] * 3


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"test": "csv"}, "data: data.test: is 'csv' (allowed: arff:PATH, "),
        ({"val": "bundled:mnist"}, "data: data.val: is 'bundled:mnist' (allowed: australian, "),
        ({"test": "csv:none.csv"}, "none.csv: not found; looked for "),
    ],
)
def test_a_source_of_a_part_that_there_is_not(config: dict[str, str], says: str) -> None:
    assert str(refused(source="csv:train.csv", **config)).startswith(says)


# ---- a column ----------------------------------------------------------------------------------------------
def parted(*values: str, name: str = "fold") -> None:
    lines = "".join(f"{n},{n % 2},{value}\n" for n, value in enumerate(values))
    Path("t.csv").write_text(f"size,class,{name}\n{lines}")


SPELLED = ("train", "Training", "val", "VALID", "validation", "test", "Testing", "train")


def test_a_column_names_the_parts() -> None:
    parted(*SPELLED)
    dataset = read(source="csv:t.csv", part="fold")
    assert [dataset.split.rows(part).tolist() for part in PARTS] == [[0, 1, 7], [2, 3, 4], [5, 6]]
    assert dataset.table.feature_names == ("size",)
    assert dataset.table.notes == ()


def test_other_values_are_mapped() -> None:
    parted(*"11223311", name="nr")
    part = {"column": "nr", "train": 1, "val": ["2"], "test": 3}
    dataset = read(source="csv:t.csv", part=part)
    assert [dataset.split.rows(part).tolist() for part in PARTS] == [[0, 1, 6, 7], [2, 3], [4, 5]]
    message = str(refused(source="csv:t.csv", part={"column": "nr", "test": 3}))
    assert message == (
        "t.csv, row 1, column nr: '1' is not the name of a part (known: 3, train, training, val, valid, "
        "validation, test, testing; data.part can add names)"
    )


def test_a_part_that_no_row_has_is_drawn_from_the_training_rows() -> None:
    parted(*["train"] * 20, *["test"] * 4)
    dataset = read(source="csv:t.csv", part="fold")
    assert sizes(dataset) == [16, 4, 4]
    assert dataset.split.test.tolist() == [20, 21, 22, 23]
    parted(*["train"] * 20)
    every = read(5, source="csv:t.csv", part="fold")
    expected = stratified_split(np.arange(20) % 2, val=0.2, test=0.2, seed=5)
    for part in PARTS:
        assert every.split.rows(part).tolist() == expected.rows(part).tolist()


@pytest.mark.parametrize(
    ("values", "config", "says"),
    [
        (("test",) * 8, {"part": "fold"}, "t.csv: there are no training rows"),
        (
            ("train",) * 7 + ("?",),
            {"part": "fold"},
            "t.csv, row 8, column fold: the name of the part is missing",
        ),
        (
            ("train",) * 8,
            {"part": "Fold"},
            "t.csv: there is no column 'Fold' for data.part; its columns: size, fold",
        ),
        (
            ("train",) * 8,
            {"part": "class"},
            "t.csv: there is no column 'class' for data.part; its columns: size, fold",
        ),
        (
            ("train", "test") * 4,
            {"part": "fold"},
            "t.csv, column class: class '1' has 0 rows to draw from; training and validation each need one",
        ),
        (
            ("train", "test", "val", "val"),
            {"part": "fold"},
            "t.csv, column class: class '1' has no training rows",
        ),
        (
            ("a", "b") * 4,
            {"part": {"column": "fold", "train": "a", "val": ["b", "A"]}},
            "t.csv, column fold: data.part assigns 'A' to two parts",
        ),
    ],
)
def test_a_column_that_names_no_parts(values: tuple[str, ...], config: dict[str, Any], says: str) -> None:
    parted(*values)
    assert str(refused(source="csv:t.csv", **config)) == says


def test_numbers_of_a_source_without_texts_name_parts_too() -> None:
    Path("t.arff").write_text(
        "@relation t\n@attribute x numeric\n@attribute fold numeric\n@attribute class {a,b}\n@data\n"
        + "".join(f"{n},{n % 3},{'ab'[n // 3 % 2]}\n" for n in range(12))
    )
    part = {"column": "fold", "train": "0", "val": "1", "test": "2"}
    assert sizes(read(source="arff:t.arff", part=part)) == [4, 4, 4]


def test_a_column_and_files_at_once() -> None:
    with pytest.raises(ValidationError, match="only without test"):
        DataConfig.model_validate({"source": "csv:t.csv", "test": "csv:u.csv", "part": "fold"})


# ---- in memory ---------------------------------------------------------------------------------------------
def test_parts_of_rows_in_memory() -> None:
    X, y = np.arange(24.0).reshape(12, 2) / 7, np.arange(12) % 2
    dataset = Dataset.from_arrays(X, y, parts=["train"] * 6 + ["valid"] * 2 + ["test"] * 4)
    assert sizes(dataset) == [6, 2, 4]
    assert sizes(Dataset.from_arrays(X, y, parts=["train"] * 8 + ["test"] * 4, val=0.25)) == [6, 2, 4]
    for parts, says in (
        (["train"] * 11, "arrays: 11 parts for 12 rows"),
        (["train"] * 11 + ["x"], "arrays, row 12, column parts: 'x' is not the name of a part"),
    ):
        with pytest.raises(DataError, match=says):
            Dataset.from_arrays(X, y, parts=parts)


# ---- the split ---------------------------------------------------------------------------------------------
@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 2), min_size=9, max_size=60),
    st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=60, max_size=60),
    st.floats(0.05, 0.45),
    st.integers(0, 99),
)
def test_given_parts_stay_and_the_others_are_dealt_by_class(
    labels: list[int], parts: list[int], share: float, seed: int
) -> None:
    index, given_parts = np.array(labels), np.array(parts[: len(labels)])
    pool = np.bincount(index[given_parts == 0], minlength=3)
    missing = [place for place in (1, 2) if not (given_parts == place).any()]
    if (pool[pool > 0] <= len(missing)).any():
        with pytest.raises(ValueError, match="the split needs"):
            stratified_split(index, val=share, test=share, seed=seed, parts=given_parts)
        return
    split = stratified_split(index, val=share, test=share, seed=seed, parts=given_parts)
    rows = [split.rows(part) for part in PARTS]
    assert sorted(np.concatenate(rows)) == list(range(len(labels)))
    for place, part in enumerate(PARTS):
        assert not rows[place].flags.writeable
        if place and place not in missing:
            assert split.rows(part).tolist() == np.flatnonzero(given_parts == place).tolist()
        elif place:
            found = np.bincount(index[rows[place]], minlength=3)
            assert (found[pool > 0] >= 1).all()
            assert (abs(found - pool * share) <= 1.0).all()


# ---- as scikit-learn splits --------------------------------------------------------------------------------
def test_test_rows_are_those_of_scikit_learn_and_validation_rows_come_from_the_rest() -> None:
    from sklearn.model_selection import train_test_split

    split = {"test": 0.3, "val": 0.14, "random_state": 42}
    dataset = read(source="sklearn:iris", split=split)
    _, expected = train_test_split(np.arange(150), test_size=0.3, random_state=42)
    assert dataset.split.test.tolist() == sorted(expected)
    rest = np.bincount(np.delete(dataset.table.labels, expected))
    n_val = sum(round(0.2 * count) for count in rest)  # 14% of all rows are 20% of the rest, class by class
    assert sizes(dataset) == [105 - n_val, n_val, 45]
    other = read(seed=1, source="sklearn:iris", split=split)
    assert other.split.test.tolist() == dataset.split.test.tolist()
    assert other.split.val.tolist() != dataset.split.val.tolist()
    assert read(seed=0, source="sklearn:iris", split={**split, "random_state": None}).split.test.tolist() != (
        dataset.split.test.tolist()
    )


def test_validation_rows_of_a_file_stay_where_test_rows_are_drawn_as_scikit_learn_does() -> None:
    dataset = read(source="csv:train.csv", val="csv:val.csv", split={"test": 0.25, "random_state": 0})
    assert sizes(dataset) == [15, 4, 5]
    assert dataset.split.val.tolist() == [20, 21, 22, 23]


@pytest.mark.parametrize("fixed", [{"test": "csv:test.csv"}, {"part": "colour"}])
def test_test_rows_are_fixed_in_one_way(fixed: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=f"random_state only without {next(iter(fixed))}"):
        DataConfig.model_validate({"source": "csv:train.csv", "split": {"random_state": 1}, **fixed})
