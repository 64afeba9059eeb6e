"""What a metric is. The module that measures one declares it; :mod:`dwn_asic.report.metrics` has them all.

Names follow METRICS2.1 as OpenROAD and LibreLane write them; ours stand beside them. Every area says whether
the encoder is in it: ``area__core`` and ``area__encoder`` are parts, ``design__instance__area`` is the whole.
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
    """What one number of a result means.

    Attributes
    ----------
    name
        Key in ``result.json``.
    unit
        Empty for shares from 0 to 1; ``1`` for counts.
    higher_is_better
        None where neither is.
    aggregate
        How values of several flows or seeds become one.
    description
        For the reader of a report.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    aggregate: Aggregate
    description: str


def lower(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    """Less is better."""
    return Metric(name, unit, higher_is_better=False, aggregate=aggregate, description=description)


def higher(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    """More is better."""
    return Metric(name, unit, higher_is_better=True, aggregate=aggregate, description=description)


def neutral(name: str, unit: str, description: str) -> Metric:
    """Neither direction is better."""
    return Metric(name, unit, higher_is_better=None, aggregate="mean", description=description)
