"""Comma-separated files, plain or gzip: read in one pass, every fault named by row and column."""

from __future__ import annotations

import csv
import gzip
import zlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from math import isinf, nan
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.raw import MISSING, RawTable
from dwn_asic.errors import DataError

__all__ = ["read_csv"]

_BLOCK = 4096  # rows held as text at a time
_SHOWN = 20  # column names listed in an error message


def read_csv(path: Path, *, source: str, label: str) -> RawTable:
    """Read a comma-separated UTF-8 file with a header row; ``.gz`` files are unpacked.

    A column is text if its first non-missing cell is not a number; its cells become category codes, the
    categories sorted as text. Any other column is numeric, and a later cell that is no finite number is an
    error. Spaces around cells and blank lines are ignored. Missing cells (empty, ``?``, ``NA``, ``nan``)
    are kept as such.

    Raises
    ------
    DataError
        Names the file and, where known, row (1-based, header and blank lines not counted) and column.
    """
    try:
        with _open(path) as file:
            rows = (row for row in csv.reader(file, strict=True) if row)
            return _read(rows, path, source, label)
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


def _read(rows: Iterator[list[str]], path: Path, source: str, label: str) -> RawTable:
    names = _header(rows, path, label)
    columns = [_Column(path, name) for name in names]
    labels: list[str] = []
    at = names.index(label)
    while block := list(islice(rows, _BLOCK)):
        for n, row in enumerate(block, start=len(labels) + 1):
            if len(row) != len(names):
                raise DataError(path, f"has {len(row)} cells, the header has {len(names)}", row=n)
        for f, cells in enumerate(zip(*block, strict=True)):
            if f != at:
                columns[f].extend([cell.strip() for cell in cells], len(labels) + 1)
        labels += [row[at].strip() for row in block]
    if not labels:
        raise DataError(path, "no rows below the header")
    features = columns[:at] + columns[at + 1 :]
    return RawTable.build(
        source,
        str(path),
        values=np.column_stack([column.values() for column in features]) if features else np.empty((0, 0)),
        categorical=np.array([column.is_text for column in features], np.bool_),
        labels=labels,
        feature_names=[column.name for column in features],
        label_name=label,
    )


def _header(rows: Iterator[list[str]], path: Path, label: str) -> list[str]:
    first = next(rows, None)
    if first is None:
        raise DataError(path, "empty file")
    names = [name.strip() for name in first]
    for n, name in enumerate(names):
        if not name:
            raise DataError(path, f"column {n + 1} of {len(names)} has no name in the header")
        if name in names[:n]:
            raise DataError(path, "column name stands twice in the header", column=name)
    if label not in names:
        shown = ", ".join(names[:_SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > _SHOWN else "")
        raise DataError(path, f"no label column {label!r} (set data.label); its columns: {shown}")
    return names


class _Column:
    """Cells of one column so far, as numbers: 8 bytes a cell, so a file larger than memory's text fits."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.is_text: bool | None = None  # unknown until the first cell that is not missing
        self.numbers = array("d")
        self.categories: dict[str, int] = {}

    def extend(self, cells: Sequence[str], first_row: int) -> None:
        if self.is_text is None:
            first = next((cell for cell in cells if cell not in MISSING), None)
            if first is not None:
                self.is_text = _number(first) is None
        if self.is_text:
            # In order of appearance for now; sorted once all are known.
            code = self.categories
            self.numbers.extend(
                nan if cell in MISSING else code.setdefault(cell, len(code)) for cell in cells
            )
            return
        for n, number in enumerate(map(_number, cells)):
            if number is None or isinf(number):
                kind = "number" if number is None else "finite number"
                problem = f"{cells[n]!r} is not a {kind}"
                raise DataError(self.path, problem, row=first_row + n, column=self.name)
            self.numbers.append(number)

    def values(self) -> NDArray[np.float64]:
        """(N,) numbers or category codes; a missing cell is NaN."""
        values = np.array(self.numbers, np.float64)
        if self.is_text:
            rank = np.empty(len(self.categories))
            rank[[self.categories[name] for name in sorted(self.categories)]] = np.arange(len(rank))
            present = ~np.isnan(values)
            values[present] = rank[values[present].astype(np.int64)]
        return values


def _number(cell: str) -> float | None:
    """The number that a cell holds, NaN if it is missing, None if it is something else."""
    if cell in MISSING:
        return nan
    if "_" in cell:  # float() takes 1_000 for a number, a table's author doesn't
        return None
    try:
        return float(cell)
    except ValueError:
        return None
