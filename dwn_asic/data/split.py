"""The seeded, stratified split into training, validation and test rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.table import PARTS, Split

__all__ = ["drawn", "stratified_split"]


def stratified_split(labels: NDArray[np.int64], *, val: float, test: float, seed: int) -> Split:
    """Deal the rows of each class to the three parts by their shares.

    Each class has at least one row in each part; beyond that its rows in a part are its share, rounded.

    Parameters
    ----------
    labels
        (N,) class indices, each of the classes 0..C-1 at least three times.
    val, test
        Shares of the validation and test rows, greater than 0 and together below 1; the rest is for training.
    seed
        Equal labels, shares and seed give an equal split.

    Raises
    ------
    ValueError
        The shares leave no training rows, or a class has fewer than three rows.
    """
    if not (val > 0 and test > 0 and val + test < 1):
        raise ValueError(f"shares val {val} and test {test}: each above 0, together below 1")
    generator = np.random.default_rng(seed)
    parts: tuple[list[NDArray[np.int64]], ...] = ([], [], [])
    for index in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == index))
        if len(rows) < len(PARTS):
            raise ValueError(f"class {index} has {len(rows)} rows, the split needs {len(PARTS)}")
        n_test = min(max(round(len(rows) * test), 1), len(rows) - 2)
        n_val = min(max(round(len(rows) * val), 1), len(rows) - 1 - n_test)
        dealt = np.split(rows, [n_test, n_test + n_val])
        for part, share in zip(parts, dealt, strict=True):
            part.append(share)
    test_rows, val_rows, train_rows = (_ascending(part) for part in parts)
    return Split(train=train_rows, val=val_rows, test=test_rows)


def _ascending(shares: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    rows = np.sort(np.concatenate(shares)) if shares else np.empty(0, np.int64)
    rows.flags.writeable = False
    return rows


def drawn(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]], most: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N, F) codes and (N,) labels, of more than ``most`` rows that many at random."""
    codes, labels = rows
    if len(labels) <= most:
        return rows
    some = np.random.default_rng(seed).permutation(len(labels))[:most]
    return codes[some], labels[some]
