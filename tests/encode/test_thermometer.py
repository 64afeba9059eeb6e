from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dwn_asic.encode.thermometer import Thermometer, ThermometerKind

quick = settings(max_examples=60, deadline=None)  # a deadline fails on a busy machine
KINDS: tuple[ThermometerKind, ...] = get_args(ThermometerKind)
kinds = pytest.mark.parametrize("kind", KINDS)


@st.composite
def coded(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw (N, F) codes and their (F,) widths."""
    widths = np.array(draw(st.lists(st.integers(1, 10), min_size=1, max_size=4)), np.int64)
    rows = draw(st.integers(1, 40))
    columns = [draw(arrays(np.int64, rows, elements=st.integers(0, (1 << int(w)) - 1))) for w in widths]
    return np.column_stack(columns), widths


def constants(column: NDArray[np.int64], kind: ThermometerKind, bits: int) -> list[int]:
    width = max(1, int(column.max()).bit_length())
    fitted = Thermometer.fit(column.reshape(-1, 1), np.array([width]), kind=kind, bits=bits)
    return fitted.constant.tolist()


@kinds
@quick
@given(coded(), st.integers(1, 40))
def test_constants_ascend_and_fit_the_code(
    kind: ThermometerKind, case: tuple[NDArray[np.int64], NDArray[np.int64]], bits: int
) -> None:
    codes, widths = case
    fitted = Thermometer.fit(codes, widths, kind=kind, bits=bits)
    assert fitted.feature.dtype == fitted.constant.dtype == np.int64
    assert len(fitted) == len(fitted.feature) == len(fitted.constant)
    assert (np.diff(fitted.feature) >= 0).all()
    for f, width in enumerate(widths):
        mine = fitted.constant[fitted.feature == f]
        assert len(mine) <= bits
        assert (np.diff(mine) > 0).all()
        assert (mine >= 1).all()
        assert (mine <= (1 << width) - 1).all()


@kinds
@quick
@given(coded(), st.integers(1, 40))
def test_bits_are_monotone_within_a_feature_and_none_is_constant_in_training(
    kind: ThermometerKind, case: tuple[NDArray[np.int64], NDArray[np.int64]], bits: int
) -> None:
    codes, widths = case
    fitted = Thermometer.fit(codes, widths, kind=kind, bits=bits)
    encoded = fitted.encode(codes)
    assert encoded.shape == (len(codes), len(fitted))
    assert encoded.dtype == np.bool_
    for t in range(1, len(fitted)):
        if fitted.feature[t] == fitted.feature[t - 1]:
            assert not (encoded[:, t] & ~encoded[:, t - 1]).any()  # bit t implies bit t - 1
    assert encoded.any(axis=0).all()
    assert not encoded.all(axis=0).any()


@kinds
@quick
@given(coded(), st.integers(1, 40))
def test_equal_input_gives_equal_output(
    kind: ThermometerKind, case: tuple[NDArray[np.int64], NDArray[np.int64]], bits: int
) -> None:
    codes, widths = case
    first = Thermometer.fit(codes, widths, kind=kind, bits=bits)
    second = Thermometer.fit(codes[::-1].copy(), widths, kind=kind, bits=bits)
    assert first.constant.tolist() == second.constant.tolist()
    assert first.feature.tolist() == second.feature.tolist()


@quick
@given(coded())
def test_distributive_with_enough_bits_tells_all_codes_apart(
    case: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    codes, widths = case
    fitted = Thermometer.fit(codes, widths, kind="distributive", bits=len(codes))
    levels = [
        fitted.encode(codes)[:, fitted.feature == f].sum(axis=1).tolist() for f in range(codes.shape[1])
    ]
    ranks = [np.unique(codes[:, f], return_inverse=True)[1].tolist() for f in range(codes.shape[1])]
    assert levels == ranks


@quick
@given(st.integers(2, 40), st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_distributive_cuts_are_the_nearest_to_equal_shares(distinct: int, bits: int, seed: int) -> None:
    """Each cut leaves that number of rows below it which is closest to its share."""
    generator = np.random.default_rng(seed)
    column = generator.integers(0, 3 * distinct, 60) ** 2 // 7
    seen = np.unique(column)
    if len(seen) <= bits + 1:
        assert constants(column, "distributive", bits) == seen[1:].tolist()
        return
    wanted = set()
    for k in range(1, bits + 1):
        off = [(abs((column < cut).sum() * (bits + 1) - len(column) * k), cut) for cut in seen[1:]]
        wanted.add(int(min(off)[1]))
    assert constants(column, "distributive", bits) == sorted(wanted)


def test_distributive_shares_of_an_even_spread() -> None:
    column = np.arange(100)
    assert constants(column, "distributive", 3) == [25, 50, 75]


@pytest.mark.parametrize("mirrored", [False, True])
def test_distributive_keeps_the_cut_beside_a_code_that_most_rows_have(mirrored: bool) -> None:
    """A mostly empty column tells zero from other values, although its quantiles are all zero."""
    column = np.concatenate([np.zeros(900, np.int64), np.arange(1, 101)])
    cut = 1
    if mirrored:
        column, cut = 100 - column, 100
    assert cut in constants(column, "distributive", 8)


def test_uniform_distances_are_exact() -> None:
    assert constants(np.arange(11), "uniform", 9) == list(range(1, 10))
    assert constants(np.array([10, 20]), "uniform", 4) == [12, 14, 16, 18]
    assert constants(np.array([0, 10]), "uniform", 2) == [4, 7]  # 3.33 and 6.67, rounded up


def test_gaussian_constants_follow_mean_and_deviation() -> None:
    column = np.array([90, 110] * 50)  # mean 100, deviation 10
    # Quartiles of a normal distribution: 100 - 6.745, 100, 100 + 6.745, rounded up.
    assert constants(column, "gaussian", 3) == [94, 100, 107]


@kinds
def test_constant_feature_has_no_bit(kind: ThermometerKind) -> None:
    codes = np.array([[0, 5], [0, 6], [0, 7]])
    fitted = Thermometer.fit(codes, np.array([1, 3]), kind=kind, bits=4)
    assert set(fitted.feature.tolist()) == {1}


@kinds
def test_all_features_constant(kind: ThermometerKind) -> None:
    fitted = Thermometer.fit(np.zeros((3, 2), np.int64), np.array([1, 1]), kind=kind, bits=4)
    assert len(fitted) == 0
    assert fitted.encode(np.zeros((5, 2), np.int64)).shape == (5, 0)


def test_one_bit_feature_has_one_bit() -> None:
    for kind in KINDS:
        assert constants(np.array([0, 1, 1, 0]), kind, 8) == [1]


def test_encode_is_greater_or_equal() -> None:
    thermometer = Thermometer(np.array([0, 0, 1]), np.array([2, 3, 1]))
    bits = thermometer.encode(np.array([[1, 0], [2, 1], [3, 0]]))
    assert bits.astype(int).tolist() == [[0, 0, 0], [1, 0, 1], [1, 1, 0]]


def test_bits_out_of_range() -> None:
    with pytest.raises(ValueError, match="thermometer bits is 0; allowed: 1 or more"):
        Thermometer.fit(np.zeros((1, 1), np.int64), np.array([1]), kind="uniform", bits=0)
