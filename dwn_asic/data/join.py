"""Joining the tables of several files with the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.raw import RawTable
from dwn_asic.errors import DataError, shortened

__all__ = ["joined"]


def joined(first: RawTable, others: Sequence[RawTable]) -> RawTable:
    """Append the rows of other tables to the first table, which determines columns and classes.

    Other tables may order their columns differently. Categories that the first table lacks get codes after
    its own, so that its rows do not depend on the other tables.

    Raises
    ------
    DataError
        A table has other columns, numbers instead of text or text instead of numbers in a column, or a class
        that the first table does not have.
    """
    categories = dict(first.categories)
    values, labels = [first.values], [first.labels]
    for other in others:
        _check_columns(first, other)
        values.append(
            np.column_stack([_column(name, first, other, categories) for name in first.feature_names])
        )
        labels.append(_labels(first, other))
    return replace(
        first,
        values=np.concatenate(values),
        labels=np.concatenate(labels),
        categories=categories,
        pieces=tuple((table.file, len(table.labels)) for table in (first, *others)),
    )


def _check_columns(first: RawTable, other: RawTable) -> None:
    own, given = set(first.feature_names), set(other.feature_names)
    missing = [name for name in first.feature_names if name not in given]
    extra = [name for name in other.feature_names if name not in own]
    parts = [
        f"{word} {shortened(names)}" for word, names in (("missing", missing), ("extra", extra)) if names
    ]
    if parts:
        raise DataError(other.file, f"the columns differ from those of {first.file}: {'; '.join(parts)}")


def _column(
    name: str, first: RawTable, other: RawTable, categories: dict[str, tuple[str, ...]]
) -> NDArray[np.float64]:
    """Return the other table's values of a column, and add its new categories to ``categories``."""
    at, here = first.feature_names.index(name), other.feature_names.index(name)
    values: NDArray[np.float64] = other.values[:, here]
    present = ~np.isnan(values)
    if first.categorical[at] != other.categorical[here] and present.any():
        is_text, was_text = (
            ("text" if is_text else "numbers") for is_text in (other.categorical[here], first.categorical[at])
        )
        raise DataError(other.file, f"the column has {is_text}, but {was_text} in {first.file}", column=name)
    if name not in categories or name not in other.categories:
        return values
    texts = other.categories[name]
    categories[name] += tuple(text for text in texts if text not in categories[name])
    code = {text: float(n) for n, text in enumerate(categories[name])}
    codes = np.array([code[text] for text in texts])
    found = np.full(len(values), np.nan)
    found[present] = codes[values[present].astype(np.int64)]
    return found


def _labels(first: RawTable, other: RawTable) -> NDArray[np.int64]:
    for index, name in enumerate(other.class_names):
        if name not in first.class_names:
            row = int(np.flatnonzero(other.labels == index)[0]) + 1
            problem = (
                f"class {name!r} does not occur in {first.file}; its classes: {shortened(first.class_names)}"
            )
            raise DataError(other.file, problem, row=row, column=other.label_name)
    position = np.array([first.class_names.index(name) for name in other.class_names], np.int64)
    found: NDArray[np.int64] = position[other.labels]
    return found
