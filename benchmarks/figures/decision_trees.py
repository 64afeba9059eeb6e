"""Mapped areas of decision trees and of circuits annealed from several starts, for a data set and a seed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.figures.cells import cost
from benchmarks.figures.kept import kept
from benchmarks.figures.nine import SEEDS, SETS, network
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.decision_tree import DecisionTree
from dwn_asic.optimize.exact.minimize import minimize_parts
from dwn_asic.optimize.lossy.anneal.search import Found
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.front import Point, front, within
from dwn_asic.optimize.lossy.shrink import gate_prices, search

LEAVES = (8, 16, 24, 32)
PROPOSALS = 6_000_000
"""Number of proposals for each start, in all its chains together."""
AREAS = (10.0, 20.0, 40.0, 80.0)
"""Areas in NAND2-equivalents at which the starts are compared."""
PRICES = {"total": (2.0, 4.0, 8.0, 16.0, 32.0, 64.0), "core": (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)}

Circuit = dict[str, float]


def study(name: str, seed: int) -> dict[str, Any]:
    """Return all measurements for a data set and a seed."""
    return kept(f"decision_trees/{name}-{seed}", lambda: _study(name, seed))


def studies() -> dict[str, list[dict[str, Any]]]:
    """Return the studies of each data set, one per seed."""
    return {name: [study(name, seed) for seed in SEEDS] for name in SETS}


def _study(name: str, seed: int) -> dict[str, Any]:
    begin = time.perf_counter()
    dataset, wide = network(name, "n6", seed)
    narrow = network(name, "n4", seed)[1]
    trees = {leaves: _tree(dataset, leaves, seed) for leaves in LEAVES}
    starts = {
        "dwn": ([wide], (0.5, 1.5)),
        "tree": ([trees[32]], (0.5, 1.5)),
        "random": ([_random_circuit(dataset, wide.interface, seed)], (2.0,)),
    }
    found = {s: _search(dataset, g, t, "total", seed) for s, (g, t) in starts.items()}
    everything = _front(dataset, [circuit for circuits in found.values() for circuit in circuits])
    from_trees = _front(dataset, found["tree"])
    core = {p: core_front(dataset, graph, seed) for p, graph in (("n6", wide), ("n4", narrow))}
    both = tuple(sorted((*core["n6"], *core["n4"]), key=lambda point: point.area))
    measure = Measure(dataset)
    rows = []
    for leaves, tree in trees.items():
        baseline = measure(tree)
        rows.append(
            {
                "leaves": leaves,
                "tree": baseline,
                "tree_shrunk": measure(smallest(from_trees, baseline["val"])),
                "total": measure(smallest(everything, baseline["val"])),
                "core": measure(smallest(both, baseline["val"])),
            }
        )
    return {
        "rows": rows,
        "starts": {s: _at_areas(dataset, circuits) for s, circuits in found.items()},
        "front": [_plain(dataset, point) for point in everything],
        "seconds": time.perf_counter() - begin,
    }


def _tree(dataset: Dataset, leaves: int, seed: int) -> BooleanGraph:
    graph = DecisionTree(leaves)(dataset, seed, lambda _: None).graph
    assert graph is not None
    return graph


def _random_circuit(dataset: Dataset, interface: Interface, seed: int) -> BooleanGraph:
    """Draw a circuit of 80 random gates over 60 random thresholds."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder(interface)
    codes = dataset.part("train")[0]
    nodes: list[int] = []
    while len(nodes) < 60:
        feature = int(rng.integers(codes.shape[1]))
        low, high = int(codes[:, feature].min()), int(codes[:, feature].max())
        if low < high:
            nodes.append(builder.add(Threshold(feature, int(rng.integers(low, high)) + 1)))
    for _ in range(80):
        fanins = rng.choice(len(nodes), 2, replace=False)
        table = int(rng.choice([0b1000, 0b0100, 0b0010, 0b0001, 0b0110]))
        nodes.append(builder.add(Lut((nodes[fanins[0]], nodes[fanins[1]]), table)))
    return builder.finish(nodes[-interface.class_bits :])


def _search(
    dataset: Dataset, graphs: Sequence[BooleanGraph], hot: tuple[float, ...], area: Any, seed: int
) -> tuple[Found, ...]:
    prices = PRICES[area]
    config = ShrinkConfig(
        area=area,
        prices=prices,
        temperatures=hot,
        proposals=PROPOSALS // (len(graphs) * len(hot) * len(prices)),
        jobs=1,
    )
    return search(graphs, dataset.part("train"), config, gate_prices(config, cost()), seed)


def core_front(dataset: Dataset, graph: BooleanGraph, seed: int) -> tuple[Point, ...]:
    """Anneal a DWN for core area, and return the front."""
    return _front(dataset, _search(dataset, [graph], (0.5, 1.5), "core", seed))


def _front(dataset: Dataset, found: Sequence[Found]) -> tuple[Point, ...]:
    kept: list[Found] = []
    for circuit in sorted(found, key=lambda c: (c.area, c.errors)):
        if not kept or circuit.errors < kept[-1].errors:
            kept.append(circuit)
    return front(kept, *dataset.part("val"))


def smallest(points: Sequence[Point], accuracy: float) -> BooleanGraph:
    """Return the smallest circuit that reaches the accuracy on validation rows, or the best if none does."""
    reaching = within(points, accuracy)
    return (reaching[0] if reaching else max(points, key=lambda point: (point.val, -point.area))).graph


def _at_areas(dataset: Dataset, found: Sequence[Found]) -> dict[str, float]:
    """Return for each area the test accuracy of the circuit of at most that area that is best in validation.

    Areas are those of the cost model.
    """
    points = _front(dataset, found)
    best = {}
    for area in AREAS:
        fitting = [point for point in points if point.area <= area]
        if fitting:
            point = max(fitting, key=lambda p: (min(p.val, p.expected), -p.area))
            best[f"{area:g}"] = point.graph.accuracy(*dataset.part("test"))
    return best


def _plain(dataset: Dataset, point: Point) -> Circuit:
    return {"area": point.area, "val": point.val, "test": point.graph.accuracy(*dataset.part("test"))}


def accuracies(graph: BooleanGraph, dataset: Dataset) -> Circuit:
    return {part: graph.accuracy(*dataset.part(part)) for part in ("train", "val", "test")}


class Measure:
    """Mapped areas (NAND2-equivalents) after exact minimization, and accuracies, once per circuit."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._known: dict[int, tuple[BooleanGraph, Circuit]] = {}

    def __call__(self, graph: BooleanGraph) -> Circuit:
        if id(graph) not in self._known:
            core, encoder = minimize_parts(graph, cost(), effort="low")
            areas = [part.area / cost().unit for part in (core, encoder)]
            thresholds = len(core.graph.inputs)
            circuit = {"core": areas[0], "encoder": areas[1], "total": sum(areas), "thresholds": thresholds}
            circuit |= accuracies(graph, self._dataset)
            self._known[id(graph)] = graph, circuit
        return self._known[id(graph)][1]


if __name__ == "__main__":
    for seed in map(int, sys.argv[2].split(",")):
        for name in sys.argv[1].split(","):
            result = study(name, seed)
            print(name, seed, f"{result['seconds']:.0f} s", json.dumps(result["rows"][-1]), flush=True)
