"""Steps that the fits of several methods have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import Constant, GraphBuilder, Interface
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import ToolError
from dwn_asic.methods.base import Fitted, Progress

__all__ = [
    "best_on_validation",
    "interface_of",
    "loss_weights",
    "most_frequent",
    "not_installed",
    "popcount_network",
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


def interface_of(dataset: Dataset) -> Interface:
    """Return the interface of a circuit for this table."""
    widths = tuple(int(width) for width in dataset.quantizer.bits)
    return Interface(dataset.table.feature_names, widths, dataset.table.class_names)


def loss_weights(dataset: Dataset) -> NDArray[np.float64] | None:
    """Return (N,) weights of the training rows by the objective, 1 on average; None if they are equal."""
    return dataset.objective.loss_weights(dataset.part("train")[1], dataset.table.n_classes)


def most_frequent(dataset: Dataset) -> Fitted:
    """Return the model that always predicts the most frequent class.

    It is the only one left if no input bit varies or all training rows belong to one class. By an objective
    with weights, it predicts the class of the largest total weight.
    """
    index = int(np.bincount(dataset.part("train")[1], loss_weights(dataset)).argmax())
    builder = GraphBuilder(interface_of(dataset))
    drivers = [builder.add(Constant(bool(index >> k & 1))) for k in range(builder.interface.class_bits)]
    predictions = np.full(len(dataset.codes), index, np.int64)
    return Fitted(builder.finish(drivers), predictions, {"thresholds": 0})


def thermometer_of(dataset: Dataset, bits: int) -> Thermometer:
    """Return at most ``bits`` thermometer bits per feature, at equal shares of the training rows."""
    codes, _ = dataset.part("train")
    return Thermometer.fit(codes, dataset.quantizer.bits, kind="distributive", bits=bits)


def popcount_network(dataset: Dataset, thermometer: Thermometer, layers: tuple[LutLayer, ...]) -> LutNetwork:
    """Return a network of tables over thermometer bits in which each class counts its group of outputs."""
    table = dataset.table
    head = Head("popcount", "onehot", table.n_classes)
    return LutNetwork(dataset.quantizer, thermometer, layers, head, table.feature_names, table.class_names)


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
