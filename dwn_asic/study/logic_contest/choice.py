"""The choice of one circuit for each benchmark, on validation rows, at a price for AND nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dwn_asic.report.result import FrontPoint
from dwn_asic.study.runs import Run, Study

__all__ = ["LIMIT", "PRICES", "Chosen", "Mean", "cheapest_price", "choose", "chosen", "circuits", "mean"]

LIMIT = 5000
"""Largest number of AND nodes that the contest allows."""
PRICES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Prices that tables show: points of validation accuracy that 100 AND nodes must be worth."""
_GRID = (0.0, *np.geomspace(0.01, 10_000.0, 601).tolist())
"""Prices among which :func:`cheapest_price` searches."""


@dataclass(frozen=True)
class Chosen:
    """A circuit that was chosen for a benchmark on one seed.

    Attributes
    ----------
    run
        The run that found it.
    circuit
        The circuit, with its AND nodes as total.
    """

    run: Run
    circuit: FrontPoint


@dataclass(frozen=True)
class Mean:
    """Means over benchmarks and seeds.

    Attributes
    ----------
    test, val
        Accuracy on test rows and on validation rows.
    ands, levels
        AND nodes, and AND nodes on the longest path; levels are nan if some circuit has none recorded.
    """

    test: float
    val: float
    ands: float
    levels: float


def circuits(run: Run) -> list[FrontPoint]:
    """Return the circuits of all shrunk fronts of a run that the contest allows."""
    return [point for method in run.result.methods for point in method.front if point.total <= LIMIT]


def choose(points: Sequence[FrontPoint], price: float) -> FrontPoint:
    """Return the circuit of the highest validation accuracy less the price of its AND nodes.

    Ties go to the smallest circuit, then to the most accurate one on training rows.

    Parameters
    ----------
    points
        Circuits, at least one.
    price
        Points of accuracy that 100 AND nodes must be worth.
    """
    return max(points, key=lambda p: (p.val - price * p.total / 1e4, -p.total, p.train))


def chosen(study: Study, price: float) -> Mapping[str, Sequence[Chosen]]:
    """Return the circuits chosen for each benchmark, one for each seed."""
    return {
        benchmark: [Chosen(run, choose(circuits(run), price)) for run in runs]
        for benchmark, runs in study.sets.items()
    }


def mean(found: Mapping[str, Sequence[Chosen]]) -> Mean:
    """Return the means of circuits over seeds, then over benchmarks."""

    def over(value: str) -> float:
        values = [[getattr(each.circuit, value) for each in some] for some in found.values()]
        return float(np.mean([np.mean([np.nan if one is None else one for one in some]) for some in values]))

    return Mean(*map(over, ("test", "val", "total", "levels")))


def cheapest_price(study: Study, ands: float) -> float | None:
    """Return the lowest price at which the chosen circuits have at most ``ands`` AND nodes on average.

    The mean size falls with the price, so a search by halves finds it on a fine grid; None if the smallest
    circuits are still larger.
    """
    size = partial(_size, [[circuits(run) for run in runs] for runs in study.sets.values()])
    low, high = 0, len(_GRID)
    while low < high:
        middle = (low + high) // 2
        if size(_GRID[middle]) <= ands:
            high = middle
        else:
            low = middle + 1
    return _GRID[low] if low < len(_GRID) else None


def _size(sets: Sequence[Sequence[Sequence[FrontPoint]]], price: float) -> float:
    means = [np.mean([choose(points, price).total for points in runs]) for runs in sets]
    return float(np.mean(means))
