"""Conversion of thresholds on real values, ``x > t``, to constants of codes, ``code >= c``, and back.

Thresholds are usually quantiles of data, so data values often equal a threshold; their bit is cleared. A
constant is therefore exact only if the code's boundary lies above the threshold and below the next larger
value that occurs. Without data that value is unknown. But about a fraction 1 / (z + 1) of the rows lies
between two neighbouring thresholds, so a boundary slightly above its threshold changes the bit of few rows.
How many may change is a budget that all thresholds share;
:func:`dwn_asic.exchange.codes.find_codes` searches for the cheapest codes within it.
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
"""Expected number of thermometer bits read by LUTs that may differ from the model's in a new row. About one
in 30 rows with one different bit gets a different class."""
_DATA_BITS = 8
"""Minimum width of the codes of features with data, unless their values need fewer bits. Shrinking can then
choose among more constants than those of the model's thresholds."""
_ON_GRID = 0.01
"""Largest distance of values from multiples of a step, as a fraction of the step, to count as on a grid."""
_TIES = 4.0
"""A boundary may always lie this multiple of the tie tolerance above its threshold."""


@dataclass(frozen=True)
class _Feature:
    """The thresholds of one feature.

    Attributes
    ----------
    thresholds
        (z,) values above which a bit is set: the model's thresholds plus the tolerances for ties.
    ties
        (z,) tolerances for ties that ``thresholds`` include.
    read
        (z,) booleans: whether a LUT reads the bit.
    """

    thresholds: NDArray[np.float64]
    ties: NDArray[np.float64]
    read: NDArray[np.bool_]

    @cached_property
    def low(self) -> NDArray[np.float64]:
        """(K,) distinct thresholds whose bits LUTs read, ascending."""
        return np.unique(self.thresholds[self.read])

    def windows(self, following: NDArray[np.float64], share: float, first: float, last: float) -> Windows:
        """Return the windows of the boundaries of the thresholds that LUTs read.

        Parameters
        ----------
        following
            (K,) next value above each threshold, which its boundary must not pass.
        share
            Fraction of the distance to that value at which a window ends.
        first, last
            Smallest and largest value that the codes must cover.
        """
        ties = self.ties[self.read][np.unique(self.thresholds[self.read], return_index=True)[1]]
        distance = following - self.low
        room = np.minimum(np.maximum(distance * share, _TIES * ties), distance)
        return Windows(self.low, self.low + room, 1 / distance, first, last)


def quantize(
    model: ForeignModel, input_bits: int, values: NDArray[np.float64] | None
) -> tuple[Quantizer, Thermometer]:
    """Return a quantizer and a thermometer whose bit ``f * z + i`` represents threshold i of feature f.

    With data, the codes cover all values, and every bit that a LUT reads is exact on every row, provided that
    ``input_bits`` suffice. Without data, bits are exact for values equal to a threshold, but may be wrong for
    values that exceed it by less than half a code step, or by less than a whole step if no better code was
    found.

    Parameters
    ----------
    model
        The model with its thresholds. Bits that no LUT reads get a constant near their threshold.
    input_bits
        Maximum width of a code in bits, 1 to 16; each feature gets as few bits as suffice.
    values
        (N, F) data that the model classifies, or None.
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
    """Return how far a boundary may lie towards the next threshold or data value, as a fraction.

    If rows are spread evenly between neighbours (a fraction 1 / (z + 1) of all rows between two thresholds,
    or one row in n + 1 between two values of n rows), the expected number of changed bits is then the budget.
    """
    parts = used.shape[1] + 1 if n_rows is None else n_rows + 1
    return min(1.0, _CHANGED_BITS * parts / max(1, int(used.sum())))


def _constants(feature: _Feature, codes: Codes) -> NDArray[np.int64]:
    """Return the (z,) constants of all thresholds, given codes with those of the distinct read ones."""
    nearest = np.floor((feature.thresholds - codes.lo) / codes.step) + 1
    constants = np.clip(nearest, 0, 1 << codes.bits).astype(np.int64)
    places = np.searchsorted(feature.low, feature.thresholds[feature.read])
    constants[feature.read] = codes.constants[places]
    return constants


def _without_data(feature: _Feature, share: float, input_bits: int) -> Codes:
    """Find the codes of a feature when only its thresholds are known, not the values between or beyond."""
    known = np.unique(feature.thresholds)
    low = feature.low
    if not len(low):
        return _fitted(known, input_bits)
    beyond = known[-1] - known[-2] if len(known) > 1 else max(abs(known[-1]), 1.0)
    following = np.append(known, known[-1] + beyond)[np.searchsorted(known, low, side="right")]
    windows = feature.windows(following, share, low[0], low[-1])
    return find_codes(windows, 1, input_bits, np.random.default_rng(0))


def _with_data(feature: _Feature, share: float, column: NDArray[np.float64], input_bits: int) -> Codes:
    """Find the codes of a feature whose data has the (D,) distinct values ``column``.

    Values on a grid of few points get one code each. Otherwise the codes cover all values. If such codes are
    too coarse, boundaries may first lie anywhere below the next value, and then codes need to cover only the
    range of the thresholds.
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
    """Return codes that cover (D,) values, without constants."""
    quantizer = Quantizer.fit(values[:, None], min(_DATA_BITS, input_bits))
    lo, step, bits = quantizer.lo[0], quantizer.step[0], quantizer.bits[0]
    return Codes(float(lo), float(step), int(bits), np.zeros(0, np.int64), exact=True)


def farthest_boundary(model: ForeignModel, quantizer: Quantizer, thermometer: Thermometer) -> float:
    """Return the largest distance between a threshold that a LUT reads and its boundary, in code steps.

    Values farther than this from all thresholds have the same bits as in the model.
    """
    read = np.flatnonzero(model.used().ravel())
    feature, constant = thermometer.feature[read], thermometer.constant[read]
    step = quantizer.step[feature]
    boundary = quantizer.lo[feature] + step * (constant - 0.5)
    return float((np.abs(boundary - model.thresholds.ravel()[read]) / step).max(initial=0.0))


def real_thresholds(
    quantizer: Quantizer, thermometer: Thermometer
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (F, z) thresholds on real values, and the (T,) place ``f * z + i`` of each thermometer bit.

    z is the largest number of thresholds of any feature. Features with fewer thresholds repeat their last
    one; features without any get one above all their codes. Thresholds are rounded to single precision, in
    which torch_dwn compares them.
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
    """Return the threshold below exactly those values whose code is ``constant`` or more.

    A value in the middle between two codes may fall on either side, depending on how value and code are
    rounded. The shortest decimal number that rounds to the threshold represents such values, since data are
    decimal: the threshold is chosen so that its bit agrees with its code.
    """
    threshold = np.float32(lo + step * (constant - 0.5))
    between = float(str(threshold))
    has_code = np.round((between - lo) / step) >= constant
    return np.nextafter(threshold, np.float32(-np.inf)) if has_code else threshold
