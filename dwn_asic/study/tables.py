"""A table once, written as Markdown, as CSV and as a part of a page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dwn_asic.report.table import escape
from dwn_asic.study.trace import Traced

__all__ = [
    "SMALLEST",
    "Cell",
    "Table",
    "area_ratio",
    "geometric_mean",
    "mean_spread",
    "number",
    "ratio",
    "standard_error",
    "text",
]

SMALLEST = 1.0
"""NAND2-equivalents: a smaller circuit, which may be mere wires, counts as this much in a ratio."""


@dataclass(frozen=True)
class Cell:
    """What is shown, and what it is sorted by."""

    shown: str
    key: float | str


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    Attributes
    ----------
    name
        Of its files.
    title
        Heading.
    notes
        Sentences of Markdown on how the numbers came about.
    columns
        Headings.
    rows
        As many cells each.
    methods
        Row number -> (flow, method) whose runs stand behind it, where there is just one.
    circuits
        Row number -> circuits that stand behind it, one a seed, where they are not a method's own choice.
    """

    name: str
    title: str
    notes: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    methods: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    circuits: Mapping[int, Sequence[Traced]] = field(default_factory=dict)

    def markdown(self) -> str:
        """Title, table, notes."""
        rule = [
            ":---" if isinstance(cell.key, str) else "---:" for cell in (self.rows[0] if self.rows else ())
        ]
        lines = [self.columns, rule, *([escape(cell.shown) for cell in row] for row in self.rows)]
        table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        return f"## {self.title}\n\n{table}\n" + "".join(f"- {note}\n" for note in self.notes)

    def csv(self) -> str:
        """Headings and rows as they are shown."""
        content = io.StringIO(newline="")
        writer = csv.writer(content, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([cell.shown for cell in row] for row in self.rows)
        return content.getvalue()


def text(value: str) -> Cell:
    """Words."""
    return Cell(value, value)


def number(value: float | None, decimals: int) -> Cell:
    """A number, or a dash that sorts last."""
    if value is None or math.isnan(value):
        return Cell("-", math.inf)
    return Cell(f"{value:.{decimals}f}", float(value))


def ratio(value: float | None) -> Cell:
    """Times."""
    if value is None or math.isnan(value):
        return Cell("-", math.inf)
    return Cell(f"{value:.3g}x" if value < 100 else f"{value:.0f}x", float(value))


def mean_spread(values: Iterable[float], decimals: int) -> Cell:
    """Mean and standard deviation over seeds; of one value, that."""
    known = np.array(list(values), float)
    if not len(known):
        return Cell("-", math.inf)
    mean = float(known.mean())
    spread = f" ± {known.std(ddof=1):.{decimals}f}" if len(known) > 1 else ""
    return Cell(f"{mean:.{decimals}f}{spread}", mean)


def standard_error(values: Iterable[float]) -> float:
    """Of the mean; nan of fewer than two."""
    known = np.array(list(values), float)
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else math.nan


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers; nan of none."""
    known = np.array(list(values), float)
    return float(np.exp(np.log(known).mean())) if len(known) else math.nan


def area_ratio(other: float, ours: float) -> float:
    """How many times larger the other is; see :data:`SMALLEST`."""
    return max(other, SMALLEST) / max(ours, SMALLEST)
