"""Flat and-inverter graphs, their moves, and the walk: the function stays on every reachable input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import boolean_graphs, evaluate, patterns

from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.aiger import aiger_bytes
from dwn_asic.boolean.flat_aig import (
    AND2,
    AND3,
    AND_OR,
    LITERAL,
    XOR2,
    FlatAig,
    flatten,
    replacement_costs,
    unflatten,
)
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Input, Interface, Lut, Threshold
from dwn_asic.boolean.packed import pack_rows, unpack_rows
from dwn_asic.optimize.exact.moves import best_moves
from dwn_asic.optimize.exact.prover import Prover, enlarged, identified
from dwn_asic.optimize.exact.reachable import ReachableInputs
from dwn_asic.optimize.exact.resubstitute import Resubstitution
from dwn_asic.optimize.exact.work import Work

INTERFACE = Interface(("x", "y"), (8, 8), ("no", "yes"))
FOREVER = float("inf")


def random_graph(seed: int, n_luts: int = 8) -> BooleanGraph:
    """Build a graph of 4-input LUTs over 14 thresholds of two features."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder(INTERFACE)
    nodes = [builder.add(Threshold(f, 1 + 20 * i)) for f in range(2) for i in range(7)]
    for _ in range(n_luts):
        fanins = tuple(int(i) for i in rng.choice(nodes, 4, replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(1 << 16)))))
    top = tuple(nodes[-4:])
    return builder.finish([builder.add(Lut(top, int(rng.integers(1 << 16)))), nodes[-1]])


def flat(graph: BooleanGraph) -> tuple[FlatAig, tuple[Input, ...]]:
    inputs = tuple(node for _, node in graph.inputs)
    return flatten(to_aig(graph), len(inputs)), inputs


def truth(aig: FlatAig, rows: np.ndarray) -> np.ndarray:
    values = aig.simulate(pack_rows(rows))
    bits = unpack_rows(values, len(rows))
    return bits[:, aig.outputs >> 1] ^ (aig.outputs & 1).astype(bool)


def reachable_rows(inputs: tuple[Input, ...]) -> np.ndarray:
    """Return every reachable pattern of the thresholds of two features of 8 bits."""
    codes = np.stack(np.meshgrid(np.arange(0, 256, 1), np.arange(0, 256, 1)), -1).reshape(-1, 2)
    found = np.stack([codes[:, n.feature] >= n.constant for n in inputs if isinstance(n, Threshold)], axis=1)
    return np.unique(found, axis=0)


@given(boolean_graphs(max_luts=8))
def test_there_and_back(graph: BooleanGraph) -> None:
    aig, inputs = flat(graph)
    back = unflatten(aig, inputs, graph.interface)
    rows = patterns(len(inputs))
    if len(inputs):
        np.testing.assert_array_equal(truth(aig, rows), evaluate(graph, rows))
    columns = [inputs.index(node) for _, node in back.inputs]
    np.testing.assert_array_equal(evaluate(back, rows[:, columns]), evaluate(graph, rows))


def test_aiger_text_is_read_back_by_aigverse(tmp_path: Path) -> None:
    from aigverse.io import read_aiger_into_aig

    aig, inputs = flat(random_graph(0, n_luts=40))
    assert aig.size > 130  # literals of more than one byte
    (tmp_path / "a.aig").write_bytes(aiger_bytes(aig))
    back = flatten(read_aiger_into_aig(str(tmp_path / "a.aig")), len(inputs))
    rows = np.random.default_rng(0).random((640, len(inputs))) < 0.5
    np.testing.assert_array_equal(truth(back, rows), truth(aig, rows))


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("kind", [LITERAL, AND2, XOR2, AND3, AND_OR])
def test_replacing_a_node_gives_the_move_s_function(kind: int, phase: int) -> None:
    rows = patterns(4)
    # Node 5 = in0 & in1 is replaced, node 6 reads it, node 7 comes later and does not read it.
    fanins = np.array([(0, 0)] * 5 + [(2, 4), (11, 6), (7, 8)])
    aig = FlatAig(4, fanins, np.array([12, 15]))
    new = aig.replace(5, (kind, phase, 14, 3, 8))
    a, b, c = (rows[:, 3] & ~rows[:, 2]), ~rows[:, 0], rows[:, 3]
    wanted = [a, a & b, a ^ b, a & b & c, a & (b | c)][kind] ^ bool(phase)
    np.testing.assert_array_equal(truth(new, rows)[:, 0], ~wanted & rows[:, 2])
    np.testing.assert_array_equal(truth(new, rows)[:, 1], ~a)


