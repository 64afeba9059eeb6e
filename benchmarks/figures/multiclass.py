"""Popcount networks for several classes before and after shrinking."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.figures.cells import cost
from benchmarks.figures.decision_trees import Measure
from benchmarks.figures.kept import FOLDER, kept
from dwn_asic.flow import Flow, Reporter, run_flow
from dwn_asic.flow.artifacts import GRAPH, NETWORK
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.shrink import shrink

FLOWS = Path("flows") / "multiclass"
SETS = tuple(sorted(path.stem for path in FLOWS.glob("*.yaml")))
SEEDS = range(5)


def study(name: str, seed: int) -> dict[str, Any]:
    """Return areas and accuracies ``before`` and ``after`` shrinking, and the front."""
    return kept(f"multiclass/{name}-{seed}", lambda: _study(name, seed))


def trained(name: str, seed: int) -> Flow:
    """Train the network of a data set, unless it was before, and return its flow, kept in ``build/``."""
    file = FLOWS / f"{name}.yaml"
    flow = Flow(load_flow(file, seed), FOLDER / "multiclass" / f"{name}-{seed}", file)
    run_flow(flow, Reporter(), targets=[GRAPH.name])
    return flow


def _study(name: str, seed: int) -> dict[str, Any]:
    begin = time.perf_counter()
    flow = trained(name, seed)
    dataset, graph = flow.dataset, flow.read(GRAPH)
    start = time.perf_counter()
    found = shrink(
        [graph],
        dataset,
        cost(),
        ShrinkConfig(),
        seed,
        limits=flow.config.minimize,
        network=flow.read(NETWORK),
    )
    seconds = time.perf_counter() - start
    measure = Measure(dataset)
    front = [{"area": each.total, "val": each.val, "test": each.test} for each in found.circuits]
    return {
        "before": measure(graph),
        "after": measure(found.chosen.graph),
        "front": front,
        "shrink_seconds": seconds,
        "seconds": time.perf_counter() - begin,
    }


if __name__ == "__main__":
    for seed in map(int, sys.argv[2].split(",")):
        for name in sys.argv[1].split(","):
            found = study(name, seed)
            print(name, seed, {k: v for k, v in found.items() if k != "front"}, flush=True)
