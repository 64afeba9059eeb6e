"""Data sets of the rows that estimators are fitted on; they have no test rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.scaling import check_codes, fit_quantizer
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.config import QuantizerConfig

__all__ = ["answers", "batch_rows", "dataset_of", "holds_nothing", "label_frequencies"]


def dataset_of(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    feature_names: Sequence[str],
    class_names: Sequence[str],
    *,
    validation_fraction: float,
    quantizer: QuantizerConfig,
    seed: int,
) -> Dataset:
    """Build a data set: hold out validation rows and fit the quantizer on the training rows.

    Parameters
    ----------
    values, labels
        (N, F) finite values and (N,) class indices; each of the classes 0 to C-1 occurs.
    feature_names, class_names
        (F,) and (C,) names.
    validation_fraction
        Fraction of the rows of each class to hold out, greater than 0 and less than 1. A class with two or
        more rows has at least one for validation and one for training; a single row is a training row.
    quantizer
        Widths and scaling of the codes.
    seed
        Seed of the split.

    Raises
    ------
    ValueError
        The fraction is out of range, or every class has only one row.
    ConfigError, DataError
        The scaling is for other features, or a value is not one of its codes.
    """
    if not 0.0 < validation_fraction < 1.0:
        raise ValueError(
            f"validation_fraction is {validation_fraction}, allowed: greater than 0 and less than 1"
        )
    validation = _drawn(labels, validation_fraction, seed)
    if len(class_names) > 1 and not validation.any():
        raise ValueError(f"no row can be held out: each of the {len(class_names)} classes has only one row")
    train, val = np.flatnonzero(~validation), np.flatnonzero(validation)
    table = Table("X", values, labels, tuple(feature_names), tuple(class_names))
    fitted = fit_quantizer(table, train, quantizer)
    check_codes(values, table, fitted, quantizer)
    return Dataset(table, Split(train=train, val=val, test=np.empty(0, np.int64)), fitted)


def _drawn(labels: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return (N,) booleans: which rows are held out."""
    generator = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), np.bool_)
    for index in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == index))
        held_out = min(max(round(len(rows) * fraction), 1), len(rows) - 1)
        drawn[rows[:held_out]] = True
    return drawn


def holds_nothing(dataset: Dataset) -> bool:
    """Return whether there is nothing to learn: one class only, or no feature varies in training rows."""
    codes, _ = dataset.part("train")
    return dataset.table.n_classes == 1 or bool((codes == codes[0]).all())


def batch_rows(dataset: Dataset, most: int) -> int:
    """Return the rows per training step: an eighth of all training rows, at least 16 and at most ``most``."""
    return min(most, max(16, len(dataset.split.train) // 8))


def answers(graph: BooleanGraph, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (N,) class indices that a circuit predicts for (N, F) codes.

    A circuit for three classes has two output bits and may output 3 for some input. An index without a class
    is used without its highest bit.
    """
    index = graph.predict(codes)
    interface = graph.interface
    return np.where(index < len(interface.class_names), index, index - (1 << interface.class_bits >> 1))


def label_frequencies(graph: BooleanGraph, dataset: Dataset) -> NDArray[np.float64]:
    """Return (C, C) frequencies of label c among the rows with predicted class a, smoothed by one row.

    The additional row is divided among the classes: each gets one part, the predicted class two.
    """
    n_classes = dataset.table.n_classes
    counts = (np.ones((n_classes, n_classes)) + np.eye(n_classes)) / (n_classes + 1)
    np.add.at(counts, (answers(graph, dataset.codes), dataset.table.labels), 1.0)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares
