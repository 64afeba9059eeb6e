"""The sums that are tried, the table over each, and the choice among them on validation rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.arithmetic import add_up
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.objective import Objective
from dwn_asic.methods.base import Fitted, Progress
from dwn_asic.methods.parts.fitting_steps import most_frequent

if TYPE_CHECKING:
    from dwn_asic.methods.sum_table import SumTable

__all__ = ["Term", "WeightedSum", "fit", "sums"]

_MOST_VALUES = 1 << 12
"""Maximum number of values of a sum, since its table has an entry for each."""


@dataclass(frozen=True)
class Term:
    """A binary feature in a sum, or its complement, which is worth ``1 << place``."""

    feature: int
    inverted: bool
    place: int


@dataclass(frozen=True)
class WeightedSum:
    """A sum of binary features, and its name for readers."""

    name: str
    terms: tuple[Term, ...]

    @property
    def n_values(self) -> int:
        """One more than the largest value of the sum."""
        return 1 + sum(1 << term.place for term in self.terms)

    def evaluate(self, bits: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return the sum for each row: (F, N) bits, feature by feature, -> (N,)."""
        values = np.zeros(bits.shape[1], np.int16)
        for term in self.terms:
            bit = bits[term.feature]
            values += (1 - bit if term.inverted else bit) << np.int16(term.place)
        return values


# A digit of a word, or of a sum of two words: the features that it adds, and whether they are inverted.
_Digit = tuple[tuple[int, bool], ...]


def sums(features: Sequence[int], most: int) -> Iterator[WeightedSum]:
    """Yield the sums that are tried, those of fewer bits first.

    Parameters
    ----------
    features
        Indices of the binary features, in the order of the table's columns.
    most
        Maximum number of adjacent bits of each word.
    """
    yield WeightedSum("number of set bits", tuple(Term(f, inverted=False, place=0) for f in features))
    for width in range(1, most + 1):
        for name, digits in _words(features):
            for first in range(len(digits) - width + 1):
                chosen = digits[first : first + width]
                for order, ordered in (("up", chosen), ("down", chosen[::-1]))[: min(width, 2)]:
                    terms = tuple(
                        Term(feature, inverted, place)
                        for place, digit in enumerate(ordered)
                        for feature, inverted in digit
                    )
                    yield WeightedSum(f"{name}, bits {first} to {first + width - 1} {order}", terms)


def _words(features: Sequence[int]) -> Iterator[tuple[str, list[_Digit]]]:
    yield "word", [((f, False),) for f in features]
    half = len(features) // 2
    pairs = {
        "halves": (features[:half], features[half : 2 * half]),
        "alternate": (features[::2], features[1::2]),
    }
    for how, (first, second) in pairs.items():
        for sign, inverted in (("sum", False), ("difference", True)):
            yield (
                f"{sign} of {how}",
                [((a, False), (b, inverted)) for a, b in zip(first, second, strict=False)],
            )


@dataclass(frozen=True, eq=False)
class _Tabulated:
    """A sum, the class for each of its values, and its score on the rows of each part."""

    weighted: WeightedSum
    classes: NDArray[np.int64]
    val: float
    train: float


def fit(options: SumTable, dataset: Dataset, progress: Progress) -> Fitted:
    """Make a table over every sum from training rows, and keep the one that is best on validation rows.

    Ties go to the better one on training rows, then to the first, which has fewer bits.
    """
    features = np.flatnonzero(dataset.quantizer.bits == 1).tolist()
    if not features:
        return most_frequent(dataset)
    objective = dataset.objective
    gains = objective.total_costs(dataset.part("train")[1], dataset.table.n_classes).gains
    train, val = (_transposed(*dataset.part(part)) for part in ("train", "val"))
    best: _Tabulated | None = None
    for weighted in sums(features, options.bits):
        if weighted.n_values > _MOST_VALUES:
            continue
        found = _tabulated(weighted, train, val, gains, objective)
        if best is None or (found.val, found.train) > (best.val, best.train):
            best = found
            progress(f"{weighted.name}: validation {objective.name} {found.val:.4f}")
    if best is None:
        return most_frequent(dataset)
    graph = _graph(best, dataset.interface)
    predictions = best.classes[best.weighted.evaluate(dataset.codes.T.astype(np.int16))]
    return Fitted(graph, predictions, {"sum": best.weighted.name, "values": best.weighted.n_values})


_Rows = tuple[NDArray[np.int16], NDArray[np.int64]]


def _transposed(codes: NDArray[np.int64], labels: NDArray[np.int64]) -> _Rows:
    """Return the codes feature by feature, (N, F) -> (F, N), which speeds up sums, and the labels."""
    return np.ascontiguousarray(codes.T, np.int16), labels


def _tabulated(
    weighted: WeightedSum, train: _Rows, val: _Rows, gains: NDArray[np.int64], objective: Objective
) -> _Tabulated:
    n_classes = len(gains)
    values, labels = weighted.evaluate(train[0]).astype(np.int64), train[1]
    counts = np.bincount(values * n_classes + labels, minlength=weighted.n_values * n_classes)
    classes = _filled(counts.reshape(weighted.n_values, n_classes), gains)
    on_val = objective.score(val[1], classes[weighted.evaluate(val[0])])
    return _Tabulated(weighted, classes, on_val, objective.score(labels, classes[values]))


def _filled(counts: NDArray[np.int64], gains: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class of each value, (V, C) counts -> (V,): the best one at the nearest seen value.

    The (C, C) gains say what predicting each class is worth, by label.
    """
    seen = np.flatnonzero(counts.any(axis=1))
    after = np.searchsorted(seen, np.arange(len(counts))).clip(max=len(seen) - 1)
    before = (after - 1).clip(min=0)
    places = np.arange(len(counts))
    nearer = np.abs(seen[after] - places) < np.abs(places - seen[before])
    nearest: NDArray[np.int64] = (counts @ gains).argmax(axis=1)[np.where(nearer, seen[after], seen[before])]
    return nearest


def _graph(found: _Tabulated, interface: Interface) -> BooleanGraph:
    builder = GraphBuilder(interface)
    columns: list[list[int]] = [[] for _ in range(1 + max(term.place for term in found.weighted.terms))]
    for term in found.weighted.terms:
        bit = builder.add(Threshold(term.feature, 1))
        columns[term.place].append(builder.add(Lut((bit,), 0b01)) if term.inverted else bit)
    total = tuple(add_up(builder, columns))
    classes = np.zeros(1 << len(total), np.int64)
    classes[: len(found.classes)] = found.classes
    tables = [
        sum(1 << int(value) for value in np.flatnonzero(classes >> k & 1))
        for k in range(interface.class_bits)
    ]
    return builder.finish([builder.add(Lut(total, table)) for table in tables])
