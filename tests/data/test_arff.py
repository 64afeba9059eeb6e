"""ARFF files, dense and sparse, and each way in which one can be wrong: one line that names the place."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import arff as scipy_arff

from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import load_table
from dwn_asic.data.table import Table
from dwn_asic.errors import DataError

HEADER = """% A comment
@RELATION 'two words'

@attribute width NUMERIC
@Attribute 'a colour'\t{red, 'dark blue', "it's", 10}
@attribute count integer
@attribute kind {yes, no}
@DATA
"""
ROWS = """1.5, red, 3, yes
% another comment
2.5,'dark blue',4,no

-1e3,"it's",5,'yes'
0,10,6,no
1\tred 7\tyes
2,red,8,no
"""


def load(text: str | bytes, name: str = "t.arff", **config: Any) -> Table:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load_table(DataConfig.model_validate({"source": f"arff:{name}", **config}))


def fault(text: str | bytes, **config: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(text, **config)
    message = str(caught.value)
    assert message.startswith("t.arff")
    assert "\n" not in message
    return message.removeprefix("t.arff").removeprefix(": ")


def test_a_dense_file() -> None:
    table = load(HEADER + ROWS)
    assert table.source == "arff:t.arff"
    assert table.feature_names == ("width", "a colour", "count")
    assert table.values.tolist() == [[1.5, 0, 3], [2.5, 1, 4], [-1e3, 2, 5], [0, 3, 6], [1, 0, 7], [2, 0, 8]]
    assert table.categories == {"a colour": ("red", "dark blue", "it's", "10")}  # the header's order
    assert table.class_names == ("no", "yes")
    assert table.labels.tolist() == [1, 0] * 3
    assert table.notes == ("text column 'a colour', 4 categories",)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_gzip_file(ending: str) -> None:
    text = (HEADER + ROWS).replace("\n", ending)
    found = load(gzip.compress(text.encode()), "t.arff.gz")
    assert found.values.tolist() == load(HEADER + ROWS).values.tolist()


def test_a_sparse_file() -> None:
    rows = "{0 1.5, 2 3}\n{1 'dark blue', 3 no}\n{}\n{ 2 7 , 3 no }\n{0 2,1 10}\n{3 no}\n"
    table = load(HEADER + rows)
    assert table.values.tolist() == [[1.5, 0, 3], [0, 1, 0], [0, 0, 0], [0, 0, 7], [2, 3, 0], [0, 0, 0]]
    assert [table.class_names[label] for label in table.labels] == ["yes", "no"] * 3


def test_texts_and_dates_are_categories_sorted_as_text() -> None:
    header = "@attribute s string\n@attribute d date 'yyyy'\n@attribute class {a,b}\n@data\n"
    table = load(header + "'x, y',2020,a\nb,2019,b\n" * 3)
    assert table.categories == {"s": ("b", "x, y"), "d": ("2019", "2020")}
    assert table.values.tolist() == [[1, 1], [0, 0]] * 3


@pytest.mark.parametrize(
    ("names", "label", "found"),
    [
        (("x", "Class", "y"), None, "Class"),
        (("x", "y", "z"), None, "z"),
        (("x", "class", "y"), "y", "y"),
    ],
)
def test_the_label(names: tuple[str, ...], label: str | None, found: str) -> None:
    header = "".join(f"@attribute {name} {{0,1}}\n" for name in names) + "@data\n"
    table = load(header + "0,1,0\n1,0,1\n" * 3, label=label)
    assert table.feature_names == tuple(name for name in names if name != found)


def test_missing_cells() -> None:
    text = HEADER + ROWS.replace("1.5, red", "?, ?")
    advice = "set data.impute to mean, median or mode to fill such cells"
    assert fault(text) == f", row 1, column width: the cell is missing; {advice}"
    assert load(text, impute="mode").values[0].tolist() == [-1e3, 0, 3]
    assert fault(HEADER + ROWS.replace("3, yes", "3, ?")) == ", row 1, column kind: the label is missing"


def test_columns_are_dropped() -> None:
    assert load(HEADER + ROWS, drop=["a colour", "count"]).feature_names == ("width",)


def test_escapes() -> None:
    header = r"@attribute 'it\'s' {'a\'b', 'c\\d'}" + "\n@attribute class {0,1}\n@data\n"
    rows = r"""'a\'b',0
