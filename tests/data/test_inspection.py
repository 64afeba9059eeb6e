"""The assumptions about an unknown table."""

from __future__ import annotations

from pathlib import Path

import pytest

from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import prepare
from dwn_asic.data.inspection import Inspection, inspect_table
from dwn_asic.encode.config import QuantizerConfig
from dwn_asic.errors import DataError
from dwn_asic.yaml_file import validate


def table(text: str, name: str = "mine.csv") -> str:
    Path(name).write_text(text)
    return name


def usable(found: Inspection) -> bool:
    """Return whether a data set can be made of the section."""
    dataset = prepare(validate(DataConfig, dict(found.data), "data"), QuantizerConfig(), 0)
    return len(dataset.table.feature_names) == found.n_features


def test_a_table_with_a_row_number_a_text_column_and_gaps() -> None:
    lines = [f"{i},{('red', 'blue')[i % 2]},{i * i % 17 or ''},{i % 3 == 0}" for i in range(40)]
    text = "\n".join(["id,colour,size,y", *lines])
    found = inspect_table(table(text))
    assert found.data == {"source": "csv:mine.csv", "label": "y", "drop": ["id"], "impute": "median"}
    assert found.class_names == ("False", "True")
    told = "\n".join(found.assumptions)
    for part in (
        "the column 'y', by its name",
        "column 'id' identifies rows, and is left out",
        "column 'colour' holds categories",
        "missing cells",
    ):
        assert part in told
    assert "40 rows of 2 features in 2 classes" in told
    assert "40 rows are few" in told
    assert usable(found)


def test_semicolons_and_decimal_commas() -> None:
    text = "\n".join(["a;b;kind", *(f"{i},5;{i % 7},25;{'xy'[i % 2]}" for i in range(40))])
    found = inspect_table(table(text))
    assert found.data == {"source": "csv:mine.csv", "separator": ";", "decimal": ",", "label": "kind"}
    assert "the last column" in " ".join(found.assumptions)
    assert usable(found)


def test_a_named_label_wins_and_a_constant_column_is_told() -> None:
    text = "class,a,b,other\n" + "\n".join(f"{i % 2},{i},7,{'uv'[i // 20]}" for i in range(40))
    found = inspect_table(table(text), "other")
    assert found.data["label"] == "other"
    assert any("'b' never varies, and has no effect" in each for each in found.assumptions)


def test_a_rare_class_is_told() -> None:
    text = "a,class\n" + "\n".join(f"{i % 9},{int(i < 5)}" for i in range(100))
    assert any("balanced accuracy" in each for each in inspect_table(table(text)).assumptions)


def test_other_sources() -> None:
    found = inspect_table("sklearn:wine")
    assert (found.data, found.n_rows, len(found.class_names)) == ({"source": "sklearn:wine"}, 178, 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty file"),
        ("a,y\n" + "\n".join(f"{i % 5},{i}.5" for i in range(40)), "a quantity or a name, not a class"),
        ("a,y\n1,x\n2,x\n", "only one class"),
        ("y\n1\n2\n", "no feature columns"),
    ],
)
def test_what_cannot_be_used_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        inspect_table(table(text))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataError, match=r"none\.csv: not found"):
        inspect_table("none.csv")
