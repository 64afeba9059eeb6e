"""From thresholds on real values, ``x > t``, to constants of codes, ``code >= c``, and back.

Thresholds are mostly quantiles of data, so that often a value equals one: its bit is cleared. A constant is
therefore right only where the code's boundary lies above the threshold, and below the next value that occurs.
Without data nobody knows that value. Between two neighbouring thresholds lies about one part of z + 1 of the
rows, so a boundary a little above its threshold decides few rows otherwise; how many may be is a budget that
all thresholds share, and :func:`dwn_asic.exchange.codes.find_codes` looks for the cheapest codes within it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.exchange.codes import Codes, Windows, find_codes
from dwn_asic.exchange.foreign_model import ForeignModel

__all__ = ["farthest_boundary", "quantize", "real_thresholds"]

_CHANGED_BITS = 0.02
"""Thermometer bits that may differ, of all that LUTs read, in an average row that nobody has seen. Of rows
with one other bit about one in 30 gets another class."""
_DATA_BITS = 8
"""Codes of features with data have that many bits, or as many as their values need: what is trained or shrunk
later may choose among more constants than the thresholds that came with the model."""
_ON_GRID = 0.01
"""Of a step: values so near to their codes' lie on a grid."""
_TIES = 4.0
"""A boundary may lie this many times as far above a threshold as values that count as equal to it."""


@dataclass(frozen=True)
class _Feature:
    """What is known of one feature.

    Attributes
    ----------
    thresholds
        (z,) above which a bit is set, ties included.
    ties
        (z,) how far above the stored thresholds that is.
    read
        (z,) whether a LUT reads the bit.
    """

    thresholds: NDArray[np.float64]
    ties: NDArray[np.float64]
    read: NDArray[np.bool_]

    @cached_property
    def low(self) -> NDArray[np.float64]:
        """(K,) the distinct thresholds that are read, ascending."""
        return np.unique(self.thresholds[self.read])

    def windows(self, following: NDArray[np.float64], share: float, first: float, last: float) -> Windows:
        """Of the thresholds that are read, each followed by a value on the other side.

        A boundary may take a share of the way there.
        """
        ties = self.ties[self.read][np.unique(self.thresholds[self.read], return_index=True)[1]]
        distance = following - self.low
        room = np.minimum(np.maximum(distance * share, _TIES * ties), distance)
        return Windows(self.low, self.low + room, 1 / distance, first, last)


def quantize(
    model: ForeignModel, input_bits: int, values: NDArray[np.float64] | None
) -> tuple[Quantizer, Thermometer]:
    """A quantizer, and the thermometer whose bit ``f * z + i`` is threshold i of feature f.

    With data every bit that a LUT reads is right on every row of it, if ``input_bits`` are enough, and codes
    reach over all values. Without, a value that equals a threshold is on its side, and a bit may be wrong for
    values above its threshold by less than a code's step, where there is no better code by less than half.

    Parameters
    ----------
    model
        Bits that no LUT reads get a constant near their threshold.
    input_bits
        The widest code, 1..16; a feature gets fewer where fewer do.
    values
        (N, F) data that the model decides on, or None.
    """
    used = model.used()
    share = _share(used, None if values is None else len(values))
    coded, constants = [], []
    for f, read in enumerate(used):
        feature = _Feature(model.thresholds[f] + model.ties[f], model.ties[f], read)
        if values is None:
            codes = _without_data(feature, share, input_bits)
        else:
            codes = _with_data(feature, share, np.unique(values[:, f]), input_bits)
        coded.append(codes)
        constants.append(_constants(feature, codes))
    quantizer = Quantizer(
        np.array([codes.lo for codes in coded]),
        np.array([codes.step for codes in coded]),
        np.array([codes.bits for codes in coded], np.int64),
    )
    features = np.repeat(np.arange(model.n_features), model.thresholds.shape[1])
    return quantizer, Thermometer(features, np.concatenate(constants))


def _share(used: NDArray[np.bool_], n_rows: int | None) -> float:
    """Of the way from a threshold to the next (or to the next value of data), that its boundary may take.

    As many rows are expected there as the budget has for each threshold, if rows are spread evenly between
    two neighbours: one part in z + 1 of all, or one row in n + 1.
    """
    parts = used.shape[1] + 1 if n_rows is None else n_rows + 1
    return min(1.0, _CHANGED_BITS * parts / max(1, int(used.sum())))


def _constants(feature: _Feature, codes: Codes) -> NDArray[np.int64]:
    """(z,) constants of all thresholds, where codes have those of the distinct ones that are read."""
    nearest = np.floor((feature.thresholds - codes.lo) / codes.step) + 1
    constants = np.clip(nearest, 0, 1 << codes.bits).astype(np.int64)
    places = np.searchsorted(feature.low, feature.thresholds[feature.read])
    constants[feature.read] = codes.constants[places]
    return constants


