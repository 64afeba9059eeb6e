from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dwn_asic.encode.quantizer import MAX_INPUT_BITS, Quantizer, fit_feature

quick = settings(max_examples=60, deadline=None)  # a deadline fails on a busy machine
FINITE = st.floats(-1e150, 1e150)
INPUT_BITS = st.integers(1, MAX_INPUT_BITS)
TABLES = arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=FINITE)


def column(*values: float) -> NDArray[np.float64]:
    return np.array(values, np.float64).reshape(-1, 1)


@quick
@given(TABLES, INPUT_BITS)
def test_codes_are_in_range_and_reach_both_ends(values: NDArray[np.float64], bits: int) -> None:
    quantizer = Quantizer.fit(values, bits)
    codes = quantizer.codes(values)
    assert codes.dtype == np.int64
    assert codes.shape == values.shape
    assert ((quantizer.bits >= 1) & (quantizer.bits <= bits)).all()
    assert (quantizer.step > 0).all()
    assert codes.min() >= 0
    assert (codes < 1 << quantizer.bits).all()
    assert (codes.min(axis=0) == 0).all()
    varying = values.min(axis=0) < values.max(axis=0)
    # The top training value has the top bit set: no narrower code would do.
    assert (codes.max(axis=0)[varying] >= 1 << (quantizer.bits[varying] - 1)).all()


@quick
@given(TABLES, INPUT_BITS)
def test_codes_keep_the_order_of_values(values: NDArray[np.float64], bits: int) -> None:
    codes = Quantizer.fit(values, bits).codes(values)
    for f in range(values.shape[1]):
        assert (np.diff(codes[np.argsort(values[:, f], kind="stable"), f]) >= 0).all()


@quick
@given(TABLES, arrays(np.float64, (10, 1), elements=FINITE), INPUT_BITS)
def test_rows_outside_the_training_range_clip(
    train: NDArray[np.float64], test: NDArray[np.float64], bits: int
) -> None:
    test = np.repeat(test, train.shape[1], axis=1)
    quantizer = Quantizer.fit(train, bits)
    codes = quantizer.codes(test)
    assert codes.min() >= 0
    assert (codes < 1 << quantizer.bits).all()
    assert (codes[test <= train.min(axis=0)] == 0).all()
    top = np.broadcast_to((1 << quantizer.bits) - 1, codes.shape)
    # The training range again above itself is past the last code, also where a grid leaves codes unused.
    span = train.max(axis=0) - train.min(axis=0)
    beyond = (test >= train.max(axis=0) + span) & (span > 0)
    assert (codes[beyond] == top[beyond]).all()


@quick
@given(TABLES, INPUT_BITS)
def test_equal_input_gives_equal_output(values: NDArray[np.float64], bits: int) -> None:
    first, second = Quantizer.fit(values, bits), Quantizer.fit(values.copy(), bits)
    for name in ("lo", "step", "bits"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@quick
@given(TABLES, INPUT_BITS, st.randoms(use_true_random=False))
def test_row_order_and_repeats_do_not_matter(values: NDArray[np.float64], bits: int, random: object) -> None:
    more = np.concatenate([values[::-1], values[:3]])
    first, second = Quantizer.fit(values, bits), Quantizer.fit(more, bits)
    assert (first.lo.tolist(), first.step.tolist()) == (second.lo.tolist(), second.step.tolist())


@quick
@given(
    st.integers(1, 8).flatmap(
        lambda bits: st.tuples(
            st.just(bits), st.sets(st.integers(0, (1 << bits) - 1), min_size=2), st.integers(-1000, 1000)
        )
    ),
    st.sampled_from([1.0, 0.1, 0.01, 0.25, 3.0, 1e-9, 1e9]),
)
def test_values_on_a_grid_keep_their_points(case: tuple[int, set[int], int], step: float) -> None:
    """Integers that fit the code width get different codes, whatever their unit and offset."""
    bits, points, offset = case
    integers = np.array(sorted(points))
    values = ((integers + offset) * step).reshape(-1, 1)
    quantizer = Quantizer.fit(values, bits)
    spacing = np.gcd.reduce(np.diff(integers))
    expected = (integers - integers[0]) // spacing
    assert quantizer.codes(values)[:, 0].tolist() == expected.tolist()
    assert quantizer.bits[0] == int(expected[-1]).bit_length()
    assert quantizer.step[0] == pytest.approx(spacing * step)


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        ((0, 1), 1),
        ((3, 7), 1),
        ((1, 2, 3), 2),
        ((0, 2, 5), 3),  # a grid of step 1 although no two values are 1 apart
        ((0, 6, 10, 15), 4),
        ((1, 2, 3, 4, 5, 7, 8, 9), 4),
        ((0.1, 0.2, 0.3, 0.7), 3),
        ((-1, 0, 1), 2),
        (range(256), 8),
        (range(0, 1024, 4), 8),
    ],
)
def test_few_distinct_values_get_only_the_bits_they_need(values: tuple[float, ...], bits: int) -> None:
    quantizer = Quantizer.fit(column(*values), 8)
    assert quantizer.bits.tolist() == [bits]
    codes = quantizer.codes(column(*values))[:, 0]
    assert len(set(codes.tolist())) == len(values)


