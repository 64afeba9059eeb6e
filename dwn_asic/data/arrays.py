"""Tables from arrays and data frames, for :meth:`~dwn_asic.data.dataset.Dataset.from_arrays`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dwn_asic.data.columns import Column, column_values
from dwn_asic.data.raw import RawTable
from dwn_asic.errors import DataError

__all__ = ["Frame", "table_of_arrays"]

_SOURCE = "arrays"  # name in error messages, and source of the table
_LABEL = "y"


@runtime_checkable
class Frame(Protocol):
    """A data frame, for example of pandas: named columns that numpy can convert to arrays."""

    @property
    def columns(self) -> Iterable[Any]:
        """Names of the columns."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return the cells of one column."""


def table_of_arrays(
    X: ArrayLike | Frame,
    y: ArrayLike,
    *,
    feature_names: Sequence[str] | None,
    class_names: Sequence[str] | None,
) -> RawTable:
    """Return the table of (N, F) values and (N,) labels, with the same checks as for the cells of a file.

    Raises
    ------
    DataError
        The values or labels are invalid, or a value is missing. The error names the row, counted from 1, and
        the column; the label column is called ``y``.
    """
    names, cells = _columns(X)
    names = names if feature_names is None else [str(name) for name in feature_names]
    _check_names(names, len(cells))
    labels = _labels(y)
    n_rows = len(cells[0]) if cells else 0
    if cells and len(labels) != n_rows:
        raise DataError(_SOURCE, f"X has {n_rows} rows, y has {len(labels)} labels")
    decided = [_decided(column, name) for column, name in zip(cells, names, strict=True)]
    table = RawTable.build(
        _SOURCE,
        _SOURCE,
        values=np.column_stack([column.values for column in decided]) if decided else np.empty((0, 0)),
        categorical=np.array([column.categories is not None for column in decided], np.bool_),
        labels=labels,
        feature_names=names,
        label_name=_LABEL,
        categories={
            name: column.categories
            for name, column in zip(names, decided, strict=True)
            if column.categories is not None
        },
    )
    missing = np.argwhere(np.isnan(table.values))
    if len(missing):
        n, f = missing[0]
        raise DataError(
            _SOURCE,
            "the value is missing; missing values must be filled first",
            row=int(n) + 1,
            column=names[f],
        )
    return table if class_names is None else _with_class_names(table, class_names)


def _columns(X: ArrayLike | Frame) -> tuple[list[str], list[NDArray[Any]]]:
    """Return the name and the (N,) cells of each column."""
    if isinstance(X, Frame):
        keys = list(X.columns)
        names = [str(key) for key in keys]
        _check_names(names, len(names))
        return names, [np.asarray(X[key]) for key in keys]
    # Objects keep numbers apart from texts, which a list of lists may mix.
    array = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=object)
    if array.ndim != 2:
        raise DataError(_SOURCE, f"X has the shape {array.shape}; expected (rows, features)")
    return [f"x{f}" for f in range(array.shape[1])], list(array.T)


def _check_names(names: Sequence[str], n_columns: int) -> None:
    if len(names) != n_columns:
        raise DataError(_SOURCE, f"{len(names)} feature names for {n_columns} columns of X")
    for n, name in enumerate(names):
        if not name.strip():
            raise DataError(_SOURCE, f"column {n + 1} of {n_columns} has no name")
        if name in names[:n]:
            raise DataError(_SOURCE, "the column name occurs twice", column=name)


def _decided(cells: NDArray[Any], name: str) -> Column:
    """Return the values of a column: numbers as they are, other cells as if read from a file."""
    numeric = cells.dtype.kind in "biuf"
    if numeric or (cells.dtype == object and all(isinstance(cell, Real | np.bool_) for cell in cells)):
        return Column(cells.astype(np.float64), None)
    return column_values(_SOURCE, name, [_text(cell) for cell in cells])


def _text(cell: object) -> str:
    """Return a cell as text, as in a file; empty if it is missing."""
    return "" if _is_missing(cell) else str(cell).strip()


def _is_missing(cell: Any) -> bool:
    """Return whether a cell is None, a NaN of any type, or pandas' NA, whose comparison with itself is NA."""
    if cell is None:
        return True
    try:
        return bool(cell != cell)
    except TypeError:
        return True


def _labels(y: ArrayLike) -> list[str]:
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise DataError(_SOURCE, f"y has the shape {labels.shape}; expected (rows,)")
    return [_text(label) for label in labels]


def _with_class_names(table: RawTable, names: Sequence[str]) -> RawTable:
    given = tuple(str(name) for name in names)
    if len(set(given)) != len(given) or len(given) != len(table.class_names):
        found = ", ".join(table.class_names)
        problem = f"class names {', '.join(given)}: one name is needed for each of {found}, all different"
        raise DataError(_SOURCE, problem, column=_LABEL)
    return replace(table, class_names=given)
