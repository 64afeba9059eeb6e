"""Accuracy within an area for many classes, by the start of the annealing.

Starts are the trained network, the same network before training, networks of cheap votes, a decision tree and
a forest. The tables of both networks are refitted first, as the step ``shrink`` does. Votes are not annealed.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

from benchmarks.figures import multiclass
from benchmarks.figures.cells import cost
from benchmarks.figures.kept import kept
from benchmarks.figures.table import Row, named, row
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.data.dataset import Dataset
from dwn_asic.flow.artifacts import GRAPH, NETWORK
from dwn_asic.methods.base import Fitted
from dwn_asic.methods.decision_tree import DecisionTree
from dwn_asic.methods.dwn.untrained import Untrained
from dwn_asic.methods.forest import Forest
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.anneal.search import assess
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.front import front
from dwn_asic.optimize.lossy.shrink import minimize_points, shrink
from dwn_asic.optimize.lossy.votes import learn_votes

SEEDS = range(3)
AREAS = (100.0, 300.0, 1000.0, 3000.0)
"""Total areas in NAND2-equivalents at which the starts are compared."""
STARTS = ("dwn", "untrained", "votes", "tree", "forest")
_ANNEALING = ShrinkConfig(
    prices=(2.0, 8.0, 32.0, 128.0, 512.0), proposals=500_000, votes=(), minimize_front=True, jobs=1
)
_TREE, _FOREST = DecisionTree(128), Forest(5, 32)

Circuit = dict[str, float]
"""Total area (NAND2-equivalents) of a circuit, and its accuracies on validation and test rows."""


def study(name: str, seed: int) -> dict[str, Any]:
    """Return for each start the ``area``, ``val`` and ``test`` of the circuits of its front."""
    return kept(f"class_starts/{name}-{seed}", lambda: _study(name, seed))


def _study(name: str, seed: int) -> dict[str, Any]:
    flow = multiclass.trained(name, seed)
    dataset, config = flow.dataset, flow.config
    drawn = _fitted(Untrained(config.encoder, config.model)(dataset, seed, _quiet))
    starts: dict[str, tuple[BooleanGraph, LutNetwork | None]] = {
        "dwn": (flow.read(GRAPH), flow.read(NETWORK)),
        "untrained": drawn,
        "tree": _fitted(_TREE(dataset, seed, _quiet)),
        "forest": _fitted(_FOREST(dataset, seed, _quiet)),
    }
    fronts: dict[str, list[Circuit]] = {"votes": _votes(dataset, seed, config.minimize)}
    for start, (graph, network) in starts.items():
        found = shrink([graph], dataset, cost(), _ANNEALING, seed, limits=config.minimize, network=network)
        fronts[start] = [{"area": c.total, "val": c.val, "test": c.test} for c in found.circuits]
    return fronts


def _quiet(_: str) -> None:
    """Take a message of a method and print nothing."""


def _fitted(fitted: Fitted) -> tuple[BooleanGraph, LutNetwork | None]:
    assert fitted.graph is not None
    return fitted.graph, fitted.network


def _votes(dataset: Dataset, seed: int, limits: MinimizeConfig) -> list[Circuit]:
    """Return the networks of cheap votes, minimized."""
    networks = learn_votes(dataset, ShrinkConfig().votes, cost().prices, seed=seed)
    found = assess([*map(to_graph, networks)], *dataset.part("train"), cost().prices)
    points = front(found, *dataset.part("val"))
    test = dataset.part("test")
    return [
        {
            "area": (each.core + each.encoder) / cost().unit,
            "val": each.point.val,
            "test": each.point.graph.accuracy(*test),
        }
        for each in minimize_points(points, cost(), limits)
    ]


def _within(found: Sequence[Circuit], area: float) -> float:
    """Return the test accuracy of the circuit within an area that is best on validation rows."""
    fitting = [each for each in found if each["area"] <= area]
    return max(fitting, key=lambda each: (each["val"], -each["area"]))["test"] if fitting else 0.0


def starts(name: str) -> Iterator[Row]:
    """Compare the test accuracy within an area for each start, on one data set."""
    studies = [study(name, seed) for seed in SEEDS]
    for area, start in product(AREAS, STARTS):
        what = f"{name}, from {start}, at most {area:g} NAND2: mean test accuracy, {len(SEEDS)} seeds"
        mean = statistics.fmean(_within(each[start], area) for each in studies)
        yield row(f"circuits.start_{name}_{start}_{area:g}", what, mean)


MEASUREMENTS = {
    id_: measure
    for name in multiclass.SETS
    for id_, measure in named(
        "circuits",
        partial(starts, name),
        *(f"start_{name}_{start}_{area:g}" for area, start in product(AREAS, STARTS)),
    ).items()
}


if __name__ == "__main__":
    for each in sys.argv[2].split(","):
        for name in sys.argv[1].split(","):
            study(name, int(each))
            print(name, each, flush=True)