def _without_data(feature: _Feature, share: float, input_bits: int) -> Codes:
    """Nobody knows the values between two thresholds, nor how far above the last there are any."""
    known = np.unique(feature.thresholds)
    low = feature.low
    if not len(low):
        return _fitted(known, input_bits)
    beyond = known[-1] - known[-2] if len(known) > 1 else max(abs(known[-1]), 1.0)
    following = np.append(known, known[-1] + beyond)[np.searchsorted(known, low, side="right")]
    windows = feature.windows(following, share, low[0], low[-1])
    return find_codes(windows, 1, input_bits, np.random.default_rng(0))


def _with_data(feature: _Feature, share: float, column: NDArray[np.float64], input_bits: int) -> Codes:
    """From the (D,) distinct values of the data; those on a grid of few points are their own codes.

    Others reach over all values. Where such codes are too coarse, boundaries may first take all the way to
    the next value, then codes end near the outer thresholds.
    """
    fitted = _fitted(column, input_bits)
    low = feature.low
    if not len(low):
        return fitted
    place = np.searchsorted(column, low, side="right")
    points = np.round((column - fitted.lo) / fitted.step)
    if (np.abs(fitted.lo + fitted.step * points - column) <= _ON_GRID * fitted.step).all():
        seen = np.concatenate([[-1], points, [1 << fitted.bits]])
        steps = np.round((low - fitted.lo) / fitted.step)
        constants = np.clip(steps, seen[place], seen[place + 1] - 1).astype(np.int64) + 1
        return replace(fitted, constants=constants, exact=True)
    following = np.append(column, max(column[-1], low[-1]) + (column[-1] - column[0]))[place]
    tries = ((share, column[0], column[-1]), (1.0, column[0], column[-1]), (1.0, low[0], low[-1]))
    for allowed, first, last in tries:
        windows = feature.windows(following, allowed, first, last)
        codes = find_codes(windows, fitted.bits, input_bits, np.random.default_rng(0))
        if codes.exact:
            break
    return codes


def _fitted(values: NDArray[np.float64], input_bits: int) -> Codes:
    """Codes over (D,) values, no constants."""
    quantizer = Quantizer.fit(values[:, None], min(_DATA_BITS, input_bits))
    lo, step, bits = quantizer.lo[0], quantizer.step[0], quantizer.bits[0]
    return Codes(float(lo), float(step), int(bits), np.zeros(0, np.int64), exact=True)


def farthest_boundary(model: ForeignModel, quantizer: Quantizer, thermometer: Thermometer) -> float:
    """The largest distance of a threshold that a LUT reads from its code's boundary, in steps of the code.

    Values farther from all thresholds have the bits of the model.
    """
    read = np.flatnonzero(model.used().ravel())
    feature, constant = thermometer.feature[read], thermometer.constant[read]
    step = quantizer.step[feature]
    boundary = quantizer.lo[feature] + step * (constant - 0.5)
    return float((np.abs(boundary - model.thresholds.ravel()[read]) / step).max(initial=0.0))


def real_thresholds(
    quantizer: Quantizer, thermometer: Thermometer
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(F, z) thresholds on real values, z that of the feature with most, and the (T,) place of each bit.

    A place is ``f * z + i``. Features with fewer repeat their last threshold, those without any get one above
    all their codes. Thresholds are numbers of single precision, which is what they are compared in.
    """
    n_features = quantizer.n_features
    counts = np.bincount(thermometer.feature, minlength=n_features)
    most = max(1, int(counts.max(initial=0)))
    top = quantizer.lo + quantizer.step * (1 << quantizer.bits)
    thresholds = np.repeat(top[:, None], most, axis=1)
    places = np.zeros(len(thermometer), np.int64)
    filled = np.zeros(n_features, np.int64)
    for bit, (f, constant) in enumerate(zip(thermometer.feature, thermometer.constant, strict=True)):
        places[bit] = f * most + filled[f]
        thresholds[f, filled[f] :] = _boundary(quantizer.lo[f], quantizer.step[f], constant)
        filled[f] += 1
    return thresholds, places


def _boundary(lo: float, step: float, constant: int) -> np.float32:
    """The threshold that is below just the values with the code ``constant`` or more.

    In the middle between two codes rounding decides, of the value and of the code. There the decimal number
    stands for the values that data have: what its code is, its bit must be.
    """
    threshold = np.float32(lo + step * (constant - 0.5))
    between = float(str(threshold))
    has_code = np.round((between - lo) / step) >= constant
    return np.nextafter(threshold, np.float32(-np.inf)) if has_code else threshold
