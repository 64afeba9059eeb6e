"""The values of a column of texts: numbers, category codes, or an error that names the cells.

A column is decided by all its cells that are not missing, whatever their order:

- all are numbers: a numeric column;
- more than half are numbers, plainly written or in another notation (``1,163``, ``5,62``, ``50%``,
  ``$9.50``): an error, for the rest would silently turn the column into categories;
- otherwise: a text column, whose cells become the codes of its categories, sorted as text.
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
"""The mark before the fraction of a number."""

_NAN = {"".join(letters) for letters in product(("", "+", "-"), "nN", "aA", "nN")}
MISSING = frozenset({"", "?", "NA", *_NAN})
"""The texts of a missing cell; with them, float() reads a NaN from no other."""

_SHOWN = 3  # cells named in an error message

_CURRENCY = "[$€£¥₹₽₩₺]|USD|EUR|GBP|CHF|JPY|CNY|INR"
_SIGN = r"[+\-\u2212\u2013]"  # also a minus sign and an en dash
_GROUP = r"[,.'\u2019_\ \u00a0\u202f]"  # also a typographic apostrophe and spaces that don't break
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
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,(?!\d{3}$)\d+")  # three digits may be thousands
_PLAIN = "write numbers with a decimal {} and without thousands separators, percent or currency signs"
_MEND = "correct or empty the others, or put a letter before each cell to make the column text"


@dataclass(frozen=True, eq=False)
class Column:
    """A column that is decided.

    Attributes
    ----------
    values
        (N,) numbers or category codes, NaN where missing.
    categories
        The texts of the codes 0, 1, ... of a text column; None of a numeric one.
    """

    values: NDArray[np.float64]
    categories: tuple[str, ...] | None


def column_values(file: str, name: str, cells: Sequence[str]) -> Column:
    """Decide one column of (N,) cell texts.

    Raises
    ------
    DataError
        As :meth:`ColumnScan.is_text`.
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
        # In order of appearance for now; sorted once all are known.
        self._code_of: dict[str, int] = {}

    def __contains__(self, cell: str) -> bool:
        return cell in self._code_of

    def __len__(self) -> int:
        return len(self._codes)

    def extend(self, cells: Sequence[str]) -> None:
        """Append cells; those in :data:`MISSING` have no code."""
        code_of = self._code_of
        self._codes.extend(
            nan if cell in MISSING else code_of.setdefault(cell, len(code_of)) for cell in cells
        )

    def column(self) -> Column:
        """Return the codes 0, 1, ... of the categories in the order of their texts."""
        values, texts = np.array(self._codes, np.float64), sorted(self._code_of)
        rank = np.empty(len(texts))
        rank[[self._code_of[text] for text in texts]] = np.arange(len(rank))
        present = ~np.isnan(values)
        values[present] = rank[values[present].astype(np.int64)]
        return Column(values, tuple(texts))


class ColumnScan:
    """All cells of one column, block by block, to decide what it is.

    It keeps 8 bytes a cell, so that a file larger than memory's text fits: numbers as long as there are no
    texts, codes as long as there are no numbers. A text column that :attr:`is_mixed` is to be read again.

    Parameters
    ----------
    file, name
        The file and the column, for error messages.
    decimal
        What stands before the fraction of a number.
    decimal_key
        The key that an error message advises to set for decimal commas, if there is one.
    text
        The column is text, whatever its cells look like.
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
        """Append cells, without spaces around them; ``first_row`` is the 1-based row of the first."""
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
        """True if there are both numbers and texts."""
        return self._n_numbers > 0 and self._n_texts > 0

    def is_text(self) -> bool:
        """Tell whether all cells together make a text column; a column without any value is numeric.

        Raises
        ------
        DataError
            More than half of the cells are numbers, in whatever notation, but not all are plain ones; or all
            are numbers and one is infinite.
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
        """Return the numbers or category codes of a column that is not mixed."""
        if self._n_texts:
            return self._categories.column()
        return Column(np.concatenate(self._numbers) if self._numbers else np.empty(0), None)


def number(cell: str, decimal: Decimal = ".") -> float | None:
    """Return the number that a cell holds, NaN if it is missing, None if it is something else."""
    if cell in MISSING:
        return nan
    if "_" in cell:  # float() takes 1_000 for a number, a table's author doesn't
        return None
    if decimal == ",":
        if "." in cell:  # separates thousands where the comma is the decimal mark
            return None
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return None


def _is_other_notation(cell: str) -> bool:
    """Tell whether a cell that is no number looks like one; accountants put negative ones in parentheses."""
    bare = cell[1:-1] if cell.startswith("(") and cell.endswith(")") else cell
    return _OTHER_NOTATION.fullmatch(bare) is not None
