"""PLA files: binary tables, inputs that stand for both values, several outputs, and mistakes."""

from __future__ import annotations

import gzip
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import prepare
from dwn_asic.data.sources import load_table
from dwn_asic.data.table import Table
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError

HEADER = ".i 3\n.o 1\n.type fr\n"
ROWS = "".join(f"{a}{b}{c} {a ^ b}\n" for a, b, c in product((0, 1), repeat=3))
GOOD = f"{HEADER}.p 8\n{ROWS}.e\n"


def load(text: str | bytes, name: str = "t.pla", **config: Any) -> Table:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load_table(DataConfig.model_validate({"source": f"pla:{name}", **config}))


def fault(text: str, **config: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(text, **config)
    message = str(caught.value)
    assert message.startswith("t.pla")
    assert "\n" not in message
    return message.removeprefix("t.pla").removeprefix(": ")


def test_a_table() -> None:
    table = load(GOOD)
    assert table.values.tolist() == [list(row) for row in product((0, 1), repeat=3)]
    assert table.labels.tolist() == [0, 0, 1, 1, 1, 1, 0, 0]
    assert (table.feature_names, table.class_names) == (("x0", "x1", "x2"), ("0", "1"))
    assert table.source == "pla:t.pla"


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(" 0\n", "|0\n").replace(" 1\n", "\t1 # one\n"),
        GOOD.replace("000 0", "0 0 0 0").replace("111 0", "1110"),
        "# a comment\n\n" + GOOD.replace(".e", ".end").replace("type fr", "type fdr"),
        GOOD.replace(".e\n", "").replace(".p 8\n", ""),
    ],
)
def test_other_ways_to_write_it(text: str) -> None:
    found, expected = load(text), load(GOOD)
    assert found.values.tolist() == expected.values.tolist()
    assert found.labels.tolist() == expected.labels.tolist()
    assert load(gzip.compress(text.encode()), "t.pla.gz").labels.tolist() == expected.labels.tolist()


def test_names_and_several_outputs() -> None:
    rows = "".join(f"{a}{b} {a & b}{a | b}\n" for a, b in [*product((0, 1), repeat=2)] * 3)
    text = f".i 2\n.o 2\n.ilb p q\n.ob all any\n.type fr\n{rows}.e\n"
    assert fault(text) == "there are 2 outputs; set data.label to one of all, any"
    assert fault(text, label="y0") == "there is no output 'y0' (set data.label); its outputs: all, any"
    assert load(text, label="any").labels.tolist() == [0, 1, 1, 1] * 3
    table = load(text, label="all")
    assert (table.feature_names, table.labels.tolist()) == (("p", "q"), [0, 0, 0, 1] * 3)
    assert load(text.replace(".ob all any\n", ""), label="y1").labels.tolist() == [0, 1, 1, 1] * 3


def test_a_row_that_says_nothing_of_the_output_is_left_out() -> None:
    text = HEADER + ROWS + "0-- -\n111 ~\n.e\n"
    assert load(text).values.tolist() == load(GOOD).values.tolist()


@given(st.lists(st.tuples(st.text("01-", min_size=4, max_size=4), st.sampled_from("01")), max_size=12))
def test_an_open_input_stands_for_both_values(cubes: list[tuple[str, str]]) -> None:
    cubes = [*cubes, ("0--0", "0"), ("1--1", "1")]
    table = load(".i 4\n.o 1\n.type fr\n" + "".join(f"{cube} {label}\n" for cube, label in cubes))
    expected = [
        (*bits, int(label))
        for cube, label in cubes
        for bits in product(*({"-": (0, 1)}.get(each, (int(each == "1"),)) for each in cube))
    ]
    assert sorted(
        (*row, label) for row, label in zip(table.values.tolist(), table.labels, strict=True)
    ) == sorted(expected)


def test_too_many_open_inputs() -> None:
    text = f".i 21\n.o 1\n.type fr\n{'0' * 21} 0\n{'1' * 10}{'-' * 11} 1\n"
    assert fault(text) == ", row 2: has 11 inputs with -, at most 10 are supported; write out its rows"
    many = ".i 10\n.o 1\n.type fr\n" + f"{'-' * 10} 1\n" * 1025
    assert fault(many).startswith("inputs with - expand to 1049600 rows, at most 1048576 are supported")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no rows; it is not a PLA file or is truncated"),
        (HEADER + ".e\n", "has no rows; it is not a PLA file or is truncated"),
        ("a,b,class\n1,2,x\n", ", row 1: comes before .i and .o; is this a PLA file?"),
        (
            GOOD.replace(".type fr\n", ""),
            "type fd (default: fd) does not list the rows of class 0; expected",
        ),
        (
            GOOD.replace("fr", "fd"),
            "type fd (default: fd) does not list the rows of class 0; expected .type",
        ),
        (GOOD.replace(".p 8", ".p 9"), ".p declares 9 rows, but there are 8; the file may be truncated"),
        (GOOD.replace(".i 3", ".i three"), "line 1: expected a number after .i"),
        (GOOD.replace(".i 3", ".i 0"), "line 1: expected a number after .i"),
        (GOOD.replace(".i 3", ".i 4"), ", row 1: has 4 characters; expected 4 inputs and 1 outputs"),
        (GOOD.replace("010 1", "012 1"), ", row 3: '2' is not a valid cell (allowed: 0, 1, -)"),
        (GOOD.replace("010 1", "010 x"), ", row 3: 'x' is not a valid cell (allowed: 0, 1, -, ~)"),
        (GOOD.replace("010 1", "~10 1"), ", row 3: '~' is not a valid cell (allowed: 0, 1, -)"),
        (
            GOOD.replace(".type fr", ".mv 3"),
            "line 3: '.mv 3' is not supported (allowed: .i, .o, .p, .ilb, .ob, .type, .e)",
        ),
        (GOOD + "000 1\n", "line 14: there is text after .e"),
        (GOOD.replace(".type", ".ilb a b\n.type"), "2 names for 3 columns of .i"),
        (GOOD.replace(".type", ".ilb a b a\n.type"), "two columns of .i have the same name"),
        (HEADER + "000 1\n" * 3, ", column y0: only one class, '1'"),
    ],
)
def test_a_wrong_file(text: str, says: str) -> None:
    assert fault(text).startswith(says)


def test_each_input_is_one_bit_without_any_setting() -> None:
    for name in ("train", "test"):
        Path(f"{name}.pla").write_text(HEADER + ROWS * 5 + ".e\n")
    dataset = prepare(DataConfig(source="pla:train.pla", test="pla:test.pla"), EncoderConfig(), 0)
    assert [len(dataset.split.rows(part)) for part in ("train", "val", "test")] == [32, 8, 40]  # type: ignore[arg-type]
    assert dataset.codes.tolist() == dataset.table.values.tolist()
    assert dataset.quantizer.bits.tolist() == [1, 1, 1]
    codes = dataset.part("train")[0]
    thermometer = Thermometer.fit(codes, dataset.quantizer.bits, kind="distributive", bits=32)
    assert (thermometer.feature.tolist(), thermometer.constant.tolist()) == ([0, 1, 2], [1, 1, 1])
    assert np.array_equal(thermometer.encode(dataset.codes), dataset.table.values)
