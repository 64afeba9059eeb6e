"""The front of circuits, area against score, and the choice of one of them on validation rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.objective import Objective
from dwn_asic.errors import ConfigError
from dwn_asic.optimize.lossy.anneal.search import Found
from dwn_asic.optimize.lossy.config import ShrinkConfig

__all__ = [
    "Front",
    "FrontCircuit",
    "Point",
    "choose",
    "chosen_within",
    "evenly",
    "front",
    "is_worse",
    "merged",
    "within",
]

Item = TypeVar("Item")
_NEIGHBOURS = 4
_STANDARD_ERRORS = 10.0
"""Standard errors of the number of errors that a tolerance of 1 allows at least."""
_SIGNIFICANT = 2.0
"""Standard errors of a difference from which on it counts as significant."""
_AREA_STEP = 0.01
"""Step of the areas in a file of the front; areas that differ by less are equal."""
_SCORE_STEP = 1e-6
"""Step of the scores in a file of the front."""


@dataclass(frozen=True)
class Point:
    """A circuit on the front, as the search measures it.

    Attributes
    ----------
    graph
        The circuit.
    area
        Area by the gate prices in units of the target's cost model, not mapped.
    train, val
        Score by the objective on the rows that the search scored circuits on, and on the validation rows.
    expected
        ``val`` corrected for selection bias: ``train`` less the mean gap between ``train`` and ``val`` of
        circuits of about this size. The ``val`` of a single circuit is noisy, and a choice among many
        circuits by ``val`` alone would favour those with favourable noise.
    start
        As in :class:`dwn_asic.optimize.lossy.anneal.search.Found`.
    """

    graph: BooleanGraph
    area: float
    train: float
    val: float
    expected: float
    start: str = ""


@dataclass(frozen=True)
class FrontCircuit:
    """A circuit of a finished front.

    Attributes
    ----------
    graph
        The circuit.
    core, encoder, total
        Mapped area in units of the target's cost model, of the circuit as it is or minimized. The total
        includes the registers.
    train, val, expected, test
        Score by the objective on the rows of each part, NaN for a part without rows; ``expected`` as in
        :class:`Point`.
    accuracy
        Accuracy on test rows, NaN without test rows.
    levels
        AND nodes on the longest path of the circuit as an and-inverter graph, as it is or minimized; None if
        an older version made the front.
    start
        Name of the starting circuit that led to it; empty with a single start, or if it was enumerated.
    """

    graph: BooleanGraph
    core: float
    encoder: float
    total: float
    train: float
    val: float
    expected: float
    test: float
    accuracy: float = math.nan
    levels: int | None = None
    start: str = ""


@dataclass(frozen=True)
class Front:
    """Circuits of all sizes in ascending order of area, and the index of the chosen one."""

    circuits: tuple[FrontCircuit, ...]
    choice: int

    @property
    def chosen(self) -> FrontCircuit:
        """The circuit that validation rows chose."""
        return self.circuits[self.choice]


def front(
    found: Sequence[Found],
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    objective: Objective | None = None,
) -> tuple[Point, ...]:
    """Measure circuits on validation rows; returns them in ascending order of area.

    Parameters
    ----------
    found
        Circuits in ascending order of area and descending order of errors.
    codes, labels
        (V, F) codes and (V,) class indices of the validation rows.
    objective
        Objective that scores the circuits; by default their accuracy.
    """
    score = (objective or Objective()).score
    train = np.array([circuit.score for circuit in found])
    val = np.array([score(labels, circuit.graph.predict(codes)) for circuit in found])
    gaps = train - val
    smooth = [float(gaps[max(0, i - _NEIGHBOURS) : i + _NEIGHBOURS + 1].mean()) for i in range(len(found))]
    return tuple(
        Point(circuit.graph, circuit.area, float(t), float(v), float(t - gap), circuit.start)
        for circuit, t, v, gap in zip(found, train, val, smooth, strict=True)
    )


def merged(*fronts: Sequence[Point]) -> tuple[Point, ...]:
    """Merge fronts of different origin, in ascending order of area."""
    return tuple(sorted((point for points in fronts for point in points), key=lambda point: point.area))


def within(points: Sequence[Point], score: float) -> tuple[Point, ...]:
    """Return the circuits whose validation score, both measured and expected, is at least ``score``."""
    return tuple(point for point in points if min(point.val, point.expected) >= score)


def choose(points: Sequence[Point], tolerance: float, n_rows: int) -> Point:
    """Return the smallest circuit that adds few errors to those of the most accurate one.

    The score of a circuit is the lower of the measured and the expected one, and its errors are what the
    score lacks to 1, times the number of rows. Their standard error is about the square root of their number.

    Parameters
    ----------
    points
        Circuits in ascending order of area, at least one.
    tolerance
        Errors that may be added: this share of the errors or, below 100 errors, ten times this share of their
        standard error.
    n_rows
        Number of validation rows.
    """
    best = max(min(point.val, point.expected) for point in points)
    errors = (1.0 - best) * n_rows
    added = tolerance * max(errors, _STANDARD_ERRORS * math.sqrt(max(0.0, errors)))
    return within(points, best - added / n_rows)[0]


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many items, the first and the last among them, evenly chosen."""
    return [
        items[i] for i in sorted({round(i) for i in np.linspace(0, len(items) - 1, min(most, len(items)))})
    ]


