"""Popcount networks of several classes before and after shrink."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures.kept import FOLDER, kept
from benchmarks.figures.rival import Measure
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.flow import STAGES, Flow, Reporter, run_stage
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.shrink import shrink
from dwn_asic.targets.asic.pdk import load_pdk

FLOWS = Path("flows") / "multiclass"
SETS = tuple(sorted(path.stem for path in FLOWS.glob("*.yaml")))
SEEDS = range(5)


def study(name: str, seed: int) -> dict[str, Any]:
    """Areas and accuracies ``before`` and ``after``, and the front."""
    return kept(f"multiclass/{name}-{seed}", lambda: _study(name, seed))


def _study(name: str, seed: int) -> dict[str, Any]:
    begin = time.perf_counter()
    file = FLOWS / f"{name}.yaml"
    flow = Flow(
        load_flow(file, seed),
        FOLDER / "multiclass" / f"{name}-{seed}",
        file,
    )
    if not (flow.folder / "graph.json").exists():
        flow.folder.mkdir(parents=True, exist_ok=True)
        for stage in STAGES:
            if stage.name in {"data", "train"}:
                run_stage(flow, stage, Reporter())
    dataset, graph = flow.dataset, BooleanGraph.load(flow.folder / "graph.json")
    trained = time.perf_counter()
    points, chosen = shrink(
        [graph],
        dataset.part("train"),
        dataset.part("val"),
        load_pdk("sky130hd").library,
        ShrinkConfig(),
        seed,
        network=LutNetwork.load(flow.folder / "network.npz"),
    )
    seconds = time.perf_counter() - trained
    measure = Measure(dataset)
    front = [
        {"area": p.point.area, "val": p.point.val, "test": float(np.mean(_right(p.point.graph, dataset)))}
        for p in points
    ]
    return {
        "before": measure(graph),
        "after": measure(points[chosen].point.graph),
        "front": front,
        "shrink_seconds": seconds,
        "seconds": time.perf_counter() - begin,
    }


def _right(graph: BooleanGraph, dataset: Any) -> Any:
    codes, labels = dataset.part("test")
    return graph.predict(codes) == labels


if __name__ == "__main__":
    for seed in map(int, sys.argv[2].split(",")):
        for name in sys.argv[1].split(","):
            found = study(name, seed)
            print(name, seed, {k: v for k, v in found.items() if k != "front"}, flush=True)