@pytest.mark.parametrize("seed", range(3))
def test_every_move_found_on_all_reachable_patterns_is_right(seed: int) -> None:
    aig, inputs = flat(random_graph(seed))
    rows = reachable_rows(inputs)
    rows = np.concatenate([rows, rows[: -len(rows) % 64]])
    values, wanted = aig.simulate(pack_rows(rows)), truth(aig, rows)
    rng = np.random.default_rng(0)
    kinds = set()
    for node in range(1 + aig.n_inputs, len(aig.fanins)):
        moves = best_moves(aig, values, node, rng.permutation(len(aig.fanins)))
        for cost, *move in moves.tolist():
            new = aig.replace(node, move)
            assert new.cost == cost
            np.testing.assert_array_equal(truth(new, rows), wanted)
            kinds.add(move[0])
    assert {LITERAL, AND2, AND3, AND_OR} <= kinds


@pytest.mark.parametrize("seed", range(4))
def test_the_cost_of_a_replacement_is_that_of_the_graph_it_makes(seed: int) -> None:
    aig, _ = flat(random_graph(seed, n_luts=20))
    rng = np.random.default_rng(seed)
    nodes = len(aig.fanins)
    for target in range(1 + aig.n_inputs, nodes, 3):
        after = np.zeros(nodes, bool)
        after[target] = True
        for node in range(target + 1, nodes):
            after[node] = after[aig.fanins[node] >> 1].any()
        free = np.flatnonzero(~after)
        moves = np.array(
            [
                (kind, phase, *(2 * rng.choice(free, 3) + rng.integers(0, 2, 3)))
                for kind in (LITERAL, AND2, XOR2, AND3, AND_OR)
                for phase in range(2)
            ]
        )
        costs = replacement_costs(aig.fanins, aig.outputs, aig.n_inputs, target, after, moves)
        assert costs.tolist() == [aig.replace(target, move).cost for move in moves]


def test_graphs_of_equal_arrays_are_equal() -> None:
    aig, _ = flat(random_graph(0))
    assert aig == FlatAig(aig.n_inputs, aig.fanins.copy(), aig.outputs.copy())
    assert aig != FlatAig(aig.n_inputs, aig.fanins, aig.outputs ^ 1)
    assert aig != aig.replace(len(aig.fanins) - 1, (LITERAL, 0, 2, 0, 0))
    assert aig != "a graph"


def test_a_move_that_changes_nothing_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    proved: list[bool] = []
    real = Prover.difference

    def difference(self: Prover, before: FlatAig, after: FlatAig) -> np.ndarray | None:
        proved.append(before == after)
        return real(self, before, after)

    monkeypatch.setattr(Prover, "difference", difference)
    aig, inputs = flat(random_graph(1))
    Resubstitution(ReachableInputs(inputs, INTERFACE), Work(FOREVER)).wander(aig, steps=200)
    assert len(proved) > 20
    assert not any(proved)


@pytest.mark.parametrize("seed", range(4))
def test_the_walk_shrinks_and_keeps_the_function(seed: int) -> None:
    aig, inputs = flat(random_graph(seed))
    walk = Resubstitution(ReachableInputs(inputs, INTERFACE), Work(FOREVER))
    small = walk.shrink(aig, patience=200)
    other = walk.wander(small, steps=50)
    rows = reachable_rows(inputs)
    assert small.size < aig.size * 0.7
    assert other.cost <= small.cost
    for result in (small, other):
        np.testing.assert_array_equal(truth(result, rows), truth(aig, rows))


