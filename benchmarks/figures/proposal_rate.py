"""Proposals of the annealing per second, once a chain has settled."""

from __future__ import annotations

import time

import numpy as np

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.lossy.anneal.bridge import empty_archive, start
from dwn_asic.optimize.lossy.anneal.candidates import InputTable
from dwn_asic.optimize.lossy.anneal.loop import anneal_slice
from dwn_asic.optimize.lossy.anneal.moves import MOVE_WEIGHTS, MOVES
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows
from dwn_asic.optimize.lossy.anneal.state import GATES, UNIT
from dwn_asic.targets.asic.cost import PRICES

_SLICE = 100_000


def proposal_rate(
    graph: BooleanGraph, rows: ScoredRows, price: float, *, settling: int, slices: int
) -> tuple[float, int]:
    """Return proposals per second of processor time in the fastest slice of a chain, and its gates.

    Parameters
    ----------
    graph
        Circuit that the chain starts from.
    rows
        Rows that circuits are scored on.
    price
        Area in NAND2-equivalents that one percentage point of the score is worth.
    settling
        Number of proposals before the measurement.
    slices
        Number of slices of 100,000 proposals that are measured.
    """
    table = InputTable.build(rows.codes, graph.interface, tuple(node for _, node in graph.inputs))
    memory = start(graph, table, table.candidates.prices(PRICES), rows, seed=0)
    archive, counts = empty_archive(memory, 50), np.zeros((len(MOVES), 3), np.int64)
    weights = np.cumsum(MOVE_WEIGHTS) / sum(MOVE_WEIGHTS)

    def run(hot: float, cold: float, proposals: int) -> None:
        of_cost = price / UNIT / (rows.scale / 100)
        plan = np.array([[hot / UNIT, cold / UNIT], [of_cost, of_cost]])
        anneal_slice(memory.c, memory.words, memory.values, archive, weights, counts, plan, proposals)

    run(2.0, 0.3, settling)
    best = np.inf
    for _ in range(slices):
        begin = time.process_time()
        run(0.3, 0.2, _SLICE)
        best = min(best, time.process_time() - begin)
    return _SLICE / best, int(memory.c[GATES])
