"""The rows that an estimator is fitted on, as a data set without test rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer

__all__ = ["answers", "batch_rows", "dataset_of", "holds_nothing", "label_frequencies"]


def dataset_of(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    feature_names: Sequence[str],
    class_names: Sequence[str],
    *,
    validation_fraction: float,
    input_bits: int,
    seed: int,
) -> Dataset:
    """Hold validation rows out and fit the quantizer on the others.

    Parameters
    ----------
    values, labels
        (N, F) finite values and (N,) class indices, each of the classes 0..C-1 present.
    feature_names, class_names
        (F,) and (C,) names.
    validation_fraction
        Of the rows of each class, above 0 and below 1. Each class that has two rows keeps one on each side, a
        class with one row has it in training.
    input_bits
        The widest code of a feature, 1..16.
    seed
        Of the split.

    Raises
    ------
    ValueError
        The fraction is out of range, or no class has two rows.
    """
    if not 0.0 < validation_fraction < 1.0:
        raise ValueError(f"validation_fraction is {validation_fraction}, allowed: above 0 and below 1")
    validation = _drawn(labels, validation_fraction, seed)
    if len(class_names) > 1 and not validation.any():
        raise ValueError(f"no row can be held out: each of the {len(class_names)} classes has one row only")
    train, val = np.flatnonzero(~validation), np.flatnonzero(validation)
    table = Table("X", values, labels, tuple(feature_names), tuple(class_names))
    quantizer = Quantizer.fit(values[train], input_bits)
    return Dataset(table, Split(train=train, val=val, test=np.empty(0, np.int64)), quantizer)


def _drawn(labels: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """(N,) which rows are held out."""
    generator = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), np.bool_)
    for index in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == index))
        held_out = min(max(round(len(rows) * fraction), 1), len(rows) - 1)
        drawn[rows[:held_out]] = True
    return drawn


def holds_nothing(dataset: Dataset) -> bool:
    """Whether there is nothing to learn: one class, or no feature that varies in training."""
    codes, _ = dataset.part("train")
    return dataset.table.n_classes == 1 or bool((codes == codes[0]).all())


def batch_rows(dataset: Dataset, most: int) -> int:
    """Rows of a training step: an eighth of the training rows, 16 at least, so that an epoch has steps."""
    return min(most, max(16, len(dataset.split.train) // 8))


def answers(graph: BooleanGraph, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, F) codes -> (N,) classes that the circuit's answers stand for.

    A circuit of three classes has two output bits, and on some input may answer 3. An answer that no class
    has is read without its highest bit.
    """
    index = graph.predict(codes)
    interface = graph.interface
    return np.where(index < len(interface.class_names), index, index - (1 << interface.class_bits >> 1))


def label_frequencies(graph: BooleanGraph, dataset: Dataset) -> NDArray[np.float64]:
    """(C, C) share of the rows with answer a that have label c, smoothed by one row.

    Of that row, each class gets an equal part, and the class answered two.
    """
    n_classes = dataset.table.n_classes
    counts = (np.ones((n_classes, n_classes)) + np.eye(n_classes)) / (n_classes + 1)
    np.add.at(counts, (answers(graph, dataset.codes), dataset.table.labels), 1.0)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares
