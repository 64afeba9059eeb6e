"""Accuracy against area, mean over seeds: whose front lies above, and where."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dwn_asic.report.choice import OUR_FAMILY, OURS, ROUNDING, Area, best_within, candidates, families
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Cell, Table, mean_spread, number, standard_error, text

__all__ = ["LARGEST", "Curve", "Domination", "curve", "domination_table", "dominations", "equal_area_table"]

LARGEST = 300.0
"""NAND2-equivalents up to which fronts are compared."""
BUDGETS = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0)


@dataclass(frozen=True)
class Curve:
    """The mean front of a family on one data set: within each area, the circuits that validation rows choose.

    Attributes
    ----------
    areas
        (K,) NAND2-equivalents, ascending, at which some seed's choice changes; from the first on, every seed
        has a circuit.
    tests
        (K, seeds) test accuracy of the choices within each area.
    """

    areas: np.ndarray
    tests: np.ndarray

    def at(self, area: float) -> np.ndarray | None:
        """(seeds,) test accuracies within this area; None where not every seed has a circuit."""
        place = int(np.searchsorted(self.areas, area, side="right")) - 1
        return None if place < 0 else self.tests[place]


def curve(runs: Sequence[Run], family: str, area: Area = "total") -> Curve | None:
    """None where a run has no circuit of the family."""
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
    """Areas between which another family's mean test accuracy is above ours.

    Attributes
    ----------
    low, high
        NAND2-equivalents.
    most
        Largest difference there, in points; nan where ours has no circuit at all.
    error
        Standard error of that difference over the seeds, in points; nan of one seed.
    """

    low: float
    high: float
    most: float
    error: float

    @property
    def alone(self) -> bool:
        """Whether only the other family has a circuit there."""
        return math.isnan(self.most)


def dominations(ours: Curve, other: Curve, largest: float = LARGEST) -> list[Domination]:
    """The intervals in which the other is above; those in which it alone has a circuit stand apart."""
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


def domination_table(study: Study, family: str, name: str = "") -> Table:
    """Where a family's front lies above ours.

    Parameters
    ----------
    study
        Runs.
    family
        Key of :func:`dwn_asic.report.choice.families`.
    name
        Of the table's files; by default it names the family.
    """
    rows: list[list[Cell]] = []
    for area in ("total", "core"):
        for flow, runs in study.sets.items():
            ours, theirs = curve(runs, OUR_FAMILY, area), curve(runs, family, area)
            if ours is None or theirs is None:
                continue
            where = dominations(ours, theirs)
            rows += [
                [
                    text(area),
                    text(flow),
                    number(d.low, 1),
                    number(d.high, 1),
                    Cell("no circuit", math.inf) if d.alone else number(d.most, 2),
                    number(d.error, 2),
                ]
                for d in where
            ]
            if not where:
                rows.append([text(area), text(flow), *[text("never")] * 2, number(None, 2), number(None, 2)])
    whose = families()[family].name
    return Table(
        name or f"above_{family}",
        f"Where the {whose} is above our front",
        (
            (
                f"Test accuracy, mean over seeds {study.seed_list}, up to {LARGEST:.0f} NAND2-equivalents. "
                "At each area, validation rows choose each seed's best circuit within it, of ours from the "
                f"shrunk front, of the {whose} from its sizes. Points: largest difference in the interval, "
                "and the standard error of that difference over the seeds; no circuit: ours has none "
                "that is so small."
            ),
        ),
        ("area", "data set", "from", "to", "points", "standard error"),
        rows,
        {n: (str(row[1].key), OURS) for n, row in enumerate(rows)},
    )


def equal_area_table(study: Study) -> Table:
    """Test accuracy of every family within equal total areas."""
    rows: list[list[Cell]] = []
    every = families()
    for flow, runs in study.sets.items():
        curves = {family: curve(runs, family) for family in every}
        for budget in BUDGETS:
            row = [text(flow), number(budget, 0)]
            for found in curves.values():
                tests = None if found is None else found.at(budget)
                row.append(mean_spread([] if tests is None else 100.0 * tests, 2))
            rows.append(row)
    return Table(
        "equal_area",
        "Equal area: test accuracy within a total area",
        (
            (
                f"Percent, mean ± standard deviation over seeds {study.seed_list}. Of each family, "
                "validation rows choose the best circuit whose total area (encoder and core) is within the "
                "budget. A dash: on some seed no circuit is so small."
            ),
        ),
        ("data set", "NAND2 at most", *(family.name for family in every.values())),
        rows,
        {n: (str(row[0].key), OURS) for n, row in enumerate(rows) if study.of(str(row[0].key), OURS)},
    )
