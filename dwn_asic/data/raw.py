"""A table as read from its source: cells may be missing, labels are already class indices."""

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
_PART_NAMES: dict[Part, str] = {"train": "training", "val": "validation", "test": "test"}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, eq=False)
class RawTable:
    """N labelled rows of F columns, before missing cells are filled.

    Attributes
    ----------
    source
        Source as written in the flow file.
    file
        Name for error messages: the path of the file, or the source again.
    values
        (N, F) float64; a missing cell is NaN.
    categorical
        (F,) bool: whether the column holds category codes, whose mean has no meaning.
    labels
        (N,) int64 class indices.
    feature_names
        (F,) column names.
    class_names
        (C,) label texts.
    label_name
        Name of the label column.
    categories
        Name of each category column whose texts are known, and the texts of its codes 0, 1, ...
    dropped
        Names of columns of the source that were left out.
    pieces
        File and number of rows of each table that this one was joined from; empty if there is one file.
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
            There is no feature column or no row, a cell is infinite, or a label is missing.
        """
        if not feature_names:
            raise DataError(file, f"no feature columns besides the label column {label_name!r}")
        if not len(labels):
            raise DataError(file, "no rows")
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            n, f = infinite[0]
            raise DataError(file, "the value is infinite", row=int(n) + 1, column=feature_names[f])
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
        """Notes for the author of the table, one line each: text columns, and likely identifiers."""
        return tuple(_notes(self.values, self.categorical, self.feature_names))

    def place(self, row: int) -> tuple[str, int]:
        """Return the file of a row (counted from 0), and its number in that file (counted from 1)."""
        for file, n_rows in self.pieces:
            if row < n_rows:
                return file, row + 1
            row -= n_rows
        return self.file, row + 1

    def without(self, names: Collection[str]) -> RawTable:
        """Return the table without some feature columns; names of other columns are ignored.

        Raises
        ------
        DataError
            No feature column is left.
        ConfigError
            One of the names is that of the label column.
        """
        if self.label_name in names:
            raise ConfigError(self.file, "data.drop", f"{self.label_name!r} is the label column")
        gone = [name for name in self.feature_names if name in names]
        if not gone:
            return self
        kept = [f for f, name in enumerate(self.feature_names) if name not in names]
        if not kept:
            raise DataError(self.file, f"no feature columns besides the label column {self.label_name!r}")
        return replace(
            self,
            values=self.values[:, kept],
            categorical=self.categorical[kept],
            feature_names=tuple(self.feature_names[f] for f in kept),
            categories={name: texts for name, texts in self.categories.items() if name not in names},
            dropped=(*self.dropped, *gone),
        )

    def check_classes(self, rows: NDArray[np.int64] | None = None, parts: Sequence[Part] = PARTS) -> None:
        """Raise a DataError unless there are two classes or more, each with a row for each of the parts.

        Parameters
        ----------
        rows
            Indices of the rows that the parts are drawn from; by default all rows.
        parts
            Names of the parts that need a row of each class.
        """
        if len(self.class_names) == 1:
            problem = f"only one class, {self.class_names[0]!r}; a classifier needs at least two"
            raise DataError(self.file, problem, column=self.label_name)
        labels = self.labels if rows is None else self.labels[rows]
        counts = np.bincount(labels, minlength=len(self.class_names))
        rarest = int(counts.argmin())
        if counts[rarest] >= len(parts):
            return
        name, count = self.class_names[rarest], f"{counts[rarest]} row{'' if counts[rarest] == 1 else 's'}"
        *others, last = [_PART_NAMES[part] for part in parts]
        problem = f"class {name!r} has {count}{' to draw from' if rows is not None else ''}; "
        problem += f"{', '.join(others)} and {last} each need one"
        if not others:
            problem = f"class {name!r} has no {last} rows"
        raise DataError(self.file, problem, column=self.label_name)

    def one_against_rest(self, name: str) -> RawTable:
        """Return the task of distinguishing class ``name`` (index 1) from all others (index 0).

        Raises
        ------
        ConfigError
            There is no such class.
        """
        if name not in self.class_names:
            allowed = shortened(self.class_names)
            raise ConfigError(
                self.file, "data.one_against_rest", f"is {name!r}, which is not a class", allowed
            )
        labels = (self.labels == self.class_names.index(name)).astype(np.int64)
        return replace(self, labels=labels, class_names=(f"not {name}", name))

    def complete(self, impute: Impute | None, rows: NDArray[np.int64] | None = None) -> Table:
        """Return the table with all missing cells filled.

        Parameters
        ----------
        impute
            Statistic of the column that replaces missing cells. Category columns always use their mode, where
            ties go to the smallest code. With None a missing cell is an error.
        rows
            Indices of the rows that the statistics are computed from, usually the training rows; by default
            all rows.

        Raises
        ------
        DataError
            A cell is missing and ``impute`` is None, or a column has no value in ``rows`` to impute from; or
            the values of a column span a range that float64 cannot represent.
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
        """Yield the value that replaces missing cells of each column, whether it has any or not."""
        for f, name in enumerate(self.feature_names):
            seen = self.values[:, f] if rows is None else self.values[rows, f]
            seen = seen[~np.isnan(seen)]
            if not len(seen):
                raise DataError(self.file, "there is no value to impute from", column=name)
            yield _statistic(seen, "mode" if self.categorical[f] else impute)

    def _check_span(self, values: NDArray[np.float64]) -> None:
        """Check that the span of each column is finite, since the quantizer divides it."""
        with np.errstate(over="ignore"):
            overflowing = np.flatnonzero(np.isinf(values.max(axis=0) - values.min(axis=0)))
        if len(overflowing):
            column = self.feature_names[overflowing[0]]
            raise DataError(self.file, "the values span a range that float64 cannot represent", column=column)


def _statistic(seen: NDArray[np.float64], how: Impute) -> float:
    if how == "mean":
        try:
            return fsum(seen) / len(seen)  # fsum is exact: the order of the rows has no effect
        except OverflowError:
            return fsum(seen / len(seen))
    if how == "median":
        return float(np.median(seen))
    distinct, counts = np.unique(seen, return_counts=True)
    return float(distinct[counts.argmax()])


def _notes(
    values: NDArray[np.float64], categorical: NDArray[np.bool_], names: Sequence[str]
) -> Iterator[str]:
    """Yield notes on text columns and likely identifiers, in the order of the columns."""
    for f, name in enumerate(names):
        if not (categorical[f] or _INDEX_NAME.fullmatch(_HUMP.sub("_", name).lower())):
            continue
        column = values[:, f]
        distinct = np.unique(column[~np.isnan(column)])
        if len(distinct) == len(column) and (categorical[f] or (distinct == np.round(distinct)).all()):
            yield f"column {name!r} differs in every row: an identifier? Leave it out with data.drop"
        elif categorical[f]:
            count = "1 category" if len(distinct) == 1 else f"{len(distinct)} categories"
            yield f"text column {name!r}, {count}"


def _class_indices(labels: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return (N,) class indices and the class names.

    The classes are sorted as numbers if all labels are integers, also in the form ``1.0``, else as text.
    """
    texts = set(labels)
    if all(_INTEGER.fullmatch(text) for text in texts):
        canonical = {text: str(int(text.partition(".")[0])) for text in texts}
        names = sorted(set(canonical.values()), key=int)
    else:
        canonical = {text: text for text in texts}
        names = sorted(texts)
    position = {name: i for i, name in enumerate(names)}
    return np.array([position[canonical[text]] for text in labels], np.int64), tuple(names)
