"""The circuits that teams of the IWLS 2020 contest published, evaluated on the contest's files.

``published.csv`` holds the test accuracy, AND nodes and levels of four teams' and-inverter graphs on the 45
benchmarks of even number below 90. The graphs are in the repository
iwls2020-lsml-contest/iwls2020-lsml-contest (commit 593b3760); only these figures are copied. Team 2 trained
on training and validation rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["FAMILIES", "Published", "best_published", "family", "published"]

FAMILIES = (
    "adders",
    "dividers and remainders",
    "multipliers",
    "comparators",
    "square roots",
    "PicoJava cones",
    "i10 cones",
    "MCNC and symmetric functions",
    "MNIST groups",
    "CIFAR-10 groups",
)
"""Families of the contest's benchmarks in the order of their numbers, ten benchmarks each."""


@dataclass(frozen=True)
class Published:
    """A team's circuit for a benchmark.

    Attributes
    ----------
    benchmark, team
        Name of the benchmark, for example ``ex00``, and of the team.
    test
        Accuracy on test rows.
    ands, levels
        AND nodes, and AND nodes on the longest path.
    """

    benchmark: str
    team: str
    test: float
    ands: int
    levels: int


@cache
def published() -> Mapping[str, Sequence[Published]]:
    """Return the published circuits of each benchmark."""
    text = resources.files(__package__).joinpath("published.csv").read_text(encoding="utf-8")
    found: dict[str, list[Published]] = {}
    for row in csv.DictReader(text.splitlines()):
        one = Published(
            row["benchmark"], row["team"], float(row["test"]), int(row["ands"]), int(row["levels"])
        )
        found.setdefault(one.benchmark, []).append(one)
    return found


def best_published(benchmarks: Iterable[str]) -> list[Published]:
    """Return the most accurate circuit of each benchmark that has any; ties go to the smallest."""
    every = [published()[name] for name in benchmarks if name in published()]
    return [max(circuits, key=lambda circuit: (circuit.test, -circuit.ands)) for circuits in every]


def family(benchmark: str) -> str:
    """Return the family of a benchmark of the contest, ``other`` for any other name."""
    number = benchmark.removeprefix("ex")
    known = benchmark.startswith("ex") and len(number) == 2 and number.isdecimal()
    return FAMILIES[int(number) // 10] if known else "other"
