"""Shrink: anneal a circuit to a front of smaller ones at about its score, and choose one of them.

The front also includes single LUTs, the circuits that are so small that all of them can be tried, for more
than two classes networks of votes, and on request committees of circuits of the front.

Moves are scored on training rows; validation rows are held out and only choose the circuit.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import compose
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.boolean.measure import levels
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.objective import Costs, Objective
from dwn_asic.data.split import drawn
from dwn_asic.data.table import PARTS
from dwn_asic.data.teacher import agreed_rows, taught_rows
from dwn_asic.optimize.cost import CostModel, GatePrices
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.exact.minimize import mapped_areas, minimize_parts
from dwn_asic.optimize.lossy.anneal.search import Chain, Found, Schedule, anneal, areas, assess, by_start
from dwn_asic.optimize.lossy.committees import Rows, committees
from dwn_asic.optimize.lossy.config import Judge, ShrinkConfig
from dwn_asic.optimize.lossy.front import (
    Front,
    FrontCircuit,
    Point,
    choose,
    chosen_within,
    evenly,
    front,
    is_worse,
    merged,
)
from dwn_asic.optimize.lossy.refit import refit
from dwn_asic.optimize.lossy.single_lut import MOST_INPUTS, single_luts
from dwn_asic.optimize.lossy.votes import learn_votes

__all__ = ["MappedPoint", "gate_prices", "map_points", "minimize_points", "search", "shrink"]

_VOTES, _COMMITTEES = "votes", "committee"
"""Names that networks of votes and committees carry if starting circuits have names."""
_FEW_ROWS = 1500
"""Number of training rows below which made-up rows with a teacher's labels generalize better."""
_LEAST_TAUGHT = 6000
"""Number of made-up rows that a teacher labels, or twice that of the training rows if that is more."""


@dataclass(frozen=True)
class MappedPoint:
    """A circuit of the front, as it is or minimized.

    Attributes
    ----------
    point
        The circuit.
    core, encoder
        Mapped costs (for cells, in um2).
    levels
        AND nodes on the longest path of core and encoder as one and-inverter graph.
    """

    point: Point
    core: float
    encoder: float
    levels: int


