"""Candidates and their prices, circuits to and from memory, and whole searches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.convert import to_graph as network_graph
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.data.objective import Costs, Objective
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.optimize.lossy.anneal.bridge import start, to_graph
from dwn_asic.optimize.lossy.anneal.candidates import Candidates, InputTable
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows
from dwn_asic.optimize.lossy.anneal.search import Chain, Found, Schedule, anneal
from dwn_asic.optimize.lossy.anneal.state import AREA, KIND, LITERAL, N_EDGES, N_GATES, UNIT
from dwn_asic.targets.asic.cost import PRICES

INTERFACE = Interface(("a", "b"), (6, 6), ("no", "yes"))


@given(st.integers(1, 8), st.data())
def test_candidates_tell_the_same_codes_apart_by_cheap_constants(width: int, data: st.DataObject) -> None:
    column = np.array(data.draw(st.lists(st.integers(0, 2**width - 1), min_size=1, max_size=20)))
    candidates = Candidates.choose(column[:, None], Interface(("a",), (width,), ("x", "y")))
    constants = [node.constant for node in candidates.inputs if isinstance(node, Threshold)]
    seen = np.unique(column)
    assert len(constants) == len(seen) - 1
    for (low, high), constant in zip(pairwise(seen), constants, strict=True):
        assert low < constant <= high
        zeros = [(c & -c) for c in range(int(low) + 1, int(high) + 1)]
        assert constant & -constant == max(zeros)


@given(st.sets(st.integers(1, 255), min_size=1, max_size=6))
def test_the_price_of_thresholds_counts_the_gates_of_the_encoder(constants: set[int]) -> None:
    interface = Interface(("a",), (8,), ("x", "y"))
    thresholds = [Threshold(0, c) for c in sorted(constants)]
    codes = np.arange(256)[:, None]
    builder = GraphBuilder(interface)
    nodes = [builder.add(node) for node in thresholds]
    graph = builder.finish([builder.add(Lut(tuple(nodes), (1 << (1 << len(nodes)) - 1)))])
    table = InputTable.build(codes, interface, thresholds)
    memory = start(
        graph,
        table,
        table.candidates.prices(GatePrices(0.0, 0.0, 1.0)),
        ScoredRows.as_they_are(codes, np.zeros(256, np.int64)),
        seed=0,
    )
    encoder = encoder_graph([node for _, node in graph.inputs], interface)
    assert memory.c[AREA] * UNIT == pytest.approx(len(encoder.luts))


@given(st.sets(st.integers(1, 63), min_size=1, max_size=4), st.sets(st.integers(1, 7), max_size=2))
def test_registers_have_a_price_for_each_bit_that_matters(wide: set[int], narrow: set[int]) -> None:
    interface = Interface(("a", "b"), (6, 3), ("x", "y"))
    thresholds = [*(Threshold(0, c) for c in sorted(wide)), *(Threshold(1, c) for c in sorted(narrow))]
    builder = GraphBuilder(interface)
    nodes = [builder.add(node) for node in thresholds]
    graph = builder.finish([builder.add(Lut(tuple(nodes), (1 << (1 << len(nodes)) - 1)))])
    codes = np.zeros((64, 2), np.int64)
    table = InputTable.build(codes, interface, thresholds)
    prices = table.candidates.prices(GatePrices(0.0, 0.0, 0.0, code_bit=1.0, core_input=100.0))
    memory = start(graph, table, prices, ScoredRows.as_they_are(codes, np.zeros(64, np.int64)), seed=0)
    matter = sum(
        any((code >= c) != (code ^ 1 << bit >= c) for code in range(1 << width) for c in constants)
        for width, constants in ((6, wide), (3, narrow))
        for bit in range(width)
    )
    assert memory.c[AREA] * UNIT == pytest.approx(matter + 100.0 * len(thresholds))


@settings(max_examples=25)
@given(strategies.lut_networks())
def test_a_graph_survives_the_way_into_memory_and_back(network: LutNetwork) -> None:
    graph, codes = network_graph(network), strategies.rows(network, 300)
    table = InputTable.build(codes, graph.interface, [node for _, node in graph.inputs])
    rows = ScoredRows.as_they_are(codes, np.zeros(len(codes), np.int64))
    memory = start(graph, table, table.candidates.prices(PRICES), rows, seed=0)
    kind = memory.section(KIND, int(memory.c[N_GATES])).astype(np.uint8)
    again = to_graph(kind, memory.section(LITERAL, int(memory.c[N_EDGES])), table.candidates)
    assert (again.predict(codes) == graph.predict(codes)).all()


def task(n_rows: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """Draw codes and labels: class 1 inside a rectangle, with some labels wrong."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 64, (n_rows, 2))
    inside = (codes[:, 0] >= 20) & (codes[:, 1] >= 32) & (codes[:, 1] < 50)
    return codes, (inside ^ (rng.random(n_rows) < 0.02)).astype(np.int64)


