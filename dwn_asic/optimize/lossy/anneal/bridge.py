"""Conversion between Boolean graphs and the flat state of the annealing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.fold import FALSE, FoldingBuilder, fold
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.packed import pack_rows
from dwn_asic.optimize.lossy.anneal.candidates import Candidates, InputTable
from dwn_asic.optimize.lossy.anneal.evaluate import evaluate_all
from dwn_asic.optimize.lossy.anneal.loop import Archive, rebuild
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows
from dwn_asic.optimize.lossy.anneal.state import (
    AND,
    FREE,
    KIND,
    LITERAL,
    N_EDGES,
    N_GATES,
    XOR,
    Memory,
    Prices,
)

__all__ = ["empty_archive", "start", "to_graph"]

_BUCKETS = 256
_TABLES = {AND: 0b1000, XOR: 0b0110}


def start(
    graph: BooleanGraph,
    table: InputTable,
    prices: Prices,
    rows: ScoredRows,
    *,
    seed: int,
    slots: int | None = None,
) -> Memory:
    """Return the graph in memory, evaluated on all rows.

    Parameters
    ----------
    graph
        A graph whose inputs are all among the candidates, except for inputs that are the same on every code.
    table, prices
        The candidate inputs with their values on the codes of ``rows``, and the area prices.
    rows
        The rows to score on.
    seed
        Seed of the random numbers.
    slots
        G, the number of gate slots; by default twice the gates plus 64.
    """
    candidates = table.candidates
    gates, outputs = _gates(graph, candidates)
    n_gates = max(len(gates), slots if slots is not None else 2 * len(gates) + 64)
    first_gate = 1 + len(candidates.inputs)
    # Gates are spread over the slots, so that there is room for new gates everywhere.
    slot = [i * n_gates // max(1, len(gates)) for i in range(len(gates))]

    def literal(value: int) -> int:
        node, phase = value >> 1, value & 1
        return value if node < first_gate else 2 * (first_gate + slot[node - first_gate]) + phase

    memory = Memory.allocate(
        n_gates=n_gates,
        inputs=table.words,
        wanted=pack_rows((rows.labels[:, None] >> np.arange(len(outputs)) & 1).astype(bool)),
        rows=rows,
        prices=prices,
        seed=seed,
    )
    kinds, literals = memory.section(KIND, n_gates), memory.section(LITERAL, 2 * n_gates + len(outputs))
    for place, (kind, a, b) in zip(slot, gates, strict=True):
        kinds[place] = kind
        literals[2 * place : 2 * place + 2] = literal(a), literal(b)
    literals[2 * n_gates :] = [literal(value) for value in outputs]
    rebuild(memory.c)
    evaluate_all(memory.c, memory.words, memory.values)
    return memory


def empty_archive(memory: Memory, width: int) -> Archive:
    """Return an archive for circuits of this size; ``width`` is that of :class:`Archive`."""
    n_gates, n_edges = int(memory.c[N_GATES]), int(memory.c[N_EDGES])
    return Archive(
        errors=np.full(_BUCKETS, -1, np.int64),
        area=np.zeros(_BUCKETS, np.int64),
        kind=np.zeros((_BUCKETS, n_gates), np.uint8),
        literal=np.zeros((_BUCKETS, n_edges), np.int32),
        width=np.array([width], np.int64),
    )


def to_graph(
    kind: NDArray[np.uint8], literal: NDArray[np.int64] | NDArray[np.int32], candidates: Candidates
) -> BooleanGraph:
    """Return the circuit as a folded graph."""
    builder = FoldingBuilder(candidates.interface)
    n_gates, first_gate = len(kind), 1 + len(candidates.inputs)
    literals = {0: FALSE}

    def of(value: int) -> tuple[int, bool]:
        node = value >> 1
        if node not in literals:
            literals[node] = builder.input(candidates.inputs[node - 1])
        index, phase = literals[node]
        return index, phase ^ bool(value & 1)

    for gate in range(n_gates):
        a, b = int(literal[2 * gate]), int(literal[2 * gate + 1])
        if a != FREE:
            literals[first_gate + gate] = builder.lut([of(a), of(b)], _TABLES[int(kind[gate])])
    return builder.finish([of(int(value)) for value in literal[2 * n_gates :]])


def _gates(graph: BooleanGraph, candidates: Candidates) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Return (kind, literal, literal) of each gate in topological order, and the outputs' literals."""
    if any(graph.interface.fixed_value(node) is not None for _, node in graph.inputs):
        graph = fold(graph)
    place = {node: 1 + i for i, node in enumerate(candidates.inputs)}
    inputs = tuple(node for _, node in graph.inputs)
    aig = to_aig(graph, inputs)
    first = 1 + len(candidates.inputs)
    literal_of = {0: 0} | {pi: 2 * place[node] for pi, node in zip(aig.pis(), inputs, strict=True)}
    gates: list[tuple[int, int, int]] = []

    def of(signal: object) -> int:
        return int(literal_of[aig.get_node(signal)]) ^ int(aig.is_complemented(signal))

    for node in aig.gates():
        a, b = sorted(of(signal) for signal in aig.fanins(node))
        literal_of[node] = 2 * (first + len(gates))
        gates.append(_xor_of(gates, first, a, b) or (AND, a, b))
    outputs = [of(signal) for signal in aig.pos()]
    return _live(gates, outputs, first)


def _xor_of(gates: list[tuple[int, int, int]], first: int, a: int, b: int) -> tuple[int, int, int] | None:
    """Return the XOR gate that an AND equals, if any: not (x and y) and not (not x and not y) is x xor y."""
    if not (a & 1 and b & 1 and a >> 1 >= first and b >> 1 >= first):
        return None
    left, right = gates[(a >> 1) - first], gates[(b >> 1) - first]
    if left[0] != AND or right[0] != AND or left[1] ^ 1 != right[1] or left[2] ^ 1 != right[2]:
        return None
    return XOR, left[1], left[2]


def _live(
    gates: list[tuple[int, int, int]], outputs: list[int], first: int
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Remove the gates that nothing reads."""
    needed = {value >> 1 for value in outputs}
    for i in range(len(gates) - 1, -1, -1):
        if first + i in needed:
            needed |= {gates[i][1] >> 1, gates[i][2] >> 1}
    kept = [i for i in range(len(gates)) if first + i in needed]
    moved = {first + i: first + k for k, i in enumerate(kept)}

    def renamed(value: int) -> int:
        return 2 * moved.get(value >> 1, value >> 1) + (value & 1)

    return [(gates[i][0], renamed(gates[i][1]), renamed(gates[i][2])) for i in kept], [
        renamed(value) for value in outputs
    ]
