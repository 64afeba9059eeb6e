"""Effect of shrinking for core area on trained networks, at about the same validation accuracy."""

from __future__ import annotations

from typing import Any

from benchmarks.figures.decision_trees import Measure, accuracies, core_front, smallest
from benchmarks.figures.kept import kept
from benchmarks.figures.nine import PYRAMIDS, SEEDS, SETS, network

SLACK = 0.005
"""Loss of validation accuracy that is accepted."""


def study(name: str, pyramid: str, seed: int) -> dict[str, dict[str, float]]:
    """Return the accuracies of the ``exact`` network, and areas and accuracies of the ``shrunk`` circuit."""
    return kept(f"shrunk/{name}-{pyramid}-{seed}", lambda: _study(name, pyramid, seed))


def _study(name: str, pyramid: str, seed: int) -> dict[str, Any]:
    dataset, graph = network(name, pyramid, seed)
    exact = accuracies(graph, dataset)
    chosen = smallest(core_front(dataset, graph, seed), exact["val"] - SLACK)
    return {"exact": exact, "shrunk": Measure(dataset)(chosen)}


if __name__ == "__main__":
    for seed in SEEDS:
        for name in SETS:
            for pyramid in PYRAMIDS:
                print(name, pyramid, seed, study(name, pyramid, seed), flush=True)
