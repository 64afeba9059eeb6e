"""Sums of bits with small integer weights as adders, the core of linear models and binarized neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.arithmetic import add_up, argmax_index
from dwn_asic.boolean.graph import Constant, GraphBuilder, Lut

__all__ = ["WeightedVotes"]

_NOT = 0b01


@dataclass(frozen=True, eq=False)
class WeightedVotes:
    """Integer scores of classes; the largest wins, ties go to the first class.

    A single score decides by its sign: class 1 if it is above 0.

    Attributes
    ----------
    weights
        (S, I) integer weight of each bit in each score.
    biases
        (S,) integers.
    """

    weights: NDArray[np.int64]
    biases: NDArray[np.int64]

    @classmethod
    def of_classes(
        cls,
        weights: NDArray[np.int64],
        biases: NDArray[np.int64],
        classes: NDArray[np.int64],
        n_classes: int,
    ) -> WeightedVotes:
        """Return votes for all classes, of which only ``classes`` have rows; a class without rows never wins.

        The scores are those of ``classes`` in order, or a single one that separates two classes.
        """
        if n_classes == 2:
            return cls(weights, biases)
        if len(weights) == 1:  # only two of several classes have rows
            weights, biases = np.append(0 * weights, weights, 0), np.append(0 * biases, biases)
        every = np.zeros((n_classes, weights.shape[1]), np.int64)
        lowest = np.full(n_classes, (biases + np.minimum(weights, 0).sum(1)).min() - 1)
        every[classes], lowest[classes] = weights, biases
        return cls(every, lowest)

    def scores(self, bits: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Compute scores: (N, I) bits -> (N, S) integers."""
        found: NDArray[np.int64] = bits.astype(np.int64) @ self.weights.T + self.biases
        return found

    def decide(self, bits: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Decide: (N, I) bits -> (N,) index of the largest score, or whether the only score is above 0."""
        scores = self.scores(bits)
        if scores.shape[1] == 1:
            return (scores[:, 0] > 0).astype(np.int64)
        return scores.argmax(1)

    def add(self, builder: GraphBuilder, bits: Sequence[int]) -> list[int]:
        """Add the decision to a graph as logic and return the nodes of its bits.

        A bit of negative weight is counted inverted, which adds the weight to the bias. Then all biases are
        raised by the same amount, so that none is negative.
        """
        biases = self.biases + np.minimum(self.weights, 0).sum(1)
        compared = list(zip(self.weights, biases, strict=True))
        if len(compared) == 1:  # compare with 0, which comes first and therefore wins ties
            compared.insert(0, (np.zeros_like(self.weights[0]), np.int64(0)))
        least = min(int(bias) for _, bias in compared)
        negative = (self.weights.min(0) < 0).tolist()
        inverted = {
            bit: builder.add(Lut((bit,), _NOT)) for bit, used in zip(bits, negative, strict=True) if used
        }
        sums = []
        for weights, bias in compared:
            columns: list[list[int]] = []
            for bit, weight in zip(bits, weights, strict=True):
                _put(columns, abs(int(weight)), inverted[bit] if weight < 0 else bit)
            if bias > least:
                _put(columns, int(bias) - least, builder.add(Constant(value=True)))
            sums.append(add_up(builder, columns))
        return argmax_index(builder, sums)


def _put(columns: list[list[int]], weight: int, node: int) -> None:
    for k in range(weight.bit_length()):
        while len(columns) <= k:
            columns.append([])
        if weight >> k & 1:
            columns[k].append(node)
