"""Reader of CSV files, plain or gzip, whose error messages name row and column."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import numpy as np

from dwn_asic.data.columns import MISSING, Categories, Column, ColumnScan, Decimal, number
from dwn_asic.data.raw import RawTable
from dwn_asic.data.text_file import open_text, text_faults
from dwn_asic.errors import DataError, shortened

__all__ = ["DEFAULT_LABEL", "CsvForm", "read_csv"]

DEFAULT_LABEL = "class"
"""Name of the label column unless the flow file sets another."""

_BLOCK = 4096  # rows held as text at a time
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_WRITTEN = {"\t": "tab"}  # separators that have a name in flow files

_Block = tuple[int, list[list[str]]]
"""A block of rows: the number of its first row, counted from 1, and the cells of each column."""


@dataclass(frozen=True)
class CsvForm:
    """The form of a CSV file, and the columns to read.

    Attributes
    ----------
    label
        Name of the label column.
    drop
        Names of columns to leave out unread; the empty name stands for columns without a name.
    text
        Names of columns that are text even if all their cells are numbers.
    separator
        Character between cells.
    decimal
        Decimal mark of the numbers.
    """

    label: str = DEFAULT_LABEL
    drop: Collection[str] = ()
    text: Collection[str] = ()
    separator: str = ","
    decimal: Decimal = "."


def read_csv(path: Path, *, source: str, form: CsvForm) -> RawTable:
    """Read a CSV file in UTF-8 with a header row; ``.gz`` files are unpacked.

    All cells of a column determine whether it is numeric or text; see :mod:`dwn_asic.data.columns`. Spaces
    around cells and blank lines are ignored. Missing cells (empty, ``?``, ``NA``, ``nan``) are kept as such.

    Raises
    ------
    DataError
        The file is invalid. The error names the file and, if known, the row (counted from 1, without header
        and blank lines) and the column.
    """
    with _faults(path):
        with open_text(path) as file:
            names, blocks = _table(file, path, form)
            at = names.index(form.label)
            scans = {
                f: ColumnScan(
                    path, name, decimal=form.decimal, decimal_key="data.decimal", text=name in form.text
                )
                for f, name in enumerate(names)
                if f != at and name not in form.drop
            }
            labels: list[str] = []
            for first_row, columns in blocks:
                for f, scan in scans.items():
                    scan.extend(columns[f], first_row)
                labels += columns[at]
        if not labels:
            raise DataError(path, "no rows below the header")
        mixed = [f for f, scan in scans.items() if scan.is_text() and scan.is_mixed]
        again = _read_texts(path, form, mixed, len(labels)) if mixed else {}
    decided = {scan.name: again[f] if f in again else scan.column() for f, scan in scans.items()}
    return RawTable.build(
        source,
        str(path),
        values=np.column_stack([column.values for column in decided.values()])
        if decided
        else np.empty((0, 0)),
        categorical=np.array([column.categories is not None for column in decided.values()], np.bool_),
        labels=labels,
        feature_names=[*decided],
        label_name=form.label,
        categories={
            name: column.categories for name, column in decided.items() if column.categories is not None
        },
        dropped=[name for name in names if name in form.drop],
    )


def _read_texts(path: Path, form: CsvForm, which: list[int], n_rows: int) -> Mapping[int, Column]:
    """Read the mixed columns ``which`` as text, in a second pass."""
    categories = {f: Categories() for f in which}
    with open_text(path) as file:
        for _, columns in _table(file, path, form)[1]:
            for f in which:
                categories[f].extend(columns[f])
    if any(len(found) != n_rows for found in categories.values()):
        raise DataError(path, "the file changed while it was read")
    return {f: found.column() for f, found in categories.items()}


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Convert all errors of reading the file to DataError."""
    with text_faults(path):
        try:
            yield
        except csv.Error as error:
            raise DataError(path, f"not a CSV file: {error}") from error


def _table(file: TextIO, path: Path, form: CsvForm) -> tuple[list[str], Iterator[_Block]]:
    """Return the names of the columns, which include the label, and the blocks of rows below the header."""
    first = next((line for line in file if line.strip()), None)
    if first is None:
        raise DataError(path, "empty file")
    _check_separator(first, path, form)
    reader = csv.reader(chain([first], file), delimiter=form.separator, strict=True)
    rows = (row for row in reader if row)
    names = [name.strip() for name in next(rows)]
    _check_names(names, path, form)
    return names, _blocks(rows, path, len(names))


def _blocks(rows: Iterator[list[str]], path: Path, n_columns: int) -> Iterator[_Block]:
    first_row = 1
    while block := list(islice(rows, _BLOCK)):
        for n, row in enumerate(block, start=first_row):
            if len(row) != n_columns:
                raise DataError(path, f"has {len(row)} cells; the header has {n_columns}", row=n)
        yield first_row, [[cell.strip() for cell in cells] for cells in zip(*block, strict=True)]
        first_row += len(block)


def _check_separator(header: str, path: Path, form: CsvForm) -> None:
    """Raise DataError if the header fits another separator: only that one splits it, or yields the label."""
    columns = _cells(header, form.separator)
    if len(columns) > 1 and form.label in columns:
        return
    likely = [other for other in _SEPARATORS if other != form.separator]
    separator = max(likely, key=lambda other: len(_cells(header, other)))
    others = _cells(header, separator)
    if len(others) > 1 and (len(columns) == 1 or form.label in others):
        count = "one column" if len(columns) == 1 else f"{len(columns)} columns"
        name = _SEPARATORS[separator] + ("s" if len(others) > 2 else "")
        key = _WRITTEN.get(separator, repr(separator))
        raise DataError(
            path, f"the header has {count} but {len(others) - 1} {name}; set data.separator: {key}"
        )


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _check_names(names: list[str], path: Path, form: CsvForm) -> None:
    if form.label not in names:
        hint = "; if that is a row of data, add a header row" if any(map(_is_number, names)) else ""
        columns = shortened(names)
        raise DataError(
            path, f"there is no label column {form.label!r} (set data.label); its columns: {columns}{hint}"
        )
    for n, name in enumerate(names):
        if name in form.drop:
            continue
        if not name:
            problem = f"column {n + 1} of {len(names)} has no name in the header"
            advice = "name it, or drop it with data.drop: [''] if it contains row numbers"
            raise DataError(path, f"{problem}: {advice} (pandas: to_csv(..., index=False))")
        if name in names[:n]:
            raise DataError(path, "the column name occurs twice in the header", column=name)


def _is_number(name: str) -> bool:
    return name not in MISSING and number(name) is not None
