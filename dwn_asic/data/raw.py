"""A table as it was read: cells may still be missing, labels are already class indices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.columns import MISSING
from dwn_asic.data.table import PARTS, Part, Table
from dwn_asic.errors import ConfigError, DataError, shortened

__all__ = ["Impute", "RawTable"]

Impute = Literal["mean", "median", "mode"]

_INTEGER = re.compile(r"[+-]?[0-9]+(\.0*)?")
_INDEX_NAME = re.compile(r"(?:.*[\W_])?(?:id|idx|index|uid|row|rowid|nr|no)|unnamed[\W_]*\d*")
_PART_NAMES: dict[Part, str] = {"train": "train", "val": "validation", "test": "test"}
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
    label_name
        The label column.
    categories
        The texts of the codes 0, 1, ... of each categorical column whose texts are known, by name.
    dropped
        Columns that the source has and this table was told to leave out.
    pieces
        File and number of rows of each table that this one was joined from; empty where it is one file's.
    """

    source: str
    file: str
    values: NDArray[np.float64]
    categorical: NDArray[np.bool_]
    labels: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    label_name: str = "label"
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    pieces: tuple[tuple[str, int], ...] = ()

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
        categories: Mapping[str, tuple[str, ...]] | None = None,
        dropped: Sequence[str] = (),
    ) -> RawTable:
        """Check the columns and turn label texts into class indices.

        Raises
        ------
        DataError
            No feature column, no row, an infinite cell, or a missing label.
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
        return cls(
            source,
            file,
            values,
            categorical,
            indices,
            tuple(feature_names),
            class_names,
            label_name,
            dict(categories or {}),
            tuple(dropped),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """One line each on what the table's author should know: text columns, likely identifiers."""
        return tuple(_notes(self.values, self.categorical, self.feature_names))

    def place(self, row: int) -> tuple[str, int]:
        """Return the file that a row (from 0) comes from, and its number in that file (from 1)."""
        for file, n_rows in self.pieces:
            if row < n_rows:
                return file, row + 1
            row -= n_rows
        return self.file, row + 1

    def without(self, names: Collection[str]) -> RawTable:
        """Leave out feature columns; names of none are ignored.

        Raises
        ------
        DataError
            No feature column is left.
        ConfigError
            A name is the label column's.
        """
        if self.label_name in names:
            raise ConfigError(self.file, "data.drop", f"{self.label_name!r} is the label column")
        gone = [name for name in self.feature_names if name in names]
        if not gone:
            return self
        kept = [f for f, name in enumerate(self.feature_names) if name not in names]
        if not kept:
            raise DataError(self.file, f"no feature columns beside the label column {self.label_name!r}")
        return replace(
            self,
            values=self.values[:, kept],
            categorical=self.categorical[kept],
            feature_names=tuple(self.feature_names[f] for f in kept),
            categories={name: texts for name, texts in self.categories.items() if name not in names},
            dropped=(*self.dropped, *gone),
        )

    def check_classes(self, rows: NDArray[np.int64] | None = None, parts: Sequence[Part] = PARTS) -> None:
        """Raise a DataError unless there are two classes, each with a row for each of the parts.

        Parameters
        ----------
        rows
            The rows that are shared out to the parts, default all.
        parts
            Their names.
        """
        if len(self.class_names) == 1:
            problem = f"only one class, {self.class_names[0]!r}: nothing to tell apart"
            raise DataError(self.file, problem, column=self.label_name)
        labels = self.labels if rows is None else self.labels[rows]
        counts = np.bincount(labels, minlength=len(self.class_names))
        rarest = int(counts.argmin())
        if counts[rarest] >= len(parts):
            return
        name, count = self.class_names[rarest], f"{counts[rarest]} row{'' if counts[rarest] == 1 else 's'}"
        *others, last = [_PART_NAMES[part] for part in parts]
        problem = f"class {name!r} has {count}{' to share out' if rows is not None else ''}; "
        problem += f"{', '.join(others)} and {last} each need one"
        if not others:
            problem = f"class {name!r} has no row to {last} on"
        raise DataError(self.file, problem, column=self.label_name)

    def one_against_rest(self, name: str) -> RawTable:
        """Make the two-class task to tell class ``name`` (index 1) from all others; raises ConfigError."""
        if name not in self.class_names:
            allowed = shortened(self.class_names)
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
            file, row = self.place(int(n))
            raise DataError(file, problem, row=row, column=self.feature_names[f])
        fills = () if impute is None else tuple(self._fills(impute, rows))
        values = np.where(missing, fills, self.values) if fills else self.values.copy()
        self._check_span(values)
        values.flags.writeable = False
        self.labels.flags.writeable = False
        return Table(
            self.source,
            values,
            self.labels,
            self.feature_names,
            self.class_names,
            self.notes,
            self.categories,
            fills,
        )

    def _fills(self, impute: Impute, rows: NDArray[np.int64] | None) -> Iterator[float]:
        """Yield what a missing cell of each column becomes, whether the column has one or not."""
        for f, name in enumerate(self.feature_names):
            seen = self.values[:, f] if rows is None else self.values[rows, f]
            seen = seen[~np.isnan(seen)]
            if not len(seen):
                raise DataError(self.file, "no value to impute from", column=name)
            yield _statistic(seen, "mode" if self.categorical[f] else impute)

    def _check_span(self, values: NDArray[np.float64]) -> None:
        """Check that the span of each column is a number, for the quantizer divides it."""
        with np.errstate(over="ignore"):
            overflowing = np.flatnonzero(np.isinf(values.max(axis=0) - values.min(axis=0)))
        if len(overflowing):
            column = self.feature_names[overflowing[0]]
            raise DataError(self.file, "the values span more than a float64 holds", column=column)


def _statistic(seen: NDArray[np.float64], how: Impute) -> float:
    if how == "mean":
        try:
            return fsum(seen) / len(seen)  # the same in any order of the rows
        except OverflowError:
            return fsum(seen / len(seen))
    if how == "median":
        return float(np.median(seen))
    distinct, counts = np.unique(seen, return_counts=True)
    return float(distinct[counts.argmax()])


def _notes(
    values: NDArray[np.float64], categorical: NDArray[np.bool_], names: Sequence[str]
) -> Iterator[str]:
    """Note text columns and likely identifiers, in the order of the columns."""
    for f, name in enumerate(names):
        if not (categorical[f] or _INDEX_NAME.fullmatch(_HUMP.sub("_", name).lower())):
            continue
        column = values[:, f]
        distinct = np.unique(column[~np.isnan(column)])
        if len(distinct) == len(column) and (categorical[f] or (distinct == np.round(distinct)).all()):
            yield f"column {name!r} is different in every row: an identifier? Leave it out with data.drop"
        elif categorical[f]:
            count = "1 category" if len(distinct) == 1 else f"{len(distinct)} categories"
            yield f"text column {name!r}, {count}"


def _class_indices(labels: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Sort the classes: as numbers where all labels are integers, also written ``1.0``, else as text."""
    texts = set(labels)
    if all(_INTEGER.fullmatch(text) for text in texts):
        canonical = {text: str(int(text.partition(".")[0])) for text in texts}
        names = sorted(set(canonical.values()), key=int)
    else:
        canonical = {text: text for text in texts}
        names = sorted(texts)
    position = {name: i for i, name in enumerate(names)}
    return np.array([position[canonical[text]] for text in labels], np.int64), tuple(names)
