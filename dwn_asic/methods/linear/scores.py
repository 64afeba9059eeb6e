"""The weights of a linear classifier: fitted, scaled, rounded, and converted to logic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from dwn_asic.boolean.graph import GraphBuilder
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitted, Progress
from dwn_asic.methods.parts.bucket_code import BucketCode
from dwn_asic.methods.parts.fitting_steps import best_on_validation, interface_of, most_frequent
from dwn_asic.methods.parts.weighted_vote import WeightedVotes

__all__ = ["fit"]

_STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)


def fit(dataset: Dataset, bits: int, weight_bits: int, progress: Progress) -> Fitted:
    """Fit weights at several strengths of the penalty and keep those that do best on validation rows."""
    codes, labels = dataset.part("train")
    val_codes, val_labels = dataset.part("val")
    levels = BucketCode.fit(codes, dataset.quantizer.bits, cuts="equal_width", code="binary", bits=bits)
    if not len(levels) or len(np.unique(labels)) < 2:
        return most_frequent(dataset)
    places = _places(levels)  # (I, F) weight of a bit in its feature's level
    values, val_bits = levels.encode(codes) @ places, levels.encode(val_codes)

    def fitted(strength: float) -> WeightedVotes:
        model = LogisticRegression(C=strength, solver="newton-cholesky").fit(values, labels)
        scale = (2 ** (weight_bits - 1) - 1) / max(1e-12, float(np.abs(model.coef_).max()))
        weights = np.rint(model.coef_ * scale).astype(np.int64)
        intercepts = _intercepts(values @ weights.T / scale, np.searchsorted(model.classes_, labels))
        biases = np.rint(intercepts * scale).astype(np.int64)
        return _votes(weights @ places.T, biases, model.classes_, dataset.table.n_classes)

    votes = best_on_validation(
        map(fitted, _STRENGTHS), lambda each: each.decide(val_bits), val_labels, progress
    )
    builder = GraphBuilder(interface_of(dataset))
    index = votes.add(builder, [levels.add_line(i, builder) for i in range(len(levels))])
    predictions = votes.decide(levels.encode(dataset.codes))
    return Fitted(builder.finish(index), predictions, {"scores": len(votes.weights)})


def _intercepts(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the (S,) intercepts of maximum likelihood for (N, S) scores that stay fixed.

    A single score separates class 1 from class 0.
    """
    if scores.shape[1] == 1:
        return _intercepts(np.hstack([0.0 * scores, scores]), labels)[1:]
    own = np.eye(scores.shape[1])[labels]

    def loss(intercepts: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        moved = scores + intercepts
        likelihood = log_softmax(moved, axis=1)
        return float(-(own * likelihood).sum(1).mean()), (np.exp(likelihood) - own).mean(0)

    found = minimize(loss, np.zeros(scores.shape[1]), jac=True).x
    return np.asarray(found - found[0])


def _votes(
    weights: NDArray[np.int64], biases: NDArray[np.int64], classes: NDArray[np.int64], n_classes: int
) -> WeightedVotes:
    """Return votes for all classes, some of which may have no rows."""
    if n_classes == 2:
        return WeightedVotes(weights, biases)
    if len(weights) == 1:  # only two of several classes have rows
        weights, biases = np.append(0 * weights, weights, 0), np.append(0 * biases, biases)
    # A class without rows never wins.
    every = np.zeros((n_classes, weights.shape[1]), np.int64)
    lowest = np.full(n_classes, (biases + np.minimum(weights, 0).sum(1)).min() - 1)
    every[classes], lowest[classes] = weights, biases
    return WeightedVotes(every, lowest)


def _places(levels: BucketCode) -> NDArray[np.int64]:
    feature = levels.thermometer.feature[[line.thresholds[0] for line in levels.lines]]
    names, first, of = np.unique(feature, return_index=True, return_inverse=True)
    places = np.zeros((len(feature), len(names)), np.int64)
    places[np.arange(len(feature)), of] = 1 << (np.arange(len(feature)) - first[of])
    return places
