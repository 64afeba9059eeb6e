"""The front of circuits, area against accuracy, and the choice on it by validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.lossy.anneal.search import Found

__all__ = ["Front", "FrontCircuit", "Point", "choose", "front", "merged", "within"]

_NEIGHBOURS = 4


@dataclass(frozen=True)
class Point:
    """A circuit on the front, as the search sees it.

    Attributes
    ----------
    graph
        The circuit.
    area
        NAND2-equivalents by the gate prices, not mapped.
    train, val
        Accuracy on the rows that the search judged on, and on the validation rows.
    expected
        ``val`` corrected for selection bias: ``train`` less the mean gap between ``train`` and ``val`` of the
        circuits of about this size. A single circuit's ``val`` is noisy, and of many circuits those with
        favourable noise would be chosen.
    """

    graph: BooleanGraph
    area: float
    train: float
    val: float
    expected: float


@dataclass(frozen=True)
class FrontCircuit:
    """A circuit of a finished front.

    Attributes
    ----------
    graph
        The circuit.
    core, encoder, total
        Mapped area in units of the target's cost model, of the circuit as it is or minimized. The total also
        holds the registers.
    train, val, expected, test
        Accuracy on each part's rows, NaN of a part without any; ``expected`` as in :class:`Point`.
    """

    graph: BooleanGraph
    core: float
    encoder: float
    total: float
    train: float
    val: float
    expected: float
    test: float


@dataclass(frozen=True)
class Front:
    """Circuits of all sizes, ascending by area, and the place of the one that validation rows chose."""

    circuits: tuple[FrontCircuit, ...]
    choice: int

    @property
    def chosen(self) -> FrontCircuit:
        """The circuit that validation rows chose."""
        return self.circuits[self.choice]


def front(
    found: Sequence[Found], n_rows: int, codes: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[Point, ...]:
    """Judge circuits on validation rows, ascending by area.

    Parameters
    ----------
    found
        Ascending by area, descending by errors.
    n_rows
        Rows that the errors were counted on.
    codes, labels
        (V, F) codes and (V,) class indices of the validation rows.
    """
    train = np.array([1.0 - circuit.errors / n_rows for circuit in found])
    val = np.array([circuit.graph.accuracy(codes, labels) for circuit in found])
    gaps = train - val
    smooth = [float(gaps[max(0, i - _NEIGHBOURS) : i + _NEIGHBOURS + 1].mean()) for i in range(len(found))]
    return tuple(
        Point(circuit.graph, circuit.area, float(t), float(v), float(t - gap))
        for circuit, t, v, gap in zip(found, train, val, smooth, strict=True)
    )


def merged(*fronts: Sequence[Point]) -> tuple[Point, ...]:
    """Circuits of different origin, ascending by area."""
    return tuple(sorted((point for points in fronts for point in points), key=lambda point: point.area))


def within(points: Sequence[Point], accuracy: float) -> tuple[Point, ...]:
    """The circuits whose validation accuracy, both measured and expected, is at least this."""
    return tuple(point for point in points if min(point.val, point.expected) >= accuracy)


def choose(points: Sequence[Point], tolerance: float) -> Point:
    """The smallest circuit within ``tolerance`` of the best accuracy that validation rows show.

    Raises
    ------
    ValueError
        There are no points.
    """
    best = max(min(point.val, point.expected) for point in points)
    return within(points, best - tolerance)[0]
