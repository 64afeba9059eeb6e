"""From thresholds on real values, ``x > t``, to constants of codes, ``code >= c``, and back.

Thresholds are mostly quantiles of data, so that often a value equals one: its bit is cleared. A constant is
therefore right only where the code's boundary lies above the threshold, and below the next value that occurs.
Without data nobody knows that value. Between two neighbouring thresholds lies about one part of z + 1 of the
rows, so a boundary a little above its threshold decides few rows otherwise; how many may be is a budget that
all thresholds share, and :func:`dwn_asic.exchange.codes.find_codes` looks for the cheapest codes within it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.exchange.codes import Codes, Windows, find_codes
from dwn_asic.exchange.foreign_model import ForeignModel

__all__ = ["quantize", "real_thresholds"]

_CHANGED_BITS = 0.02
"""Thermometer bits of a row, of all that LUTs read, that may differ for rows that nobody has seen, on average.
Of rows with one other bit about one in 30 gets another class."""
_DATA_BITS = 8
"""Codes of features with data have that many bits, or as many as their values need: what is trained or shrunk
later may choose among more constants than the thresholds that came with the model."""
_ON_GRID = 0.01
"""Of a step: values so near to their codes' lie on a grid."""
_TIES = 4.0
"""A boundary may lie this many times as far above a threshold as values that count as equal to it."""


def quantize(
    model: ForeignModel, input_bits: int, values: NDArray[np.float64] | None
) -> tuple[Quantizer, Thermometer]:
    """A quantizer, and the thermometer whose bit ``f * z + i`` is threshold i of feature f.

    A value that equals its threshold is on its side. With data every bit that a LUT reads is right on every row
    of it, if ``input_bits`` are enough. Without, a bit may be wrong for values above its threshold by less
    than a code's step.

    Parameters
    ----------
    model
        Bits that no LUT reads get any constant near their threshold.
    input_bits
        The widest code, 1..16; a feature gets fewer where fewer do.
    values
        (N, F) data that the model decides on, or None.
    """
    used = model.used()
    share = _share(used, None if values is None else len(values))
    z = model.thresholds.shape[1]
    coded = []
    constants = np.zeros((model.n_features, z), np.int64)
    for f in range(model.n_features):
        column = None if values is None else np.unique(values[:, f])
        thresholds, read = model.thresholds[f] + model.ties[f], used[f]
        codes = _feature(thresholds, model.ties[f], read, share, column, input_bits)
        coded.append(codes)
        steps = (thresholds - codes.lo) / codes.step
        constants[f] = np.clip(np.round(steps) + 1, 0, 1 << codes.bits)
        found = np.searchsorted(np.unique(thresholds[read]), thresholds[read])
        constants[f, read] = codes.constants[found]
    quantizer = Quantizer(
        np.array([codes.lo for codes in coded]),
        np.array([codes.step for codes in coded]),
        np.array([codes.bits for codes in coded], np.int64),
    )
    return quantizer, Thermometer(np.repeat(np.arange(model.n_features), z), constants.ravel())


def _share(used: NDArray[np.bool_], n_rows: int | None) -> float:
    """Of the way from a threshold to the next (or to the next value of data), that its boundary may take.

    As many rows are expected there as the budget has for each threshold, if rows are spread evenly between two
    neighbours: one part in z + 1 of all, or one row in n + 1.
    """
    parts = used.shape[1] + 1 if n_rows is None else n_rows + 1
    return min(1.0, _CHANGED_BITS * parts / max(1, used.sum()))


def _feature(
    thresholds: NDArray[np.float64],
    ties: NDArray[np.float64],
    read: NDArray[np.bool_],
    share: float,
    column: NDArray[np.float64] | None,
    input_bits: int,
) -> Codes:
    """Codes of a feature with (z,) thresholds, ties included, and (D,) distinct values or None."""
    low, places = np.unique(thresholds[read], return_index=True)
    if not len(low):
        return _unread(thresholds, column, input_bits)
    following = _following(low, np.unique(thresholds), column)
    room = np.maximum((following - low) * share, _TIES * ties[read][places])
    if column is not None:  # a value that occurs is never on the wrong side
        room = np.minimum(room, following - low)
    least_bits, first, last = 1, low[0], low[-1]
    if column is not None:
        grid = Quantizer.fit(column[:, None], min(_DATA_BITS, input_bits))
        lo, step, bits = float(grid.lo[0]), float(grid.step[0]), int(grid.bits[0])
        codes = grid.codes(column[:, None])[:, 0]
        if (np.abs(lo + step * codes - column) <= _ON_GRID * step).all():
            return Codes(
                lo, step, bits, np.append(codes, codes[-1] + 1)[np.searchsorted(column, low, "right")]
            )
        least_bits, first, last = bits, column[0], column[-1]
    windows = Windows(low, low + room, 1 / (following - low), float(first), float(last))
    return find_codes(windows, least_bits, input_bits, np.random.default_rng(0))


def _following(
    low: NDArray[np.float64], thresholds: NDArray[np.float64], column: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """(K,) the next value of data above each threshold, or the next of all the distinct thresholds."""
    found = thresholds if column is None else column
    place = np.searchsorted(found, low, side="right")
    # Nobody knows what is above the last: as far as it is from the one before it.
    before = low - thresholds[np.maximum(np.searchsorted(thresholds, low) - 1, 0)]
    beyond = np.where(before > 0, before, np.maximum(np.abs(low), 1.0))
    return np.where(place < len(found), found[np.minimum(place, len(found) - 1)], low + beyond)


def _unread(thresholds: NDArray[np.float64], column: NDArray[np.float64] | None, input_bits: int) -> Codes:
    """Codes of a feature that no LUT reads."""
    values = np.unique(thresholds) if column is None else column
    fitted = Quantizer.fit(values[:, None], min(_DATA_BITS, input_bits))
    return Codes(float(fitted.lo[0]), float(fitted.step[0]), int(fitted.bits[0]), np.zeros(0, np.int64))


def real_thresholds(
    quantizer: Quantizer, thermometer: Thermometer
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(F, z) thresholds on real values, z that of the feature with most, and the (T,) place of each bit.

    A place is ``f * z + i``. Features with fewer repeat their last threshold, those without any get one above
    all their codes.
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
        thresholds[f, filled[f] :] = quantizer.lo[f] + quantizer.step[f] * (constant - 0.5)
        filled[f] += 1
    return thresholds, places
