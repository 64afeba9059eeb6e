"""From thresholds on real values, ``x > t``, to constants of codes, ``code >= c``, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer

__all__ = ["quantize", "real_thresholds"]

_ON_GRID = 1e-6  # of a step: a threshold so near to a code's value is that value


def quantize(
    thresholds: NDArray[np.float64], input_bits: int, values: NDArray[np.float64] | None
) -> tuple[Quantizer, Thermometer]:
    """A quantizer, and the thermometer whose bit ``f * z + i`` is threshold i of feature f.

    Parameters
    ----------
    thresholds
        (F, z) finite; a bit is set where the value is above.
    input_bits
        Of the codes, 1..16.
    values
        (N, F) data whose range the codes shall cover, and whose grid, if they lie on one, the codes shall be;
        without data they cover the thresholds and a little more. Thresholds are exact to half a step.
    """
    if values is None:
        low, high = thresholds.min(axis=1), thresholds.max(axis=1)
        margin = np.where(high > low, (high - low) / max(1, (1 << input_bits) - 3), 1.0)
        values = np.stack([low - margin, high + margin])
        spread = np.maximum(values[1] - values[0], np.nextafter(0.0, 1.0))
        step = np.maximum(spread / ((1 << input_bits) - 1), np.nextafter(0.0, 1.0))
        bits = np.full(len(thresholds), input_bits, np.int64)
        quantizer = Quantizer(values[0].astype(np.float64), step, bits)
    else:
        quantizer = Quantizer.fit(values, input_bits)
    steps = (thresholds - quantizer.lo[:, None]) / quantizer.step[:, None]
    nearest = np.round(steps)
    steps = np.where(np.abs(steps - nearest) < _ON_GRID, nearest, steps)
    # The codes whose value is above t; out of range where that is none or all of them.
    constants = np.clip(np.floor(steps) + 1, 0, 1 << quantizer.bits[:, None]).astype(np.int64)
    feature = np.repeat(np.arange(len(thresholds)), thresholds.shape[1])
    return quantizer, Thermometer(feature, constants.ravel())


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
