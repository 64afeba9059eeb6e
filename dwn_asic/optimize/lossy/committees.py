"""Committees: three circuits that vote, for areas between annealed circuits and larger networks.

The first of three circuits decides, unless the two others agree. Circuits that annealing found err on
different rows, so three of them are right more often than one of their size together, where annealing alone
would overfit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.compose import copied
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Lut
from dwn_asic.data.objective import Costs
from dwn_asic.optimize.lossy.front import Point, evenly

__all__ = ["Rows", "committee", "committees"]

_LEAST_AREA = 20.0
"""Area in units of the target from which on circuits join committees."""
_STEP = 1.1
"""Ratio of the areas of one class of sizes, from which the best circuits join."""
_BEST = 3
"""Number of circuits of each class of sizes."""
_SEATS = 3
_MUX, _DIFFERENT, _NOT, _WITHOUT = 0b11001010, 0b0110, 0b01, 0b0010
"""Tables: the second input where the third is 1, else the first; XOR; NOT; the first and not the second."""

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(N, F) codes and (N,) class indices."""


def committee(first: BooleanGraph, second: BooleanGraph, third: BooleanGraph) -> BooleanGraph:
    """Return the circuit in which the first one decides, unless the two others agree."""
    builder = GraphBuilder(first.interface)
    answers = []
    for graph in (first, second, third):
        place = copied(graph, builder, {})
        answers.append([place[driver] for driver in graph.outputs])
    differ = [builder.add(Lut(pair, _DIFFERENT)) for pair in zip(answers[1], answers[2], strict=True)]
    agree = builder.add(Lut((differ[0],), _NOT))
    for bit in differ[1:]:
        agree = builder.add(Lut((agree, bit), _WITHOUT))
    return builder.finish(
        [builder.add(Lut((one, two, agree), _MUX)) for one, two in zip(*answers[:2], strict=True)]
    )


def committees(points: Sequence[Point], rows: Rows, costs: Costs, most: int) -> list[BooleanGraph]:
    """Return the best committees of three circuits of a front, in ascending order of their area together.

    Parameters
    ----------
    points
        Circuits of all sizes.
    rows, costs
        Training rows on which committees are judged, and their costs. Validation rows would choose among so
        many that their scores would no longer tell how good the chosen ones are.
    most
        Largest number of committees.
    """
    members = _members(points)
    if len(members) < _SEATS:
        return []
    losses = _losses(members, rows, costs)
    area = np.array([point.area for point in members])
    second, third = np.triu_indices(len(members), 1)
    pairs = np.arange(len(second))
    losses[pairs, second] = losses[pairs, third] = np.inf  # these decide alone
    total = area[None, :] + (area[second] + area[third])[:, None]
    order = np.lexsort((losses.ravel(), total.ravel()))
    lowest = np.minimum.accumulate(losses.ravel()[order])
    better = order[lowest < np.concatenate([[np.inf], lowest[:-1]])]
    chosen = [divmod(int(each), len(members)) for each in evenly(better.tolist(), most)]
    return [
        committee(*(members[i].graph for i in (first, int(second[pair]), int(third[pair]))))
        for pair, first in chosen
    ]


def _members(points: Sequence[Point]) -> list[Point]:
    """Return the circuits of each size that are best on training rows."""
    sizes: dict[int, list[Point]] = {}
    for point in points:
        if point.area >= _LEAST_AREA:
            sizes.setdefault(round(math.log(point.area, _STEP)), []).append(point)
    best = [sorted(each, key=lambda point: -point.train)[:_BEST] for each in sizes.values()]
    return sorted((point for each in best for point in each), key=lambda point: point.area)


def _losses(members: Sequence[Point], rows: Rows, costs: Costs) -> NDArray[np.float64]:
    """Return (P, M) losses: P pairs of members, and one of M members that decides unless the pair agrees."""
    codes, labels = rows
    answers = np.stack([each.graph.predict(codes) for each in members])
    cost = costs.matrix[labels, np.minimum(answers, len(costs.matrix))].astype(np.float64)
    found = []
    for number, answer in enumerate(answers):
        agree = answers[number + 1 :] == answer
        found.append((~agree).astype(np.float64) @ cost.T + (agree @ cost[number])[:, None])
    return np.vstack(found)
