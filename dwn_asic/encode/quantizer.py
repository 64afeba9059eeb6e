"""Quantizer: a feature value becomes the unsigned integer code that an ADC or register holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_INPUT_BITS", "Quantizer"]

MAX_INPUT_BITS = 16

_GRID_TOLERANCE = 1e-3
"""Of a grid's step; decimal texts and float32 values are that regular."""


@dataclass(frozen=True)
class Quantizer:
    """Per feature: ``code = clip(round((v - lo) / step), 0, 2**bits - 1)``.

    Attributes
    ----------
    lo
        (F,) float64, the value of code 0.
    step
        (F,) float64, greater than 0: the difference of values between neighbouring codes.
    bits
        (F,) int64, 1..16: the width of the code.
    """

    lo: NDArray[np.float64]
    step: NDArray[np.float64]
    bits: NDArray[np.int64]

    @classmethod
    def fit(cls, values: NDArray[np.float64], input_bits: int) -> Quantizer:
        """Fit on the training rows only.

        A feature whose training values lie on a regular grid of at most ``2**input_bits`` points (binary
        columns, category codes, small counts; points may be unused) keeps exactly those points and gets only
        the bits that they need. Every other feature spreads ``2**input_bits`` codes evenly between its
        extremes. A constant feature gets one bit, which no training row sets.

        Parameters
        ----------
        values
            (N, F) finite feature values of the training split.
        input_bits
            1..16, the widest code.
        """
        if not 1 <= input_bits <= MAX_INPUT_BITS:
            raise ValueError(f"input_bits is {input_bits}, allowed 1..{MAX_INPUT_BITS}")
        if not len(values):
            raise ValueError("no rows to fit the quantizer on")
        fitted = [_fit_feature(values[:, f], input_bits) for f in range(values.shape[1])]
        lo, step, bits = zip(*fitted, strict=True) if fitted else ((), (), ())
        return cls(np.array(lo, np.float64), np.array(step, np.float64), np.array(bits, np.int64))

    @property
    def n_features(self) -> int:
        """F."""
        return len(self.bits)

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """(N, F) finite values -> (N, F) codes; a value outside the training range gets the nearest code."""
        if values.shape[1] != self.n_features:
            # One column would silently broadcast to F of them.
            raise ValueError(f"{values.shape[1]} columns of values, the quantizer has {self.n_features}")
        top = (1 << self.bits) - 1
        # Clip before the conversion: a test value far outside the training range must not overflow int64,
        # and where already the division overflows, infinity clips to the right end.
        with np.errstate(over="ignore"):
            scaled = np.clip(np.round((values - self.lo) / self.step), 0, top)
        return scaled.astype(np.int64)


def _fit_feature(column: NDArray[np.float64], input_bits: int) -> tuple[float, float, int]:
    distinct = np.unique(column)
    lo, hi = float(distinct[0]), float(distinct[-1])
    if lo == hi:
        return lo, 1.0, 1
    last = _grid_points(distinct, 1 << input_bits) - 1
    if last > 0:
        return lo, (hi - lo) / last, last.bit_length()
    # The smallest float instead of a step that underflows to zero.
    step = max((hi - lo) / ((1 << input_bits) - 1), float(np.nextafter(0.0, 1.0)))
    return lo, step, input_bits


def _grid_points(distinct: NDArray[np.float64], most: int) -> int:
    """Points of the coarsest regular grid from end to end through all values; 0 if that takes over ``most``.

    Parameters
    ----------
    distinct
        (D,) at least two values, ascending.
    """
    offset = distinct - distinct[0]
    span, closest = float(offset[-1]), float(np.diff(distinct).min())
    if span > closest * (most - 1) * (1 + _GRID_TOLERANCE):  # also keeps the products below small
        return 0
    # The two closest values may be several steps apart: 0, 2, 5 lie on a grid of step 1. Try their distance
    # as 1, 2, 3, ... steps; D is at most span / closest + 1, so this is at most about 2 * most products.
    candidates = np.arange(1, int(closest / span * (most - 1) * (1 + _GRID_TOLERANCE)) + 1)
    last = np.round(span / closest * candidates)  # (K,)
    # Spread from end to end, so that the rounding of one small difference does not add up.
    position = last[:, None] * (offset / span)  # (K, D)
    fits = (np.abs(position - np.round(position)) <= _GRID_TOLERANCE).all(axis=1) & (last < most)
    return int(last[fits.argmax()]) + 1 if fits.any() else 0
