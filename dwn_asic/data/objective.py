"""The objective of a task: the score of predictions, and the costs of wrong ones that searches minimize.

A score is between 0 and 1, and higher is better. Annealing and training need more than a score: a cost for
each row, whose sum they can minimize. :class:`Costs` holds it as integers, so that sums are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.confusion import balanced_accuracy, class_scores, confusion_matrix
from dwn_asic.errors import ConfigError
from dwn_asic.metrics import SCORES, ScoreKey

if TYPE_CHECKING:
    from dwn_asic.data.config import MetricName, ObjectiveConfig
    from dwn_asic.data.table import Table

__all__ = ["Costs", "Objective"]

_LARGEST = 1 << 30
"""Largest cost of a row: products with the 64 rows of a word, and sums over millions of rows, stay exact."""
_UNIT = 1 << 20
"""Cost that stands for 1 where costs are rounded."""
_EXPECTED_F1 = 0.5
"""F1 for which costs are computed before there are any predictions."""


@dataclass(frozen=True, eq=False)
class Costs:
    """The integer cost of each prediction.

    Attributes
    ----------
    matrix
        (C, C + 1) int64, not negative: cost of predicting each class, by label; 0 on the diagonal. The last
        column is for an index without a class.
    scale
        Total cost that one unit of score is worth, at least 1.
    """

    matrix: NDArray[np.int64]
    scale: int

    @classmethod
    def errors(cls, n_rows: int, n_classes: int) -> Costs:
        """Return a cost of 1 for each wrong prediction, whose sum is the number of errors."""
        return cls(_of_labels(np.ones(n_classes, np.int64)), max(1, n_rows))

    @property
    def by_label(self) -> NDArray[np.int64] | None:
        """(C,) cost of a wrong prediction by label; None if it depends on the predicted class."""
        worst = self.worst
        same = (self.matrix == _of_labels(worst)).all()
        return worst if same else None

    @property
    def worst(self) -> NDArray[np.int64]:
        """(C,) highest cost of a prediction by label."""
        highest: NDArray[np.int64] = self.matrix.max(axis=1)
        return highest

    @property
    def totals(self) -> NDArray[np.int64]:
        """(C,) sum of the costs of predicting each class, by label."""
        sums: NDArray[np.int64] = self.matrix[:, :-1].sum(axis=1)
        return sums

    @property
    def gains(self) -> NDArray[np.int64]:
        """(C, C) cost that predicting each class saves against the worst prediction, by label."""
        saved: NDArray[np.int64] = self.worst[:, None] - self.matrix[:, :-1]
        return saved

    @property
    def are_errors(self) -> bool:
        """True if every wrong prediction costs 1."""
        by_label = self.by_label
        return by_label is not None and bool((by_label == 1).all())

    def total(self, labels: NDArray[np.int64], predictions: NDArray[np.int64]) -> int:
        """Return the cost of (N,) predictions of rows with (N,) labels."""
        return int(self.matrix[labels, np.minimum(predictions, len(self.matrix))].sum())

    def row_weights(self, labels: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Return (N,) weights of rows in a loss, 1 on average; None if they are equal.

        The weight of a label is its mean cost over the wrong classes.
        """
        weights: NDArray[np.float64] = (self.totals / max(1, len(self.matrix) - 1))[labels]
        if not len(weights) or (weights == weights[0]).all():
            return None
        return weights / weights.mean()


