"""The labelled table and its split, as immutable arrays."""

from __future__ import annotations

import hashlib
import json
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
    """A table of N labelled rows and F numeric features.

    Attributes
    ----------
    source
        Source as written in the flow file, for example ``bundled:phoneme``.
    values
        (N, F) float64, all finite.
    labels
        (N,) int64 class indices, 0..C-1, each class present.
    feature_names
        (F,) column names.
    class_names
        (C,) label texts; integer-like labels sort as numbers, others as text.
    notes
        Notes of the reader for the author of the table, one line each: text columns with their number of
        categories, and columns that look like an identifier.
    categories
        Name of each text column, and the texts of its values 0, 1, ...
    fills
        (F,) value that replaces missing cells of each column; empty if a missing cell is an error.
    """

    source: str
    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fills: tuple[float, ...] = ()

    @property
    def n_classes(self) -> int:
        """Number C of classes."""
        return len(self.class_names)

    @property
    def digest(self) -> str:
        """SHA-256 of names, labels and values; equal tables have equal digests on every machine."""
        names = json.dumps([self.feature_names, self.class_names]).encode()
        parts = (names, self.labels.astype("<i8").tobytes(), self.values.astype("<f8").tobytes())
        return hashlib.sha256(b"".join(parts)).hexdigest()


@dataclass(frozen=True)
class Split:
    """Row indices of each part: ascending, disjoint, and together all rows of the table."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Return the row indices of one part."""
        return {"train": self.train, "val": self.val, "test": self.test}[part]
