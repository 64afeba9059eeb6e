"""The definition of a metric.

The module that measures a metric declares it; :mod:`dwn_asic.report.metrics` collects all of them.
Names follow METRICS2.1 in the style of OpenROAD and LibreLane, as do the metrics that only this package has.
The name of an area tells whether the encoder is included: ``area__core`` and ``area__encoder`` are parts,
``design__instance__area`` is the whole design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CELLS",
    "CORE",
    "ENCODER",
    "TEST",
    "TOTAL",
    "TRAIN",
    "VAL",
    "Metric",
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
CELLS = "design__instance__count"

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


def lower(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    """Return a metric for which lower values are better."""
    return Metric(name, unit, higher_is_better=False, aggregate=aggregate, description=description)


def higher(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    """Return a metric for which higher values are better."""
    return Metric(name, unit, higher_is_better=True, aggregate=aggregate, description=description)


def neutral(name: str, unit: str, description: str) -> Metric:
    """Return a metric for which neither higher nor lower values are better."""
    return Metric(name, unit, higher_is_better=None, aggregate="mean", description=description)