def test_single_precision_counts_as_a_grid() -> None:
    values = (np.arange(10, dtype=np.float32) * np.float32(0.1)).astype(np.float64).reshape(-1, 1)
    assert Quantizer.fit(values, 8).bits.tolist() == [4]


@pytest.mark.parametrize("values", [(0, 1, 1000), (0, 0.3, 0.7, 2**0.5), tuple(range(257))])
def test_other_values_spread_over_all_codes(values: tuple[float, ...]) -> None:
    quantizer = Quantizer.fit(column(*values), 8)
    assert quantizer.bits.tolist() == [8]
    assert quantizer.lo.tolist() == [min(values)]
    assert quantizer.step[0] == pytest.approx((max(values) - min(values)) / 255)


def test_a_near_grid_of_sixteen_bits_is_not_taken_for_one() -> None:
    """The tolerance is a fraction of a step, not of the value: 40000.4 steps is not a grid point."""
    values = column(*range(50), 40000.4)
    quantizer = Quantizer.fit(values, 16)
    assert quantizer.step[0] != pytest.approx(1.0, rel=1e-7)


def test_codes_round_to_the_nearest() -> None:
    quantizer = Quantizer.fit(column(*np.arange(0, 11)), 8)
    assert quantizer.codes(column(2.4, 2.6, -0.4, 10.4))[:, 0].tolist() == [2, 3, 0, 10]


def test_a_category_unseen_in_training_keeps_its_code_while_it_fits() -> None:
    quantizer = Quantizer.fit(column(0, 1, 2, 4), 8)
    assert quantizer.codes(column(3, 6, 7, 8, 99))[:, 0].tolist() == [3, 6, 7, 7, 7]


def test_constant_feature_has_code_zero() -> None:
    quantizer = Quantizer.fit(column(7, 7, 7), 8)
    assert quantizer.bits.tolist() == [1]
    assert quantizer.codes(column(7, 6, -1e300))[:, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "values",
    [
        (-1.7e308 / 2, 0.0, 1.7e308 / 2),
        (0.0, 5e-324, 1e-300),
        tuple(5e-324 * np.random.default_rng(0).integers(0, 5000, 600)),
        (1e16, 1e16 + 2, 1e16 + 8),
        (1.0, np.nextafter(1.0, 2.0), 1e9),
    ],
)
def test_extreme_magnitudes(values: tuple[float, ...]) -> None:
    quantizer = Quantizer.fit(column(*values), 8)
    codes = quantizer.codes(column(*values))[:, 0]
    top = (1 << int(quantizer.bits[0])) - 1
    assert 0 < quantizer.step[0] < np.inf
    assert codes.min() == 0
    assert top // 2 < codes.max() <= top
    assert quantizer.codes(column(max(values) * 2 if max(values) < 1e300 else 1.7e308))[0, 0] == top


