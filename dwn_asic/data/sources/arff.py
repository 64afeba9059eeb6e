"""Files of the user in Weka's attribute-relation format (ARFF), dense or sparse, plain or ``.gz``.

Category codes follow the order of the declarations in the header. The label is the attribute ``class``, in
upper or lower case, or else the last attribute. The package has its own reader, since scipy's supports
neither texts nor sparse rows, and no other reader names the row and the column of an error.

References
----------
Weka manual, "ARFF": https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.columns import Categories, Column, number
from dwn_asic.data.config import DataConfig
from dwn_asic.data.csv_file import DEFAULT_LABEL
from dwn_asic.data.data_source import DataSource, user_file
from dwn_asic.data.raw import RawTable
from dwn_asic.data.text_file import open_text, text_faults
from dwn_asic.errors import DataError, shortened

__all__ = ["SOURCE", "read_arff"]

_MISSING = "?"
_TOKEN = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,'"{}%][^\s,{}]*)""")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_NUMERIC = {"numeric", "real", "integer"}
_TEXT = {"string", "date"}


@dataclass(frozen=True)
class _Attribute:
    """A column of the header; ``categories`` are those that it declares, None for numbers and free texts."""

    name: str
    is_text: bool
    categories: tuple[str, ...] | None


def read_arff(path: Path, config: DataConfig) -> RawTable:
    """Read an ARFF file in UTF-8; missing cells (``?``) are kept as such.

    Raises
    ------
    DataError
        The file is invalid. The error names the file and, if known, the row of data (counted from 1) and the
        column.
    """
    with text_faults(path), open_text(path) as file:
        lines = enumerate((line.strip() for line in file), start=1)
        content = ((n, line) for n, line in lines if line and not line.startswith("%"))
        attributes = _header(path, content)
        rows = [_row(path, n, line, attributes) for n, (_, line) in enumerate(content, start=1)]
    if not rows:
        raise DataError(path, "there are no rows below @data")
    names = [attribute.name for attribute in attributes]
    label = _label(path, names, config.label)
    cells = dict(zip(names, zip(*rows, strict=True), strict=True))
    decided = {
        each.name: _column(path, each, cells[each.name], is_text=each.is_text or each.name in config.text)
        for each in attributes
        if each.name != label and each.name not in config.drop
    }
    return RawTable.build(
        config.source,
        str(path),
        values=np.column_stack([column.values for column in decided.values()])
        if decided
        else np.empty((0, 0)),
        categorical=np.array([column.categories is not None for column in decided.values()], np.bool_),
        labels=cells[label],
        feature_names=[*decided],
        label_name=label,
        categories={
            name: column.categories for name, column in decided.items() if column.categories is not None
        },
        dropped=[name for name in names if name in config.drop],
    )


# ---- the header --------------------------------------------------------------------------------------------
def _header(path: Path, lines: Iterator[tuple[int, str]]) -> list[_Attribute]:
    """Read the header, up to the line ``@data``, and return its attributes."""
    attributes: list[_Attribute] = []
    for n, line in lines:
        keyword, _, rest = line.replace("\t", " ").partition(" ")
        if keyword.lower() == "@data":
            if not attributes:
                raise DataError(path, "there is no @attribute above @data")
            return attributes
        if keyword.lower() == "@attribute":
            attribute = _attribute(path, n, rest.strip())
            if attribute.name in {other.name for other in attributes}:
                raise DataError(path, "the attribute occurs twice in the header", column=attribute.name)
            attributes.append(attribute)
        elif keyword.lower() != "@relation":
            raise DataError(path, f"line {n}: expected @relation, @attribute or @data, not {line[:40]!r}")
    raise DataError(path, "there is no line @data; it is not an ARFF file or is truncated")


def _attribute(path: Path, n: int, text: str) -> _Attribute:
    found = _TOKEN.match(text)
    if found is None:
        raise DataError(path, f"line {n}: @attribute has no name")
    name, kind = _text_of(found), text[found.end() :].strip()
    if kind.startswith("{"):
        end = kind.rfind("}")
        values = None if end < 0 else _tokens(kind[1:end].strip())
        if not values or len(set(values)) < len(values):
            raise DataError(path, f"line {n}: expected distinct values in braces", column=name)
        return _Attribute(name, is_text=False, categories=tuple(values))
    word = kind.partition(" ")[0].lower()
    if word not in _NUMERIC | _TEXT:
        allowed = "numeric, real, integer, string, date or values in braces"
        raise DataError(path, f"line {n}: type {kind!r} is not supported (allowed: {allowed})", column=name)
    return _Attribute(name, is_text=word in _TEXT, categories=None)


