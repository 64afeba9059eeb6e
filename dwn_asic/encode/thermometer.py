"""Thermometer: each bit compares the code of one feature with one constant, ``code >= c``."""

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
        (T,) int64 constants in 1..2**bits - 1, strictly ascending within a feature.
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
            Rule that places the constants: ``distributive`` at equal shares of the training rows, ``uniform``
            at equal distances over the range of the training codes, ``gaussian`` at the quantiles of a normal
            distribution with the training mean and deviation. Constants that coincide after rounding are
            dropped, and so are those that all training codes reach or none.
        bits
            Maximum number of thermometer bits per feature, at least 1.

        References
        ----------
        Bacellar et al., arXiv:2410.11112, distributive thermometer encoding.
        """
        if bits < 1:
            raise ValueError(f"thermometer bits is {bits}; allowed: 1 or more")
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
    """Propose constants of one feature; the caller drops repeats and those outside the training range."""
    if kind == "distributive":
        return _equal_shares(column, bits)
    steps = np.arange(1, bits + 1)
    if kind == "uniform":
        low, high = int(column.min()), int(column.max())
        # Round up in integer arithmetic: in floats, 10 * 0.3 may exceed 3.
        return low - (low - high) * steps // (bits + 1)
    return np.ceil(column.mean() + column.std() * ndtri(steps / (bits + 1))).astype(np.int64)


def _equal_shares(column: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Return the cuts between training codes that are nearest to equal shares of the rows.

    Quantiles themselves would not do: if most rows have the lowest code, the quantiles are that code, which
    every row reaches, and the cut right above it, the most informative one, would be lost.
    """
    seen, counts = np.unique(column, return_counts=True)
    cuts = seen[1:]
    below = np.cumsum(counts)[:-1] * (bits + 1)  # rows under each cut, scaled so that shares are integers
    # With few distinct codes, one constant between each pair of neighbours keeps all information.
    if len(cuts) <= bits:
        return cuts
    shares = len(column) * np.arange(1, bits + 1)
    above = np.searchsorted(below, shares).clip(1, len(cuts) - 1)
    nearer_below = shares - below[above - 1] <= below[above] - shares
    return cuts[np.where(nearer_below, above - 1, above)]
