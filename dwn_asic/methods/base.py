"""The interface of a method: its declaration, its plans, and the classifier that a fitted plan returns.

A method is a module of this package, or a module elsewhere that is registered, see
:mod:`dwn_asic.methods.registry`. It declares itself as a :class:`Method`; there is no other list of methods.
Reading a flow file imports all methods, so heavy packages (torch, numpy, scikit-learn, graphs) are imported
only where a plan is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from dwn_asic.configuration import Strict
from dwn_asic.errors import VerificationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.data.table import Part

__all__ = [
    "Classifier",
    "Detail",
    "Fitted",
    "Fitter",
    "Look",
    "Method",
    "MethodConfig",
    "Plan",
    "Progress",
    "WeightedRows",
]

Progress = Callable[[str], None]
"""A callback that receives a line of progress now and then."""
Detail = str | int | float
WeightedRows = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64] | None"]
"""(N, F) codes, (N,) class indices, and (N,) weights, None if they are equal."""


class MethodConfig(Strict):
    """Base class of every method's configuration: an entry of a flow file's ``baselines``.

    A method's own class narrows ``kind`` to a ``Literal`` of its kind.
    """

    kind: str
    """Kind of the method; selects its keys."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The result of a fitter: the software model's predictions, and the same model as logic.

    Attributes
    ----------
    graph
        The circuit from thresholds to the bits of the class index; ``None`` for a method without hardware.
    predictions
        (N,) class indices that the software model predicts for all rows of the table, computed without the
        graph.
    details
        Further facts for the report, for example the actual number of leaves of a tree.
    network
        The LUT network whose tables shrinking may refit; ``None`` for a model that consists of its graph
        alone.
    label
        Replaces the plan's label if that depends on the data; otherwise empty.
    """

    graph: BooleanGraph | None
    predictions: NDArray[np.int64]
    details: Mapping[str, Detail]
    network: LutNetwork | None = None
    label: str = ""


Fitter = Callable[["Dataset", int, Progress], Fitted]
"""Function (dataset, seed, progress) -> fitted model. The objective is ``dataset.objective``.

A fitter is a frozen dataclass whose repr states all of its options, since cached results are looked up by
it."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A fitted model whose graph agrees with its software model on every row of the table.

    Attributes
    ----------
    name
        Name made of ``[a-z0-9-]``, unique in its flow, for example ``tree-16``.
    label
        Name for readers, for example ``decision tree, 16 leaves``.
    kind
        Kind of its method, for example ``decision_tree``.
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
        """Return the share of rows that the software model classifies correctly, for each part with rows."""
        from dwn_asic.data.table import PARTS

        hits = self.predictions == dataset.table.labels
        rows = {part: dataset.split.rows(part) for part in PARTS}
        return {part: float(hits[rows[part]].mean()) for part in PARTS if len(rows[part])}


@dataclass(frozen=True)
class Plan:
    """A classifier that is to be fitted.

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
        """Fit on the training rows; equal arguments return an equal classifier.

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
    """Name and style of a method in legends and figures."""

    name: str
    colour: str
    """Colour from the palette of Okabe and Ito, which colour-blind readers can distinguish, as far as it
    suffices."""
    marker: str


# Covariant, so that one registry holds all methods; a configuration is planned by its own method only.
Config_co = TypeVar("Config_co", bound=MethodConfig, covariant=True)

LAST = 1000
"""Rank of methods that do not set one."""


@dataclass(frozen=True)
class Method(Generic[Config_co]):
    """A method as the rest of the package sees it.

    Attributes
    ----------
    kind
        Name in flow files and results, for example ``decision_tree``.
    config
        Model of its configuration.
    plans
        Function from a configuration to the plans to fit, in order; a configuration may ask for several
        sizes.
    look
        Name in legends, colour and marker.
    reference
        Citation of the work that it follows.
    rank
        Position in tables and legends, ascending; methods of equal rank are sorted by kind.
    sizes
        Whether its circuits form a family of several sizes, from which tables choose.
    software
        Whether it has no circuit and shows the accuracy that the data allow.
    short
        Alternative name of its kind for notebooks.
    objective
        How the method follows objectives other than accuracy: ``fit`` if rows are weighted in the fit and
        validation rows choose by the score, ``choice`` if only the choice follows, ``none`` if neither does.
    packages
        Distributions whose versions affect its result, including some that may not be installed.
    """

    kind: str
    config: type[Config_co]
    plans: Callable[[Config_co], Iterator[Plan]]
    look: Look
    reference: str
    rank: int = LAST
    sizes: bool = False
    software: bool = False
    objective: Literal["fit", "choice", "none"] = "none"
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
