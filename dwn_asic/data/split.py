"""The seeded, stratified split into training, validation and test rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.table import PARTS, Part, Split

__all__ = ["drawn", "stratified_split"]


def stratified_split(
    labels: NDArray[np.int64],
    *,
    val: float,
    test: float,
    seed: int,
    parts: NDArray[np.int64] | None = None,
) -> Split:
    """Split the rows of each class at random into the three parts, according to their shares.

    Each class has at least one row in each part that is drawn; beyond that, the number of its rows in a part
    is the share, rounded.

    Parameters
    ----------
    labels
        (N,) class indices.
    val, test
        Shares of the validation and test rows, greater than 0 and together below 1; the rest is for training.
    seed
        Seed of the draw; equal arguments return equal splits.
    parts
        (N,) index of each row's part in :data:`~dwn_asic.data.table.PARTS`, or None to draw all parts. Given
        validation and test rows are kept; only a part without rows is drawn, from the training rows.

    Raises
    ------
    ValueError
        The shares leave no training rows, or a class has too few rows for the parts to draw.
    """
    if not (val > 0 and test > 0 and val + test < 1):
        raise ValueError(f"the shares val {val} and test {test} must be above 0 and together below 1")
    if parts is None:
        parts = np.zeros(len(labels), np.int64)
    rows = {part: np.flatnonzero(parts == place) for place, part in enumerate(PARTS)}
    wanted: dict[Part, float] = {"test": test, "val": val}
    shares = {part: share for part, share in wanted.items() if not len(rows[part])}
    rest, *others = _drawn_by_class(labels, rows["train"], [*shares.values()], np.random.default_rng(seed))
    rows |= {"train": rest, **dict(zip(shares, others, strict=True))}
    for found in rows.values():
        found.flags.writeable = False
    return Split(rows["train"], rows["val"], rows["test"])


def _drawn_by_class(
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    shares: Sequence[float],
    generator: np.random.Generator,
) -> list[NDArray[np.int64]]:
    """Draw rows by class; return the rows that are left over, then those of each share."""
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(len(shares) + 1)]
    for index in np.unique(labels[rows]):
        own = generator.permutation(rows[labels[rows] == index])
        if len(own) < len(parts):
            raise ValueError(f"class {index} has {len(own)} rows; the split needs {len(parts)}")
        ends: list[int] = []
        for n, share in enumerate(shares):
            taken = ends[-1] if ends else 0
            # One row each must be left for training and for each of the following parts.
            most = len(own) - (len(shares) - n) - taken
            ends.append(taken + min(max(round(len(own) * share), 1), most))
        *others, rest = np.split(own, ends)
        for part, some in zip(parts, (rest, *others), strict=True):
            part.append(some)
    return [np.sort(np.concatenate(part)) if part else np.empty(0, np.int64) for part in parts]


def drawn(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]], most: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (N, F) codes and (N,) labels, or ``most`` rows at random if there are more."""
    codes, labels = rows
    if len(labels) <= most:
        return rows
    some = np.random.default_rng(seed).permutation(len(labels))[:most]
    return codes[some], labels[some]
