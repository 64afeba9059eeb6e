"""The moves of the annealing: each is compared with brute force, undone, and its effect predicted."""

from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.data.objective import Objective
from dwn_asic.optimize.lossy.anneal.bridge import start, to_graph
from dwn_asic.optimize.lossy.anneal.candidates import InputTable
from dwn_asic.optimize.lossy.anneal.edits import commit, undo
from dwn_asic.optimize.lossy.anneal.effect import HOPELESS, errors_added
from dwn_asic.optimize.lossy.anneal.evaluate import evaluate_all, refresh, refresh_gate
from dwn_asic.optimize.lossy.anneal.loop import rebuild, renumber
from dwn_asic.optimize.lossy.anneal.moves import (
    MOST_FREED_GATES,
    MOVES,
    SWAP,
    carry_out,
    choose,
    most_freed,
)
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows
from dwn_asic.optimize.lossy.anneal.state import (
    AREA,
    ERRORS,
    FORM,
    FREE,
    GATES,
    KIND,
    LITERAL,
    LOGGED,
    N_EDGES,
    N_GATES,
    N_NODES,
    N_ROWS,
    PLACE_OF,
    USED_COUNT,
    Memory,
    block_size,
    block_start,
)
from dwn_asic.targets.asic.cost import PRICES

INTERFACE = Interface(("a", "b", "c"), (4, 3, 5), ("x", "y", "z"))
GATE_TABLES = (0b1000, 0b1110, 0b0110, 0b0010, 0b1001, 0b0111)


def random_graph(rng: np.random.Generator, gates: int = 12) -> BooleanGraph:
    """Build a graph of two-input gates over some thresholds, with two outputs."""
    builder = GraphBuilder(INTERFACE)
    nodes = [
        builder.add(Threshold(f, int(rng.integers(1, 1 << INTERFACE.widths[f])))) for f in (0, 0, 1, 2, 2)
    ]
    for _ in range(gates):
        a, b = rng.choice(len(nodes), 2, replace=False)
        nodes.append(builder.add(Lut((nodes[a], nodes[b]), int(rng.choice(GATE_TABLES)))))
    return builder.finish(nodes[-2:])


OBJECTIVES = {
    "accuracy": Objective(),
    "balanced accuracy": Objective("balanced_accuracy"),
    "F1": Objective("f1"),
    "cost by label": Objective("cost", costs=((0, 1, 1), (5, 0, 5), (0.25, 0.25, 0))),
    "cost of two labels": Objective("cost", costs=((0, 2, 2), (2, 0, 2), (0, 0, 0))),
    "any cost": Objective("cost", costs=((0, 1, 7), (2, 0, 2), (3, 0, 0))),
}


class Bench:
    """A circuit in memory, with enough rows for several blocks."""

    def __init__(self, seed: int, n_rows: int = 3000, objective: Objective = OBJECTIVES["accuracy"]) -> None:
        rng = np.random.default_rng(seed)
        self.graph = random_graph(rng)
        self.codes = np.stack([rng.integers(0, 1 << width, n_rows) for width in INTERFACE.widths], axis=1)
        noise = rng.random(n_rows) < 0.1
        self.labels = np.where(noise, rng.integers(0, 3, n_rows), self.graph.predict(self.codes) % 3)
        # Uneven classes: of each label 1, only a part of the rows is kept.
        if objective.metric != "accuracy":
            kept = (self.labels != 1) | (rng.random(n_rows) < 0.05)
            self.codes, self.labels = self.codes[kept], self.labels[kept]
        self.costs = objective.total_costs(self.labels, 3, self.graph.predict(self.codes))
        rows = ScoredRows.arranged(self.codes, self.labels, self.costs)
        self.table = InputTable.build(rows.codes, INTERFACE, [node for _, node in self.graph.inputs])
        prices = self.table.candidates.prices(PRICES)
        self.memory = start(self.graph, self.table, prices, rows, seed=seed + 1)

    def circuit(self) -> BooleanGraph:
        kind = section(self.memory, KIND, N_GATES).astype(np.uint8)
        return to_graph(kind, section(self.memory, LITERAL, N_EDGES), self.table.candidates)

    def brute_force_errors(self) -> int:
        """Sum up the costs of all rows one by one."""
        predicted = self.circuit().predict(self.codes)
        matrix = self.costs.matrix.tolist()
        return sum(
            matrix[t][min(p, 3)] for t, p in zip(self.labels.tolist(), predicted.tolist(), strict=True)
        )


def section(memory: Memory, start: int, size: int) -> np.ndarray:
    return memory.section(start, int(memory.c[size])).copy()


def numbers(memory: Memory) -> list[int]:
    return [int(memory.c[i]) for i in (AREA, ERRORS, GATES, USED_COUNT)]


def only(move: str) -> np.ndarray:
    weights = np.zeros(len(MOVES))
    weights[MOVES.index(move) :] = 1.0
    return weights


def propose(memory: Memory, move: str) -> bool:
    """Plan a move of this kind, carry it out, and return whether anything has changed."""
    c = memory.c
    kind, found = choose(c, memory.words, memory.values, only(move))
    assert MOVES[kind] == move
    return bool(found and carry_out(c) and c[LOGGED])


