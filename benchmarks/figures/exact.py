"""Exact minimization of trained networks, compared with plain synthesis by Yosys."""

from __future__ import annotations

import time

from benchmarks.figures.cells import cost
from benchmarks.figures.kept import kept
from benchmarks.figures.nine import PYRAMIDS, SEEDS, SETS, network
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.exact.minimize import Effort, minimize
from dwn_asic.targets.asic.yosys import plain_area
from dwn_asic.verilog.writer import design_verilog

__all__ = ["areas", "exact_area"]


def exact_area(name: str, pyramid: str, seed: int) -> dict[str, float]:
    """Measure the core areas ``plain`` and ``exact`` (NAND2-equivalents) of a network of the nine data sets.

    The effort is low, as for all circuits of :mod:`benchmarks.figures.decision_trees`.
    """

    def measure() -> dict[str, float]:
        begin = time.perf_counter()
        found = areas(network(name, pyramid, seed)[1], "low")
        return found | {"seconds": time.perf_counter() - begin}

    return kept(f"exact/{name}-{pyramid}-{seed}", measure)


def areas(graph: BooleanGraph, effort: Effort) -> dict[str, float]:
    """Measure core areas ``plain`` (by Yosys) and ``exact`` in NAND2-equivalents, and the proof's time."""
    encoder = encoder_graph([node for _, node in graph.inputs], graph.interface)
    plain = plain_area(design_verilog("plain", encoder, graph, "none"), "plain_core", cost().library)
    found = minimize(graph, cost(), effort=effort)
    return {
        "plain": plain / cost().unit,
        "exact": found.area / cost().unit,
        "proof_seconds": found.proof_seconds,
    }


if __name__ == "__main__":
    for seed in SEEDS:
        for name in SETS:
            for pyramid in PYRAMIDS:
                print(name, pyramid, seed, exact_area(name, pyramid, seed), flush=True)