def random_circuit() -> BooleanGraph:
    """Build a circuit of 30 gates over 12 thresholds."""
    rng = np.random.default_rng(1)
    builder = GraphBuilder(INTERFACE)
    nodes = [
        builder.add(Threshold(int(f), int(c)))
        for f, c in zip(rng.integers(0, 2, 12), rng.integers(1, 64, 12), strict=True)
    ]
    for _ in range(30):
        a, b = rng.choice(len(nodes), 2, replace=False)
        nodes.append(builder.add(Lut((nodes[a], nodes[b]), int(rng.choice([0b1000, 0b1110, 0b0010])))))
    return builder.finish([nodes[-1]])


def chains(seed: int = 0, proposals: int = 150_000) -> list[Chain]:
    return [
        Chain(random_circuit(), price, Schedule(proposals, 2.0), seed + i)
        for i, price in enumerate((2.0, 8.0))
    ]


def plain(found: tuple[Found, ...]) -> list[tuple[float, int, str]]:
    return [(f.area, f.errors, str([f.graph.node(i) for i in range(len(f.graph))])) for f in found]


def test_the_annealing_finds_the_rectangle_from_a_random_circuit() -> None:
    codes, labels = task()
    found = anneal(chains(), codes, labels, PRICES)
    best = found[-1]
    assert best.errors < 0.04 * len(labels)
    assert len(best.graph.luts) <= 6
    for circuit in found:
        assert circuit.errors == (circuit.graph.predict(codes) != labels).sum()
    assert [f.area for f in found] == sorted(f.area for f in found)
    assert [f.errors for f in found] == sorted((f.errors for f in found), reverse=True)


def test_equal_seeds_give_equal_circuits_whatever_the_number_of_threads() -> None:
    codes, labels = task()
    results = [plain(anneal(chains(), codes, labels, PRICES, jobs=jobs)) for jobs in (1, 2)]
    assert results[0] == results[1]
    assert plain(anneal(chains(seed=7), codes, labels, PRICES)) != results[0]


@pytest.mark.parametrize("at", [1, 30, 70, 127])
def test_an_interrupted_search_goes_on_to_the_same_result(at: int) -> None:
    codes, labels = task()
    checkpoints: dict[str, bytes] = {}
    wanted = plain(anneal(chains(), codes, labels, PRICES))

    def interrupt(done: int, total: int) -> None:
        assert total == 128
        if done == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anneal(chains(), codes, labels, PRICES, checkpoints=checkpoints, progress=interrupt)
    resumed: list[int] = []
    again = anneal(
        chains(),
        codes,
        labels,
        PRICES,
        checkpoints=checkpoints,
        progress=lambda done, _: resumed.append(done),
    )
    assert plain(again) == wanted
    assert len(resumed) <= 128 + 2 - at


def test_a_damaged_checkpoint_counts_as_none() -> None:
    codes, labels = task()
    checkpoints: dict[str, bytes] = {}
    wanted = plain(anneal(chains(), codes, labels, PRICES, checkpoints=checkpoints))
    assert len(checkpoints) == len(chains())
    for key, content in checkpoints.items():
        checkpoints[key] = content[:100]
    assert plain(anneal(chains(), codes, labels, PRICES, checkpoints=checkpoints)) == wanted


def test_thresholds_are_free_when_only_the_core_counts() -> None:
    codes, labels = task()
    core = anneal(chains(), codes, labels, PRICES.core_only)
    total = anneal(chains(), codes, labels, PRICES)
    assert core[-1].area < total[-1].area


