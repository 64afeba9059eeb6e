"""Annealing of a graph of 20,000 ANDs: a random network of LUTs, correct on all rows except noise."""

from __future__ import annotations

import time

import numpy as np

from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.arithmetic import argmax_index, popcount
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.optimize.lossy.anneal.search import Chain, Schedule, anneal, assess
from dwn_asic.targets.asic.cost import PRICES

_FEATURES, _LUTS, _ROWS, _PROPOSALS = 16, 390, 8000, 1_000_000


def main() -> None:
    """Print the number of ANDs, the time in seconds, and the areas before and after annealing."""
    rng = np.random.default_rng(0)
    codes, graph = rng.integers(0, 256, (_ROWS, _FEATURES)), popcount_network(rng)
    labels = np.where(rng.random(_ROWS) < 0.05, rng.integers(0, 2, _ROWS), graph.predict(codes))
    before = assess([graph], codes, labels, PRICES)[0]
    begin = time.perf_counter()
    found = anneal([Chain(graph, 2048.0, Schedule(_PROPOSALS, 0.5), 0)], codes, labels, PRICES)
    seconds = time.perf_counter() - begin
    after = min(circuit.area for circuit in found if circuit.errors <= before.errors)
    inputs = tuple(node for _, node in graph.inputs)
    print(to_aig(graph, inputs).num_gates, seconds, before.area, after)


def popcount_network(rng: np.random.Generator, luts: int = _LUTS) -> BooleanGraph:
    """Return random 6-input tables over random thresholds, and the larger of the counts of both halves."""
    names = tuple(f"x{i}" for i in range(_FEATURES))
    builder = GraphBuilder(Interface(names, (8,) * _FEATURES, ("no", "yes")))
    bits = [builder.add(Threshold(f, c)) for f in range(_FEATURES) for c in range(4, 256, 8)]
    nodes = []
    for _ in range(luts):
        inputs = rng.choice(len(bits), 6, replace=False)
        nodes.append(builder.add(Lut(tuple(bits[i] for i in inputs), int.from_bytes(rng.bytes(8), "little"))))
    half = luts // 2
    return builder.finish(
        argmax_index(builder, [popcount(builder, nodes[:half]), popcount(builder, nodes[half:])])
    )
