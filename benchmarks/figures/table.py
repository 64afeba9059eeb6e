"""The table reports/figures.csv, which has one row per figure."""

from __future__ import annotations

import csv
import io
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

_COMPARISONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt, ">": operator.gt}


@dataclass(frozen=True)
class Row:
    """A figure; ``target`` is a comparison such as ``>= 0.835``, or empty if the figure has no target."""

    id: str
    what: str
    value: str
    unit: str
    target: str
    holds: str
    command: str


def row(id_: str, what: str, value: float, unit: str = "", target: str = "") -> Row:
    """Return a row with four significant digits, and whether its target is met."""
    holds = ""
    if target:
        sign, limit = target.split()
        holds = "yes" if _COMPARISONS[sign](value, float(limit)) else "missed"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return Row(id_, what, f"{value:.{digits}f}", unit, target, holds, f"make figures ONLY={id_}")


def named(
    topic: str, measure: Callable[[], Iterator[Row]], *names: str
) -> dict[str, Callable[[], Iterator[Row]]]:
    """Return the function that measures several figures of a topic, by the id of each."""
    return {f"{topic}.{name}": measure for name in names}


def read(path: Path) -> list[Row]:
    """Read the rows of the table, or none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [Row(**entry) for entry in csv.DictReader(file)]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows sorted by id, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    writer.writerows(astuple(entry) for entry in sorted(rows, key=lambda entry: entry.id))
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text.getvalue())
    partial.replace(path)