def shrink(
    starts: Sequence[BooleanGraph],
    dataset: Dataset,
    cost: CostModel,
    config: ShrinkConfig,
    seed: int,
    *,
    limits: MinimizeConfig,
    network: LutNetwork | None = None,
    names: Sequence[str] = (),
    checkpoints: MutableMapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Front:
    """Anneal circuits to a front of smaller ones, and choose one of them on validation rows.

    Parameters
    ----------
    starts
        Circuits for this data set from which the search starts.
    dataset
        Training rows score moves, validation rows choose, test rows are only reported.
    cost
        The cost model of the target.
    config
        Prices, lengths and tolerance.
    seed
        Seed of all random choices; equal arguments return an equal front.
    limits
        Time limits of the minimization of the front's circuits.
    network
        The LUT network of the first starting circuit, if it has one. With a popcount head it is refitted
        first.
    names
        Name of each starting circuit, which the circuits it leads to carry; by default they carry none.
    checkpoints, progress
        As in :func:`dwn_asic.optimize.lossy.anneal.search.anneal`.

    Raises
    ------
    DataError
        There are no training or validation rows.
    ConfigError
        No circuit of the front is within the limits of the configuration.
    """
    dataset.require("train", "val")
    rows, held_out = dataset.part("train"), dataset.part("val")
    prices = gate_prices(config, cost)
    objective = dataset.objective
    starts, names = list(starts), names or [""] * len(starts)
    votes = _votes(dataset, prices, config, seed)
    known: list[BooleanGraph] = []
    if network is not None and network.head.kind == "popcount":
        refits = _refits(network, dataset, cost, config, seed)
        # Annealing may only overfit such networks, so they join the front as they are. Other trained graphs
        # do not: validation rows chose them already, which biases the comparison.
        known = [starts[0], *refits]
        starts[0] = _small([*refits, *votes] or known, dataset, prices)
    fronts = []
    judges = config.judges or _usual_judges(len(rows[1]))
    for number, judge in enumerate(judges):
        found = search(
            starts,
            _scored_rows(rows, judge, starts[0], config.rows, seed, objective),
            config,
            prices,
            seed,
            objective=objective,
            names=names,
            checkpoints=checkpoints,
            progress=_overall(progress, number, len(judges)),
        )
        fronts += [front(group, *held_out, objective) for group in by_start(found)]
    judged = drawn(rows, config.rows, seed)
    luts = single_luts(*judged, starts[0].interface, _costs(objective, judged, starts))

    def add(graphs: Sequence[BooleanGraph], on: Rows, name: str) -> None:
        costs = objective.total_costs(on[1], dataset.table.n_classes)
        measured = [replace(each, start=name) for each in assess(graphs, *on, prices, costs=costs)]
        fronts.append(front(_scored(measured, on, objective), *held_out, objective))

    annealed = merged(*fronts)
    # Separate fronts, since a circuit that generalizes better than an annealed one without a training error
    # would be dropped as dominated.
    add(known, rows, names[0])
    add(votes, rows, _VOTES if any(names) else "")
    add(luts, judged, "")
    if config.committees:
        named, costs = _COMMITTEES if any(names) else "", _costs(objective, judged, starts)
        add(committees(annealed, judged, costs, config.committees), rows, named)
    points = merged(*fronts)
    chosen = _chosen(points, known, dataset, config.tolerance)
    thinned = _thin(points, chosen, cost, config.circuits)
    mapped = minimize_points(thinned, cost, limits) if config.minimize_front else map_points(thinned, cost)
    circuits = tuple(_measured(each, dataset, cost) for each in mapped)
    if config.limited:
        return Front(circuits, chosen_within(circuits, config))
    return Front(circuits, next(i for i, point in enumerate(thinned) if point is chosen))


def _chosen(
    points: Sequence[Point], known: Sequence[BooleanGraph], dataset: Dataset, tolerance: float
) -> Point:
    """Return the choice among all circuits, or else the one that leaves out the known circuits.

    Validation rows chose the known circuits in training already, so their scores are too good. One of them is
    the choice only if the most accurate of all others is significantly worse, or if it is the smaller choice.
    """
    codes, labels = dataset.part("val")
    chosen = choose(points, tolerance, len(labels))
    others = [point for point in points if not any(point.graph is graph for graph in known)]
    if not others or any(chosen is point for point in others):
        return chosen
    best, instead = (choose(others, each, len(labels)) for each in (0.0, tolerance))
    weights = dataset.objective.loss_weights(labels, dataset.table.n_classes)
    keeps = instead.area >= chosen.area or is_worse(best, chosen, codes, labels, weights)
    return chosen if keeps else instead


def _refits(
    network: LutNetwork, dataset: Dataset, cost: CostModel, config: ShrinkConfig, seed: int
) -> list[BooleanGraph]:
    """Return the network with refitted tables, once for each pair of price and temperature."""
    codes, labels = dataset.part("train")
    weights = dataset.loss_weights
    return [
        to_graph(
            refit(network, codes, labels, price, cost.prices, temperature=heat, seed=seed, weights=weights)
        )
        for price, heat in config.refit
    ]


def _votes(dataset: Dataset, prices: GatePrices, config: ShrinkConfig, seed: int) -> list[BooleanGraph]:
    """Return the networks of votes if there are more than two classes."""
    if dataset.table.n_classes <= 2:
        return []
    return [*map(to_graph, learn_votes(dataset, config.votes, prices, seed=seed, jobs=config.jobs))]


def _small(graphs: Sequence[BooleanGraph], dataset: Dataset, prices: GatePrices) -> BooleanGraph:
    """Return the smallest circuit whose validation score lacks at most twice what that of the best lacks.

    From a smaller circuit annealing leads to circuits that are as good, in less time.
    """
    lacking = [1.0 - _score(dataset.objective, graph, dataset.part("val")) for graph in graphs]
    good = [graph for graph, lack in zip(graphs, lacking, strict=True) if lack <= 2.0 * min(lacking)]
    return good[int(np.argmin(areas(good, prices)))]


def _measured(mapped: MappedPoint, dataset: Dataset, cost: CostModel) -> FrontCircuit:
    """Return the circuit with areas in units and scores on all rows of each part."""
    point = mapped.point
    core, encoder = mapped.core / cost.unit, mapped.encoder / cost.unit
    total = (mapped.core + mapped.encoder) / cost.unit + cost.overhead(point.graph)
    train, val, test = (_score(dataset.objective, point.graph, dataset.part(part)) for part in PARTS)
    scores = (train, val, point.expected, test, point.graph.accuracy(*dataset.part("test")))
    return FrontCircuit(point.graph, core, encoder, total, *scores, mapped.levels, point.start)


def _score(objective: Objective, graph: BooleanGraph, rows: Rows) -> float:
    codes, labels = rows
    return objective.score(labels, graph.predict(codes))


def _scored(found: Sequence[Found], rows: Rows, objective: Objective) -> tuple[Found, ...]:
    """Return the circuits with their true scores, where the sum of costs only approximates them."""
    if objective.additive:
        return tuple(found)
    return tuple(replace(each, score=_score(objective, each.graph, rows)) for each in found)


def _costs(
    objective: Objective,
    rows: Rows,
    graphs: Sequence[BooleanGraph],
) -> Costs:
    """Return the costs on these rows; if they depend on predictions, those of the best circuit at hand.

    The best is one of the graphs or, which matters if the graphs are poor, a single LUT.
    """
    codes, labels = rows
    n_classes = len(graphs[0].interface.class_names)
    if objective.additive:
        return objective.total_costs(labels, n_classes)
    first = max(graphs, key=lambda graph: _score(objective, graph, rows))
    costs = objective.total_costs(labels, n_classes, first.predict(codes))
    luts = single_luts(codes, labels, first.interface, costs)
    best = max((first, *luts), key=lambda graph: _score(objective, graph, rows))
    return objective.total_costs(labels, n_classes, best.predict(codes))


def _usual_judges(n_rows: int) -> tuple[Judge, ...]:
    return ("taught",) if n_rows < _FEW_ROWS else ("labels", "agreed")


def _scored_rows(
    rows: Rows,
    judge: Judge,
    graph: BooleanGraph,
    most: int,
    seed: int,
    objective: Objective,
) -> Rows:
    """Return the rows on which this judge scores moves; made-up rows are at most ``most``."""
    if judge == "labels":
        return rows
    codes, labels = rows
    n_classes = len(graph.interface.class_names)
    weights = objective.loss_weights(labels, n_classes)
    if judge == "taught":
        return taught_rows(codes, labels, min(most, max(_LEAST_TAUGHT, 2 * len(labels))), seed, weights)
    agreed = agreed_rows(codes, labels, n_classes, seed, weights)
    return (codes[agreed], labels[agreed]) if agreed.any() else rows


def _overall(
    progress: Callable[[int, int], None] | None, number: int, parts: int
) -> Callable[[int, int], None] | None:
    """Return a callback that reports the progress of one of several equal parts as progress of the whole."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, parts * total)


def search(
    graphs: Sequence[BooleanGraph],
    rows: Rows,
    config: ShrinkConfig,
    prices: GatePrices,
    seed: int,
    *,
    objective: Objective | None = None,
    names: Sequence[str] = (),
    checkpoints: MutableMapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Found, ...]:
    """Return the circuits found by chains of all prices from all graphs; by default accuracy counts.

    The circuits carry the names of the graphs, if there are any.
    """
    objective, scored = objective or Objective(), drawn(rows, config.rows, seed)
    named = zip(graphs, names or [""] * len(graphs), strict=True)
    plans = list(product(named, config.temperatures, config.prices))
    chains = [
        Chain(graph, price, Schedule(config.proposals, hot), len(plans) * seed + i, name)
        for i, ((graph, name), hot, price) in enumerate(plans)
    ]
    found = anneal(
        chains,
        *scored,
        prices,
        costs=_costs(objective, scored, graphs),
        jobs=config.jobs,
        checkpoints=checkpoints,
        progress=progress,
    )
    return _scored(found, scored, objective)


def gate_prices(config: ShrinkConfig, cost: CostModel) -> GatePrices:
    """Return the prices of gates for the area to minimize: of all, or with comparators at zero cost."""
    return cost.prices if config.area == "total" else cost.prices.core_only


def map_points(points: Sequence[Point], cost: CostModel) -> tuple[MappedPoint, ...]:
    """Map core and encoder of each circuit as they are."""
    cores = [point.graph for point in points]
    encoders = [encoder_graph([node for _, node in core.inputs], core.interface) for core in cores]
    areas = mapped_areas([*cores, *encoders], cost)
    return tuple(
        MappedPoint(point, areas[i], areas[len(points) + i], levels(compose(encoders[i], cores[i])))
        for i, point in enumerate(points)
    )


def minimize_points(
    points: Sequence[Point], cost: CostModel, limits: MinimizeConfig
) -> tuple[MappedPoint, ...]:
    """Minimize core and encoder of each circuit exactly at low effort."""
    parts = (
        minimize_parts(point.graph, cost, effort="low", timeout_s=limits.timeout_s, budget_s=limits.budget_s)
        for point in points
    )
    return tuple(
        MappedPoint(point, core.area, encoder.area, levels(compose(encoder.graph, core.graph)))
        for point, (core, encoder) in zip(points, parts, strict=True)
    )


def _thin(points: Sequence[Point], chosen: Point, cost: CostModel, most: int) -> tuple[Point, ...]:
    """Keep the chosen circuit, and those that no circuit of less area, total or core, beats in validation.

    The area model counts inverters as free, but in circuits of few inputs they matter: a NAND is smaller than
    a better AND with an inverted input, and an inverted code bit hides the constant. So the smallest circuits
    of few inputs by mapped core area are kept as well.
    """
    graphs = [point.graph for point in points]
    prices = cost.prices
    totals, cores = (_unbeaten(points, areas(graphs, each), most) for each in (prices, prices.core_only))
    few = [i for i, graph in enumerate(graphs) if len(graph.inputs) <= MOST_INPUTS]
    mapped = mapped_areas([graphs[i] for i in few], cost, ranking=True)
    smallest = {few[i] for i in _unbeaten([points[i] for i in few], mapped, most)}
    kept = totals | cores | smallest
    return tuple(point for i, point in enumerate(points) if i in kept or point is chosen)


def _unbeaten(points: Sequence[Point], areas: Sequence[float], most: int) -> set[int]:
    """Return the indices of circuits that no smaller one beats on validation rows, thinned to the most.

    Among circuits with equal validation scores the smallest and the largest stay, since training rows tell
    which of the two is better.
    """
    kept: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (areas[i], -points[i].val)):
        val = points[i].val
        if not kept or val > points[kept[-1]].val:
            kept.append(i)
        elif val == points[kept[-1]].val:
            third = len(kept) > 1 and points[kept[-2]].val == val
            kept[len(kept) - third :] = [i]
    return set(evenly(kept, most))
