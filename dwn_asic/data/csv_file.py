"""Comma-separated files, plain or gzip: every fault named by row and column."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.columns import MISSING, Categories, ColumnScan, number
from dwn_asic.data.raw import RawTable
from dwn_asic.errors import DataError

__all__ = ["DEFAULT_LABEL", "read_csv"]

DEFAULT_LABEL = "class"
"""The label column where the flow file names none."""

_BLOCK = 4096  # rows held as text at a time
_SHOWN = 20  # column names listed in an error message
_SEPARATORS = {";": "semicolon", "\t": "tab", "|": "bar"}  # other than the comma

_Block = tuple[int, list[list[str]]]
"""The 1-based row of the first cells, and the cells of each column."""


def read_csv(path: Path, *, source: str, label: str) -> RawTable:
    """Read a comma-separated UTF-8 file with a header row; ``.gz`` files are unpacked.

    What a column holds is decided by all its cells, as :mod:`dwn_asic.data.columns` says. Spaces around cells
    and blank lines are ignored. Missing cells (empty, ``?``, ``NA``, ``nan``) are kept as such.

    Raises
    ------
    DataError
        Names the file and, where known, row (1-based, header and blank lines not counted) and column.
    """
    with _faults(path):
        with _open(path) as file:
            names, blocks = _table(file, path, label)
            at = names.index(label)
            scans = {f: ColumnScan(path, name) for f, name in enumerate(names) if f != at}
            labels: list[str] = []
            for first_row, columns in blocks:
                for f, scan in scans.items():
                    scan.extend(columns[f], first_row)
                labels += columns[at]
        if not labels:
            raise DataError(path, "no rows below the header")
        is_text = {f: scan.is_text() for f, scan in scans.items()}
        mixed = [f for f, scan in scans.items() if is_text[f] and scan.is_mixed]
        again = _read_texts(path, label, mixed, len(labels)) if mixed else {}
    values = [again[f] if f in again else scan.values() for f, scan in scans.items()]
    return RawTable.build(
        source,
        str(path),
        values=np.column_stack(values) if values else np.empty((0, 0)),
        categorical=np.array([is_text[f] for f in scans], np.bool_),
        labels=labels,
        feature_names=[scan.name for scan in scans.values()],
        label_name=label,
    )


def _read_texts(path: Path, label: str, which: list[int], n_rows: int) -> Mapping[int, NDArray[np.float64]]:
    """Values of the text columns ``which``, from a second pass: the first took their numbers for numbers."""
    categories = {f: Categories() for f in which}
    with _open(path) as file:
        for _, columns in _table(file, path, label)[1]:
            for f in which:
                categories[f].extend(columns[f])
    if any(len(found) != n_rows for found in categories.values()):
        raise DataError(path, "has changed while it was read")
    return {f: found.values() for f, found in categories.items()}


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Whatever goes wrong with the file becomes a DataError."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(path, "not UTF-8 text") from error
    except csv.Error as error:
        raise DataError(path, f"not a comma-separated file: {error}") from error
    # Before OSError, which gzip.BadGzipFile is too.
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(path, f"damaged gzip file: {error}") from error
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error


def _open(path: Path) -> TextIO:
    # utf-8-sig: spreadsheet programs put a byte order mark in front of the first column's name.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("rt", encoding="utf-8-sig", newline="")


def _table(file: TextIO, path: Path, label: str) -> tuple[list[str], Iterator[_Block]]:
    """The names of the columns, among them ``label``, and what stands below them."""
    first = next((line for line in file if line.strip()), None)
    if first is None:
        raise DataError(path, "empty file")
    _check_separator(first, path, label)
    rows = (row for row in csv.reader(chain([first], file), strict=True) if row)
    names = [name.strip() for name in next(rows)]
    _check_names(names, path, label)
    return names, _blocks(rows, path, len(names))


def _blocks(rows: Iterator[list[str]], path: Path, n_columns: int) -> Iterator[_Block]:
    first_row = 1
    while block := list(islice(rows, _BLOCK)):
        for n, row in enumerate(block, start=first_row):
            if len(row) != n_columns:
                raise DataError(path, f"has {len(row)} cells, the header has {n_columns}", row=n)
        yield first_row, [[cell.strip() for cell in cells] for cells in zip(*block, strict=True)]
        first_row += len(block)


def _check_separator(header: str, path: Path, label: str) -> None:
    """Refuse a header that another separator splits and the comma doesn't, or not into the label's column."""
    columns = _cells(header, ",")
    if len(columns) > 1 and label in columns:
        return
    separator = max(_SEPARATORS, key=lambda other: len(_cells(header, other)))
    others = _cells(header, separator)
    if len(others) > 1 and (len(columns) == 1 or label in others):
        count = "one column" if len(columns) == 1 else f"{len(columns)} columns"
        name = _SEPARATORS[separator] + ("s" if len(others) > 2 else "")
        problem = f"the header has {count} and {len(others) - 1} {name}: separator {separator!r}?"
        raise DataError(path, f"{problem} Save the file separated by commas, with decimal points")


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _check_names(names: list[str], path: Path, label: str) -> None:
    if label not in names:
        shown = ", ".join(names[:_SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > _SHOWN else "")
        hint = " (a row of data? The file needs a header row)" if any(map(_is_number, names)) else ""
        raise DataError(path, f"no label column {label!r} (set data.label); its columns: {shown}{hint}")
    for n, name in enumerate(names):
        if not name:
            problem = f"column {n + 1} of {len(names)} has no name in the header"
            advice = "name it, or drop it from the file if it only numbers the rows"
            raise DataError(path, f"{problem}: {advice} (pandas: to_csv(..., index=False))")
        if name in names[:n]:
            raise DataError(path, "column name stands twice in the header", column=name)


def _is_number(name: str) -> bool:
    return name not in MISSING and number(name) is not None
