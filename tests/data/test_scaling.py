"""The scaling that a flow asks for: codes as they are, single features, and what a run says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pydantic import ValidationError

from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.data.scaling import scaling_lines
from dwn_asic.encode.config import EncoderConfig, QuantizerConfig
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import ConfigError, DataError, DwnAsicError

ADC = "adc,temperature,colour,class\n" + "".join(
    f"{4095 - 100 * n},{n / 4 - 3},{('red', 'green', 'blue')[n % 3]},{n % 2}\n" for n in range(24)
)
HALF_DEGREES = {"temperature": {"lo": -40, "step": 0.5, "bits": 8}}


def read(text: str = ADC, **encoder: Any) -> Dataset:
    Path("t.csv").write_text(text)
    config = EncoderConfig.model_validate(encoder)
    return prepare(DataConfig(source="csv:t.csv"), config, 0)


def refused(text: str = ADC, **encoder: Any) -> DwnAsicError:
    with pytest.raises((ConfigError, DataError)) as caught:
        read(text, **encoder)
    assert "\n" not in str(caught.value)
    return caught.value


# ---- codes -------------------------------------------------------------------------------------------------
def test_a_code_is_the_value_itself() -> None:
    dataset = read(scaling="codes", input_bits=12, features=HALF_DEGREES)
    assert dataset.codes[:, 0].tolist() == [4095 - 100 * n for n in range(24)]
    quantizer = dataset.quantizer
    assert (quantizer.lo[0], quantizer.step[0], quantizer.bits[0]) == (0.0, 1.0, 12)
    # A text column has the codes of its categories, in the bits that they need.
    assert dataset.codes[:6, 2].tolist() == [2, 1, 0, 2, 1, 0]
    assert quantizer.bits.tolist() == [12, 8, 2]


@given(
    st.integers(1, 16).flatmap(
        lambda bits: st.tuples(
            st.just(bits),
            arrays(
                np.int64, st.tuples(st.just(12), st.integers(1, 3)), elements=st.integers(0, (1 << bits) - 1)
            ),
        )
    )
)
def test_codes_of_any_width_are_kept_whatever_rows_are_for_training(
    case: tuple[int, NDArray[np.int64]],
) -> None:
    bits, codes = case
    dataset = Dataset.from_arrays(codes, np.arange(12) % 2, scaling="codes", input_bits=bits)
    assert dataset.codes.tolist() == codes.tolist()
    assert set(dataset.quantizer.bits.tolist()) == {bits}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("4096", "4096 is not a code of 12 bits, an integer from 0 to 4095 ("),
        ("-1", "-1 is not a code of 12 bits, an integer from 0 to 4095 ("),
        ("7.5", "7.5 is not a code of 12 bits, an integer from 0 to 4095 ("),
    ],
)
@pytest.mark.parametrize("row", range(1, 25, 6))  # in whatever part it is
def test_a_value_that_is_no_code_is_named(value: str, says: str, row: int) -> None:
    lines = ADC.splitlines()
    lines[row] = ",".join([value, *lines[row].split(",")[1:]])
    error = refused("\n".join(lines) + "\n", scaling="codes", input_bits=12, features=HALF_DEGREES)
    assert isinstance(error, DataError)
    assert (error.file, error.row, error.column) == ("t.csv", row, "adc")
    assert error.problem.startswith(says)


def test_a_row_of_a_part_s_file_is_named_there() -> None:
    for name, last in (("t", 7), ("u", 300)):
        Path(f"{name}.csv").write_text("x,class\n" + "1,0\n2,1\n" * 4 + f"{last},1\n")
    data = DataConfig(source="csv:t.csv", test="csv:u.csv")
    with pytest.raises(DataError, match=r"^u\.csv, row 9, column x: 300 is not a code of 8 bits"):
        prepare(data, QuantizerConfig(scaling="codes"), 0)


def test_a_missing_cell_is_no_code_and_is_filled() -> None:
    text = ADC.replace("4095,", ",", 1)
    Path("t.csv").write_text(text)
    config = QuantizerConfig.model_validate({"scaling": "codes", "input_bits": 12, "features": HALF_DEGREES})
    dataset = prepare(DataConfig(source="csv:t.csv", impute="median"), config, 0)
    assert dataset.codes[0, 0] == np.round(np.median(dataset.table.values[dataset.split.train, 0]))


# ---- single features ---------------------------------------------------------------------------------------
def test_a_feature_with_a_scaling_of_its_own() -> None:
    dataset = read(features=HALF_DEGREES)
    assert dataset.codes[:, 1].tolist() == [*np.round(np.arange(24) / 2 + 74)]
    plain = read()
    for f in (0, 2):
        assert dataset.codes[:, f].tolist() == plain.codes[:, f].tolist()


def test_a_feature_whose_codes_have_another_width() -> None:
    text = ADC.replace("temperature", "small").replace("0.25", "1").replace("0.5", "2").replace("0.75", "3")
    lines = [line.split(",") for line in text.splitlines()]
    text = (
        "\n".join(",".join([a, b if n == 0 else str(n % 4), c, d]) for n, (a, b, c, d) in enumerate(lines))
        + "\n"
    )
    dataset = read(text, scaling="codes", input_bits=12, features={"small": {"bits": 2}})
    assert dataset.quantizer.bits.tolist() == [12, 2, 2]
    error = refused(text, scaling="codes", input_bits=12, features={"small": {"bits": 1}})
    assert "row 2, column small: 2 is not a code of 1 bit, an integer from 0 to 1" in str(error)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (
            {"temper": {"lo": 1}},
            "csv:t.csv: encoder.features.temper: is not the name of a feature (allowed: adc, ",
        ),
        (
            {"class": {"lo": 1}},
            "csv:t.csv: encoder.features.class: is not the name of a feature (allowed: adc, temp",
        ),
        (
            {"colour": {"bits": 2}},
            "csv:t.csv: encoder.features.colour: is a text column, whose codes are those of its categories",
        ),
    ],
)
def test_a_feature_that_has_no_scaling_of_its_own(features: dict[str, Any], says: str) -> None:
    assert str(refused(features=features)).startswith(says)


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({}, "at least one of lo, step and bits"),
        ({"step": 0}, "greater than 0"),
        ({"step": float("inf")}, "finite"),
        ({"lo": float("nan")}, "finite"),
        ({"bits": 17}, "less than or equal to 16"),
        ({"hi": 3}, "not permitted"),
    ],
)
def test_a_scaling_that_is_none(own: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        QuantizerConfig.model_validate({"features": {"x": own}})


def test_the_default_is_the_quantizer_s_own_fit() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), rng.integers(0, 5, 60), np.full(60, 3.0)])
    dataset = Dataset.from_arrays(X, np.arange(60) % 2)
    expected = Quantizer.fit(X[dataset.split.train], 8)
    for name in ("lo", "step", "bits"):
        assert getattr(dataset.quantizer, name).tobytes() == getattr(expected, name).tobytes()


def test_a_frame_of_sensor_data() -> None:
    n = np.arange(40)
    frame = pd.DataFrame({"adc": n * 25, "colour": np.array(["red", "blue"])[n % 2], "t": n / 8})
    dataset = Dataset.from_arrays(
        frame, n % 2, scaling="codes", input_bits=10, features={"t": {"step": 0.125}}
    )
    assert dataset.codes.tolist() == [[25 * k, 1 - k % 2, k] for k in range(40)]
    with pytest.raises(DataError, match=r"arrays, row 2, column t: 0\.125 is not a code of 10 bits"):
        Dataset.from_arrays(frame, n % 2, scaling="codes", input_bits=10)
    with pytest.raises(ConfigError, match="arrays: scaling: is 'code'"):
        Dataset.from_arrays(frame, n % 2, scaling="code")  # type: ignore[arg-type]


# ---- what is said of it ------------------------------------------------------------------------------------
def lines(dataset: Dataset, most: int = 24) -> list[str]:
    return [*scaling_lines(dataset.table, dataset.quantizer, most)]


def test_what_codes_stand_for() -> None:
    assert lines(read(scaling="codes", input_bits=12, features=HALF_DEGREES)) == [
        "adc: codes 0 to 4095, the value itself",
        "temperature: codes 0 to 255 for -40 to 87.5, step 0.5",
        "colour: code 0 for blue, 1 for green, 2 for red",
    ]
    assert lines(read("x,y,class\n" + "3.5,0,a\n4.5,1,b\n" * 5)) == [
        "x: code 0 or 1 for 3.5 to 4.5, step 1",
        "y: code 0 or 1, the value itself",
    ]


def test_many_features_take_few_lines() -> None:
    X = np.arange(40.0)[:, None] * np.arange(1, 131)
    equal = Dataset.from_arrays(X * 0 + np.arange(40)[:, None], np.arange(40) % 2)
    assert lines(equal) == ["x0, x1 and 128 more: codes 0 to 63, the value itself"]
    different = lines(Dataset.from_arrays(X, np.arange(40) % 2))
    assert len(different) == 24
    assert different[0] == "x0: codes 0 to 63, the value itself"
    assert different[-1] == "and 107 more features, 6 bits each"
    assert len(lines(Dataset.from_arrays(X[:, :24], np.arange(40) % 2))) == 24
