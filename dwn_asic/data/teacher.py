"""Teachers: models without a circuit whose predictions replace or select the labels of training rows.

References
----------
Buciluă, Caruana and Niculescu-Mizil, Model compression, KDD 2006: a small model learns from the predictions
that a large one makes for made-up rows, whose features come from neighbouring rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.errors import DataError

__all__ = ["agreed_rows", "taught_rows", "teacher_labels"]

_FOLDS = 5
_DECIMALS = 6
_TREES = 200
_LEAST_ROWS_OF_LEAF = 3
_NEIGHBOURS = 5
_MOST_BASE_ROWS = 8192
"""Maximum number of training rows that are recombined, since the search for neighbours is quadratic in it."""


def teacher_labels(
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    n_classes: int,
    seed: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return (N, C) class probabilities of (N, F) codes by cross-validated gradient boosting.

    No row is used to fit the teacher that predicts it: a teacher fitted on a row is sure of its label, so
    that its prediction would add nothing to the label itself. The probabilities are rounded to six decimals,
    because their last bits depend on the instructions of the CPU. The (N,) weights of rows are equal by
    default.

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
            params=None if weights is None else {"sample_weight": weights},
        )
    return found.round(_DECIMALS)


def agreed_rows(
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    n_classes: int,
    seed: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Return (N,) whether the teacher predicts the label of each row; raises as :func:`teacher_labels`."""
    taught = teacher_labels(codes, labels, n_classes, seed, weights)
    agreed: NDArray[np.bool_] = taught.argmax(axis=1) == labels
    return agreed


def taught_rows(
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    count: int,
    seed: int,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return made-up rows and the labels that a random forest predicts for them.

    A circuit that is fitted to few rows learns their noise. The forest, fitted to the same rows, smooths it,
    and its predictions for any number of further rows pass that on. Each made-up row is a training row in
    which every feature comes, with probability 1/2, from one of its nearest neighbours, whatever their
    labels.

    Parameters
    ----------
    codes, labels
        (N, F) codes and (N,) class indices of the training rows.
    count
        Number of rows to make up, M.
    seed
        Seed of the forest and of the made-up rows.
    weights
        (N,) weights of the training rows in the forest; by default equal ones.

    Returns
    -------
    (M, F) codes and (M,) class indices.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        _TREES, min_samples_leaf=_LEAST_ROWS_OF_LEAF, random_state=seed % (1 << 32)
    ).fit(codes, labels, weights)
    rows = _recombined(codes, count, np.random.default_rng(seed))
    predicted: NDArray[np.int64] = forest.predict(rows).astype(np.int64)
    return rows, predicted


def _recombined(codes: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return (count, F) rows that mix each row's features with those of one of its nearest neighbours."""
    from sklearn.neighbors import NearestNeighbors

    codes = codes[generator.permutation(len(codes))[:_MOST_BASE_ROWS]]
    scaled = codes / np.maximum(codes.std(axis=0), 1e-9)
    search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, len(codes))).fit(scaled)
    near = search.kneighbors(scaled, return_distance=False)
    own = np.resize(np.arange(len(codes)), count)
    other = near[own, generator.integers(near.shape[1], size=count)]
    return np.where(generator.random((count, codes.shape[1])) < 0.5, codes[other], codes[own])
