"""Score against area, mean over seeds: whose front lies above, and where."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dwn_asic.report.choice import ROUNDING, Area, best_within, candidates
from dwn_asic.study.runs import Run
from dwn_asic.study.tables import standard_error

__all__ = ["LARGEST", "Curve", "Domination", "curve", "dominations"]

LARGEST = 300.0
"""NAND2-equivalents up to which fronts are compared."""


@dataclass(frozen=True)
class Curve:
    """The mean front of a family on one data set: within each area, the circuits that validation rows choose.

    Attributes
    ----------
    areas
        (K,) NAND2-equivalents, ascending, at which some seed's choice changes; from the first on, every seed
        has a circuit.
    tests
        (K, seeds) test score of the choices within each area.
    """

    areas: np.ndarray
    tests: np.ndarray

    def at(self, area: float) -> np.ndarray | None:
        """Return the (seeds,) test scores within this area; None where a seed has no circuit."""
        place = int(np.searchsorted(self.areas, area, side="right")) - 1
        return None if place < 0 else self.tests[place]


def curve(runs: Sequence[Run], family: str, area: Area = "total") -> Curve | None:
    """Return the mean front of a family over the runs; None where a run has no circuit of it."""
    circuits = [candidates(run.result, family) for run in runs]
    if not all(circuits):
        return None
    first = max(min(c.area(area) for c in found) for found in circuits)
    areas = np.unique([max(first, c.area(area)) for found in circuits for c in found])
    tests = []
    for limit in areas:
        chosen = [best_within(found, limit, area) for found in circuits]
        tests.append([c.test for c in chosen if c is not None])
    return Curve(areas, np.array(tests))


@dataclass(frozen=True)
class Domination:
    """An interval of areas in which another family's mean test score is above ours.

    Attributes
    ----------
    low, high
        Ends of the interval, in NAND2-equivalents.
    most
        Largest difference there, in points; nan where we have no circuit at all.
    error
        Standard error of that difference over the seeds, in points; nan for one seed.
    """

    low: float
    high: float
    most: float
    error: float

    @property
    def alone(self) -> bool:
        """True where only the other family has a circuit."""
        return math.isnan(self.most)


def dominations(ours: Curve, other: Curve, largest: float = LARGEST) -> list[Domination]:
    """Return the intervals in which the other is above; those in which only it has a circuit stand apart."""
    grid = np.unique(np.concatenate([ours.areas, other.areas]))
    ends = [*grid[grid <= largest].tolist(), largest]
    found: list[Domination] = []
    for low, high in itertools.pairwise(ends):
        here = _lead(low, high, ours.at(low), other.at(low))
        if here is None:
            continue
        if found and found[-1].high == low and found[-1].alone == here.alone:
            worst = max(found[-1], here, key=lambda lead: lead.most)
            found[-1] = replace(worst, low=found[-1].low, high=high)
        else:
            found.append(here)
    return found


def _lead(low: float, high: float, mine: np.ndarray | None, theirs: np.ndarray | None) -> Domination | None:
    if theirs is None:
        return None
    if mine is None:
        return Domination(low, high, math.nan, math.nan)
    if theirs.mean() <= mine.mean() + ROUNDING:
        return None
    points = 100.0 * (theirs - mine)
    return Domination(low, high, float(points.mean()), standard_error(points))
