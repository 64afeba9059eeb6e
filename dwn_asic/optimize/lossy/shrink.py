"""Shrink: from a circuit to a front of smaller ones at about its accuracy, and the choice of one of them.

The front also has the circuits that are so small that all of them can be tried: single LUTs.

Moves are judged on training rows; all validation rows are held out of that and only choose the circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.data.split import drawn
from dwn_asic.data.teacher import agreed_rows
from dwn_asic.optimize.exact.minimize import mapped_areas, minimize_parts
from dwn_asic.optimize.lossy.anneal.candidates import CORE_ONLY, CostModel
from dwn_asic.optimize.lossy.anneal.search import Chain, Found, Schedule, anneal, areas, assess
from dwn_asic.optimize.lossy.config import Judge, ShrinkConfig
from dwn_asic.optimize.lossy.front import Point, choose, front, merged
from dwn_asic.optimize.lossy.refit import refit
from dwn_asic.optimize.lossy.single_lut import MOST_INPUTS, single_luts
from dwn_asic.targets.asic.cell_library import CellLibrary

__all__ = ["MappedPoint", "cost_model", "map_points", "minimize_points", "search", "shrink"]

_MAPPED_POINTS = 24
"""Of a front by total or core area, at most."""


@dataclass(frozen=True)
class MappedPoint:
    """A circuit of the front with mapped areas in um2, of the circuit as it is or minimized."""

    point: Point
    core: float
    encoder: float


def shrink(
    graphs: Sequence[BooleanGraph],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    held_out: tuple[NDArray[np.int64], NDArray[np.int64]],
    library: CellLibrary,
    config: ShrinkConfig,
    seed: int,
    *,
    network: LutNetwork | None = None,
    checkpoints: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[tuple[MappedPoint, ...], int]:
    """The front, ascending by area, and the place of the chosen circuit on it.

    Parameters
    ----------
    graphs
        Where the search starts.
    rows
        (N, F) codes and (N,) class indices to judge moves on: the training rows.
    held_out
        The same of the rows to choose by: the validation rows.
    library
        Whose areas are counted.
    config
        Prices, lengths, tolerance.
    seed
        Equal arguments give an equal front.
    network
        Where the graph comes from, if it is a LUT network: one with a popcount is refitted before.
    checkpoints, progress
        As in :func:`dwn_asic.optimize.lossy.anneal.search.anneal`.
    """
    starts = list(graphs)
    known: list[BooleanGraph] = []
    if network is not None and network.head.kind == "popcount":
        refits = [
            to_graph(refit(network, *rows, price, temperature=temperature, seed=seed))
            for price, temperature in config.refit
        ]
        # Annealing may only overfit such networks; else a trained graph, which validation rows have chosen
        # already, has no place beside circuits that they haven't seen.
        known = [*graphs, *refits]
        starts = [max(refits, key=lambda graph: graph.accuracy(*held_out))] if refits else starts
    fronts = []
    for number, judge in enumerate(config.judges):
        found, n_rows = search(
            starts,
            _judged(rows, judge, starts[0], seed),
            config,
            seed,
            checkpoints=None if checkpoints is None else checkpoints / judge,
            progress=_part(progress, number, len(config.judges)),
        )
        fronts.append(front(found, n_rows, *held_out))
    judged = drawn(rows, config.rows, seed)
    # Apart: beside an annealed circuit without a training error, one that generalizes better looks useless.
    for circuits, on in ((known, rows), (single_luts(*judged, starts[0].interface), judged)):
        fronts.append(front(assess(circuits, *on, cost_model(config)), len(on[1]), *held_out))
    points = merged(*fronts)
    chosen = choose(points, config.tolerance)
    thinned = _thin(points, chosen, library)
    mapped = minimize_points if config.minimize_front else map_points
    return mapped(thinned, library), next(i for i, point in enumerate(thinned) if point is chosen)


def _judged(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]], judge: Judge, graph: BooleanGraph, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that a judge looks at."""
    if judge == "labels":
        return rows
    codes, labels = rows
    agreed = agreed_rows(codes, labels, len(graph.interface.class_names), seed)
    return (codes[agreed], labels[agreed]) if agreed.any() else rows


