"""Inspection of a table of which nothing is known but its label, and the assumptions that it leads to."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dwn_asic.data.config import DataConfig
from dwn_asic.data.csv_file import DEFAULT_LABEL
from dwn_asic.data.raw import RawTable
from dwn_asic.data.sources import data_sources, read_source
from dwn_asic.data.text_file import open_text, text_faults
from dwn_asic.errors import DataError, shortened
from dwn_asic.yaml_file import validate

__all__ = ["Inspection", "inspect_table"]

_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_LABELS = (DEFAULT_LABEL, "label", "target", "y")
"""Usual names of label columns, in lower case."""
_LINES = 200
"""Number of lines from which the form of a file is guessed."""
_DECIMAL_COMMA, _DECIMAL_POINT = re.compile(r"[+-]?\d+,\d+"), re.compile(r"[+-]?\d+\.\d+")
_MANY_CLASSES = 30
"""Number of classes above which a label is a quantity, or an identifier."""
_FREE_TEXT = 0.5
"""Share of distinct cells above which a text column has no categories."""
_RARE, _FEW_ROWS = 0.1, 500
"""Share of a class below which classes are uneven, and number of rows below which scores are uncertain."""


@dataclass(frozen=True)
class Inspection:
    """A table as it is going to be read.

    Attributes
    ----------
    data
        Section ``data`` of a flow file.
    n_rows, n_features, class_names
        Size of the table without the dropped columns, and the names of its classes.
    assumptions
        What was assumed, in whole phrases, for the author of the table.
    """

    data: Mapping[str, Any]
    n_rows: int
    n_features: int
    class_names: tuple[str, ...]
    assumptions: tuple[str, ...]


def inspect_table(table: str, label: str | None = None) -> Inspection:
    """Read a table, and say how its columns are taken.

    Parameters
    ----------
    table
        A CSV or ARFF file, or a source such as ``sklearn:wine``.
    label
        Name of the label column; by default one with a usual name or, in a CSV file, the last column.

    Raises
    ------
    DataError
        The table cannot be read or used, or the label is no class.
    """
    scheme = table.partition(":")[0]
    if scheme not in data_sources():
        scheme = "arff" if Path(table).suffix.lower() == ".arff" else "csv"
        table = f"{scheme}:{table}"
    data: dict[str, Any] = {"source": table}
    notes: list[str] = []
    if label is not None:
        data["label"] = label
    if scheme == "csv":
        notes += _form(data, Path(table.partition(":")[2]).expanduser(), label)
    raw = read_source(validate(DataConfig, data, table))
    notes += _columns(data, raw)
    raw = raw.without(data.get("drop", ()))
    notes += _classes(raw)
    return Inspection(data, len(raw.labels), len(raw.feature_names), raw.class_names, tuple(notes))


def _form(data: dict[str, Any], path: Path, label: str | None) -> Iterator[str]:
    """Add separator, decimal mark and label of a CSV file to the section."""
    if not path.exists():
        raise DataError(path, f"not found; looked for {path.resolve()}")
    with text_faults(path), open_text(path) as file:
        lines = [line for line in islice(file, _LINES) if line.strip()]
    if not lines:
        raise DataError(path, "empty file")
    separator = max(_SEPARATORS, key=lambda each: len(_cells(lines[0], each)))
    if separator != ",":
        data["separator"] = "tab" if separator == "\t" else separator
        yield f"cells are separated by {_SEPARATORS[separator]}"
    cells = [cell for line in lines[1:] for cell in _cells(line, separator)]
    commas, points = (
        sum(form.fullmatch(cell) is not None for cell in cells) for form in (_DECIMAL_COMMA, _DECIMAL_POINT)
    )
    if separator != "," and commas > points:
        data["decimal"] = ","
        yield "numbers have a decimal comma"
    names = _cells(lines[0], separator)
    if label is None:
        usual = [name for known in _LABELS for name in names if name.lower() == known]
        data["label"] = (usual or names[-1:])[0]
        why = "by its name" if usual else "the last column"
        yield f"the label is the column {data['label']!r}, {why}"
    if "" in names and data.get("label") != "":
        data["drop"] = [""]
        yield "columns without a name are left out, as they hold row numbers"


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _columns(data: dict[str, Any], raw: RawTable) -> Iterator[str]:
    """Add columns to leave out, and the filling of missing cells, to the section."""
    identifiers = [name for name in raw.feature_names if _is_identifier(raw, name)]
    if identifiers and len(identifiers) < len(raw.feature_names):
        data["drop"] = [*data.get("drop", []), *identifiers]
        verbs = ("identifies", "is") if len(identifiers) == 1 else ("identify", "are")
        yield f"{_listed(identifiers)} {verbs[0]} rows, and {verbs[1]} left out"
    kept = raw.without(identifiers) if len(identifiers) < len(raw.feature_names) else raw
    texts = [name for name, text in zip(kept.feature_names, kept.categorical, strict=True) if text]
    if texts:
        verb = "holds" if len(texts) == 1 else "hold"
        yield f"{_listed(texts)} {verb} categories, which are coded in alphabetical order"
    missing = int(np.isnan(kept.values).sum())
    if missing:
        data["impute"] = "median"
        yield (
            f"{missing} missing cells are filled with the median of the training rows, those of categories "
            "with the most frequent one"
        )
    constant = [
        name
        for name, column in zip(kept.feature_names, kept.values.T, strict=True)
        if len(np.unique(column[~np.isnan(column)])) <= 1
    ]
    if constant:
        verbs = ("varies", "has") if len(constant) == 1 else ("vary", "have")
        yield f"{_listed(constant)} never {verbs[0]}, and {verbs[1]} no effect"


def _is_identifier(raw: RawTable, name: str) -> bool:
    if any(note.startswith(f"column {name!r} differs in every row") for note in raw.notes):
        return True
    texts = raw.categories.get(name)
    return texts is not None and len(texts) > _FREE_TEXT * len(raw.labels)


def _classes(raw: RawTable) -> Iterator[str]:
    """Check the classes, and yield notes on them."""
    n_rows, n_classes = len(raw.labels), len(raw.class_names)
    if n_classes > _MANY_CLASSES:
        problem = f"has {n_classes} different values in {n_rows} rows: a quantity or a name, not a class"
        raise DataError(raw.file, problem, column=raw.label_name)
    raw.check_classes()
    counts = np.bincount(raw.labels, minlength=n_classes)
    rarest = int(counts.argmin())
    yield f"{n_rows} rows of {len(raw.feature_names)} features in {n_classes} classes"
    share = counts[rarest] / n_rows
    if share < _RARE:
        yield (
            f"class {raw.class_names[rarest]!r} has {100.0 * share:.1f}% of the rows: accuracy says little "
            "of it, balanced accuracy (--metric balanced_accuracy) counts every class alike"
        )
    if n_rows < _FEW_ROWS:
        yield f"{n_rows} rows are few: scores of other rows may differ by some points"


def _listed(names: Sequence[str]) -> str:
    kind = "column" if len(names) == 1 else "columns"
    return f"{kind} {shortened([repr(name) for name in names])}"
