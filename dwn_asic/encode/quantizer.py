"""Quantizer: conversion of feature values to unsigned integer codes, as of an ADC or in a register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_INPUT_BITS", "Quantizer", "fit_feature"]

MAX_INPUT_BITS = 16

_GRID_TOLERANCE = 1e-3
"""Tolerated deviation from a grid, as a share of its step, for decimal texts and float32 values."""


@dataclass(frozen=True)
class Quantizer:
    """The scaling of each feature: ``code = clip(round((v - lo) / step), 0, 2**bits - 1)``.

    Attributes
    ----------
    lo
        (F,) float64, feature values of code 0.
    step
        (F,) float64, greater than 0: differences between the feature values of neighbouring codes.
    bits
        (F,) int64, 1..16: widths of the codes in bits.
    """

    lo: NDArray[np.float64]
    step: NDArray[np.float64]
    bits: NDArray[np.int64]

    @classmethod
    def fit(cls, values: NDArray[np.float64], input_bits: int) -> Quantizer:
        """Fit the quantizer to training rows.

        A feature whose training values lie on a regular grid of at most ``2**input_bits`` points (binary
        columns, category codes, small counts; points may be unused) keeps exactly those points and gets only
        the bits that they need. For every other feature, ``2**input_bits`` codes are spread evenly between
        its smallest and largest value. A constant feature gets one bit, which is 0 in all training rows.

        Parameters
        ----------
        values
            (N, F) finite feature values of the training split.
        input_bits
            Maximum width of a code in bits, 1..16.
        """
        if not 1 <= input_bits <= MAX_INPUT_BITS:
            raise ValueError(f"input_bits is {input_bits}, allowed 1..{MAX_INPUT_BITS}")
        if not len(values):
            raise ValueError("no rows to fit the quantizer on")
        return cls.build([fit_feature(values[:, f], input_bits) for f in range(values.shape[1])])

    @classmethod
    def build(cls, features: Sequence[tuple[float, float, int]]) -> Quantizer:
        """Build a quantizer from ``lo``, ``step`` and ``bits`` of each feature."""
        lo, step, bits = zip(*features, strict=True) if features else ((), (), ())
        return cls(np.array(lo, np.float64), np.array(step, np.float64), np.array(bits, np.int64))

    @property
    def n_features(self) -> int:
        """Number F of features."""
        return len(self.bits)

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the (N, F) codes of (N, F) finite values; values out of range get the nearest code."""
        if values.shape[1] != self.n_features:
            # A single column would silently be broadcast to F columns.
            raise ValueError(
                f"the values have {values.shape[1]} columns, the quantizer has {self.n_features}"
            )
        top = (1 << self.bits) - 1
        # Clip before the conversion, so that a value far outside the training range does not overflow int64.
        # If the division overflows, infinity is clipped to the correct end.
        with np.errstate(over="ignore"):
            scaled = np.clip(np.round((values - self.lo) / self.step), 0, top)
        return scaled.astype(np.int64)

    def feature_codes(self, f: int, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the (N,) codes of (N,) finite values of feature ``f``, counted from 0."""
        one = slice(f, f + 1)
        return Quantizer(self.lo[one], self.step[one], self.bits[one]).codes(values[:, None])[:, 0]


def fit_feature(
    column: NDArray[np.float64],
    input_bits: int,
    *,
    lo: float | None = None,
    step: float | None = None,
    bits: int | None = None,
) -> tuple[float, float, int]:
    """Fit ``lo``, ``step`` and ``bits`` of one feature as in :meth:`Quantizer.fit`, keeping given values.

    If ``lo`` is given, smaller values count as ``lo``. If ``step`` is given without ``bits``, the code gets
    as many bits as the training values need, at most ``input_bits``.

    Parameters
    ----------
    column
        (N,) finite training values.
    input_bits
        Maximum width of the code in bits.
    lo, step, bits
        Feature value of code 0, difference between the values of neighbouring codes, and width of the code in
        bits; None to fit them.
    """
    seen = column if lo is None else np.append(np.maximum(column, lo), lo)
    if step is None:
        lo, step, needed = _fitted(seen, bits or input_bits)
        return lo, step, bits or needed
    lo = float(seen.min())
    last = np.round((float(seen.max()) - lo) / step)
    return lo, step, bits or (max(int(last), 1).bit_length() if last < 1 << input_bits else input_bits)


def _fitted(column: NDArray[np.float64], input_bits: int) -> tuple[float, float, int]:
    distinct = np.unique(column)
    lo, hi = float(distinct[0]), float(distinct[-1])
    if lo == hi:
        return lo, 1.0, 1
    last = _grid_points(distinct, 1 << input_bits) - 1
    if last > 0:
        return lo, (hi - lo) / last, last.bit_length()
    # The smallest positive float replaces a step that underflows to zero.
    step = max((hi - lo) / ((1 << input_bits) - 1), float(np.nextafter(0.0, 1.0)))
    return lo, step, input_bits


def _grid_points(distinct: NDArray[np.float64], most: int) -> int:
    """Return the number of points of the coarsest regular grid through all values, or 0 if above ``most``.

    Parameters
    ----------
    distinct
        (D,) ascending values, at least two.
    """
    offset = distinct - distinct[0]
    span, closest = float(offset[-1]), float(np.diff(distinct).min())
    if span > closest * (most - 1) * (1 + _GRID_TOLERANCE):  # this also limits the size of the arrays below
        return 0
    # The two closest values may be several steps apart: 0, 2, 5 lie on a grid of step 1. So try 1, 2, 3, ...
    # steps for their distance. With D at most span / closest + 1, that is at most about 2 * most products.
    candidates = np.arange(1, int(closest / span * (most - 1) * (1 + _GRID_TOLERANCE)) + 1)
    last = np.round(span / closest * candidates)  # (K,)
    # Positions relative to the whole span do not accumulate the rounding error of one small difference.
    position = last[:, None] * (offset / span)  # (K, D)
    fits = (np.abs(position - np.round(position)) <= _GRID_TOLERANCE).all(axis=1) & (last < most)
    return int(last[fits.argmax()]) + 1 if fits.any() else 0