def test_the_walk_is_the_same_every_time() -> None:
    aig, inputs = flat(random_graph(5))
    runs = [
        Resubstitution(ReachableInputs(inputs, INTERFACE), Work(FOREVER)).shrink(aig, patience=100)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].fanins, runs[1].fanins)
    np.testing.assert_array_equal(runs[0].outputs, runs[1].outputs)


def test_a_spent_budget_leaves_the_graph() -> None:
    aig, inputs = flat(random_graph(5))
    walk = Resubstitution(ReachableInputs(inputs, INTERFACE), Work(0.0))
    assert walk.shrink(aig, patience=100) is aig
    assert walk.wander(aig, steps=100) is aig


def test_a_budget_ends_the_walk_after_the_same_work_every_time() -> None:
    aig, inputs = flat(random_graph(5))
    budgets = [Work(0.02) for _ in range(2)]
    ends = [
        Resubstitution(ReachableInputs(inputs, INTERFACE), work).shrink(aig, patience=10_000)
        for work in budgets
    ]
    assert budgets[0].spent == budgets[1].spent >= 0.02
    np.testing.assert_array_equal(ends[0].fanins, ends[1].fanins)


def test_every_and_has_one_variable_also_when_the_table_grows() -> None:
    known, table, last = dict[tuple[int, int], int](), np.zeros((64, 3), np.int64), 15
    for seed in range(4):
        aig, inputs = flat(random_graph(seed, n_luts=12))
        assert len(inputs) == 14
        literals = [-15, *range(1, 15)]
        wanted: list[tuple[int, int, int]] = []
        for pair in aig.fanins[15:].tolist():
            x, y = (-literals[each >> 1] if each & 1 else literals[each >> 1] for each in pair)
            key = min(x, y), max(x, y)
            if key not in known:
                known[key] = last + len(wanted) + 1
                wanted.append((known[key], x, y))
            literals.append(known[key])
        while len(table) < 2 * (last + len(aig.fanins)):
            table = enlarged(table)
        found, added = identified(aig.fanins, aig.n_inputs, last, table)
        assert found.tolist() == literals
        assert added.tolist() == [list(each) for each in wanted]
        last += len(added)


@settings(max_examples=30)
@given(data=st.data())
def test_the_prover_agrees_with_simulation(data: st.DataObject) -> None:
    """The pairs of graphs have up to five thresholds of one feature."""
    graphs = [fold(data.draw(boolean_graphs(max_luts=5, n_outputs=2))) for _ in range(2)]
    inputs = tuple(Threshold(0, 1 + i) for i in range(5))
    aigs = [flatten(to_aig(graph, inputs), 5) for graph in graphs]
    prover = Prover(ReachableInputs(inputs, graphs[0].interface), Work(FOREVER))
    rows = np.arange(6)[:, None] > np.arange(5)
    expected = (truth(aigs[0], rows) == truth(aigs[1], rows)).all()
    for _ in range(2):  # once more with what the first call has left in the solver
        difference = prover.difference(*aigs)
        assert (difference is None) == expected
        if difference is not None:
            assert (truth(aigs[0], difference[None]) != truth(aigs[1], difference[None])).any()
            assert any((row == difference).all() for row in rows)


def test_a_proof_without_conflicts_left_is_unknown() -> None:
    graphs = []
    for step in (1, -1):
        builder = GraphBuilder(INTERFACE)
        bits = [builder.add(Threshold(f, 1 + 20 * i)) for f in range(2) for i in range(7)]
        node, *rest = bits[::step]
        for bit in rest:
            node = builder.add(Lut((node, bit), 0b0110))
        graphs.append(builder.finish([node]))
    inputs = tuple(node for _, node in graphs[0].inputs)
    aigs = [flatten(to_aig(graph, inputs), len(inputs)) for graph in graphs]
    prover = Prover(ReachableInputs(inputs, INTERFACE), Work(FOREVER))
    found = prover.difference(*aigs, conflicts=1)
    assert found is not None
    assert len(found) == 0
    assert prover.difference(*aigs) is None
