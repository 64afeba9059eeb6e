"""Exponential, logarithm and cosine from IEEE operations alone, so that every CPU computes the same bits.

The C library and numpy choose among implementations by the instructions of the CPU (FMA, AVX-512), and these
differ in the last bit. The functions below use only additions, multiplications, divisions and shifts of bits,
in a fixed order. ``exponential`` and ``logarithm`` are for compiled code, where they vectorize.
"""

from __future__ import annotations

import math

import numpy as np

from dwn_asic.compiled import leaf

__all__ = ["cosine", "exponential", "logarithm"]

_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")  # has so few bits that products with exponents are exact
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_PER_LN2 = float.fromhex("0x1.71547652b82fep+0")
_SHIFT = 1.5 * 2.0**52  # added to a number, it leaves the nearest integer in the low bits of the sum
_LEAST = -700.0
_MANTISSA = (1 << 52) - 1
_ONE = 1023 << 52  # bits of 1.0


@leaf
def exponential(x):  # type: ignore[no-untyped-def]
    """Return e**x of a float64 below 700, with a relative error below 3e-16; x below -700 counts as -700."""
    x = max(x, _LEAST)
    shifted = x * _PER_LN2 + _SHIFT
    power = shifted - _SHIFT
    r = (x - power * _LN2_HIGH) - power * _LN2_LOW  # in [-0.35, 0.35], where the Taylor series ends early
    series = r * (1 / 6227020800) + 1 / 479001600
    series = series * r + 1 / 39916800
    series = series * r + 1 / 3628800
    series = series * r + 1 / 362880
    series = series * r + 1 / 40320
    series = series * r + 1 / 5040
    series = series * r + 1 / 720
    series = series * r + 1 / 120
    series = series * r + 1 / 24
    series = series * r + 1 / 6
    series = series * r + 1 / 2
    series = series * r + 1.0
    series = series * r + 1.0
    scale = (np.float64(shifted).view(np.int64) << 52) + _ONE
    return series * np.int64(scale).view(np.float64)


@leaf
def logarithm(x):  # type: ignore[no-untyped-def]
    """Return the natural logarithm of a normal float64 above 0, with a relative error below 1e-15."""
    bits = np.float64(x).view(np.int64)
    power = (bits >> 52) - 1023
    m = np.int64((bits & _MANTISSA) | _ONE).view(np.float64)  # x = m * 2**power, m in [1, 2)
    if m > 1.4142135623730951:
        m *= 0.5
        power += 1
    s = (m - 1.0) / (m + 1.0)  # ln m = 2 artanh s, |s| < 0.172
    q = s * s
    series = q * (1 / 21) + 1 / 19
    series = series * q + 1 / 17
    series = series * q + 1 / 15
    series = series * q + 1 / 13
    series = series * q + 1 / 11
    series = series * q + 1 / 9
    series = series * q + 1 / 7
    series = series * q + 1 / 5
    series = series * q + 1 / 3
    series = series * q + 1.0
    return power * _LN2_HIGH + (2.0 * s * series + power * _LN2_LOW)


def cosine(x: float) -> float:
    """Return the cosine of x in [-pi, pi], with an absolute error below 1e-15."""
    if abs(x) > math.pi / 2:
        return -cosine(math.pi - abs(x))
    total = term = 1.0
    for k in range(2, 26, 2):
        term *= -x * x / (k * (k - 1))
        total += term
    return total
