"""Reachable input patterns of a core: the thermometer bits of a feature are ordered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import CodeBit, Input, Interface, Threshold

__all__ = ["ReachableInputs"]


class ReachableInputs:
    """The reachable patterns of a list of inputs, for simulation and for SAT.

    A feature with k threshold constants has k + 1 patterns (bit(c') implies bit(c) where c < c'); code bits
    take all patterns. If a feature has both, simulation patterns come from codes, but the clauses do not
    relate the code bits to the thresholds: a proof then covers more than the reachable patterns.

    Attributes
    ----------
    inputs
        The inputs.
    clauses
        SAT clauses of the order; variable i + 1 is input i.
    """

    def __init__(self, inputs: Sequence[Input], interface: Interface) -> None:
        self.inputs = tuple(inputs)
        self._widths = interface.widths
        self._constants: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._bits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for i, node in enumerate(self.inputs):
            if isinstance(node, Threshold):
                self._constants[node.feature].append((node.constant, i))
            elif isinstance(node, CodeBit):
                self._bits[node.feature].append((node.bit, i))
        for ordered in self._constants.values():
            ordered.sort()
        self.clauses = [
            [-(high + 1), low + 1]
            for ordered in self._constants.values()
            for (_, low), (_, high) in pairwise(ordered)
        ]

    def sample(self, rows: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draw (rows, I) patterns, for each feature uniformly over the intervals between its constants."""
        values = np.zeros((rows, len(self.inputs)), bool)
        for feature in sorted(self._constants.keys() | self._bits.keys()):
            values[:, self._columns(feature)] = self._feature_rows(feature, rows, rng)
        return values

    def neighbours(self, row: NDArray[np.bool_], rows: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Return (rows, I): the row itself, then rows that differ from it in up to three features."""
        values = np.repeat(row[None, :], rows, axis=0)
        features = np.array(sorted(self._constants.keys() | self._bits.keys()))
        chosen = np.zeros((rows, len(features)), bool)
        chosen[np.arange(rows)[:, None], rng.integers(0, len(features), (rows, 3))] = True
        chosen &= rng.random(chosen.shape) < 0.7
        chosen[0] = False
        for k, feature in enumerate(features):
            columns, changed = self._columns(int(feature)), np.flatnonzero(chosen[:, k])
            values[changed[:, None], columns] = self._feature_rows(int(feature), len(changed), rng)
        return values

    def _columns(self, feature: int) -> list[int]:
        found = self._constants.get(feature, []) + self._bits.get(feature, [])
        return [i for _, i in found]

    def _feature_rows(self, feature: int, rows: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        constants = np.array([c for c, _ in self._constants.get(feature, [])], np.int64)
        bits = np.array([b for b, _ in self._bits.get(feature, [])], np.int64)
        if not len(bits):
            interval = rng.integers(0, len(constants) + 1, rows)
            return interval[:, None] > np.arange(len(constants))
        codes = rng.integers(0, 1 << self._widths[feature], rows)[:, None]
        return np.concatenate([codes >= constants, (codes >> bits & 1).astype(bool)], axis=1)
