"""What every rival offers: a name, and ``fit``, which ends in a checked BooleanGraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import PARTS, Part
from dwn_asic.errors import VerificationError

__all__ = ["Detail", "Fitter", "Fitting", "Progress", "Rival", "RivalPlan", "interface_of", "most_frequent"]

Progress = Callable[[str], None]
"""Gets one line now and then."""
Detail = str | int | float


@dataclass(frozen=True, eq=False)
class Fitting:
    """What a method hands over: its model's word on every row, and the same model as logic.

    Attributes
    ----------
    graph
        The circuit; ``None`` for a method that is software only.
    predictions
        (N,) class index that the software model gives each row of the table, computed without the graph.
    details
        What a reader of the report wants to know, for example how many leaves the tree really has.
    """

    graph: BooleanGraph | None
    predictions: NDArray[np.int64]
    details: Mapping[str, Detail]


Fitter = Callable[[Dataset, int, Progress], Fitting]
"""(dataset, seed, progress) -> fitting."""


@dataclass(frozen=True, eq=False)
class Rival:
    """A fitted rival.

    Attributes
    ----------
    name
        Made of ``[a-z0-9-]``, for example ``tree-16``; unique in its flow.
    label
        For people: ``decision tree, 16 leaves``.
    method
        ``decision_tree``, ``tiny_classifier`` or ``gbdt``.
    graph
        The circuit, its inputs thresholds, its outputs the bits of the class index; ``None`` where there is
        only a software model.
    accuracy
        Share of rows of each part that the software model classifies correctly; where there is a graph, it
        was found to agree on every row.
    details
        What else the method has to say.
    """

    name: str
    label: str
    method: str
    graph: BooleanGraph | None
    accuracy: Mapping[Part, float]
    details: Mapping[str, Detail]


@dataclass(frozen=True)
class RivalPlan:
    """A rival that is still to be fitted.

    Attributes
    ----------
    name, label, method
        As in :class:`Rival`.
    fitter
        The method with its options.
    """

    name: str
    label: str
    method: str
    fitter: Fitter

    def fit(self, dataset: Dataset, seed: int, progress: Progress | None = None) -> Rival:
        """Fit on the training rows; the same arguments give the same rival.

        Raises
        ------
        VerificationError
            The graph and the software model differ on some row of the table.
        """
        fitting = self.fitter(dataset, seed, progress or _silent)
        if fitting.graph is not None:
            _check(self.name, fitting.graph, fitting.predictions, dataset)
        hits = fitting.predictions == dataset.table.labels
        accuracy: dict[Part, float] = {part: float(hits[dataset.split.rows(part)].mean()) for part in PARTS}
        return Rival(self.name, self.label, self.method, fitting.graph, accuracy, fitting.details)


def interface_of(dataset: Dataset) -> Interface:
    """The ports of a circuit for this table."""
    widths = tuple(int(width) for width in dataset.quantizer.bits)
    return Interface(dataset.table.feature_names, widths, dataset.table.class_names)


def most_frequent(dataset: Dataset, interface: Interface) -> Fitting:
    """Without a single input bit, or with rows of one class only, all that is left is to choose one class."""
    index = int(np.bincount(dataset.part("train")[1]).argmax())
    builder = GraphBuilder(interface)
    drivers = [builder.add(Constant(bool(index >> k & 1))) for k in range(interface.class_bits)]
    predictions = np.full(len(dataset.codes), index, np.int64)
    return Fitting(builder.finish(drivers), predictions, {"thresholds": 0})


def _silent(_line: str) -> None:
    pass


def _check(name: str, graph: BooleanGraph, expected: NDArray[np.int64], dataset: Dataset) -> None:
    got = graph.predict(dataset.codes)
    differing = np.flatnonzero(got != expected)
    if len(differing):
        n = int(differing[0])
        raise VerificationError(
            f"{name}: the circuit and its software model differ on {len(differing)} of {len(got)} rows",
            inputs=f"row {n + 1}, codes {dataset.codes[n].tolist()}",
            expected=f"class {expected[n]}",
            got=f"class {got[n]}",
        )
