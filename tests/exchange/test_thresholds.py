"""Thresholds as constants of codes: right for values that equal them, and for all values of data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import LutLayer
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.exchange.codes import Windows, find_codes
from dwn_asic.exchange.foreign_model import ForeignModel
from dwn_asic.exchange.thresholds import farthest_boundary, quantize

Floats = NDArray[np.float64]


def reading_all(thresholds: Floats, scaler: tuple[Floats, Floats] | None = None) -> ForeignModel:
    """Build a model that has a LUT for each thermometer bit."""
    bits = thresholds.size
    layer = LutLayer(np.arange(bits)[:, None], np.tile([False, True], (bits, 1)))
    return ForeignModel.build(thresholds, scaler, (layer,), 2)


def model_bits(model: ForeignModel, values: Floats) -> NDArray[np.bool_]:
    single = values.astype(np.float32)[:, :, None] > model.thresholds.astype(np.float32)
    return single.reshape(len(values), -1)


def bits(coded: tuple[Quantizer, Thermometer], values: Floats) -> NDArray[np.bool_]:
    quantizer, thermometer = coded
    return thermometer.encode(quantizer.codes(values))


def quantiles(values: Floats, z: int) -> Floats:
    """Return (F, z) values of the data as torch_dwn's distributive thermometer chooses them."""
    ordered = np.sort(values.astype(np.float32), axis=0)
    return ordered[[len(values) * i // (z + 1) for i in range(1, z + 1)]].T.astype(np.float64)


def tables(rows: int = 3000) -> dict[str, Floats]:
    """Return tables of columns on grids, of continuous columns, and of both."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(rows, 6))
    return {
        "integers": rng.integers(0, 17, (rows, 6)).astype(float),
        "pixels": rng.integers(0, 256, (rows, 6)).astype(float),
        "tenths": np.round(normal * 3, 1),
        "money": np.round(np.exp(normal * 2) * 100, 2),
        "standardized": (rng.poisson(30, (rows, 6)) - 30) / np.sqrt(30),
        "logarithms": np.log1p(rng.poisson(5, (rows, 6))),
        "continuous": normal,
        "skewed": np.exp(normal * 2),
        "mixed": np.where(rng.random((rows, 6)) < 0.5, np.round(normal, 1), normal),
        "far from 0": 1000.0 + normal,
        "binary": (normal > 0.7).astype(float),
    }


@pytest.mark.parametrize("name", tables())
@pytest.mark.parametrize("z", [3, 8, 32])
def test_a_value_that_equals_its_threshold_is_on_its_side_without_data(name: str, z: int) -> None:
    values = tables()[name]
    model = reading_all(quantiles(values, z))
    coded = quantize(model, 16, None)
    assert np.array_equal(bits(coded, model.thresholds.T), model_bits(model, model.thresholds.T))
    # Decimal texts are not the numbers in single precision that thresholds are.
    near = model.thresholds.T * (1.0 - 2e-8)
    assert np.array_equal(bits(coded, near), model_bits(model, near))


@pytest.mark.parametrize("name", tables())
@pytest.mark.parametrize("z", [3, 8, 32])
def test_values_farther_than_the_stated_steps_are_right_without_data(name: str, z: int) -> None:
    model = reading_all(quantiles(tables()[name], z))
    coded = quantize(model, 16, None)
    steps = farthest_boundary(model, *coded)
    thresholds, step = model.thresholds, coded[0].step[:, None]
    assert 0.0 < steps <= 1.0 + (model.ties / step).max()
    for sign in (-1.0, 1.0):
        values = (thresholds + sign * (steps + 1e-6) * step + sign * 2 * model.ties).T
        assert np.array_equal(bits(coded, values), model_bits(model, values))


@pytest.mark.parametrize("name", tables())
def test_few_thresholds_are_exact_to_half_a_step_without_data(name: str) -> None:
    model = reading_all(quantiles(tables()[name], 4))
    quantizer, thermometer = quantize(model, 16, None)
    ties = (model.ties / quantizer.step[:, None]).max()
    assert farthest_boundary(model, quantizer, thermometer) <= 0.5001 + ties


@pytest.mark.parametrize("name", tables())
@pytest.mark.parametrize("z", [8, 32])
def test_few_bits_of_unseen_rows_differ_without_data(name: str, z: int) -> None:
    values = tables()[name]
    model = reading_all(quantiles(values[:2000], z))
    unseen = values[2000:]
    differing = bits(quantize(model, 16, None), unseen) != model_bits(model, unseen)
    assert differing.sum(axis=1).mean() <= 0.03


@pytest.mark.parametrize("name", ["integers", "pixels", "tenths", "standardized", "binary"])
@pytest.mark.parametrize("z", [8, 32])
def test_all_values_on_a_grid_are_right_without_data(name: str, z: int) -> None:
    values = tables()[name]
    model = reading_all(quantiles(values[:2000], z))
    assert np.array_equal(bits(quantize(model, 16, None), values), model_bits(model, values))


@pytest.mark.parametrize("name", tables())
@pytest.mark.parametrize("z", [3, 8, 32])
def test_all_bits_are_right_on_the_data(name: str, z: int) -> None:
    values = tables()[name]
    model = reading_all(quantiles(values[:1500], z))
    coded = quantize(model, 16, values)
    wrong = (bits(coded, values) != model_bits(model, values)).sum()
    # Over four powers of ten 16 bits are not enough for neighbours of 32 thresholds.
    assert wrong == 0 or (
        z == 32 and name in {"money", "skewed"} and wrong < 1e-4 * model.thresholds.size * 3000
    )


@pytest.mark.parametrize("name", sorted(tables().keys() - {"money", "skewed"}))
def test_codes_reach_over_the_data(name: str) -> None:
    values = tables()[name]
    quantizer, _ = quantize(reading_all(quantiles(values[:1500], 8)), 16, values)
    errors = quantizer.lo + quantizer.step * quantizer.codes(values) - values
    assert (np.abs(errors) <= 0.5001 * quantizer.step).all()


def test_thresholds_and_values_between_the_points_of_a_grid() -> None:
    """The data tells on which side of an interpolated quantile each point lies."""
    model = reading_all(np.array([[0.5, 1.3, 1.9, 7.0, 20.0, -1.0]]))
    values = np.array([[0.0], [1.0], [2.0], [3.0], [7.0], [9.0]])
    coded = quantize(model, 16, values)
    assert np.array_equal(bits(coded, values), model_bits(model, values))
    assert coded[0].bits.tolist() == [4]


def test_narrow_codes_for_coarse_grids() -> None:
    """Without data, a feature of 17 values needs 5 bits, and a feature of two values needs one."""
    model = reading_all(np.array([[1.0, 3.0, 4.0, 9.0, 16.0], [0.0] * 5]))
    quantizer, thermometer = quantize(model, 16, None)
    assert quantizer.bits[0] <= 5
    assert quantizer.bits[1] == 1
    assert thermometer.constant[5:].tolist() == [1] * 5


@pytest.mark.parametrize("input_bits", [1, 2, 4, 8, 12])
@pytest.mark.parametrize("data", [False, True])
def test_input_bits_are_a_limit(input_bits: int, data: bool) -> None:
    values = tables(1000)["continuous"]
    model = reading_all(quantiles(values, 16))
    quantizer, thermometer = coded = quantize(model, input_bits, values if data else None)
    assert quantizer.bits.max() <= input_bits
    assert (thermometer.constant >= 0).all()
    assert (thermometer.constant <= 1 << quantizer.bits[thermometer.feature]).all()
    differing = bits(coded, values) != model_bits(model, values)
    assert differing.mean() <= 1.5 / (1 << input_bits)


def test_bits_that_nothing_reads_cost_no_width() -> None:
    """One LUT reads two of 30 thresholds: two bits of code are enough to tell them apart."""
    thresholds = np.sort(np.random.default_rng(1).normal(size=(1, 30)))
    layer = LutLayer(np.array([[4, 25]]), np.array([[False, True, True, True]]))
    model = ForeignModel.build(thresholds, None, (layer,), 2)
    quantizer, _ = quantize(model, 16, None)
    assert quantizer.bits[0] <= 4


def test_a_scaler_s_rounding_does_not_put_equal_values_on_the_other_side() -> None:
    rng = np.random.default_rng(2)
    values = np.round(rng.normal(200.0, 3.0, (2000, 4)), 1)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    single = ((values.astype(np.float32) - mean.astype(np.float32)) / scale.astype(np.float32)).astype(float)
    model = reading_all(quantiles(single, 8), (mean, scale))
    want = single.astype(np.float32)[:, :, None] > quantiles(single, 8).astype(np.float32)
    for data in (None, values):
        assert np.array_equal(bits(quantize(model, 16, data), values), want.reshape(len(values), -1))


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=12),
    st.lists(st.floats(-1e6, 1e6, width=32), max_size=20),
    st.integers(1, 16),
    st.booleans(),
)
def test_any_thresholds_and_data(
    thresholds: list[float], others: list[float], input_bits: int, with_data: bool
) -> None:
    model = reading_all(np.array([thresholds]))
    data = np.array([*thresholds, *others])[:, None]
    quantizer, thermometer = coded = quantize(model, input_bits, data if with_data else None)
    assert (quantizer.step > 0).all()
    assert quantizer.bits.max() <= input_bits
    # A code with an ordering of its own: constants rise with thresholds, and equal ones are equal.
    order = np.argsort(thresholds, kind="stable")
    assert (np.diff(thermometer.constant[order]) >= 0).all()
    own = bits(coded, model.thresholds.T.repeat(1, axis=0).reshape(-1, 1))
    assert not own[np.arange(len(thresholds)), np.arange(len(thresholds))].any()


def test_codes_of_one_threshold_need_one_bit() -> None:
    windows = Windows(np.array([3.0]), np.array([3.5]), np.array([1.0]), 3.0, 3.0)
    codes = find_codes(windows, 1, 16, np.random.default_rng(0))
    assert (codes.bits, codes.constants.tolist()) == (1, [1])
    boundary = codes.lo + codes.step / 2
    assert 3.0 < boundary <= 3.5


def test_codes_prefer_constants_of_few_gates() -> None:
    """Three thresholds at quarters of the range become comparisons of few code bits."""
    low = np.array([2.0, 4.0, 6.0])
    windows = Windows(low, low + 0.5, np.ones(3), 0.0, 7.5)
    codes = find_codes(windows, 1, 16, np.random.default_rng(0))
    assert codes.bits <= 3
    assert sum(codes.bits - (c & -c).bit_length() for c in codes.constants.tolist()) <= 3
