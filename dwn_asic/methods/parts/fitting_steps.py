"""Steps that several rivals' fits have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import ToolError
from dwn_asic.methods.base import Progress

__all__ = ["best_on_validation", "not_installed", "popcount_network", "short_seed", "thermometer_of"]

Model = TypeVar("Model")


def short_seed(seed: int) -> int:
    """scikit-learn takes 32-bit seeds."""
    return seed % (1 << 32)


def not_installed(package: str, extra: str) -> ToolError:
    """For a rival whose package is an extra of this project."""
    return ToolError(package, f"is not installed; pip install 'dwn-asic[{extra}]' gets it")


def thermometer_of(dataset: Dataset, bits: int) -> Thermometer:
    """At most ``bits`` thermometer bits per feature, at equal shares of the training rows."""
    codes, _ = dataset.part("train")
    return Thermometer.fit(codes, dataset.quantizer.bits, kind="distributive", bits=bits)


def popcount_network(dataset: Dataset, thermometer: Thermometer, layers: tuple[LutLayer, ...]) -> LutNetwork:
    """Tables over thermometer bits, of whose last layer each class counts its group."""
    table = dataset.table
    head = Head("popcount", "onehot", table.n_classes)
    return LutNetwork(dataset.quantizer, thermometer, layers, head, table.feature_names, table.class_names)


def best_on_validation(
    candidates: Iterable[Model],
    decide: Callable[[Model], NDArray[np.int64]],
    labels: NDArray[np.int64],
    progress: Progress,
) -> Model:
    """The candidate that is right most often, of equals the first; candidates may be made one by one.

    Parameters
    ----------
    candidates
        One at least.
    decide
        Gives a candidate's (N,) class indices of the validation rows.
    labels
        (N,) class indices of the validation rows.
    """

    def accuracy(numbered: tuple[int, Model]) -> float:
        number, candidate = numbered
        share = float((decide(candidate) == labels).mean())
        progress(f"candidate {number}: validation accuracy {share:.4f}")
        return share

    return max(enumerate(candidates, 1), key=accuracy)[1]
