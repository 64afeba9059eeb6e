"""Accuracy: the share of rows that a classifier classifies correctly, in each part of the split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.table import PARTS
from dwn_asic.metrics import higher

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METRICS", "accuracies"]

_ROWS = {"train": "training", "val": "validation", "test": "test"}
METRICS = tuple(
    higher(f"accuracy__{part}", "", f"Share of {_ROWS[part]} rows that are classified correctly")
    for part in PARTS
)


def accuracies(dataset: Dataset, predictions: NDArray[np.int64]) -> dict[str, float]:
    """Return the :data:`METRICS` of (N,) predicted class indices; a part without rows has none."""
    right = predictions == dataset.table.labels
    rows = {part: dataset.split.rows(part) for part in PARTS}
    return {f"accuracy__{part}": float(right[rows[part]].mean()) for part in PARTS if len(rows[part])}
