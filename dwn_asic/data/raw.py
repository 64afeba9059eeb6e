"""A table as it was read: cells may still be missing, labels are already class indices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.columns import MISSING
from dwn_asic.data.table import PARTS, Table
from dwn_asic.errors import ConfigError, DataError

__all__ = ["Impute", "RawTable"]

Impute = Literal["mean", "median", "mode"]

_INTEGER = re.compile(r"[+-]?[0-9]+(\.0*)?")
_INDEX_NAME = re.compile(r"(?:.*[\W_])?(?:id|idx|index|uid|row|rowid|nr|no)|unnamed[\W_]*\d*")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, eq=False)
class RawTable:
    """N labelled rows of F columns, before imputation.

    Attributes
    ----------
    source
        The source as the flow file writes it.
    file
        What an error message names: the file's path, or the source again.
    values
        (N, F) float64; a missing cell is NaN.
    categorical
        (F,) bool: the column holds category codes, whose mean says nothing.
    labels
        (N,) int64 class indices.
    feature_names
        (F,) column names.
    class_names
        (C,) label texts.
    notes
        One line each on what the table's author should know: text columns, columns that look like an index.
    """

    source: str
    file: str
    values: NDArray[np.float64]
    categorical: NDArray[np.bool_]
    labels: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def build(
        cls,
        source: str,
        file: str,
        *,
        values: NDArray[np.float64],
        categorical: NDArray[np.bool_],
        labels: Sequence[str],
        feature_names: Sequence[str],
        label_name: str,
    ) -> RawTable:
        """Check the columns and turn label texts into class indices.

        Raises
        ------
        DataError
            No feature column, no row, an infinite cell, a missing label, a single class, or a class with too
            few rows to have one in each part of the split.
        """
        if not feature_names:
            raise DataError(file, f"no feature columns beside the label column {label_name!r}")
        if not len(labels):
            raise DataError(file, "no rows")
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            n, f = infinite[0]
            raise DataError(file, "is infinite", row=int(n) + 1, column=feature_names[f])
        for n, text in enumerate(labels):
            if text in MISSING:
                raise DataError(file, "the label is missing", row=n + 1, column=label_name)
        indices, class_names = _class_indices(labels)
        _check_classes(file, label_name, indices, class_names)
        notes = tuple(_notes(values, categorical, feature_names))
        return cls(source, file, values, categorical, indices, tuple(feature_names), class_names, notes)

    def one_against_rest(self, name: str) -> RawTable:
        """The two-class task to tell class ``name`` (index 1) from all others; raises ConfigError."""
        if name not in self.class_names:
            allowed = ", ".join(self.class_names)
            raise ConfigError(self.file, "data.one_against_rest", f"is {name!r}, which is no class", allowed)
        labels = (self.labels == self.class_names.index(name)).astype(np.int64)
        return replace(self, labels=labels, class_names=(f"not {name}", name))

    def complete(self, impute: Impute | None, rows: NDArray[np.int64] | None = None) -> Table:
        """Fill the missing cells.

        Parameters
        ----------
        impute
            The statistic of the column that a missing cell becomes; category columns always take their mode
            (ties: the smallest). ``None`` makes a missing cell an error.
        rows
            The rows that the statistics come from, default all; give the training rows to keep validation
            and test rows out of them.

        Raises
        ------
        DataError
            A cell is missing and ``impute`` is None, or ``rows`` hold no value to impute from.
        """
        missing = np.isnan(self.values)
        if impute is None and missing.any():
            n, f = np.argwhere(missing)[0]
            problem = "the cell is missing; set data.impute to mean, median or mode to fill such cells"
            raise DataError(self.file, problem, row=int(n) + 1, column=self.feature_names[f])
        values = self.values.copy()
        for f in np.flatnonzero(missing.any(axis=0)):
            seen = self.values[:, f] if rows is None else self.values[rows, f]
            seen = seen[~np.isnan(seen)]
            if not len(seen):
                raise DataError(self.file, "no value to impute from", column=self.feature_names[f])
            values[missing[:, f], f] = _statistic(seen, "mode" if self.categorical[f] else impute)
        self._check_span(values)
        values.flags.writeable = False
        self.labels.flags.writeable = False
        return Table(self.source, values, self.labels, self.feature_names, self.class_names, self.notes)

    def _check_span(self, values: NDArray[np.float64]) -> None:
        """The quantizer divides the span of a column, so it has to be a number."""
        with np.errstate(over="ignore"):
            overflowing = np.flatnonzero(np.isinf(values.max(axis=0) - values.min(axis=0)))
        if len(overflowing):
            column = self.feature_names[overflowing[0]]
            raise DataError(self.file, "the values span more than a float64 holds", column=column)


def _statistic(seen: NDArray[np.float64], how: Impute | None) -> float:
    if how == "mean":
        return fsum(seen) / len(seen)  # the same in any order of the rows
    if how == "median":
        return float(np.median(seen))
    distinct, counts = np.unique(seen, return_counts=True)
    return float(distinct[counts.argmax()])


def _notes(
    values: NDArray[np.float64], categorical: NDArray[np.bool_], names: Sequence[str]
) -> Iterator[str]:
    """What is said of the columns, in their order."""
    for f, name in enumerate(names):
        if not (categorical[f] or _INDEX_NAME.fullmatch(_HUMP.sub("_", name).lower())):
            continue
        column = values[:, f]
        distinct = np.unique(column[~np.isnan(column)])
        if len(distinct) == len(column) and (categorical[f] or (distinct == np.round(distinct)).all()):
            yield f"column {name!r} is different in every row: an identifier? Drop it from the table"
        elif categorical[f]:
            yield f"text column {name!r}, {len(distinct)} categor{'y' if len(distinct) == 1 else 'ies'}"


def _class_indices(labels: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels that are all integers (also written ``1.0``) sort as numbers, others as text."""
    texts = set(labels)
    if all(_INTEGER.fullmatch(text) for text in texts):
        canonical = {text: str(int(text.partition(".")[0])) for text in texts}
        names = sorted(set(canonical.values()), key=int)
    else:
        canonical = {text: text for text in texts}
        names = sorted(texts)
    position = {name: i for i, name in enumerate(names)}
    return np.array([position[canonical[text]] for text in labels], np.int64), tuple(names)


def _check_classes(file: str, column: str, labels: NDArray[np.int64], names: tuple[str, ...]) -> None:
    if len(names) == 1:
        raise DataError(file, f"only one class, {names[0]!r}: nothing to tell apart", column=column)
    counts = np.bincount(labels)
    rarest = int(counts.argmin())
    if counts[rarest] < len(PARTS):
        count = f"{counts[rarest]} row{'s' if counts[rarest] > 1 else ''}"
        problem = f"class {names[rarest]!r} has {count}; train, validation and test each need one"
        raise DataError(file, problem, column=column)
