"""A model as its authors' code evaluates it: on real values, in single precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import Head, LutLayer

__all__ = ["ForeignModel"]

_SCALED_ULPS = 2.0
"""Units in the last place by which scaling in single precision may move a value."""


@dataclass(frozen=True)
class ForeignModel:
    """Thresholds on real values and the LUTs behind them.

    Attributes
    ----------
    thresholds
        (F, z) of features as they come, a scaler already taken into account; a bit is set above.
    ties
        (F, z) of at least 0: a value that lies above its threshold by no more than this equals it in the
        arithmetic of the model.
    layers
        First to last; the first reads bit ``f * z + i``.
    n_classes
        C: contiguous groups of the last layer's outputs are counted, the last padded with zeros.
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
        """From (F, z) thresholds on ``(x - mean) / scale``, where the scaler is (F,) means and scales."""
        single = thresholds.astype(np.float32)
        stored = single.astype(np.float64)
        if scaler is None:
            # x rounds to a number above t, not to t: 0.3 is not above 0.3 however it was computed.
            above = np.nextafter(single, np.float32(np.inf)).astype(np.float64)
            return cls(stored, (above - stored) / 2, layers, n_classes)
        mean, scale = (part[:, None] for part in scaler)
        real = stored * scale + mean
        # Both the threshold and the values were computed in single precision, which cancels digits.
        largest = np.maximum(np.abs(real), np.abs(mean))
        return cls(real, _SCALED_ULPS * np.spacing(largest.astype(np.float32)), layers, n_classes)

    @property
    def n_features(self) -> int:
        """F."""
        return len(self.thresholds)

    def used(self) -> NDArray[np.bool_]:
        """(F, z) whether a LUT reads the bit."""
        found = np.zeros(self.thresholds.size, np.bool_)
        found[self.layers[0].mapping] = True
        return found.reshape(self.thresholds.shape)

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """(N, F) values -> (N,) class indices."""
        above = values[:, :, None] > self.thresholds + self.ties
        bits = above.reshape(len(values), -1)
        for layer in self.layers:
            bits = layer.evaluate(bits)
        return Head("popcount", "onehot", self.n_classes).decide(bits)
