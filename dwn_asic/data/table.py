"""The labelled table and its split, as immutable arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARTS", "Part", "Split", "Table"]

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Table:
    """N labelled rows of F numeric features.

    Attributes
    ----------
    source
        The source as the flow file writes it, for example ``bundled:phoneme``.
    values
        (N, F) float64, all finite.
    labels
        (N,) int64 class indices, 0..C-1, each class present.
    feature_names
        (F,) column names.
    class_names
        (C,) label texts; integer-like labels sort as numbers, others as text.
    notes
        One line each on what the table's author should know, as on reading: text columns with their number of
        categories, columns that look like an identifier.
    categories
        The texts of the values 0, 1, ... of each text column, by name.
    """

    source: str
    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def n_classes(self) -> int:
        """The number C of classes."""
        return len(self.class_names)


@dataclass(frozen=True)
class Split:
    """Row indices of each part: ascending, disjoint, together all rows."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Return the row indices of one part."""
        return {"train": self.train, "val": self.val, "test": self.test}[part]