def _part(
    progress: Callable[[int, int], None] | None, number: int, parts: int
) -> Callable[[int, int], None] | None:
    """Progress of one of several equal parts as that of the whole."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, parts * total)


def search(
    graphs: Sequence[BooleanGraph],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    config: ShrinkConfig,
    seed: int,
    *,
    checkpoints: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[tuple[Found, ...], int]:
    """What chains of all prices from all graphs found, and the number of rows that they were judged on."""
    codes, labels = drawn(rows, config.rows, seed)
    plans = list(product(graphs, config.temperatures, config.prices))
    chains = [
        Chain(graph, price, Schedule(config.proposals, hot), len(plans) * seed + i)
        for i, (graph, hot, price) in enumerate(plans)
    ]
    found = anneal(
        chains,
        codes,
        labels,
        cost_model(config),
        jobs=config.jobs,
        checkpoints=checkpoints,
        progress=progress,
    )
    return found, len(labels)


def cost_model(config: ShrinkConfig) -> CostModel:
    """Areas that count: of the whole circuit, or with free comparators."""
    return CostModel() if config.objective == "total" else CORE_ONLY


def map_points(points: Sequence[Point], library: CellLibrary) -> tuple[MappedPoint, ...]:
    """Core and encoder of each circuit mapped as they are."""
    cores = [point.graph for point in points]
    encoders = [encoder_graph([node for _, node in core.inputs], core.interface) for core in cores]
    areas = mapped_areas([*cores, *encoders], library)
    return tuple(
        MappedPoint(point, core, encoder)
        for point, core, encoder in zip(points, areas[: len(points)], areas[len(points) :], strict=True)
    )


def minimize_points(points: Sequence[Point], library: CellLibrary) -> tuple[MappedPoint, ...]:
    """Core and encoder of each circuit after exact minimization at low effort."""
    parts = (minimize_parts(point.graph, library, effort="low") for point in points)
    return tuple(
        MappedPoint(point, core.area, encoder.area)
        for point, (core, encoder) in zip(points, parts, strict=True)
    )


def _thin(points: Sequence[Point], chosen: Point, library: CellLibrary) -> tuple[Point, ...]:
    """The chosen circuit, and those that none of less area, total or core, beats in validation.

    The model has inverters for nothing, and they are what counts in circuits of few inputs: a NAND takes less
    than the AND of an inverted input that does better, and an inverted code bit hides the constant. Of these
    circuits the ones of least mapped core area stay too.
    """
    graphs = [point.graph for point in points]
    totals, cores = (_unbeaten(points, areas(graphs, cost)) for cost in (CostModel(), CORE_ONLY))
    few = [i for i, graph in enumerate(graphs) if len(graph.inputs) <= MOST_INPUTS]
    mapped = mapped_areas([graphs[i] for i in few], library, ranking=True)
    smallest = {few[i] for i in _unbeaten([points[i] for i in few], mapped)}
    kept = totals | cores | smallest
    return tuple(point for i, point in enumerate(points) if i in kept or point is chosen)


def _unbeaten(points: Sequence[Point], areas: Sequence[float]) -> set[int]:
    """Places of the circuits that no smaller one beats on validation rows, of very many only some.

    Of equals there the smallest stays, and the largest: training rows tell which of the two is better.
    """
    kept: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (areas[i], -points[i].val)):
        val = points[i].val
        if not kept or val > points[kept[-1]].val:
            kept.append(i)
        elif val == points[kept[-1]].val:
            third = len(kept) > 1 and points[kept[-2]].val == val
            kept[len(kept) - third :] = [i]
    return {kept[round(i)] for i in np.linspace(0, len(kept) - 1, min(_MAPPED_POINTS, len(kept)))}