@dataclass(frozen=True)
class Objective:
    """The score that circuits and models of a data set are optimized for, chosen by and compared by.

    Attributes
    ----------
    metric
        ``accuracy``: share of rows that are right. ``balanced_accuracy``: mean over the classes of the share
        of their rows that are right. ``f1``: F1 of the class ``positive`` or, without one, the mean of the F1
        of all classes. ``cost``: 1 less the cost of the predictions as a share of the cost of the worst
        possible ones. Classes without rows do not count.
    positive
        Index of the class whose F1 counts, if there are two classes.
    costs
        (C, C) cost of each prediction by label, for the metric ``cost``.
    """

    metric: MetricName = "accuracy"
    positive: int | None = None
    costs: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, config: ObjectiveConfig, table: Table, rows: NDArray[np.int64]) -> Objective:
        """Return the objective that a configuration sets for a table.

        Parameters
        ----------
        config
            The section ``objective`` of a flow file.
        table
            Table whose classes the costs are for.
        rows
            Indices of the training rows, which tell the rarer of two classes; ties go to the second.

        Raises
        ------
        ConfigError
            The costs do not fit the classes of the table.
        """
        if config.metric == "f1" and table.n_classes == 2:
            counts = np.bincount(table.labels[rows], minlength=2)
            return cls("f1", 1 if counts[1] <= counts[0] else 0)
        if config.metric == "cost":
            return cls("cost", costs=_matrix(config, table))
        return cls(config.metric)

    @property
    def key(self) -> ScoreKey:
        """Key of the score, with which the names of its metrics begin."""
        if self.metric == "f1":
            return "macro_f1" if self.positive is None else "f1"
        return "cost_score" if self.metric == "cost" else self.metric

    @property
    def name(self) -> str:
        """Name of the score in tables and messages."""
        return SCORES[self.key]

    @property
    def additive(self) -> bool:
        """True if the score is a sum over rows, so that :meth:`total_costs` does not need predictions."""
        return self.metric != "f1"

    def score(self, labels: NDArray[np.int64], predictions: NDArray[np.int64]) -> float:
        """Return the score of (N,) predictions of rows with (N,) labels; NaN without rows.

        A predicted index without a class is wrong, and costs as much as the worst prediction.
        """
        if not len(labels):
            return math.nan
        if self.metric == "accuracy":
            return float(np.mean(predictions == labels))
        n_classes = max(int(labels.max()) + 1, len(self.costs), 0 if self.positive is None else 2)
        return self.score_of_matrix(confusion_matrix(labels, predictions, n_classes))

    def score_of_matrix(self, matrix: NDArray[np.int64]) -> float:
        """Return the score of a (C, C + 1) confusion matrix; NaN without rows."""
        rows = int(matrix.sum())
        if not rows:
            return math.nan
        if self.metric == "accuracy":
            return int(matrix.diagonal().sum()) / rows
        if self.metric == "balanced_accuracy":
            return balanced_accuracy(matrix)
        if self.metric == "f1":
            scores = class_scores(matrix)
            if self.positive is not None:
                return _number(scores[self.positive].f1)
            known = [each.f1 for each in scores if each.rows]
            return math.fsum(known) / len(known)
        costs = np.array(self.costs)
        costs = np.hstack([costs, costs.max(axis=1, keepdims=True)])
        worst = float((matrix.sum(axis=1) * costs.max(axis=1)).sum())
        return 1.0 - float((matrix * costs).sum()) / worst if worst else 1.0

    def total_costs(
        self, labels: NDArray[np.int64], n_classes: int, predictions: NDArray[np.int64] | None = None
    ) -> Costs:
        """Return the costs whose sum over rows a search minimizes to maximize the score.

        F1 is no sum over rows. Its costs are those of its linearization around predictions (Dinkelbach's
        method for a ratio): with an F1 of F, a missed row of the class costs 2 - F and a row that is wrongly
        predicted as the class costs F. For more than two classes, the second part is averaged over the
        classes, so that the cost depends on the label alone.

        Parameters
        ----------
        labels
            (N,) class indices of the rows.
        n_classes
            Number C of classes.
        predictions
            (N,) class indices that the costs are linearized around; by default an F1 of one half is assumed.
        """
        counts = np.bincount(labels, minlength=n_classes)
        if self.metric == "accuracy" or not len(labels):
            return Costs.errors(len(labels), n_classes)
        if self.metric == "balanced_accuracy":
            weights = _inverse(counts)
            return Costs(_of_labels(weights), int(weights @ counts))
        if self.metric == "f1":
            return self._linearized(labels, counts, predictions)
        matrix = _integers(np.array(self.costs))
        worst = matrix.max(axis=1)
        return Costs(np.hstack([matrix, worst[:, None]]), max(1, int(worst @ counts)))

    def loss_weights(self, labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float64] | None:
        """Return (N,) weights of rows in a training loss, 1 on average; None if they are equal."""
        return self.total_costs(labels, n_classes).row_weights(labels)

    def _linearized(
        self, labels: NDArray[np.int64], counts: NDArray[np.int64], predictions: NDArray[np.int64] | None
    ) -> Costs:
        n_classes = len(counts)
        if predictions is None:
            found, predicted = np.full(n_classes, _EXPECTED_F1), counts
        else:
            matrix = confusion_matrix(labels, predictions, n_classes)
            predicted = matrix.sum(axis=0)[:-1]
            found = np.array([_number(each.f1) for each in class_scores(matrix)])
        # Predicting the class for every row is always possible, so no F1 below that needs to be considered.
        found = np.maximum(found, 2.0 * counts / (counts + len(labels)))
        if self.positive is not None:
            f1, rest = float(found[self.positive]), 1 - self.positive
            weights = np.empty(2, np.int64)
            weights[self.positive], weights[rest] = round((2.0 - f1) * _UNIT), round(f1 * _UNIT)
            size = int(counts[self.positive] + predicted[self.positive])
            return Costs(_of_labels(weights), max(1, size * _UNIT))
        sizes = np.maximum(1, counts + predicted)
        present = counts > 0
        gained = found / sizes
        others = (gained.sum() - gained) / max(1, n_classes - 1)
        weights = np.where(present, (2.0 - found) / sizes + others, 0.0)
        scale = _LARGEST / weights.max()
        return Costs(
            _of_labels(np.rint(weights * scale).astype(np.int64)), max(1, round(present.sum() * scale))
        )


