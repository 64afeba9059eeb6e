"""The values of a column of texts: numbers, category codes, or an error that names the cells.

All cells of a column that are not missing decide together, in any order, what the column is:

- If all are numbers, the column is numeric.
- If more than half are numbers, in plain or in another notation (``1,163``, ``5,62``, ``50%``, ``$9.50``),
  but not all are plain numbers, it is an error: the rest would silently turn the column into categories.
- Otherwise it is a text column. Its cells become the codes of its categories, which are sorted as text.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import nan
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dwn_asic.errors import DataError

__all__ = ["MISSING", "Categories", "Column", "ColumnScan", "Decimal", "column_values", "number"]

Decimal = Literal[".", ","]
"""The decimal mark of numbers."""

_NAN = {"".join(letters) for letters in product(("", "+", "-"), "nN", "aA", "nN")}
MISSING = frozenset({"", "?", "NA", *_NAN})
"""Texts of a missing cell; float() returns NaN for no other text."""

_SHOWN = 3  # cells that an error message names

_CURRENCY = "[$€£¥₹₽₩₺]|USD|EUR|GBP|CHF|JPY|CNY|INR"
_SIGN = r"[+\-\u2212\u2013]"  # also a minus sign and an en dash
_GROUP = r"[,.'\u2019_\ \u00a0\u202f]"  # also a typographic apostrophe and non-breaking spaces
_OTHER_NOTATION = re.compile(
    rf"""{_SIGN}? (?:(?:{_CURRENCY})\s?{_SIGN}?)?
    (?: \d{{1,3}} (?P<group>{_GROUP}) \d{{3}} (?:(?P=group)\d{{3}})* (?:[.,]\d+)?  # 1,163 or 1.234.567,89
      | \d{{1,2}} (?:,\d{{2}})+ ,\d{{3}} (?:\.\d+)?                               # 1,23,456
      | \d+ (?:[.,]\d*)?
      | [.,]\d+
    ) (?:e{_SIGN}?\d+)?
    (?:\s?(?:%|‰|{_CURRENCY}))?""",
    re.VERBOSE | re.IGNORECASE,
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,(?!\d{3}$)\d+")  # three digits may be a group of thousands
_PLAIN = "write numbers with a decimal {} and without thousands separators, percent signs or currency signs"
_MEND = "correct or clear the other cells, or put a letter before each cell to make this a text column"


@dataclass(frozen=True, eq=False)
class Column:
    """The values of a column, once it is known whether it is numeric or text.

    Attributes
    ----------
    values
        (N,) numbers or category codes; a missing cell is NaN.
    categories
        Texts of the codes 0, 1, ... of a text column; None for a numeric column.
    """

    values: NDArray[np.float64]
    categories: tuple[str, ...] | None


def column_values(file: str, name: str, cells: Sequence[str]) -> Column:
    """Return the values of a column from its (N,) cell texts.

    Raises
    ------
    DataError
        The column is invalid, as in :meth:`ColumnScan.is_text`.
    """
    scan = ColumnScan(file, name)
    scan.extend(cells, 1)
    if not scan.is_text() or not scan.is_mixed:
        return scan.column()
    categories = Categories()
    categories.extend(cells)
    return categories.column()


class Categories:
    """The cells of a text column as category codes."""

    def __init__(self) -> None:
        self._codes = array("d")
        # Codes follow the order of appearance until all categories are known and sorted.
        self._code_of: dict[str, int] = {}

    def __contains__(self, cell: str) -> bool:
        return cell in self._code_of

    def __len__(self) -> int:
        return len(self._codes)

    def extend(self, cells: Sequence[str]) -> None:
        """Append cells; a cell in :data:`MISSING` becomes NaN."""
        code_of = self._code_of
        self._codes.extend(
            nan if cell in MISSING else code_of.setdefault(cell, len(code_of)) for cell in cells
        )

    def column(self) -> Column:
        """Return the column, with codes 0, 1, ... in the sorted order of the categories."""
        values, texts = np.array(self._codes, np.float64), sorted(self._code_of)
        rank = np.empty(len(texts))
        rank[[self._code_of[text] for text in texts]] = np.arange(len(rank))
        present = ~np.isnan(values)
        values[present] = rank[values[present].astype(np.int64)]
        return Column(values, tuple(texts))


class ColumnScan:
    """Scan of one column, block by block, that determines whether it is numeric or text.

    It stores 8 bytes per cell, so that a file fits into memory even if its text does not: numbers as long as
    no text was seen, and category codes as long as no number was seen. A text column that :attr:`is_mixed`
    must therefore be read a second time.

    Parameters
    ----------
    file, name
        Names of file and column for error messages.
    decimal
        Decimal mark of the numbers.
    decimal_key
        Key that error messages recommend for decimal commas; empty if there is none.
    text
        Whether the column is text even if all its cells are numbers.
    """

    def __init__(
        self,
        file: str | Path,
        name: str,
        *,
        decimal: Decimal = ".",
        decimal_key: str = "",
        text: bool = False,
    ) -> None:
        self.name = name
        self._file, self._decimal, self._decimal_key, self._text = file, decimal, decimal_key, text
        self._numbers: list[NDArray[np.float64]] = []
        self._categories = Categories()
        self._n_numbers = self._n_other_notation = self._n_texts = 0
        self._shown: dict[str, int] = {}  # the first cells that are not numbers, with their rows
        self._infinite: tuple[str, int] | None = None

    def extend(self, cells: Sequence[str], first_row: int) -> None:
        """Append cells without surrounding spaces; ``first_row`` is the row of the first, counted from 1."""
        categories = self._categories
        if self._text:
            numbers = [nan if cell in MISSING else None for cell in cells]
        else:
            numbers = [None if cell in categories else number(cell, self._decimal) for cell in cells]
        self._count_texts(cells, numbers, first_row)
        if not self._n_numbers:
            categories.extend(cells)
        if not self._n_texts:
            self._numbers.append(np.array(numbers, np.float64))

    def _count_texts(self, cells: Sequence[str], numbers: Sequence[float | None], first_row: int) -> None:
        values = np.array(numbers, np.float64)  # None becomes NaN
        self._n_numbers += int(np.count_nonzero(~np.isnan(values)))
        if self._infinite is None and np.isinf(values).any():
            n = int(np.isinf(values).argmax())
            self._infinite = cells[n], first_row + n
        if None not in numbers:
            return
        texts = [(cell, first_row + n) for n, cell in enumerate(cells) if numbers[n] is None]
        for cell, row in texts:
            if len(self._shown) == _SHOWN:
                break
            self._shown.setdefault(cell, row)
        self._n_texts += len(texts)
        for cell, count in Counter(cell for cell, _ in texts).items():
            self._n_other_notation += count * _is_other_notation(cell)

    @property
    def is_mixed(self) -> bool:
        """True if the column has both numbers and texts."""
        return self._n_numbers > 0 and self._n_texts > 0

    def is_text(self) -> bool:
        """Return whether the column is text; a column without any value is numeric.

        Raises
        ------
        DataError
            More than half of the cells are numbers in any notation, but not all are plain numbers; or all are
            numbers and one is infinite.
        """
        present = self._n_numbers + self._n_texts
        if self._n_texts and not self._text and 2 * (self._n_numbers + self._n_other_notation) > present:
            self._raise_mostly_numbers(present)
        if not self._n_texts and self._infinite is not None:
            cell, row = self._infinite
            raise DataError(self._file, f"{cell!r} is not a finite number", row=row, column=self.name)
        return self._n_texts > 0

    def _raise_mostly_numbers(self, present: int) -> None:
        (cell, row), *others = self._shown.items()
        rest = self._n_texts - len(self._shown)
        more = [f"{text!r} in row {n}" for text, n in others] + ([f"{rest} more"] if rest else [])
        likewise = f" (likewise {', '.join(more)})" if more else ""
        numbers = self._n_numbers + self._n_other_notation
        plain = _PLAIN.format("point" if self._decimal == "." else "comma")
        if self._decimal == "." and self._decimal_key and _DECIMAL_COMMA.fullmatch(cell):
            plain += f", or set {self._decimal_key}: ','"
        advice = plain if numbers == present else f"{numbers} of {present} cells are numbers: {_MEND}"
        raise DataError(
            self._file, f"{cell!r} is not a number{likewise}; {advice}", row=row, column=self.name
        )

    def column(self) -> Column:
        """Return the values of a column that is not mixed."""
        if self._n_texts:
            return self._categories.column()
        return Column(np.concatenate(self._numbers) if self._numbers else np.empty(0), None)


def number(cell: str, decimal: Decimal = ".") -> float | None:
    """Return the number in a cell, NaN for a missing cell, or None for any other text."""
    if cell in MISSING:
        return nan
    if "_" in cell:  # float() reads 1_000 as a number, but the author of a table does not mean one
        return None
    if decimal == ",":
        if "." in cell:  # with a decimal comma, a point separates thousands
            return None
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return None


def _is_other_notation(cell: str) -> bool:
    """Return whether a text looks like a number; accountants put negative numbers in parentheses."""
    bare = cell[1:-1] if cell.startswith("(") and cell.endswith(")") else cell
    return _OTHER_NOTATION.fullmatch(bare) is not None