def rare(n_rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Draw codes and labels: class 1, 3% of the rows, is a tenth of the rows of a square."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 64, (n_rows, 2))
    inside = (codes >= 29).all(axis=1)
    return codes, (inside & (rng.random(n_rows) < 0.1)).astype(np.int64)


@pytest.mark.parametrize("objective", [Objective("balanced_accuracy"), Objective("f1", 1)])
def test_the_annealing_finds_a_rare_class_if_every_class_counts(objective: Objective) -> None:
    codes, labels = rare()
    assert 0.02 < labels.mean() < 0.04
    plain_best = anneal(chains(), codes, labels, PRICES)[-1]
    assert Objective("balanced_accuracy").score(labels, plain_best.graph.predict(codes)) < 0.6
    reference = (codes >= 20).all(axis=1).astype(np.int64)
    costs = objective.total_costs(labels, 2, reference)
    found = anneal(chains(), codes, labels, PRICES, costs=costs)
    square = (codes >= 29).all(axis=1).astype(np.int64)
    best = max(objective.score(labels, each.graph.predict(codes)) for each in found)
    assert best >= objective.score(labels, square) - 0.02
    for circuit in found:
        assert circuit.errors == costs.total(labels, circuit.graph.predict(codes))
        assert circuit.score == 1.0 - circuit.errors / costs.scale


def test_equal_seeds_give_equal_circuits_with_costs_too() -> None:
    codes, labels = rare()
    costs = Objective("balanced_accuracy").total_costs(labels, 2)
    results = [plain(anneal(chains(), codes, labels, PRICES, costs=costs, jobs=jobs)) for jobs in (1, 2)]
    assert results[0] == results[1]


# ---- the order of rows -------------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_words_hold_rows_of_equal_costs_in_proportion(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(n_classes, 0.7))
    labels = rng.choice(n_classes, int(rng.integers(1, 9000)), p=shares)
    costs = Costs(
        np.where(np.eye(n_classes, n_classes + 1) == 1, 0, rng.integers(2, 9, n_classes)[:, None]), 1
    )
    codes = np.arange(len(labels))[:, None]
    rows = ScoredRows.arranged(codes, labels, costs)
    # Every row is there exactly once, with its own label.
    assert (np.sort(rows.codes[rows.valid, 0]) == np.arange(len(labels))).all()
    assert (labels[rows.codes[:, 0]] == rows.labels).all()
    by_label = costs.by_label
    assert by_label is not None
    assert (np.repeat(rows.weights[0], 64)[rows.valid] == by_label[rows.labels[rows.valid]]).all()
    # No word holds rows of two groups, and no more words are used than one for each group in each part.
    groups = [
        set(by_label[rows.labels[i : i + 64][rows.valid[i : i + 64]]]) for i in range(0, len(rows.valid), 64)
    ]
    assert max(map(len, groups)) <= 1
    assert len(groups) <= max(72, -(-len(labels) // 64) + 2 * n_classes)


@pytest.mark.parametrize(("share", "words"), [(0.5, [4, 4]), (0.25, [4, 4]), (0.02, [6, 2])])
def test_the_first_words_are_divided_by_total_cost(share: float, words: list[int]) -> None:
    """Classes have equal totals in balanced accuracy, but a class of few rows fills only as many words."""
    labels = (np.arange(6000) < 6000 * share).astype(np.int64)
    costs = Objective("balanced_accuracy").total_costs(labels, 2)
    if share == 0.5:
        costs = Costs(costs.matrix * np.array([[1], [2]]), 1)  # else all rows would cost the same
        words = [3, 5]
    rows = ScoredRows.arranged(np.arange(6000)[:, None], labels, costs)
    first = [rows.labels[i] for i in range(0, 8 * 64, 64)]
    assert np.bincount(first, minlength=2).tolist() == words


def test_rows_that_all_cost_the_same_are_in_random_order() -> None:
    codes, labels = rare(300)
    rows = ScoredRows.arranged(codes, labels, Costs.errors(300, 2))
    order = np.random.default_rng(0).permutation(300)
    assert (rows.codes == codes[order]).all()
    assert rows.mixed
