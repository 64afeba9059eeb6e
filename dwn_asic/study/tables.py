"""A table once, written as Markdown, as CSV and as a part of a page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dwn_asic.report.table import escape
from dwn_asic.study.trace import Traced

__all__ = [
    "SMALLEST",
    "Cell",
    "Drawing",
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
    """The text that a table shows, and the key that it sorts by."""

    shown: str
    key: float | str


@dataclass(frozen=True)
class Drawing:
    """A figure that stands before a table.

    Attributes
    ----------
    file
        Path of its file, below the study's folder.
    caption
        A sentence on what it shows.
    svg
        Draws it and returns the SVG; equal results return equal bytes.
    """

    file: str
    caption: str
    svg: Callable[[], bytes]


@dataclass(frozen=True)
class Table:
    """A heading, rows of cells, and what a reader needs beside them.

    Attributes
    ----------
    name
        Stem of the table's file names.
    title
        Heading.
    notes
        Sentences of Markdown on how the numbers were measured.
    columns
        Column headings, each one of its kind; ``group: heading`` where neighbours belong together.
    rows
        One cell for each column.
    methods
        Row number -> (flow, method) whose runs stand behind it, where there is just one.
    circuits
        Row number -> circuits that stand behind it, one a seed, where they are not a method's own choice.
    summary
        The table's answer in one sentence; may be empty.
    figures
        Drawings of what the table holds, the most important first.
    """

    name: str
    title: str
    notes: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    methods: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    circuits: Mapping[int, Sequence[Traced]] = field(default_factory=dict)
    summary: str = ""
    figures: Sequence[Drawing] = ()

    def head(self) -> str:
        """Return title, summary and figures as Markdown."""
        parts = [f"## {self.title}", *([self.summary] if self.summary else [])]
        parts += [f"![{each.caption}]({each.file})" for each in self.figures]
        return "".join(f"{part}\n\n" for part in parts)

    def markdown(self) -> str:
        """Return head, table and notes."""
        rule = [
            ":---" if isinstance(cell.key, str) else "---:" for cell in (self.rows[0] if self.rows else ())
        ]
        lines = [self.columns, rule, *([escape(cell.shown) for cell in row] for row in self.rows)]
        table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        return f"{self.head()}{table}\n" + "".join(f"- {note}\n" for note in self.notes)

    def csv(self) -> str:
        """Return headings and rows as they are shown."""
        content = io.StringIO(newline="")
        writer = csv.writer(content, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([cell.shown for cell in row] for row in self.rows)
        return content.getvalue()


def text(value: str) -> Cell:
    """Return a cell of words."""
    return Cell(value, value)


def number(value: float | None, decimals: int) -> Cell:
    """Return a number, or a dash that sorts last."""
    if value is None or math.isnan(value):
        return Cell("-", math.inf)
    return Cell(f"{value:.{decimals}f}", float(value))


def ratio(value: float | None) -> Cell:
    """Return a ratio with three digits and an x, or a dash that sorts last."""
    if value is None or math.isnan(value):
        return Cell("-", math.inf)
    return Cell(f"{value:.3g}x" if value < 100 else f"{value:.0f}x", float(value))


def mean_spread(values: Iterable[float], decimals: int) -> Cell:
    """Return mean and standard deviation over seeds; a single value stands alone."""
    known = np.array(list(values), float)
    if not len(known):
        return Cell("-", math.inf)
    mean = float(known.mean())
    spread = f" ± {known.std(ddof=1):.{decimals}f}" if len(known) > 1 else ""
    return Cell(f"{mean:.{decimals}f}{spread}", mean)


def standard_error(values: Iterable[float]) -> float:
    """Return the standard error of the mean; nan for fewer than two values."""
    known = np.array(list(values), float)
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else math.nan


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of positive numbers; nan for none."""
    known = np.array(list(values), float)
    return float(np.exp(np.log(known).mean())) if len(known) else math.nan


def area_ratio(other: float, ours: float) -> float:
    """Return how many times larger the other area is; see :data:`SMALLEST`."""
    return max(other, SMALLEST) / max(ours, SMALLEST)
