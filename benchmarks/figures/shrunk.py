"""One trained network each: what shrink for core area does to it at about the same validation accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.figures.nine import PYRAMIDS, SEEDS, SETS, network
from benchmarks.figures.rival import Measure, accuracies, core_front, smallest
from dwn_asic.files import read_json, write_json

FOLDER = Path("build/figures/shrunk")
SLACK = 0.005
"""Validation accuracy that may be given up."""


def study(name: str, pyramid: str, seed: int) -> dict[str, dict[str, float]]:
    """Accuracies ``exact``, and areas and accuracies ``shrunk``; kept in ``build/`` once they are there."""
    file = FOLDER / f"{name}-{pyramid}-{seed}.json"
    if not file.exists():
        dataset, graph = network(name, pyramid, seed)
        exact = accuracies(graph, dataset)
        chosen = smallest(core_front(dataset, graph, seed), exact["val"] - SLACK)
        FOLDER.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        write_json(partial, {"exact": exact, "shrunk": Measure(dataset)(chosen)})
        partial.replace(file)
    content: dict[str, Any] = read_json(file)
    return content


if __name__ == "__main__":
    for seed in SEEDS:
        for name in SETS:
            for pyramid in PYRAMIDS:
                print(name, pyramid, seed, study(name, pyramid, seed), flush=True)