"c\\d",1
"""
    table = load(header + rows * 3)
    assert table.categories == {"it's": ("a'b", "c\\d")}
    assert table.values[:, 0].tolist() == [0, 1] * 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no line @data; it is not an ARFF file or is truncated"),
        ("a,b,class\n1,2,x\n", "line 1: expected @relation, @attribute or @data, not 'a,b,class'"),
        ("@relation r\n@data\n1\n", "there is no @attribute above @data"),
        (HEADER, "there are no rows below @data"),
        ("@attribute\n", "line 1: @attribute has no name"),
        (
            "@attribute x\n",
            ", column x: line 1: type '' is not supported (allowed: numeric, real, integer, string, date",
        ),
        ("@attribute x relational\n", ", column x: line 1: type 'relational' is not supported"),
        ("@attribute x {a, b\n", ", column x: line 1: expected distinct values in braces"),
        ("@attribute x {a, a}\n", ", column x: line 1: expected distinct values in braces"),
        ("@attribute x {}\n", ", column x: line 1: expected distinct values in braces"),
        ("@attribute x real\n@attribute x real\n", ", column x: the attribute occurs twice in the header"),
        (HEADER + "1,red,3\n", ", row 1: has 3 cells; the header has 4"),
        (HEADER + ROWS + "1,red,3,yes,{5}\n", ", row 7: has an empty cell or an unterminated quote"),
        (HEADER + "1,,3,yes\n", ", row 1: has an empty cell or an unterminated quote"),
        (HEADER + "1,'red,3,yes\n", ", row 1: has an empty cell or an unterminated quote"),
        (HEADER + "1,red,3,yes,\n", ", row 1: has an empty cell or an unterminated quote"),
        (
            HEADER + "1,red,3,yes\n1,green,3,no\n",
            ", row 2, column a colour: 'green' is not a declared cat",
        ),
        (HEADER + ROWS + "x,red,3,yes\n", ", row 7, column width: 'x' is not a number"),
        (HEADER + ROWS + "1,red,inf,yes\n", ", row 7, column count: the value is infinite"),
        (HEADER + "{0 1, 2}\n", ", row 1: expected pairs of index and value in braces"),
        (HEADER + "{0 1\n", ", row 1: expected pairs of index and value in braces"),
        (HEADER + "{4 1}\n", ", row 1: '4' is not an index or occurs twice (allowed: 0 to 3)"),
        (HEADER + "{0 1, 0 2}\n", ", row 1: '0' is not an index or occurs twice"),
        (HEADER.encode() + b"\xff", "not UTF-8 text"),
    ],
)
def test_a_wrong_file(text: str | bytes, says: str) -> None:
    assert fault(text).startswith(says)


def test_a_label_that_is_none() -> None:
    message = fault(HEADER + ROWS, label="class")
    attributes = "width, a colour, count, kind"
    assert message == f"there is no label attribute 'class' (set data.label); its attributes: {attributes}"


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.sampled_from(["p", "q r", "s's"]), st.sampled_from(["on", "off"])),
        min_size=1,
        max_size=20,
    )
)
def test_scipy_reads_the_same(rows: list[tuple[float, str, str]]) -> None:
    rows = [*rows, *[(0.0, "p", "on"), (1.0, "p", "off")] * 3]
    lines = "".join(f'{x!r},"{text}",{label}\n' for x, text, label in rows)
    text = '@relation r\n@attribute x real\n@attribute t {p,"q r","s\'s"}\n@attribute class {on,off}\n@data\n'
    found = load(text + lines)
    expected, _ = scipy_arff.loadarff("t.arff")
    assert found.values[:, 0].tolist() == expected["x"].tolist()
    texts = np.array(found.categories["t"])[found.values[:, 1].astype(int)]
    assert texts.tolist() == [cell.decode() for cell in expected["t"]]
    assert [found.class_names[label].encode() for label in found.labels] == expected["class"].tolist()
