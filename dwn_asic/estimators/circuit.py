"""The estimator that shrinks the circuit of any method to a front of small circuits."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from dwn_asic import api
from dwn_asic.api import Goal
from dwn_asic.arguments import graph_of
from dwn_asic.errors import ConfigError
from dwn_asic.estimators.base import ChipClassifier
from dwn_asic.estimators.dwn import counting
from dwn_asic.estimators.rows import batch_rows, holds_nothing, label_frequencies
from dwn_asic.methods.registry import methods
from dwn_asic.optimize.lossy.front import Front, FrontCircuit

if TYPE_CHECKING:
    from typing import Self

    from dwn_asic.data.dataset import Dataset
    from dwn_asic.encode.config import Scaling
    from dwn_asic.methods.base import Plan
    from dwn_asic.targets.base import Target

__all__ = ["CircuitClassifier"]

_AREAS, _SCORES = ("core", "encoder", "total"), ("train", "val", "expected")


class CircuitClassifier(ChipClassifier):
    """A small circuit that classifies well, found by annealing the circuit of another model.

    ``fit`` first fits the start, a model of another method. Guided by training rows, it then anneals the
    gates, wires and thresholds of that model's circuit into a front of circuits of all sizes. Validation rows
    choose one of them: the smallest whose errors are within ``tolerance`` of the best. :meth:`select` and
    :meth:`at` return the estimator with another circuit of the front.

    Parameters
    ----------
    start
        Method of the start: ``dwn``, ``decision_tree`` (or ``tree``), ``tiny_classifier``, or any other
        method with a circuit.
    start_options
        Keys of that method's configuration, for example ``{"leaves": 64}``. If they describe several
        classifiers, the last one is the start. The default network of ``dwn`` has layers of 24, 4 and 1 LUTs
        for two classes; for more classes it has ten 6-input LUTs per class and a popcount.
    objective
        Score that everything is optimized for and chosen by: None for accuracy, the name of a metric
        (``balanced_accuracy``, ``f1``), or the keys of the section ``objective`` of a flow file as a mapping.
        :meth:`score` returns it.
    area
        Area to minimize: ``total``, or ``core``, which excludes the comparators of the encoder.
    tolerance
        Errors on validation rows that are accepted for a smaller circuit, relative to those of the most
        accurate one: 0.05 adds one error to twenty, or half a standard error below 100 errors. With an
        ``objective`` errors are what its score lacks to 1.
    proposals
        Number of changes that each of the twelve annealing chains proposes. A million takes ten to thirty
        seconds on a table of some thousand rows; a larger number finds smaller circuits.
    shrink_options
        Further keys of the section ``shrink`` of a flow file; they take precedence over the arguments above.
    n_jobs
        Number of threads of the annealing: None for one, -1 for all processors. The result does not depend
        on it.
    input_bits, scaling, features
        Width of the codes, 1 to 16; ``"codes"`` if values are codes already, as an ADC delivers them; and
        ``lo``, ``step`` and ``bits`` of single features by name. As in the section ``encoder`` of a flow
        file.
    effort
        Effort of exact minimization: ``low``, ``medium`` or ``high``.
    target
        Target of the circuit, from :func:`dwn_asic.target`; by default sky130 cells without registers.
    validation_fraction
        Fraction of the rows of each class that is held out to choose a circuit of the front.
    random_state
        Seed or generator that draws the validation rows and seeds the start and the annealing.

    Attributes
    ----------
    classes_
        (C,) labels in ascending order.
    n_features_in_, feature_names_in_
        Number F of features, and their names if X had column names.
    front_
        (K,) structured array with one row per circuit in ascending order of area; ``pandas.DataFrame``
        accepts it. Its fields are the areas ``core``, ``encoder`` and ``total`` in the target's unit
        (NAND2-equivalents), each circuit mapped without exact minimization; ``accuracy_train``,
        ``accuracy_val``, and ``accuracy_expected``, the validation accuracy corrected for selection bias (or
        ``balanced_accuracy_train`` and so on, by the objective); and ``chosen``.
    choice_
        Row number in ``front_`` of the circuit that predicts.
    classifier_
        The :class:`~dwn_asic.methods.base.Classifier` from which the annealing started.
    graph_
        Boolean graph of the circuit that predicts, before exact minimization.
    quantizer_
        Quantizer that converts values to the codes that the chip reads.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = CircuitClassifier("tree", proposals=5000, random_state=0).fit(X, y)
    >>> model.front_.dtype.names
    ('core', 'encoder', 'total', 'accuracy_train', 'accuracy_val', 'accuracy_expected', 'chosen')
    >>> tiny = model.select(max_area=4.0)
    >>> float(tiny.front_["total"][tiny.choice_]) <= 4.0
    True
    """

    def __init__(
        self,
        start: str = "dwn",
        *,
        start_options: Mapping[str, object] | None = None,
        objective: Goal | None = None,
        area: Literal["total", "core"] = "total",
        tolerance: float = 0.05,
        proposals: int = 1_000_000,
        shrink_options: Mapping[str, object] | None = None,
        n_jobs: int | None = None,
        input_bits: int = 8,
        scaling: Scaling = "fitted",
        features: Mapping[str, Mapping[str, float]] | None = None,
        effort: str = "low",
        target: Target | None = None,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.start = start
        self.start_options = start_options
        self.objective = objective
        self.area = area
        self.tolerance = tolerance
        self.proposals = proposals
        self.shrink_options = shrink_options
        self.n_jobs = n_jobs
        self.input_bits = input_bits
        self.scaling = scaling
        self.features = features
        self.effort = effort
        self.target = target
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    front_: NDArray[np.void]
    choice_: int
    _circuits: tuple[FrontCircuit, ...]
    _all_frequencies: tuple[NDArray[np.float64], ...]

    def select(self, max_area: float) -> Self:
        """Return a fitted copy that predicts with the most accurate circuit of at most this area.

        The score that counts is the lower of ``accuracy_val`` and ``accuracy_expected``.

        Parameters
        ----------
        max_area
            Largest allowed area, in the unit of ``front_``: total area, or core area if ``area`` is
            ``core``.

        Raises
        ------
        ValueError
            No circuit of the front is small enough.
        """
        check_is_fitted(self)
        areas = self.front_[self.area]
        val, expected = (self.front_[f"{self._score_key}_{part}"] for part in ("val", "expected"))
        scores = np.minimum(val, expected)
        fitting = np.flatnonzero(areas <= max_area)
        if not len(fitting):
            raise ValueError(
                f"max_area is {max_area}, but the smallest circuit of the front has {areas.min()}"
            )
        return self.at(int(fitting[scores[fitting].argmax()]))

    def at(self, row: int) -> Self:
        """Return a fitted copy that predicts with the circuit in this row of ``front_``, counted from 0."""
        check_is_fitted(self)
        if not 0 <= row < len(self._circuits):
            raise ValueError(f"row is {row}, but the front has the rows 0 to {len(self._circuits) - 1}")
        other = copy.copy(self)
        other._choose(row)
        return other

    def _fit_circuit(self, dataset: Dataset, seed: int) -> None:
        self.classifier_ = self._fitted(self._plan(dataset), dataset, seed)
        front = self._front(dataset, seed)
        order = sorted(range(len(front.circuits)), key=lambda i: self._area(front.circuits[i]))
        self._circuits = tuple(front.circuits[i] for i in order)
        self._all_frequencies = tuple(label_frequencies(each.graph, dataset) for each in self._circuits)
        self._choose(order.index(front.choice))

    def _choose(self, row: int) -> None:
        self.choice_ = row
        self.graph_ = self._circuits[row].graph
        self._frequencies = self._all_frequencies[row]
        self._minimized = None
        rows = [
            (c.core, c.encoder, c.total, c.train, c.val, c.expected, i == row)
            for i, c in enumerate(self._circuits)
        ]
        numbers = [*_AREAS, *(f"{self._score_key}_{part}" for part in _SCORES)]
        kinds = [*((name, np.float64) for name in numbers), ("chosen", np.bool_)]
        self.front_ = np.array(rows, dtype=kinds)

    def _area(self, circuit: FrontCircuit) -> tuple[float, float]:
        return (circuit.core if self.area == "core" else circuit.total, circuit.val)

    def _plan(self, dataset: Dataset) -> Plan:
        """Return the plan of the start: the last one if the options describe several classifiers."""
        found = {name: method for name, method in methods().items() if not method.software}
        short = {method.short: name for name, method in found.items() if method.short}
        kind, allowed = short.get(self.start, self.start), [*found, *short]
        if kind not in allowed:
            raise ConfigError("CircuitClassifier", "start", f"is {self.start!r}", ", ".join(allowed))
        defaults = _dwn(dataset) if kind == "dwn" else {}
        planned = api.plans(kind, **{**defaults, **(self.start_options or {})})
        if not planned:
            raise ConfigError("CircuitClassifier", "start_options", "describe no classifier", "at least one")
        return planned[-1]

    def _front(self, dataset: Dataset, seed: int) -> Front:
        options: dict[str, Any] = {
            "area": self.area,
            "tolerance": self.tolerance,
            "proposals": self.proposals,
            "jobs": _threads(self.n_jobs),
            **(self.shrink_options or {}),
        }
        if not holds_nothing(dataset):
            return api.shrink(self.classifier_, dataset, self.target, seed=seed, **options)
        graph = graph_of(self.classifier_)
        registers = api.target_or_default(self.target).cost.overhead(graph)
        predictions = graph.predict(dataset.codes)
        train, val = dataset.score("train", predictions), dataset.score("val", predictions)
        return Front((FrontCircuit(graph, 0.0, 0.0, registers, train, val, val, math.nan),), 0)


def _dwn(dataset: Dataset) -> dict[str, object]:
    """Return options of a network that trains in seconds, which suffices because annealing improves it."""
    n_classes = dataset.table.n_classes
    training = {"epochs": 60, "batch_size": batch_rows(dataset, 256), "learning_rate": 0.03}
    if n_classes == 2:
        return {"training": training}
    return {"model": counting(10 * n_classes, 6), "training": {**training, "restarts": 1}}


def _threads(n_jobs: int | None) -> int:
    """Return the number of threads for ``n_jobs`` as in scikit-learn: None is 1, -1 all, -2 all but one."""
    if n_jobs is None or n_jobs > 0:
        return n_jobs or 1
    return max(1, (os.cpu_count() or 1) + 1 + n_jobs)