def _number(share: float) -> float:
    """Return a share, 0 if it has no rows."""
    return 0.0 if math.isnan(share) else share


def _of_labels(weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (C, C + 1) costs of wrong predictions that depend on the label alone."""
    matrix = np.repeat(weights[:, None], len(weights) + 1, axis=1)
    np.fill_diagonal(matrix, 0)
    return matrix


def _inverse(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return integers in proportion to 1 / counts: exactly if they are not too large, otherwise rounded.

    A class without rows gets 0.
    """
    known = [int(count) for count in counts if count]
    common = math.lcm(*known)
    weights = np.zeros(len(counts), np.int64)
    if common // min(known) <= _LARGEST:
        weights[counts > 0] = [common // count for count in known]
    else:
        weights[counts > 0] = [round(_LARGEST * min(known) / count) for count in known]
    return weights


def _integers(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return integers in proportion to costs: exactly for few decimals, otherwise rounded."""
    fractions = [Fraction(str(cost)) for cost in costs.ravel().tolist()]
    common = math.lcm(*(each.denominator for each in fractions))
    if max(fractions) * common <= _LARGEST:
        exact = [int(each * common) for each in fractions]
        divisor = max(1, math.gcd(*exact))
        return np.array([each // divisor for each in exact], np.int64).reshape(costs.shape)
    return np.rint(costs * (_LARGEST / costs.max())).astype(np.int64)


def _matrix(config: ObjectiveConfig, table: Table) -> tuple[tuple[float, ...], ...]:
    """Return the (C, C) costs of a configuration."""
    n_classes, names = table.n_classes, ", ".join(table.class_names)
    if config.costs is not None:
        if len(config.costs) != n_classes:
            problem = f"has {len(config.costs)} rows for {n_classes} classes"
            allowed = f"a row and a column for each class: {names}"
            raise ConfigError(table.source, "objective.costs", problem, allowed)
        return config.costs
    given = config.class_weights
    assert given is not None
    if isinstance(given, tuple):
        if len(given) != n_classes:
            problem = f"has {len(given)} weights for {n_classes} classes"
            raise ConfigError(table.source, "objective.class_weights", problem, f"one for each of {names}")
        weights = given
    else:
        unknown = [name for name in given if name not in table.class_names]
        missing = [name for name in table.class_names if name not in given]
        if unknown or missing:
            key = f"objective.class_weights.{(unknown or missing)[0]}"
            raise ConfigError(table.source, key, "is no class" if unknown else "missing", names)
        weights = tuple(given[name] for name in table.class_names)
    return tuple(
        tuple(0.0 if p == t else float(weights[t]) for p in range(n_classes)) for t in range(n_classes)
    )
