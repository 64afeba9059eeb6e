from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.boolean.graph import GraphBuilder, Interface
from dwn_asic.methods.parts.bucket_code import BucketCode


def columns(n_rows: int = 400) -> np.ndarray:
    """Return the codes of a feature of many values, one of three, and one that does not vary."""
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 256, n_rows) ** 2 // 256
    return np.stack([wide, rng.integers(0, 3, n_rows), np.full(n_rows, 5)], axis=1)


WIDTHS = np.array([8, 2, 3])


def bucket_numbers(code: BucketCode, codes: np.ndarray, feature: int) -> np.ndarray:
    of_feature = code.thermometer.feature == feature
    return code.thermometer.encode(codes)[:, of_feature].sum(1)


@pytest.mark.parametrize("cuts", ["quantile", "equal_width"])
@pytest.mark.parametrize("bits", [2, 4])
def test_binary_and_gray_spell_the_bucket_s_number(cuts, bits):
    codes = columns()
    for name in ("binary", "gray"):
        code = BucketCode.fit(codes, WIDTHS, cuts=cuts, code=name, bits=bits)
        number = bucket_numbers(code, codes, 0)
        assert number.max() == (1 << bits) - 1
        expected = number ^ (number >> 1) if name == "gray" else number
        spelled = code.encode(codes)[:, :bits] @ (1 << np.arange(bits))
        assert np.array_equal(spelled, expected)


def test_gray_neighbours_differ_in_one_bit():
    codes = columns()
    code = BucketCode.fit(codes, WIDTHS, cuts="quantile", code="gray", bits=4)
    order = np.argsort(bucket_numbers(code, codes, 0))
    steps = np.diff(code.encode(codes)[order, :4].astype(int), axis=0)
    assert set(np.abs(steps).sum(1).tolist()) == {0, 1}


@pytest.mark.parametrize("bits", [2, 4])
def test_one_hot_sets_one_bit_of_each_feature_that_varies(bits):
    codes = columns()
    code = BucketCode.fit(codes, WIDTHS, cuts="quantile", code="onehot", bits=bits)
    bits_of_first = code.encode(codes)[:, :bits]
    assert (bits_of_first.sum(1) == 1).all()
    assert np.array_equal(bits_of_first.argmax(1), bucket_numbers(code, codes, 0))
    assert np.bincount(bits_of_first.argmax(1)).min() > 0.8 * len(codes) / bits  # equal shares


def test_equal_width_and_quantile_cut_at_other_places():
    codes = columns()
    equal, quantile = (
        BucketCode.fit(codes, WIDTHS, cuts=cuts, code="binary", bits=2).thermometer.constant[:3]
        for cuts in ("equal_width", "quantile")
    )
    assert np.ptp(np.diff(equal)) <= 1  # the same distance
    assert np.ptp(np.diff(quantile)) > 10


@pytest.mark.parametrize("name", ["thermometer", "onehot", "binary", "gray"])
@pytest.mark.parametrize("bits", [2, 4])
def test_the_graph_gives_the_same_bits(name, bits):
    codes = columns()
    code = BucketCode.fit(codes, WIDTHS, cuts="quantile", code=name, bits=bits)
    assert len(code) == code.encode(codes).shape[1]
    for number in range(len(code)):
        builder = GraphBuilder(Interface(("a", "b", "c"), (8, 2, 3), ("no", "yes")))
        graph = builder.finish([code.add_line(number, builder)])
        assert np.array_equal(graph.predict(codes), code.encode(codes)[:, number])


def test_features_that_do_not_vary_have_no_bits():
    code = BucketCode.fit(np.full((10, 3), 1), WIDTHS, cuts="quantile", code="binary", bits=4)
    assert len(code) == 0
    assert code.encode(np.full((10, 3), 1)).shape == (10, 0)
