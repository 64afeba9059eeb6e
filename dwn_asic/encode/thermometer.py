"""Thermometer: each bit says whether one feature's code has reached one constant, ``code >= c``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["Thermometer", "ThermometerKind"]

ThermometerKind = Literal["distributive", "uniform", "gaussian"]


@dataclass(frozen=True)
class Thermometer:
    """An ordered list of comparisons; bit t is ``codes[:, feature[t]] >= constant[t]``.

    Attributes
    ----------
    feature
        (T,) int64 feature indices, ascending.
    constant
        (T,) int64 constants in 1..2**bits - 1, ascending inside a feature, no repeats.
    """

    feature: NDArray[np.int64]
    constant: NDArray[np.int64]

    @classmethod
    def fit(
        cls, codes: NDArray[np.int64], widths: NDArray[np.int64], *, kind: ThermometerKind, bits: int
    ) -> Thermometer:
        """Choose at most ``bits`` constants per feature from the training codes.

        Parameters
        ----------
        codes
            (N, F) codes of the training split.
        widths
            (F,) code width of each feature in bits.
        kind
            ``distributive`` puts the constants at equal shares of the training rows, ``uniform`` at equal
            distances over the code range seen in training, ``gaussian`` at the quantiles of a normal
            distribution with the training mean and deviation. Constants that coincide after rounding, and
            those that no training row could tell apart from always or never, are dropped.
        bits
            Thermometer bits per feature, at least 1.

        References
        ----------
        Bacellar et al., arXiv:2410.11112, distributive thermometer encoding.
        """
        if bits < 1:
            raise ValueError(f"thermometer bits is {bits}, allowed 1 or more")
        features: list[int] = []
        constants: list[int] = []
        for f in range(codes.shape[1]):
            column = codes[:, f]
            wanted = _wanted(column, kind, bits)
            low, high = int(column.min()) + 1, min(int(column.max()), (1 << int(widths[f])) - 1)
            kept = np.unique(wanted[(wanted >= low) & (wanted <= high)])
            features += [f] * len(kept)
            constants += kept.tolist()
        return cls(np.array(features, np.int64), np.array(constants, np.int64))

    def __len__(self) -> int:
        return len(self.feature)

    def encode(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the (N, T) bits of (N, F) codes."""
        return codes[:, self.feature] >= self.constant


def _wanted(column: NDArray[np.int64], kind: ThermometerKind, bits: int) -> NDArray[np.int64]:
    """Propose constants of one feature; the caller drops repeats and those outside the codes seen."""
    if kind == "distributive":
        return _equal_shares(column, bits)
    steps = np.arange(1, bits + 1)
    if kind == "uniform":
        low, high = int(column.min()), int(column.max())
        # Rounded up, in integers: floats would put 10 * 0.3 above 3.
        return low - (low - high) * steps // (bits + 1)
    return np.ceil(column.mean() + column.std() * ndtri(steps / (bits + 1))).astype(np.int64)


def _equal_shares(column: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Return the cuts between codes seen in training that come nearest to equal shares of the rows.

    A quantile itself is no cut: where most rows have the lowest code, it is that code, which every row
    reaches, and the cut right above it, the one that says most, would be lost.
    """
    seen, counts = np.unique(column, return_counts=True)
    cuts = seen[1:]
    below = np.cumsum(counts)[:-1] * (bits + 1)  # rows under each cut, scaled so that shares are integers
    # Few distinct codes: one constant between each pair of neighbours says everything there is.
    if len(cuts) <= bits:
        return cuts
    shares = len(column) * np.arange(1, bits + 1)
    above = np.searchsorted(below, shares).clip(1, len(cuts) - 1)
    nearer_below = shares - below[above - 1] <= below[above] - shares
    return cuts[np.where(nearer_below, above - 1, above)]
