"""The inputs of a Tiny Classifier: the bucket that each feature falls into, coded in a few bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import GraphBuilder, Lut, Threshold
from dwn_asic.encode.thermometer import Thermometer

__all__ = ["BucketCode", "Code", "Cuts", "Line"]

Cuts = Literal["quantile", "equal_width"]
"""Rule for cutting buckets: into equal shares of the training rows, or into equal parts of the training
range."""
Code = Literal["thermometer", "onehot", "binary", "gray"]

_XOR, _NOT = 0b0110, 0b01


class Line(NamedTuple):
    """One bit of a code: the parity of some comparisons ``code >= c``, possibly inverted.

    The comparisons of a feature are ordered, so every set of buckets is such a parity.
    """

    thresholds: tuple[int, ...]
    inverted: bool


@dataclass(frozen=True, eq=False)
class BucketCode:
    """The code bits of all features.

    Attributes
    ----------
    thermometer
        The comparisons between buckets.
    lines
        The bits; their thresholds are indices of thermometer bits.
    """

    thermometer: Thermometer
    lines: tuple[Line, ...]

    @classmethod
    def fit(
        cls, codes: NDArray[np.int64], widths: NDArray[np.int64], *, cuts: Cuts, code: Code, bits: int
    ) -> BucketCode:
        """Choose buckets from the (N, F) codes of the training rows.

        Parameters
        ----------
        codes, widths
            As for :meth:`Thermometer.fit`.
        cuts
            Where buckets end. Cuts that separate no training rows are dropped.
        code
            ``binary`` and ``gray`` have 2**bits buckets, ``onehot`` has ``bits`` buckets, ``thermometer`` one
            more.
        bits
            Maximum number of bits per feature.
        """
        n_cuts = {"thermometer": bits, "onehot": bits - 1}.get(code, (1 << bits) - 1)
        kind: Literal["distributive", "uniform"] = "distributive" if cuts == "quantile" else "uniform"
        thermometer = Thermometer.fit(codes, widths, kind=kind, bits=n_cuts)
        lines: list[Line] = []
        for f in np.unique(thermometer.feature):
            first, end = np.searchsorted(thermometer.feature, [f, f + 1])
            lines += [
                Line(tuple(int(first) + i for i in flips), inverted)
                for flips, inverted in _lines(int(end - first), code)
            ]
        return cls(thermometer, tuple(lines))

    def __len__(self) -> int:
        return len(self.lines)

    def encode(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Encode rows: (N, F) codes -> (N, I) bits."""
        reached = self.thermometer.encode(codes)
        bits = np.zeros((len(codes), len(self)), np.bool_)
        for i, line in enumerate(self.lines):
            bits[:, i] = np.logical_xor.reduce(reached[:, list(line.thresholds)], axis=1) ^ line.inverted
        return bits

    def add_line(self, number: int, builder: GraphBuilder) -> int:
        """Add one bit to a graph and return its node."""
        line = self.lines[number]
        nodes = [
            builder.add(Threshold(int(self.thermometer.feature[t]), int(self.thermometer.constant[t])))
            for t in line.thresholds
        ]
        while len(nodes) > 1:  # a tree of pairs keeps the longest path short
            pairs = zip(nodes[::2], nodes[1::2], strict=False)
            rest = nodes[-1:] if len(nodes) % 2 else []
            nodes = [builder.add(Lut(pair, _XOR)) for pair in pairs] + rest
        return builder.add(Lut((nodes[0],), _NOT)) if line.inverted else nodes[0]


def _lines(n_cuts: int, code: Code) -> list[tuple[list[int], bool]]:
    """Return the cuts at which each bit of a feature flips, and whether it starts as one."""
    if code == "thermometer":
        return [([i], False) for i in range(n_cuts)]
    if code == "onehot":
        last = n_cuts - 1
        return [([0], True), *(([i, i + 1], False) for i in range(last)), ([last], False)]
    buckets = np.arange(n_cuts + 1)
    numbers = buckets ^ (buckets >> 1) if code == "gray" else buckets
    bits = [numbers >> k & 1 for k in range(n_cuts.bit_length())]
    return [(np.flatnonzero(bit[1:] != bit[:-1]).tolist(), False) for bit in bits]