@pytest.mark.parametrize("bits", [0, 17])
def test_width_out_of_range(bits: int) -> None:
    with pytest.raises(ValueError, match=f"input_bits is {bits}, allowed 1..16"):
        Quantizer.fit(column(0, 1), bits)


def test_no_rows() -> None:
    with pytest.raises(ValueError, match="no rows"):
        Quantizer.fit(np.empty((0, 2)), 8)


def test_columns_must_fit() -> None:
    quantizer = Quantizer.fit(np.array([[0.0, 0.0], [1.0, 2.0]]), 8)
    with pytest.raises(ValueError, match="the values have 1 columns, the quantizer has 2"):
        quantizer.codes(column(0, 1))


@quick
@given(st.integers(3, 60), st.integers(0, 1000))
def test_wide_codes_of_scattered_values_err_by_half_a_step(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(count, 1))
    quantizer = Quantizer.fit(values, 16)
    codes = quantizer.codes(values)
    assert np.abs(quantizer.lo + codes * quantizer.step - values).max() <= 0.51 * quantizer.step[0]


# ---- what is given stays -----------------------------------------------------------------------------------
@quick
@given(
    arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)),
    INPUT_BITS,
    st.none() | st.floats(-1e6, 1e6),
    st.none() | st.floats(1e-3, 1e6),
    st.none() | INPUT_BITS,
)
def test_what_is_given_of_a_feature_stays_and_the_rest_is_fitted(
    values: NDArray[np.float64], input_bits: int, lo: float | None, step: float | None, bits: int | None
) -> None:
    found = fit_feature(values, input_bits, lo=lo, step=step, bits=bits)
    for given_value, value in zip((lo, step, bits), found, strict=True):
        assert given_value is None or given_value == value
    assert found[0] == (values.min() if lo is None else lo)
    assert found[1] > 0
    assert 1 <= found[2] <= (input_bits if bits is None else bits)
    if lo is step is bits is None:
        plain = Quantizer.fit(values[:, None], input_bits)
        assert found == (plain.lo[0], plain.step[0], plain.bits[0])
    last = round((values.max() - found[0]) / found[1])
    if step is not None and bits is None and 0 < last < 1 << input_bits:
        assert found[2] == last.bit_length()  # the training values fit, and no bit is too many
    if step is None and values.max() > found[0]:
        codes = Quantizer.build([found]).codes(values[:, None])
        assert codes.max() >= 1 << (min(found[2], input_bits) - 1) if bits is None else codes.max() >= 1


@pytest.mark.parametrize(
    ("values", "given_values", "found"),
    [
        ((20.0, 30.5), {"lo": -40.0, "step": 0.5, "bits": 8}, (-40.0, 0.5, 8)),
        ((20.0, 30.5), {"lo": -40.0, "step": 0.5}, (-40.0, 0.5, 8)),  # codes up to 141
        ((20.0, 30.5), {"step": 0.5}, (20.0, 0.5, 5)),
        ((1.0, 2.0, 5.0), {"lo": 0.0}, (0.0, 1.0, 3)),
        ((1.0, 2.0, 5.0), {"lo": 3.0}, (3.0, 2.0, 1)),
        ((1.0, 2.0, 5.0), {"lo": 9.0}, (9.0, 1.0, 1)),
        ((0.0, 1.0), {"bits": 4}, (0.0, 1.0, 4)),
        ((0.0, 1.0, 2.0**0.5), {"bits": 2}, (0.0, 2.0**0.5 / 3, 2)),
        ((0.0, 1e300), {"step": 1e-300}, (0.0, 1e-300, 8)),
        ((7.0,), {"step": 2.0}, (7.0, 2.0, 1)),
    ],
)
def test_a_feature_of_which_something_is_given(
    values: tuple[float, ...], given_values: dict[str, float], found: tuple[float, float, int]
) -> None:
    assert fit_feature(np.array(values), 8, **given_values) == found  # type: ignore[arg-type]
