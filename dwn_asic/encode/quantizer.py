"""Quantizer: a feature value becomes the unsigned integer code that an ADC or register holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_INPUT_BITS", "Quantizer"]

MAX_INPUT_BITS = 16


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
        columns, category codes, small counts) keeps exactly those points and gets only the bits that they
        need. Every other feature spreads ``2**input_bits`` codes evenly between its extremes.

        Parameters
        ----------
        values
            (N, F) finite feature values of the training split.
        input_bits
            1..16, the widest code.
        """
        if not 1 <= input_bits <= MAX_INPUT_BITS:
            raise ValueError(f"input_bits is {input_bits}, allowed 1..{MAX_INPUT_BITS}")
        fitted = [_fit_feature(values[:, f], input_bits) for f in range(values.shape[1])]
        lo, step, bits = zip(*fitted, strict=True) if fitted else ((), (), ())
        return cls(np.array(lo, np.float64), np.array(step, np.float64), np.array(bits, np.int64))

    @property
    def n_features(self) -> int:
        """F."""
        return len(self.bits)

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """(N, F) values -> (N, F) codes."""
        top = (1 << self.bits) - 1
        # Clip before the conversion: a test value far outside the training range must not overflow int64.
        scaled = np.clip(np.round((values - self.lo) / self.step), 0, top)
        return scaled.astype(np.int64)


def _fit_feature(column: NDArray[np.float64], input_bits: int) -> tuple[float, float, int]:
    distinct = np.unique(column)
    lo, hi = float(distinct[0]), float(distinct[-1])
    if lo == hi:
        return lo, 1.0, 1
    grid = _grid_step(distinct, 1 << input_bits)
    if grid is not None:
        last = round((hi - lo) / grid)
        return lo, grid, max(1, int(last).bit_length())
    return lo, (hi - lo) / ((1 << input_bits) - 1), input_bits


def _grid_step(distinct: NDArray[np.float64], points: int) -> float | None:
    """The spacing of the coarsest regular grid through all values, or None if it needs too many points."""
    if len(distinct) > points:
        return None
    step = float(np.diff(distinct).min())
    position = (distinct - distinct[0]) / step
    if round(position[-1]) >= points or not np.allclose(position, np.round(position), atol=1e-6):
        return None
    return step
