"""The definition of a metric.

The module that measures a metric declares it; :mod:`dwn_asic.report.metrics` collects all of them.
Names follow METRICS2.1 in the style of OpenROAD and LibreLane, as do the metrics that only this package has.
The name of an area tells whether the encoder is included: ``area__core`` and ``area__encoder`` are parts,
``design__instance__area`` is the whole design.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CORE",
    "ENCODER",
    "SCORES",
    "TEST",
    "TOTAL",
    "TRAIN",
    "VAL",
    "Metric",
    "ScoreKey",
    "Shown",
    "Size",
    "area_decimals",
    "higher",
    "lower",
    "neutral",
]

TRAIN, VAL, TEST = "accuracy__train", "accuracy__val", "accuracy__test"

CORE, ENCODER, TOTAL = (
    "area__core__nand2_equivalent",
    "area__encoder__nand2_equivalent",
    "area__nand2_equivalent",
)

ScoreKey = Literal["accuracy", "balanced_accuracy", "macro_f1", "f1", "cost_score"]
SCORES: Mapping[ScoreKey, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "f1": "F1",
    "cost_score": "cost score",
}
"""Key and name of each score that an objective may maximize; the metrics of a score are ``KEY__PART``."""

Aggregate = Literal["mean", "sum", "max", "min"]


@dataclass(frozen=True)
class Metric:
    """The meaning of one number of a result.

    Attributes
    ----------
    name
        Key of the number in ``result.json``.
    unit
        Unit of the number; empty for fractions between 0 and 1, ``1`` for counts.
    higher_is_better
        True if a higher value is better, False if a lower one is, None if neither is.
    aggregate
        How the values of several flows or seeds are combined into one.
    description
        Explanation for readers of a report.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    aggregate: Aggregate
    description: str


@dataclass(frozen=True)
class Shown:
    """A metric as a column of tables.

    Attributes
    ----------
    heading
        Heading of the column.
    metric
        Name of the metric.
    decimals
        Number of decimals.
    """

    heading: str
    metric: str
    decimals: int


@dataclass(frozen=True)
class Size:
    """The size of circuits as a target counts it, and how reports show it.

    Attributes
    ----------
    unit, words
        Name of the unit in headings of columns, and in sentences: ``NAND2`` and ``NAND2-equivalents``.
    noun
        Word for the size: ``area``, or ``size``.
    core, encoder, total
        Names of the metrics that hold the size of the core, of the encoder, and of the whole circuit.
    parts
        Parts that make up the whole circuit, as a phrase.
    decimals
        Number of decimals in tables.
    more
        Column of another metric beside the size, for example the number of cells.
    meaning
        Sentences of Markdown on what the numbers mean.
    detail
        Second unit, and the metrics of core, encoder and total in it; empty if there is none.
    beside
        Columns of what else the target measures, for example the delay.
    """

    unit: str
    words: str
    noun: str
    core: str
    encoder: str
    total: str
    parts: str
    decimals: int
    more: Shown
    meaning: str
    detail: tuple[str, ...] = ()
    beside: tuple[Shown, ...] = ()

    @property
    def axis(self) -> str:
        """Label of an axis: ``area in NAND2-equivalents``."""
        return f"{self.noun} in {self.words}"

    @property
    def columns(self) -> tuple[Shown, ...]:
        """Columns of core, encoder and total."""
        return self._columns(self.unit, (self.core, self.encoder, self.total))

    @property
    def details(self) -> tuple[Shown, ...]:
        """Columns of core, encoder and total in the second unit; none without a second unit."""
        return self._columns(self.detail[0], self.detail[1:]) if self.detail else ()

    def _columns(self, unit: str, metrics: tuple[str, ...]) -> tuple[Shown, ...]:
        headings = ("core", "encoder", f"total = {self.parts}")
        return tuple(
            Shown(f"{heading} ({unit})", metric, self.decimals)
            for heading, metric in zip(headings, metrics, strict=True)
        )


def area_decimals(nand2: float) -> int:
    """Return the decimals of areas in um2 in reports, given the area of a NAND2 cell in um2.

    Where that is less than 1 um2, as in ASAP7, whole circuits measure a few um2.
    """
    return 1 if nand2 >= 1 else 3


def lower(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    """Return a metric for which lower values are better."""
    return Metric(name, unit, higher_is_better=False, aggregate=aggregate, description=description)


def higher(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    """Return a metric for which higher values are better."""
    return Metric(name, unit, higher_is_better=True, aggregate=aggregate, description=description)


def neutral(name: str, unit: str, description: str) -> Metric:
    """Return a metric for which neither higher nor lower values are better."""
    return Metric(name, unit, higher_is_better=None, aggregate="mean", description=description)