def live_values(memory: Memory) -> np.ndarray:
    """Return the (B, words) values of all nodes in use, block after block."""
    c = memory.c
    rows, used = int(c[N_ROWS]), section(memory, LITERAL, N_EDGES)[: 2 * int(c[N_GATES]) : 2] != FREE
    live = np.concatenate([np.ones(int(c[N_NODES]) - len(used), bool), used])
    blocks, block = [], 0
    while block_start(block) * rows < len(memory.values):
        first, size = block_start(block) * rows, block_size(block)
        blocks.append(memory.values[first : first + size * rows].reshape(rows, size)[: len(live)][live])
        block += 1
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("seed", range(3))
def test_a_move_is_judged_as_brute_force_judges_it(move: str, seed: int) -> None:
    bench = Bench(seed, objective=[*OBJECTIVES.values()][(seed + 2 * MOVES.index(move)) % len(OBJECTIVES)])
    memory = bench.memory
    c, words, values = memory.c, memory.words, memory.values
    tried = 0
    for _ in range(60):
        before = section(memory, KIND, N_GATES), section(memory, LITERAL, N_EDGES), numbers(memory)
        errors = bench.brute_force_errors()
        assert errors == c[ERRORS]
        kind, found = choose(c, words, values, only(move))
        assert MOVES[kind] == move
        if not found:
            continue
        added, freed = errors_added(c, words, values, 1e12), most_freed(c)
        # Planning and counting errors change nothing.
        assert numbers(memory) == before[2]
        assert (section(memory, LITERAL, N_EDGES) == before[1]).all()
        if carry_out(c) and c[LOGGED]:
            tried += 1
            assert added == bench.brute_force_errors() - errors
            assert before[2][0] - c[AREA] <= freed or freed > MOST_FREED_GATES // 2
            if tried % 3 == 0:
                if c[FORM] == SWAP and c[LOGGED] == 2:
                    refresh_gate(c, values, c[PLACE_OF] >> 1)
                else:
                    refresh(c, words, values, added)
                commit(c)
                incremental, rows = numbers(memory), live_values(memory)
                rebuild(c)
                evaluate_all(c, words, values)
                assert numbers(memory) == incremental
                assert (live_values(memory) == rows).all()
                continue
        undo(c)
        assert (section(memory, LITERAL, N_EDGES) == before[1]).all()
        used = before[1][: 2 * len(before[0]) : 2] != FREE
        assert (section(memory, KIND, N_GATES)[used] == before[0][used]).all()
        assert numbers(memory) == before[2]
    assert tried > 0 or move == "rotate"  # rare, and tested separately


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("seed", range(5))
def test_what_flipping_does_stays_right_over_many_moves(seed: int, objective: Objective) -> None:
    """A known effect of flipping a node serves proposals until the circuit changes, and no longer."""
    bench = Bench(seed, 900, objective)
    assert bench.memory.c[ERRORS] == bench.brute_force_errors()
    c, words, values = bench.memory.c, bench.memory.words, bench.memory.values
    weights = np.cumsum(np.ones(len(MOVES))) / len(MOVES)
    for step in range(400):
        errors = int(c[ERRORS])
        _, found = choose(c, words, values, weights)
        added = errors_added(c, words, values, 1e12) if found else 0
        if not found or not carry_out(c) or not c[LOGGED]:
            undo(c)
            continue
        if step % 10:
            undo(c)
            continue
        assert added == bench.brute_force_errors() - errors
        if c[FORM] == SWAP and c[LOGGED] == 2:
            refresh_gate(c, values, c[PLACE_OF] >> 1)
        else:
            refresh(c, words, values, added)
        commit(c)


def test_rotation_keeps_the_function() -> None:
    rng = np.random.default_rng(5)
    codes = np.stack([rng.integers(0, 1 << width, 500) for width in INTERFACE.widths], axis=1)
    done = 0
    for seed in range(20):
        bench = Bench(seed, n_rows=64)
        memory = bench.memory
        for _ in range(20):
            wanted = bench.circuit().predict(codes)
            if propose(memory, "rotate"):
                done += 1
                assert (bench.circuit().predict(codes) == wanted).all()
            undo(memory.c)
    assert done > 10


@pytest.mark.parametrize(
    ("move", "least", "most"), [("insert", 1, 1), ("complement", 0, 0), ("rotate", -1, 0)]
)
def test_how_many_gates_a_move_adds(move: str, least: int, most: int) -> None:
    bench = Bench(1)
    memory = bench.memory
    for _ in range(50):
        gates = memory.c[GATES]
        if propose(memory, move):
            assert least <= memory.c[GATES] - gates <= most
        undo(memory.c)


@pytest.mark.parametrize("move", ["bypass", "replace", "constant"])
def test_moves_that_only_remove_gates(move: str) -> None:
    bench = Bench(2)
    memory = bench.memory
    for _ in range(50):
        gates = memory.c[GATES]
        assert not propose(memory, move) or memory.c[GATES] <= gates
        undo(memory.c)


def test_a_threshold_moves_within_its_feature() -> None:
    bench = Bench(3)
    memory = bench.memory
    for _ in range(50):
        before = bench.circuit()
        if propose(memory, "shift_threshold"):
            features = [sorted(node.feature for _, node in g.inputs) for g in (before, bench.circuit())]
            assert set(features[1]) <= set(features[0])
        undo(memory.c)


def test_renumbering_keeps_the_circuit() -> None:
    bench = Bench(4)
    memory = bench.memory
    wanted, before = bench.circuit().predict(bench.codes), numbers(memory)
    for _ in range(10):
        renumber(memory.c, memory.words, memory.values)
        assert (bench.circuit().predict(bench.codes) == wanted).all()
        assert numbers(memory) == before


def test_a_hopeless_proposal_is_given_up() -> None:
    bench = Bench(6)
    c, words, values = bench.memory.c, bench.memory.words, bench.memory.values
    given_up = 0
    for _ in range(100):
        errors = int(c[ERRORS])
        choose(c, words, values, only("complement"))
        added = errors_added(c, words, values, 0.0)
        assert carry_out(c)
        if added == HOPELESS:
            given_up += 1
            assert bench.brute_force_errors() > errors
        undo(c)
    assert given_up > 10
