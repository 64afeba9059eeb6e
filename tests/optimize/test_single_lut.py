"""Single LUTs: the best tables of one and two thresholds, from few comparator gates to few errors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dwn_asic.boolean.graph import Interface
from dwn_asic.data.objective import Objective
from dwn_asic.optimize.lossy.anneal.candidates import Candidates
from dwn_asic.optimize.lossy.anneal.search import assess
from dwn_asic.optimize.lossy.single_lut import single_luts
from dwn_asic.targets.asic.cost import PRICES


def interface(n_classes: int, n_features: int = 2, width: int = 3) -> Interface:
    names = tuple(f"f{i}" for i in range(n_features))
    return Interface(names, (width,) * n_features, tuple(f"c{i}" for i in range(n_classes)))


def errors_of_the_best(bits: np.ndarray, labels: np.ndarray, n_classes: int) -> int:
    """Return the number of rows that the best table of these inputs gets wrong."""
    address = bits @ (1 << np.arange(bits.shape[1]))
    counts = np.zeros((1 << bits.shape[1], n_classes), int)
    np.add.at(counts, (address, labels), 1)
    return len(labels) - int(counts.max(axis=1).sum())


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_no_table_of_one_or_two_thresholds_is_better(n_classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, (rng.integers(1, 90), 2))
    labels = (codes @ rng.integers(0, 3, 2) // 4 + rng.integers(0, 2, len(codes))) % n_classes
    ports = interface(n_classes)
    found = single_luts(codes, labels, ports)
    least = {n: len(labels) for n in range(4)}
    for graph in found:
        n = len(graph.inputs)
        least[n] = min(least[n], int((graph.predict(codes) != labels).sum()))
    bits = Candidates.choose(codes, ports).bits(codes)
    assert least[0] == errors_of_the_best(bits[:, :0], labels, n_classes)
    for n in (1, 2):
        every = [
            errors_of_the_best(bits[:, list(which)], labels, n_classes)
            for which in combinations(range(bits.shape[1]), n)
        ]
        assert min([least[k] for k in range(n + 1)]) <= min(every, default=len(labels))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["balanced_accuracy", "cost"]))
def test_no_table_of_one_threshold_costs_less(seed: int, metric: str) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, (80, 2))
    labels = rng.choice(3, 80, p=[0.8, 0.1, 0.1])
    matrix = np.where(np.eye(3) == 1, 0.0, rng.integers(1, 9, (3, 3)))
    objective = Objective("cost", costs=tuple(map(tuple, matrix.tolist())))
    costs = (objective if metric == "cost" else Objective("balanced_accuracy")).total_costs(labels, 3)
    ports = interface(3)
    found = single_luts(codes, labels, ports, costs)
    least = min(costs.total(labels, g.predict(codes)) for g in found if len(g.inputs) <= 1)
    bits = Candidates.choose(codes, ports).bits(codes)
    every = [
        min(costs.total(labels, np.where(bit, high, low)) for low in range(3) for high in range(3))
        for bit in bits.T
    ]
    assert least == min(every)
    for circuit in assess(found, codes, labels, PRICES, costs=costs):
        assert circuit.errors == costs.total(labels, circuit.graph.predict(codes))


def test_three_thresholds_give_what_takes_three() -> None:
    codes = np.stack(np.meshgrid(*[np.arange(8)] * 3), axis=-1).reshape(-1, 3)
    labels = ((codes >= 4).sum(axis=1) >= 2).astype(np.int64)
    found = single_luts(codes, labels, interface(2, 3))
    assert max(graph.accuracy(codes, labels) for graph in found) == 1.0
    assert max(len(graph.inputs) for graph in found) == 3


def test_more_comparator_gates_buy_fewer_errors() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (2000, 3))
    labels = (codes[:, 0] >= 77).astype(np.int64)  # an odd constant: the most expensive comparator
    found = [g for g in single_luts(codes, labels, interface(2, 3, 8)) if len(g.inputs) == 1]
    sizes = assess(found, codes, labels, PRICES)
    assert len(sizes) > 3
    assert [c.errors for c in sizes] == sorted((c.errors for c in sizes), reverse=True)
    assert sizes[0].area == 0.0
    assert sizes[-1].errors < 10


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_best_of_each_table_of_two_inputs_is_there(seed: int) -> None:
    """A NAND stays, although the AND of an inverted input does better."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (400, 2))
    labels = rng.integers(0, 2, 400)
    ports = interface(2, 2, 2)
    bits = Candidates.choose(codes, ports).bits(codes)
    least: dict[int, int] = {}
    for pair in combinations(range(bits.shape[1]), 2):
        address = bits[:, list(pair)] @ np.array([1, 2])
        counts = np.zeros((4, 2), int)
        np.add.at(counts, (address, labels), 1)
        if counts.any(axis=1).all():
            table = up_to_order(int(counts.argmax(axis=1) @ [1, 2, 4, 8]))
            errors = 400 - int(counts.max(axis=1).sum())
            least[table] = min(errors, least.get(table, errors))
    found: dict[int, int] = {}
    for graph in single_luts(codes, labels, ports):
        if len(graph.inputs) == 2:
            table, errors = up_to_order(graph.luts[0][1].table), int((graph.predict(codes) != labels).sum())
            found[table] = min(errors, found.get(table, errors))
    assert all(found[table] <= errors for table, errors in least.items())


def up_to_order(table: int) -> int:
    """Return the same number for a table of two inputs and for the table of the swapped inputs."""
    swapped = table & 0b1001 | table >> 1 & 0b0010 | table << 1 & 0b0100
    return min(table, swapped)


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 1, 1]])
def test_without_a_threshold_that_tells_rows_apart_there_is_the_constant(labels: list[int]) -> None:
    (only,) = single_luts(np.zeros((3, 2), np.int64), np.array(labels), interface(2))
    assert not only.inputs
    assert only.predict(np.array([[0, 0], [7, 7]])).tolist() == [1, 1]


def test_a_table_with_one_threshold_has_the_constant_and_it() -> None:
    codes, labels = np.array([[1, 5], [1, 5], [6, 5]]), np.array([0, 0, 1])
    assert [len(graph.inputs) for graph in single_luts(codes, labels, interface(2))] == [0, 1]
