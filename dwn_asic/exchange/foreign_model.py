"""A model of another package, evaluated as that package does: on real values in single precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import Head, LutLayer

__all__ = ["ForeignModel"]

_SCALED_ULPS = 2.0
"""Largest error of scaling in single precision, in units in the last place."""


@dataclass(frozen=True)
class ForeignModel:
    """Thresholds on real values, and the LUT layers that read the resulting bits.

    Attributes
    ----------
    thresholds
        (F, z) thresholds on unscaled features; a scaler of the model is already taken into account. A bit is
        set if the value is above its threshold.
    ties
        (F, z) tolerances, at least 0: a value that exceeds its threshold by no more than this is equal to it
        in the model's arithmetic, so its bit is cleared.
    layers
        LUT layers, first to last; threshold i of feature f is input bit ``f * z + i`` of the first.
    n_classes
        Number C of classes. The last layer's outputs form C contiguous groups, the last one padded with
        zeros; the class whose group has the most ones is predicted.
    """

    thresholds: NDArray[np.float64]
    ties: NDArray[np.float64]
    layers: tuple[LutLayer, ...]
    n_classes: int

    @classmethod
    def build(
        cls,
        thresholds: NDArray[np.float64],
        scaler: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
        layers: tuple[LutLayer, ...],
        n_classes: int,
    ) -> ForeignModel:
        """Build a model from (F, z) thresholds on ``(x - mean) / scale``.

        The scaler is a pair of (F,) means and (F,) scales; without one the thresholds apply to x itself.
        """
        single = thresholds.astype(np.float32)
        stored = single.astype(np.float64)
        if scaler is None:
            # x is above t only if it rounds to a number above t in single precision: 0.3 is not above 0.3,
            # in whichever way it was computed.
            above = np.nextafter(single, np.float32(np.inf)).astype(np.float64)
            return cls(stored, (above - stored) / 2, layers, n_classes)
        mean, scale = (part[:, None] for part in scaler)
        real = stored * scale + mean
        # Scaling cancels digits: thresholds and values were both computed in single precision.
        largest = np.maximum(np.abs(real), np.abs(mean))
        return cls(real, _SCALED_ULPS * np.spacing(largest.astype(np.float32)), layers, n_classes)

    @property
    def n_features(self) -> int:
        """Number F of features."""
        return len(self.thresholds)

    def used(self) -> NDArray[np.bool_]:
        """Return (F, z) booleans: whether a LUT reads the bit of the threshold."""
        found = np.zeros(self.thresholds.size, np.bool_)
        found[self.layers[0].mapping] = True
        return found.reshape(self.thresholds.shape)

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the (N,) predicted class indices of (N, F) values."""
        above = values[:, :, None] > self.thresholds + self.ties
        bits = above.reshape(len(values), -1)
        for layer in self.layers:
            bits = layer.evaluate(bits)
        return Head("popcount", "onehot", self.n_classes).decide(bits)
