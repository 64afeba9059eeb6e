"""The scores of a classifier in each part of the split: accuracy, and those that count classes or costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.confusion import confusion_matrix
from dwn_asic.data.objective import Objective
from dwn_asic.data.table import PARTS
from dwn_asic.metrics import Metric, higher

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METRICS", "scores"]

_ROWS = {"train": "training", "val": "validation", "test": "test"}
_MEANINGS = {
    "accuracy": "Share of {} rows that are classified correctly",
    "balanced_accuracy": "Mean over the classes of the share of their {} rows that are classified correctly",
    "macro_f1": "Mean over the classes of their F1 on {} rows",
    "f1": "F1 of the rarer of two classes on {} rows, if the objective is F1",
    "cost_score": "Highest possible cost less the cost, as a share of it, on {} rows, if the flow sets costs",
}


def _metric(key: str, part: str) -> Metric:
    return higher(f"{key}__{part}", "", _MEANINGS[key].format(_ROWS[part]))


METRICS = tuple(_metric(key, part) for key in _MEANINGS for part in PARTS)
_ALWAYS = (Objective("accuracy"), Objective("balanced_accuracy"), Objective("f1"))


def scores(dataset: Dataset, predictions: NDArray[np.int64]) -> dict[str, float]:
    """Return the :data:`METRICS` of (N,) predicted class indices; a part without rows has none.

    The score of the data set's objective is among them.
    """
    labels, n_classes = dataset.table.labels, dataset.table.n_classes
    found: dict[str, float] = {}
    for objective in dict.fromkeys((*_ALWAYS, dataset.objective)):
        for part in PARTS:
            rows = dataset.split.rows(part)
            if len(rows):
                matrix = confusion_matrix(labels[rows], predictions[rows], n_classes)
                found[f"{objective.key}__{part}"] = objective.score_of_matrix(matrix)
    return found