def _label(path: Path, names: Sequence[str], wanted: str | None) -> str:
    if wanted is None:
        return next((name for name in names if name.lower() == DEFAULT_LABEL), names[-1])
    if wanted not in names:
        problem = (
            f"there is no label attribute {wanted!r} (set data.label); its attributes: {shortened(names)}"
        )
        raise DataError(path, problem)
    return wanted


# ---- the rows ----------------------------------------------------------------------------------------------
def _row(path: Path, n: int, line: str, attributes: Sequence[_Attribute]) -> list[str]:
    if line.startswith("{"):
        return _sparse_row(path, n, line, attributes)
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) == len(attributes) and "'" not in line and '"' not in line and all(cells):
        return cells
    found = _tokens(line)
    if found is None:
        raise DataError(path, "has an empty cell or an unterminated quote", row=n)
    if len(found) != len(attributes):
        raise DataError(path, f"has {len(found)} cells; the header has {len(attributes)}", row=n)
    return found


def _sparse_row(path: Path, n: int, line: str, attributes: Sequence[_Attribute]) -> list[str]:
    """Read a sparse row, which consists of pairs of index and value.

    An omitted cell is 0, the first declared category, or missing in a column of free texts.
    """
    tokens = _tokens(line[1:-1].strip()) if line.endswith("}") else None
    if tokens is None or len(tokens) % 2:
        raise DataError(path, "expected pairs of index and value in braces", row=n)
    cells: dict[int, str] = {}
    for index, value in zip(tokens[::2], tokens[1::2], strict=True):
        if not index.isdecimal() or int(index) >= len(attributes) or int(index) in cells:
            problem = f"{index!r} is not an index or occurs twice (allowed: 0 to {len(attributes) - 1})"
            raise DataError(path, problem, row=n)
        cells[int(index)] = value
    return [cells.get(f, _left_out(each)) for f, each in enumerate(attributes)]


def _left_out(attribute: _Attribute) -> str:
    if attribute.categories is not None:
        return attribute.categories[0]
    return _MISSING if attribute.is_text else "0"


def _tokens(text: str) -> list[str] | None:
    """Split a text at commas and spaces outside quotes; returns None for a malformed text."""
    found: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        found.append(_text_of(token))
        at = token.end()
        separator = _SEPARATOR.match(text, at)
        if separator is None:
            return found if at == len(text) else None
        at = separator.end()
        if at == len(text):  # the text ends with a comma
            return None
    return found


def _text_of(token: re.Match[str]) -> str:
    quoted = token[1] if token[1] is not None else token[2]
    if quoted is None:
        return token[3]
    return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), quoted).strip()


def _column(path: Path, attribute: _Attribute, cells: Sequence[str], *, is_text: bool) -> Column:
    if attribute.categories is not None:
        return Column(_declared(path, attribute, cells), attribute.categories)
    if is_text:
        categories = Categories()
        categories.extend(cells)
        return categories.column()
    values = np.empty(len(cells))
    for n, cell in enumerate(cells):
        value = number(cell)
        if value is None:
            raise DataError(path, f"{cell!r} is not a number", row=n + 1, column=attribute.name)
        values[n] = value
    return Column(values, None)


def _declared(path: Path, attribute: _Attribute, cells: Sequence[str]) -> NDArray[np.float64]:
    """Return the codes of (N,) cells whose categories the header declares."""
    categories = attribute.categories or ()
    code = {text: float(n) for n, text in enumerate(categories)}
    code.setdefault(_MISSING, nan)
    for n, cell in enumerate(cells):
        if cell not in code:
            problem = f"{cell!r} is not a declared category (allowed: {shortened(categories)})"
            raise DataError(path, problem, row=n + 1, column=attribute.name)
    return np.array([code[cell] for cell in cells])


def _read(config: DataConfig) -> RawTable:
    return read_arff(user_file(config), config)


SOURCE = DataSource("arff", "arff:PATH", _read, has_file=True)
