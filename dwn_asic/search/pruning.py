"""Pruning: after a few epochs a trial whose validation score is clearly below the usual one ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["PILOT_SHARE", "pilot_epochs", "threshold"]

PILOT_SHARE = 0.1
"""Share of the epochs after which a trial may be pruned."""
_WARM_UP = 5
"""Number of trials that have to be known before one may be pruned."""


def pilot_epochs(epochs: int) -> int:
    """Return after how many epochs a trial of so many may be pruned.

    Examples
    --------
    >>> pilot_epochs(60), pilot_epochs(4)
    (6, 2)
    """
    return min(epochs, max(2, math.ceil(PILOT_SHARE * epochs)))


def threshold(scores: Sequence[float], n_rows: int) -> float | None:
    """Return the validation score below which a trial is pruned; None as long as too few trials are known.

    It is the median of the scores that earlier trials had after as many epochs, less the standard error of a
    share of that size, so that noise of the validation rows prunes few good trials.

    Parameters
    ----------
    scores
        Scores of the earlier trials, from 0 to 1.
    n_rows
        Number of validation rows.

    Examples
    --------
    >>> threshold([0.8, 0.9], 100) is None
    True
    >>> round(threshold([0.7, 0.8, 0.9, 0.9, 0.9], 100), 3)
    0.87
    """
    if len(scores) < _WARM_UP:
        return None
    ordered = sorted(scores)
    middle = len(ordered) // 2
    median = (ordered[middle] + ordered[-middle - 1]) / 2.0
    return median - math.sqrt(max(0.0, median * (1.0 - median)) / n_rows)
