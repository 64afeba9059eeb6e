"""The rows that an estimator is fitted on, as a data set without test rows."""

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
    """Hold validation rows out and fit the quantizer on the others.

    Parameters
    ----------
    values, labels
        (N, F) finite values and (N,) class indices, each of the classes 0..C-1 present.
    feature_names, class_names
        (F,) and (C,) names.
    validation_fraction
        Share of the rows of each class, above 0 and below 1. Each class that has two rows keeps one on each
        side, a class with one row has it in training.
    quantizer
        Widths and scaling of the codes.
    seed
        Seed of the split.

    Raises
    ------
    ValueError
        The fraction is out of range, or no class has two rows.
    ConfigError, DataError
        The scaling is for other features, or a value is none of its codes.
    """
    if not 0.0 < validation_fraction < 1.0:
        raise ValueError(f"validation_fraction is {validation_fraction}, allowed: above 0 and below 1")
    validation = _drawn(labels, validation_fraction, seed)
    if len(class_names) > 1 and not validation.any():
        raise ValueError(f"no row can be held out: each of the {len(class_names)} classes has one row only")
    train, val = np.flatnonzero(~validation), np.flatnonzero(validation)
    table = Table("X", values, labels, tuple(feature_names), tuple(class_names))
    fitted = fit_quantizer(table, train, quantizer)
    check_codes(values, table, fitted, quantizer)
    return Dataset(table, Split(train=train, val=val, test=np.empty(0, np.int64)), fitted)


def _drawn(labels: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Draw the rows that are held out: (N,) whether each is."""
    generator = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), np.bool_)
    for index in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == index))
        held_out = min(max(round(len(rows) * fraction), 1), len(rows) - 1)
        drawn[rows[:held_out]] = True
    return drawn


def holds_nothing(dataset: Dataset) -> bool:
    """Tell whether there is nothing to learn: one class, or no feature that varies in training."""
    codes, _ = dataset.part("train")
    return dataset.table.n_classes == 1 or bool((codes == codes[0]).all())


def batch_rows(dataset: Dataset, most: int) -> int:
    """Choose the rows of a training step: an eighth of all, 16 at least, so that an epoch has steps."""
    return min(most, max(16, len(dataset.split.train) // 8))


def answers(graph: BooleanGraph, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (N,) classes that the circuit's answers to (N, F) codes stand for.

    A circuit of three classes has two output bits, and on some input may answer 3. An answer that no class
    has is read without its highest bit.
    """
    index = graph.predict(codes)
    interface = graph.interface
    return np.where(index < len(interface.class_names), index, index - (1 << interface.class_bits >> 1))


def label_frequencies(graph: BooleanGraph, dataset: Dataset) -> NDArray[np.float64]:
    """Return the (C, C) share of the rows with answer a that have label c, smoothed by one row.

    Each class gets an equal part of that row, and the class answered two.
    """
    n_classes = dataset.table.n_classes
    counts = (np.ones((n_classes, n_classes)) + np.eye(n_classes)) / (n_classes + 1)
    np.add.at(counts, (answers(graph, dataset.codes), dataset.table.labels), 1.0)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares
