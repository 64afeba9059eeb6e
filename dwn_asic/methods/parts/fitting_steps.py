"""Steps that the fits of several methods have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import Constant, GraphBuilder
from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import ToolError
from dwn_asic.methods.base import Fitted, Progress

__all__ = [
    "best_on_validation",
    "most_frequent",
    "not_installed",
    "short_seed",
    "thermometer_of",
]

Model = TypeVar("Model")


def short_seed(seed: int) -> int:
    """Reduce a seed to the 32 bits that scikit-learn accepts."""
    return seed % (1 << 32)


def not_installed(package: str, extra: str) -> ToolError:
    """Return the error for a method whose package is an optional extra of this project."""
    return ToolError(package, f"is not installed; pip install 'dwn-asic[{extra}]' installs it")


def most_frequent(dataset: Dataset) -> Fitted:
    """Return the model that always predicts the most frequent class.

    It is the only one left if no input bit varies or all training rows belong to one class. By an objective
    with weights, it predicts the class of the largest total weight.
    """
    index = int(np.bincount(dataset.part("train")[1], dataset.loss_weights).argmax())
    builder = GraphBuilder(dataset.interface)
    drivers = [builder.add(Constant(bool(index >> k & 1))) for k in range(builder.interface.class_bits)]
    predictions = np.full(len(dataset.codes), index, np.int64)
    return Fitted(builder.finish(drivers), predictions, {"thresholds": 0})


def thermometer_of(dataset: Dataset, bits: int) -> Thermometer:
    """Return at most ``bits`` thermometer bits per feature, at equal shares of the training rows."""
    codes, _ = dataset.part("train")
    return Thermometer.fit(codes, dataset.quantizer.bits, kind="distributive", bits=bits)


def best_on_validation(
    candidates: Iterable[Model],
    decide: Callable[[Model], NDArray[np.int64]],
    dataset: Dataset,
    progress: Progress,
) -> Model:
    """Return the candidate with the best score on validation rows; ties go to the first.

    Parameters
    ----------
    candidates
        At least one candidate; they may be generated one by one.
    decide
        Function from a candidate to its (N,) class indices of the validation rows.
    dataset
        Data set with the labels of the validation rows and the objective.
    progress
        Called with each candidate's score.
    """
    objective, labels = dataset.objective, dataset.part("val")[1]

    def score(numbered: tuple[int, Model]) -> float:
        number, candidate = numbered
        found = objective.score(labels, decide(candidate))
        progress(f"candidate {number}: validation {objective.name} {found:.4f}")
        return found

    return max(enumerate(candidates, 1), key=score)[1]
