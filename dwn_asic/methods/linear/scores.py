"""The weights of a linear classifier: fitted, scaled, rounded, and converted to logic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from dwn_asic.boolean.graph import GraphBuilder
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitted, Progress
from dwn_asic.methods.parts.bucket_code import BucketCode
from dwn_asic.methods.parts.fitting_steps import (
    best_on_validation,
    most_frequent,
)
from dwn_asic.methods.parts.intercepts import fitted_intercepts
from dwn_asic.methods.parts.weighted_vote import WeightedVotes

__all__ = ["fit"]

_STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)


def fit(dataset: Dataset, bits: int, weight_bits: int, progress: Progress) -> Fitted:
    """Fit weights at several strengths of the penalty and keep those that do best on validation rows."""
    codes, labels = dataset.part("train")
    val_codes, _ = dataset.part("val")
    levels = BucketCode.fit(codes, dataset.quantizer.bits, cuts="equal_width", code="binary", bits=bits)
    if not len(levels) or len(np.unique(labels)) < 2:
        return most_frequent(dataset)
    places = _places(levels)  # (I, F) weight of a bit in its feature's level
    weights_of_rows = dataset.loss_weights
    values, val_bits = levels.encode(codes) @ places, levels.encode(val_codes)

    def fitted(strength: float) -> WeightedVotes:
        model = LogisticRegression(C=strength, solver="newton-cholesky").fit(values, labels, weights_of_rows)
        scale = (2 ** (weight_bits - 1) - 1) / max(1e-12, float(np.abs(model.coef_).max()))
        weights = np.rint(model.coef_ * scale).astype(np.int64)
        known = np.searchsorted(model.classes_, labels)
        intercepts = fitted_intercepts(values @ weights.T / scale, known, weights_of_rows)
        biases = np.rint(intercepts * scale).astype(np.int64)
        return WeightedVotes.of_classes(weights @ places.T, biases, model.classes_, dataset.table.n_classes)

    votes = best_on_validation(map(fitted, _STRENGTHS), lambda each: each.decide(val_bits), dataset, progress)
    builder = GraphBuilder(dataset.interface)
    index = votes.add(builder, [levels.add_line(i, builder) for i in range(len(levels))])
    predictions = votes.decide(levels.encode(dataset.codes))
    return Fitted(builder.finish(index), predictions, {"scores": len(votes.weights)})


def _places(levels: BucketCode) -> NDArray[np.int64]:
    feature = levels.thermometer.feature[[line.thresholds[0] for line in levels.lines]]
    names, first, of = np.unique(feature, return_index=True, return_inverse=True)
    places = np.zeros((len(feature), len(names)), np.int64)
    places[np.arange(len(feature)), of] = 1 << (np.arange(len(feature)) - first[of])
    return places