class _Measured(Protocol):
    """A circuit of a front with its areas and scores."""

    @property
    def core(self) -> float: ...
    @property
    def total(self) -> float: ...
    @property
    def val(self) -> float: ...
    @property
    def expected(self) -> float: ...


def chosen_within(circuits: Sequence[_Measured], config: ShrinkConfig) -> int:
    """Return the index of the circuit that ``max_area`` and ``min_score`` choose from a front.

    Areas and scores are rounded as in the file of a front, so that its rows lead to the same choice.

    Raises
    ------
    ConfigError
        No circuit is so small, or none that is has such a score.
    """
    areas = [each.core if config.area == "core" else each.total for each in circuits]
    sizes = [round(area / _AREA_STEP) for area in areas]
    scores = [round(min(each.val, each.expected) / _SCORE_STEP) for each in circuits]
    most = max(sizes) if config.max_area is None else math.floor(config.max_area / _AREA_STEP + 1e-6)
    fitting = [i for i, size in enumerate(sizes) if size <= most]
    if not fitting:
        least = f"at least {min(sizes) * _AREA_STEP:.2f}, the area of the smallest circuit"
        raise ConfigError("shrink", "max_area", f"is {config.max_area:g}", least)
    if config.min_score is None:
        return min(fitting, key=lambda i: (-scores[i], sizes[i]))
    reaching = [i for i in fitting if scores[i] >= math.ceil(config.min_score / _SCORE_STEP - 1e-6)]
    if not reaching:
        best = max(scores[i] for i in fitting) * _SCORE_STEP
        raise ConfigError("shrink", "min_score", f"is {config.min_score:g}", f"at most {best:.6f} here")
    return min(reaching, key=lambda i: (sizes[i], -scores[i]))


def is_worse(
    point: Point,
    other: Point,
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> bool:
    """Return whether a circuit is significantly worse than another, by McNemar's test of paired rows.

    Parameters
    ----------
    point, other
        The circuits.
    codes, labels, weights
        (V, F) codes, (V,) class indices and (V,) weights of the validation rows; by default all weigh 1.
    """
    wrong, wrong_of_other = (each.graph.predict(codes) != labels for each in (point, other))
    more = (wrong.astype(np.float64) - wrong_of_other) * (1.0 if weights is None else weights)
    return bool(more.sum() > _SIGNIFICANT * math.sqrt(float((more**2).sum())))
