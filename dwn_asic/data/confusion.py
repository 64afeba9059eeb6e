"""The confusion matrix of a classifier, and the scores and intervals that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassScores", "balanced_accuracy", "class_scores", "confusion_matrix", "wilson_interval"]


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class against all others; a share without rows is NaN.

    Attributes
    ----------
    rows
        Number of rows whose label is the class.
    precision
        Share of rows with this label among the rows predicted as the class.
    recall
        Share of rows predicted as the class among the rows with this label.
    f1
        Harmonic mean of precision and recall.
    """

    rows: int
    precision: float
    recall: float
    f1: float


def confusion_matrix(
    labels: NDArray[np.int64], predictions: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count the rows of each label and prediction.

    Parameters
    ----------
    labels
        (N,) class indices, 0..C-1.
    predictions
        (N,) class indices; those of a circuit may exceed C-1, which stands for no class.
    n_classes
        Number C of classes.

    Returns
    -------
    numpy.ndarray
        (C, C + 1) number of rows by label and prediction; the last column counts predictions of no class.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 3]), 2)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    matrix = np.zeros((n_classes, n_classes + 1), np.int64)
    np.add.at(matrix, (labels, np.minimum(predictions, n_classes)), 1)
    return matrix


def class_scores(matrix: NDArray[np.int64]) -> tuple[ClassScores, ...]:
    """Return the scores of each class of a (C, C + 1) confusion matrix."""
    hits, rows, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    return tuple(
        ClassScores(
            rows=int(rows[c]),
            precision=_share(hits[c], predicted[c]),
            recall=_share(hits[c], rows[c]),
            f1=_share(2 * hits[c], rows[c] + predicted[c]),
        )
        for c in range(len(matrix))
    )


def balanced_accuracy(matrix: NDArray[np.int64]) -> float:
    """Return the mean recall of the classes that have rows, or NaN if none has."""
    recalls = [scores.recall for scores in class_scores(matrix) if scores.rows]
    return math.fsum(recalls) / len(recalls) if recalls else math.nan


def wilson_interval(hits: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's confidence interval of a share that was estimated as ``hits`` of ``rows``.

    Parameters
    ----------
    hits
        Number of hits, 0..rows.
    rows
        Number of independent rows, at least 1.
    confidence
        Probability that the interval contains the true share, above 0 and below 1.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Examples
    --------
    >>> low, high = wilson_interval(90, 100)
    >>> round(low, 4), round(high, 4)
    (0.8256, 0.9448)
    """
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    share, weight = hits / rows, z * z / rows
    centre = (share + weight / 2.0) / (1.0 + weight)
    half = z * math.sqrt(share * (1.0 - share) / rows + weight / (4.0 * rows)) / (1.0 + weight)
    # For shares of 0 and 1, one end is the share itself, which rounding may miss.
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def _share(part: np.int64, whole: np.int64) -> float:
    return float(part) / float(whole) if whole else math.nan
