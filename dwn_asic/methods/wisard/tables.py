"""Tables of WiSARD: random tuples of bits, counts of rows, and the choice of the count that sets a bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import LutLayer, LutNetwork
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.networks import popcount_network
from dwn_asic.methods.base import Fitted, Progress
from dwn_asic.methods.parts.fitting_steps import (
    best_on_validation,
    most_frequent,
    thermometer_of,
)

if TYPE_CHECKING:
    from dwn_asic.methods.wisard import Wisard

__all__ = ["fit"]


def fit(options: Wisard, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
    """Draw the tuples by the seed, count rows, and choose the least count; see the class of the options."""
    codes, labels = dataset.part("train")
    val_codes, _ = dataset.part("val")
    n_classes, thermometer = dataset.table.n_classes, thermometer_of(dataset, options.bits)
    if not len(thermometer):
        return most_frequent(dataset)
    mapping = _tuples(options, len(thermometer), np.random.default_rng(seed))
    counts = _counts(thermometer.encode(codes), labels, mapping, _weights(dataset))
    wires = np.tile(mapping, (n_classes, 1))

    def network(least: int) -> LutNetwork:
        tables = (counts >= least).reshape(len(wires), -1)
        return popcount_network(dataset, thermometer, (LutLayer(wires, tables),))

    candidates = np.unique(np.geomspace(1, max(1, counts.max()), 16).astype(np.int64)).tolist()
    least: int = best_on_validation(
        candidates, lambda each: network(each).predict(val_codes), dataset, progress
    )
    chosen = network(least)
    details = {"luts": len(wires), "bleaching": least}
    return Fitted(to_graph(chosen), chosen.predict(dataset.codes), details)


def _tuples(options: Wisard, n_bits: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw (tuples, inputs) bits: all bits in random order, again and again."""
    tuples = options.tuples or -(-2 * n_bits // options.inputs)
    wanted = tuples * options.inputs
    orders = [generator.permutation(n_bits) for _ in range(-(-wanted // n_bits))]
    return np.concatenate(orders)[:wanted].reshape(tuples, options.inputs)


def _weights(dataset: Dataset) -> NDArray[np.int64]:
    """Return how often a row of each class counts, (C,): by the objective, the least once."""
    totals = dataset.objective.total_costs(dataset.part("train")[1], dataset.table.n_classes).totals
    return np.rint(totals / totals[totals > 0].min()).astype(np.int64)


def _counts(
    bits: NDArray[np.bool_], labels: NDArray[np.int64], mapping: NDArray[np.int64], weights: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the training rows of each class at each address, by weight: (C, tuples, 2**inputs)."""
    n_classes = len(weights)
    inputs = mapping.shape[1]
    addresses = bits[:, mapping] @ (1 << np.arange(inputs))  # (N, tuples)
    counts = np.zeros((n_classes, len(mapping), 1 << inputs), np.int64)
    np.add.at(counts, (labels[:, None], np.arange(len(mapping)), addresses), 1)
    return counts * weights[:, None, None]
