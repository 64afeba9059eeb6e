import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from dwn_asic.elementary import cosine, exponential, logarithm


@njit
def exponentials(values):
    found = np.empty_like(values)
    for i in range(len(values)):
        found[i] = exponential(values[i])
    return found


@njit
def logarithms(values):
    found = np.empty_like(values)
    for i in range(len(values)):
        found[i] = logarithm(values[i])
    return found


def relative_error(found, exact):
    return abs(Decimal(float(found)) / exact - 1)


@given(st.floats(-700.0, 700.0))
def test_exponential_is_accurate_to_the_last_bit_or_two(x):
    with localcontext(prec=40):
        exact = Decimal(x).exp()
        assert relative_error(exponentials(np.array([x]))[0], exact) < 3e-16


@given(st.floats(1e-300, 1e300))
def test_logarithm_is_accurate_to_some_bits(x):
    with localcontext(prec=40):
        exact = Decimal(x).ln()
        found = logarithms(np.array([x]))[0]
        assert found == 0.0 if exact == 0 else relative_error(found, exact) < 1e-15


def test_a_dense_range_agrees_with_numpy():
    x = np.linspace(-30.0, 5.0, 100_001)
    np.testing.assert_allclose(exponentials(x), np.exp(x), rtol=5e-16)
    x = np.linspace(0.5, 30.0, 100_001)
    np.testing.assert_allclose(logarithms(x), np.log(x), rtol=1e-15)


def test_special_values():
    found = exponentials(np.array([0.0, -0.0, -1e6, -math.inf]))
    assert found[:2].tolist() == [1.0, 1.0]
    assert (found[2:] < 1e-300).all()
    assert logarithms(np.array([1.0, 2.0])).tolist() == [0.0, math.log(2.0)]


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.3, math.pi / 4, math.pi / 2, 2.0, 3.0, math.pi])
def test_cosine(x):
    assert cosine(x) == pytest.approx(math.cos(x), abs=1e-15)
    assert cosine(-x) == cosine(x)
    assert cosine(0.0) == 1.0
