"""What a method is: its declaration, its plans, and the classifier that fitting a plan ends in.

A method is one module of this package, or one module elsewhere that is registered: see
:mod:`dwn_asic.methods.registry`. It declares itself in a :class:`Method`; nothing else lists methods. To read
a flow file, all of them are imported: whatever is heavy (torch, numpy, scikit-learn, graphs) is imported
where a plan is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from dwn_asic.configuration import Strict
from dwn_asic.errors import VerificationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.data.table import Part

__all__ = ["Classifier", "Detail", "Fitted", "Fitter", "Look", "Method", "MethodConfig", "Plan", "Progress"]

Progress = Callable[[str], None]
"""Receives one line now and then."""
Detail = str | int | float


class MethodConfig(Strict):
    """Base of every method's configuration: an entry of a flow file's ``baselines``.

    A method's own class narrows ``kind`` to a ``Literal`` of its kind.
    """

    kind: str


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fitter returns: its model's prediction of every row, and the same model as logic.

    Attributes
    ----------
    graph
        The circuit, its inputs thresholds, its outputs the bits of the class index; ``None`` for a method
        that is software only.
    predictions
        (N,) class index that the software model predicts for each row of the table, computed without the
        graph.
    details
        What a reader of the report wants to know, for example how many leaves the tree really has.
    network
        The LUT network whose tables shrink may fit again; ``None`` of a model that is only its graph.
    label
        In place of the plan's label, where only the data decide it; empty otherwise.
    """

    graph: BooleanGraph | None
    predictions: NDArray[np.int64]
    details: Mapping[str, Detail]
    network: LutNetwork | None = None
    label: str = ""


Fitter = Callable[["Dataset", int, Progress], Fitted]
"""(dataset, seed, progress) -> fitted model.

A frozen dataclass whose repr says all of its options: results are found again by it.
"""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A fitted model, whose graph was found to agree with its software model on every row of the table.

    Attributes
    ----------
    name
        Made of ``[a-z0-9-]``, for example ``tree-16``; unique in its flow.
    label
        For people: ``decision tree, 16 leaves``.
    kind
        Of its method: ``decision_tree``.
    graph, predictions, details, network
        As in :class:`Fitted`.
    """

    name: str
    label: str
    kind: str
    graph: BooleanGraph | None
    predictions: NDArray[np.int64]
    details: Mapping[str, Detail]
    network: LutNetwork | None = None

    def accuracy(self, dataset: Dataset) -> dict[Part, float]:
        """Share of rows that the software model classifies correctly, of each part that has rows."""
        from dwn_asic.data.table import PARTS

        hits = self.predictions == dataset.table.labels
        rows = {part: dataset.split.rows(part) for part in PARTS}
        return {part: float(hits[rows[part]].mean()) for part in PARTS if len(rows[part])}


@dataclass(frozen=True)
class Plan:
    """A classifier that is still to be fitted.

    Attributes
    ----------
    name, label, kind
        As in :class:`Classifier`.
    fitter
        The method with its options.
    """

    name: str
    label: str
    kind: str
    fitter: Fitter

    def fit(self, dataset: Dataset, seed: int, progress: Progress | None = None) -> Classifier:
        """Fit on the training rows; the same arguments give the same classifier.

        Raises
        ------
        VerificationError
            The graph and the software model differ on some row of the table.
        """
        fitted = self.fitter(dataset, seed, progress or _silent)
        if fitted.graph is not None:
            _check(self.name, fitted.graph, fitted.predictions, dataset)
        return Classifier(
            self.name,
            fitted.label or self.label,
            self.kind,
            fitted.graph,
            fitted.predictions,
            fitted.details,
            fitted.network,
        )


@dataclass(frozen=True)
class Look:
    """How a method is named in legends and drawn in figures."""

    name: str
    colour: str
    """Of Okabe and Ito's palette, which colour-blind readers can tell apart, as far as it reaches."""
    marker: str


# Covariant, so that all methods fit in one registry; a configuration is only ever planned by its own method.
Config_co = TypeVar("Config_co", bound=MethodConfig, covariant=True)

LAST = 1000
"""Rank of methods that ask for none."""


@dataclass(frozen=True)
class Method(Generic[Config_co]):
    """All that the rest of the package needs to know of a method.

    Attributes
    ----------
    kind
        As flow files and results write it: ``decision_tree``.
    config
        Model of its configuration.
    plans
        From a configuration to what is to be fitted, in order; a configuration may ask for several sizes.
    look
        Its name in legends, colour and marker.
    reference
        Citation of what it follows.
    rank
        Place in tables and legends, ascending; methods of equal rank stand in the order of their kinds.
    sizes
        Whether its circuits are one family of several sizes, among which tables choose.
    software
        Whether it has no circuit and stands for the accuracy that the data allow.
    short
        Another name that notebooks may use for its kind.
    packages
        Distributions whose versions decide its result; one that is not installed may be among them.
    """

    kind: str
    config: type[Config_co]
    plans: Callable[[Config_co], Iterator[Plan]]
    look: Look
    reference: str
    rank: int = LAST
    sizes: bool = False
    software: bool = False
    packages: tuple[str, ...] = ()
    short: str = ""


def _silent(_line: str) -> None:
    pass


def _check(name: str, graph: BooleanGraph, expected: NDArray[np.int64], dataset: Dataset) -> None:
    got = graph.predict(dataset.codes)
    differing = (got != expected).nonzero()[0]
    if len(differing):
        n = int(differing[0])
        raise VerificationError(
            f"{name}: the circuit and its software model differ on {len(differing)} of {len(got)} rows",
            inputs=f"row {n + 1}, codes {dataset.codes[n].tolist()}",
            expected=f"class {expected[n]}",
            got=f"class {got[n]}",
        )
