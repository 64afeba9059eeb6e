"""The registry of metrics: each name's unit, direction and way of adding up, in one place.

Names follow METRICS2.1 as OpenROAD and LibreLane write them; ours stand beside them. Every area says whether
the encoder is in it: ``area__core`` and ``area__encoder`` are parts, ``design__instance__area`` is the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dwn_asic.errors import DwnAsicError

__all__ = [
    "CELLS",
    "CORE",
    "ENCODER",
    "METRICS",
    "TEST",
    "TOTAL",
    "TRAIN",
    "VAL",
    "Metric",
    "check_metrics",
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


def _lower(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    return Metric(name, unit, higher_is_better=False, aggregate=aggregate, description=description)


def _higher(name: str, unit: str, description: str, *, aggregate: Aggregate = "mean") -> Metric:
    return Metric(name, unit, higher_is_better=True, aggregate=aggregate, description=description)


def _neutral(name: str, unit: str, description: str) -> Metric:
    return Metric(name, unit, higher_is_better=None, aggregate="mean", description=description)


def _areas() -> Iterator[Metric]:
    yield _lower("design__instance__area", "um2", "Mapped cell area in all: encoder, core, registers")
    yield _lower("area__nand2_equivalent", "NAND2", "The same in NAND2 cells: encoder, core, registers")
    parts = (
        ("core", "the LUT logic between thermometer bits and class bits, head included"),
        ("encoder", "the comparators that make thermometer bits of feature codes"),
        ("head", "the popcount and argmax part of the core"),
        ("registers", "the flip-flops at inputs and outputs"),
    )
    for part, meaning in parts:
        yield _lower(f"area__{part}", "um2", f"Mapped cell area of {meaning}")
        yield _lower(f"area__{part}__nand2_equivalent", "NAND2", f"The same in NAND2 cells: {part}")
    yield _neutral("area__nand2", "um2", "Area of the NAND2 cell that equivalents are counted in")


def _counts() -> Iterator[Metric]:
    yield _lower("design__instance__count", "1", "Mapped cells in all")
    for part in ("core", "encoder", "registers"):
        yield _lower(f"design__instance__count__{part}", "1", f"Mapped cells: {part}")
    yield _neutral("design__io__count", "1", "Port bits of the top module, clock included")
    yield _lower("encoder__threshold__count", "1", "Thermometer bits that the core reads")
    yield _lower("encoder__feature__count", "1", "Features that the circuit reads")
    yield _lower("logic__lut__count", "1", "LUT nodes of the Boolean graph")
    yield _lower("logic__and__count", "1", "AND nodes of the optimized AND-inverter graph")
    yield _lower("logic__depth", "1", "Levels of the optimized AND-inverter graph")


def _accuracies() -> Iterator[Metric]:
    for part, rows in (("train", "training"), ("val", "validation"), ("test", "test")):
        yield _higher(f"accuracy__{part}", "", f"Share of {rows} rows classified right")


def _speed_and_power() -> Iterator[Metric]:
    yield _higher("timing__setup__ws", "ns", "Worst setup slack", aggregate="min")
    yield _lower("delay__critical_path", "ns", "Longest path at the reported corner", aggregate="max")
    yield _lower("power__total", "W", "Internal, switching and leakage power")
    yield _lower("energy__per_inference", "pJ", "Energy of one classification")


def _registry() -> Iterator[Metric]:
    yield from _areas()
    yield from _counts()
    yield from _accuracies()
    yield from _speed_and_power()


METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _registry()})
"""Every metric that a result may hold, in the order in which reports show them."""


def check_metrics(metrics: Mapping[str, object]) -> None:
    """Raise DwnAsicError where a name isn't registered or a value isn't a number."""
    for name, value in metrics.items():
        if name not in METRICS:
            raise DwnAsicError(f"metric {name!r} is not in the registry of dwn_asic.metrics")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DwnAsicError(f"metric {name!r} is {value!r}, not a number")
