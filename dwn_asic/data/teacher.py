"""Gradient boosting as a teacher: cross-validated predictions for the training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.errors import DataError

__all__ = ["agreed_rows", "teacher_labels"]

_FOLDS = 5


def teacher_labels(
    codes: NDArray[np.int64], labels: NDArray[np.int64], n_classes: int, seed: int
) -> NDArray[np.float64]:
    """Return (N, C) class probabilities of (N, F) codes by cross-validated gradient boosting.

    No row is used to fit the teacher that predicts it: a teacher fitted on a row is sure of its label, so
    that its prediction would add nothing to the label itself.

    Raises
    ------
    DataError
        A class has only one row.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    counts = np.bincount(labels, minlength=n_classes)
    folds = min(_FOLDS, int(counts[counts > 0].min()))
    if folds < 2:
        raise DataError("data", "a teacher needs at least two training rows of each class")
    found = np.zeros((len(labels), n_classes))
    seed %= 1 << 32
    with threadpool_limits(limits=1, user_api="openmp"):
        found[:, counts > 0] = cross_val_predict(
            HistGradientBoostingClassifier(random_state=seed),
            codes,
            labels,
            cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
            method="predict_proba",
        )
    return found


def agreed_rows(
    codes: NDArray[np.int64], labels: NDArray[np.int64], n_classes: int, seed: int
) -> NDArray[np.bool_]:
    """Return (N,) whether the teacher predicts the label of each row; raises as :func:`teacher_labels`."""
    agreed: NDArray[np.bool_] = teacher_labels(codes, labels, n_classes, seed).argmax(axis=1) == labels
    return agreed
