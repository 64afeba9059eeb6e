"""WiSARD: one layer of lookup tables on random bits, filled by counting rows instead of by training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import LutLayer, LutNetwork
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitting, Progress, interface_of, most_frequent
from dwn_asic.methods.parts.fitting_steps import best_on_validation, popcount_network, thermometer_of

__all__ = ["Wisard"]


@dataclass(frozen=True)
class Wisard:
    """For each class the same random tuples of thermometer bits, each tuple addressing a table of one bit.

    A table's bit is set where at least ``b`` training rows of the class have its address; the ``b`` that does
    best on validation rows is taken (bleaching). The class with most set bits wins, of equals the first.

    Attributes
    ----------
    tuples
        Tables of each class; None for as many as read every bit twice.
    inputs
        Bits of a tuple.
    bits
        Thermometer bits of a feature, at most.

    References
    ----------
    Aleksander, Thomas and Bowden, WISARD, Sensor Review 1984. Bleaching: Grieco et al., Producing pattern
    examples from "mental" images, Neurocomputing 2010.
    """

    tuples: int | None
    inputs: int
    bits: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Draw the tuples by the seed, count, and choose the least count."""
        codes, labels = dataset.part("train")
        val_codes, val_labels = dataset.part("val")
        n_classes, thermometer = dataset.table.n_classes, thermometer_of(dataset, self.bits)
        if not len(thermometer):
            return most_frequent(dataset, interface_of(dataset))
        mapping = self._tuples(len(thermometer), np.random.default_rng(seed))
        counts = self._counts(thermometer.encode(codes), labels, mapping, n_classes)
        wires = np.tile(mapping, (n_classes, 1))

        def network(least: int) -> LutNetwork:
            tables = (counts >= least).reshape(len(wires), -1)
            return popcount_network(dataset, thermometer, (LutLayer(wires, tables),))

        candidates = np.unique(np.geomspace(1, max(1, counts.max()), 16).astype(np.int64)).tolist()
        least: int = best_on_validation(
            candidates, lambda each: network(each).predict(val_codes), val_labels, progress
        )
        chosen = network(least)
        details = {"luts": len(wires), "bleaching": least}
        return Fitting(to_graph(chosen), chosen.predict(dataset.codes), details)

    def _tuples(self, n_bits: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """(tuples, inputs): all bits in random order, again and again."""
        tuples = self.tuples or -(-2 * n_bits // self.inputs)
        wanted = tuples * self.inputs
        orders = [generator.permutation(n_bits) for _ in range(-(-wanted // n_bits))]
        return np.concatenate(orders)[:wanted].reshape(tuples, self.inputs)

    def _counts(
        self,
        bits: NDArray[np.bool_],
        labels: NDArray[np.int64],
        mapping: NDArray[np.int64],
        n_classes: int,
    ) -> NDArray[np.int64]:
        """(C, tuples, 2**inputs) rows of each class at each address."""
        addresses = bits[:, mapping] @ (1 << np.arange(self.inputs))  # (N, tuples)
        counts = np.zeros((n_classes, len(mapping), 1 << self.inputs), np.int64)
        np.add.at(counts, (labels[:, None], np.arange(len(mapping)), addresses), 1)
        return counts
