"""Logistic regression with small integer weights: adders and comparators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from dwn_asic.baselines.bucket_code import BucketCode
from dwn_asic.baselines.fitting_steps import best_on_validation
from dwn_asic.baselines.interface import Fitting, Progress, interface_of, most_frequent
from dwn_asic.baselines.weighted_vote import WeightedVotes
from dwn_asic.data.dataset import Dataset
from dwn_asic.network.graph import GraphBuilder

__all__ = ["Linear"]

_STRENGTHS = (0.01, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Linear:
    """Scores linear in each feature's level of 2**bits of equal width, with integer weights.

    The weights are those of scikit-learn's multinomial logistic regression on the levels (L2, its strength
    chosen on validation rows), scaled so that the largest becomes ``2**(weight_bits - 1) - 1``, and rounded.
    For two classes there is one score and one comparison.

    Attributes
    ----------
    bits
        Of a level.
    weight_bits
        Of a weight, sign included.

    References
    ----------
    Bespoke linear classifiers: Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020.
    """

    bits: int
    weight_bits: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:  # noqa: ARG002
        """Fit; the seed has nothing to decide."""
        codes, labels = dataset.part("train")
        val_codes, val_labels = dataset.part("val")
        interface = interface_of(dataset)
        levels = BucketCode.fit(
            codes, dataset.quantizer.bits, cuts="equal_width", code="binary", bits=self.bits
        )
        if not len(levels) or len(np.unique(labels)) < 2:
            return most_frequent(dataset, interface)
        places = _places(levels)  # (I, F) what a bit is worth in its feature's level
        bits, val_bits = levels.encode(codes), levels.encode(val_codes)

        def fitted(strength: float) -> WeightedVotes:
            model = LogisticRegression(C=strength, solver="newton-cholesky")
            return self._rounded(model.fit(bits @ places, labels), places, dataset.table.n_classes)

        votes = best_on_validation(
            map(fitted, _STRENGTHS), lambda each: each.decide(val_bits), val_labels, progress
        )
        builder = GraphBuilder(interface)
        index = votes.add(builder, [levels.add_line(i, builder) for i in range(len(levels))])
        predictions = votes.decide(levels.encode(dataset.codes))
        return Fitting(builder.finish(index), predictions, {"scores": len(votes.weights)})

    def _rounded(self, model: LogisticRegression, places: NDArray[np.int64], n_classes: int) -> WeightedVotes:
        scale = (2 ** (self.weight_bits - 1) - 1) / max(1e-12, float(np.abs(model.coef_).max()))
        weights = np.rint(model.coef_ * scale).astype(np.int64) @ places.T
        biases = np.rint(model.intercept_ * scale).astype(np.int64)
        if n_classes == 2:
            return WeightedVotes(weights, biases)
        if len(weights) == 1:  # two of several classes have rows
            weights, biases = np.append(0 * weights, weights, 0), np.append(0 * biases, biases)
        # A class without rows never wins.
        every = np.zeros((n_classes, weights.shape[1]), np.int64)
        lowest = np.full(n_classes, (biases + np.minimum(weights, 0).sum(1)).min() - 1)
        every[model.classes_], lowest[model.classes_] = weights, biases
        return WeightedVotes(every, lowest)


def _places(levels: BucketCode) -> NDArray[np.int64]:
    feature = levels.thermometer.feature[[line.thresholds[0] for line in levels.lines]]
    names, first, of = np.unique(feature, return_index=True, return_inverse=True)
    places = np.zeros((len(feature), len(names)), np.int64)
    places[np.arange(len(feature)), of] = 1 << (np.arange(len(feature)) - first[of])
    return places
