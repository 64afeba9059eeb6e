"""Questions to the table of results: rows that meet a condition, means over groups, and comparisons."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dwn_asic.errors import ConfigError, shortened
from dwn_asic.files import write_text
from dwn_asic.flow.results import BEFORE, RESULTS
from dwn_asic.report.metrics import metrics

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

__all__ = ["COLUMNS", "Answer", "Question", "ask", "compare", "listed"]

COLUMNS = ("run", "flow", "seed", "name", "kind", "val", "test", "total", "unit")
"""Columns of a list of runs unless others are asked for."""
_NUMBERS = ("val", "test", "total")
_MATCH = ("flow", "seed", "name")
"""Columns by which rows of two folders belong together."""
_HIGHER = {
    **dict.fromkeys(("train", "val", "test"), True),
    **dict.fromkeys(("core", "encoder", "total", "seconds"), False),
}
"""Columns that are no metrics, each with whether higher is better."""


@dataclass(frozen=True)
class Question:
    """The part of a table of results to show.

    Attributes
    ----------
    where
        Condition in SQL on the columns, for example ``test > 0.85 and kind = 'shrunk'``; empty for all rows.
    columns
        Columns to show; empty for those of :data:`COLUMNS`. With ``by``, columns of numbers, whose means are
        shown.
    by
        Columns whose values define groups; empty to list single rows.
    sort
        Columns to sort by, with ``-`` before those in descending order; empty for the order of the table.
    limit
        Maximum number of rows; 0 for all.
    """

    where: str = ""
    columns: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int = 0


@dataclass(frozen=True)
class Answer:
    """Rows with their headings.

    Attributes
    ----------
    columns
        Headings.
    rows
        A value for each column, None where a row has none.
    total
        Number of rows without the limit.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int

    def text(self) -> str:
        """Return an aligned table for people, with numbers to five digits."""
        cells = [list(self.columns), *([_shown(value) for value in row] for row in self.rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        right = [
            any(isinstance(row[place], int | float) for row in self.rows)
            for place in range(len(self.columns))
        ]
        lines = [
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(row, widths, right, strict=True)
            ).rstrip()
            for row in cells
        ]
        if self.total > len(self.rows):
            lines.append(f"{len(self.rows)} of {self.total} rows; --limit 0 shows all")
        return "\n".join(lines)

    def csv(self) -> str:
        """Return the rows as CSV, numbers in full precision."""
        target = io.StringIO(newline="")
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return target.getvalue()

    def json(self) -> str:
        """Return the rows as a JSON list of objects."""
        return json.dumps([dict(zip(self.columns, row, strict=True)) for row in self.rows], indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Write the rows to a file; raises ConfigError unless its name ends in ``.csv`` or ``.json``."""
        forms = {".csv": self.csv, ".json": self.json}
        if path.suffix not in forms:
            raise ConfigError(path, "", f"is of type {path.suffix!r}", ", ".join(forms))
        write_text(path, forms[path.suffix]())


def listed(database: DuckDBPyConnection) -> list[str]:
    """Return a line for each column of the results, with its meaning and its unit if it is a metric."""
    return [_meaning(name) for name in _known(database, RESULTS)]


def _meaning(column: str) -> str:
    metric = metrics().get(column)
    if metric is None:
        return column
    unit = f" ({metric.unit})" if metric.unit not in ("", "1") else ""
    return f"{column}: {metric.description}{unit}"


def ask(database: DuckDBPyConnection, question: Question) -> Answer:
    """Answer a question about the results that :func:`dwn_asic.flow.results.open_results` has opened.

    Raises
    ------
    ConfigError
        The condition is wrong, or a column does not exist; the error names the option of the command line.
    """
    known, by = _known(database, RESULTS), question.by
    columns = question.columns or (_NUMBERS if by else COLUMNS)
    _check(by, "--by", known)
    _check(columns, "--columns", known, numbers=bool(by))
    rows = _chosen(database, question, known)
    if not by:
        ordered = rows.order(_order(question.sort, known, ("run", "position")))
        return _answer(ordered.project(_list(columns)), question)
    means = {name: f"avg({_quoted(name)})" for name in columns}
    if "test" in means:
        means["test_sd"] = "stddev_samp(test)"
    return _grouped(rows, question, means)


def compare(database: DuckDBPyConnection, question: Question) -> Answer:
    """Compare results with those of the other folder that have the same flow, seed and name of the method.

    For each column of numbers there are its values before and after, and the change. With groups, there are
    their means, and the numbers of pairs that became better and worse.

    Raises
    ------
    ConfigError
        As for :func:`ask`.
    """
    known, others, by = _known(database, RESULTS), _known(database, BEFORE), question.by
    columns = question.columns or _NUMBERS
    _check(columns, "--columns", {name: known[name] for name in known if name in others}, numbers=True)
    _check(by, "--by", known)
    keys = tuple(dict.fromkeys((*by, *_MATCH)))
    after = _chosen(database, question, known).project(
        ", ".join([_list(keys), *(f'{_quoted(name)} AS "{name} after"' for name in columns)])
    )
    before = database.table(BEFORE).project(
        ", ".join([_list(_MATCH), *(f'{_quoted(name)} AS "{name} before"' for name in columns)])
    )
    changes = (f'"{name} after" - "{name} before" AS "{name} change"' for name in columns)
    pairs = after.join(before, ", ".join(_MATCH)).project(", ".join(["*", *changes]))
    headings = tuple(f"{name} {when}" for name in columns for when in ("before", "after", "change"))
    if not by:
        ordered = pairs.order(_order(question.sort, [*keys, *headings], keys))
        return _answer(ordered.project(_list((*keys, *headings))), question)
    shown = {name: f"avg({_quoted(name)})" for name in headings}
    for name in columns:
        if (higher := _higher_is_better(name)) is not None:
            for way, sign in (("better", ">" if higher else "<"), ("worse", "<" if higher else ">")):
                shown[f"{name} {way}"] = f'count(*) FILTER ("{name} change" {sign} 0)'
    return _grouped(pairs, question, shown)


def _grouped(rows: DuckDBPyRelation, question: Question, shown: Mapping[str, str]) -> Answer:
    """Return a row for each group, with its number of rows and the given expressions."""
    named = [f"{expression} AS {_quoted(name)}" for name, expression in shown.items()]
    groups = rows.aggregate(", ".join([_list(question.by), "count(*) AS rows", *named]), _list(question.by))
    return _answer(groups.order(_order(question.sort, groups.columns, question.by)), question)


def _chosen(database: DuckDBPyConnection, question: Question, known: Collection[str]) -> DuckDBPyRelation:
    """Return the rows that meet the condition."""
    import duckdb

    rows = database.table(RESULTS)
    try:
        return rows.filter(question.where) if question.where else rows
    except duckdb.Error as error:
        raise _wrong(error, known) from error


def _answer(rows: DuckDBPyRelation, question: Question) -> Answer:
    import duckdb

    try:
        found = rows.fetchall()
    except duckdb.Error as error:  # for example a text in the condition that is no number
        raise _wrong(error, rows.columns) from error
    shown = found[: question.limit] if question.limit else found
    return Answer(tuple(rows.columns), tuple(shown), len(found))


def _wrong(error: Exception, known: Collection[str]) -> ConfigError:
    problem = str(error).splitlines()[0]
    return ConfigError("results", "--where", problem, f"a condition on {shortened([*known])}")


def _known(database: DuckDBPyConnection, table: str) -> dict[str, bool]:
    """Return the columns of a table, and whether they hold numbers."""
    rows = database.table(table)
    return {name: str(kind) != "VARCHAR" for name, kind in zip(rows.columns, rows.types, strict=True)}


def _higher_is_better(column: str) -> bool | None:
    metric = metrics().get(column)
    return _HIGHER.get(column) if metric is None else metric.higher_is_better


def _check(names: Iterable[str], option: str, known: Mapping[str, bool], *, numbers: bool = False) -> None:
    """Raise ConfigError if a column does not exist or, where ``numbers`` is true, holds texts."""
    for name in names:
        if name not in known:
            raise ConfigError("results", option, f"there is no column {name!r}", shortened([*known]))
        if numbers and not known[name]:
            allowed = shortened([each for each, number in known.items() if number])
            raise ConfigError("results", option, f"column {name!r} holds texts", allowed)


def _order(sort: Iterable[str], known: Iterable[str], default: Iterable[str]) -> str:
    """Return the order of rows; raises ConfigError if a column does not exist."""
    parts = []
    for each in sort:
        name = each.removeprefix("-")
        _check([name], "--sort", dict.fromkeys(known, True))
        parts.append(f"{_quoted(name)} {'DESC' if each.startswith('-') else 'ASC'} NULLS LAST")
    return ", ".join([*parts, *map(_quoted, default)])


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
