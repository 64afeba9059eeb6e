from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_datasets import blobs, datasets, load, make
from numpy.typing import NDArray

from dwn_asic.boolean.graph import Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.errors import ToolError
from dwn_asic.methods.base import Plan
from dwn_asic.methods.decision_tree import DecisionTree
from dwn_asic.methods.optimal_tree import OptimalTree, OptimalTreeConfig
from dwn_asic.methods.registry import plan

pytest.importorskip("pycontree")


def planned(fitter: OptimalTree) -> Plan:
    return Plan(fitter.name, fitter.label, "optimal_tree", fitter)


def least(codes: NDArray[np.int64], labels: NDArray[np.int64], depth: int, price: float) -> float:
    """Return the least errors plus price of splits among all trees of a depth, by trying all of them."""
    best = float(len(labels) - np.bincount(labels).max()) if len(labels) else 0.0
    if not depth or not best:
        return best
    for f in range(codes.shape[1]):
        for constant in np.unique(codes[:, f])[1:]:
            right = codes[:, f] >= constant
            sides = (least(codes[side], labels[side], depth - 1, price) for side in (right, ~right))
            best = min(best, price + sum(sides))
    return best


def objective(dataset: Dataset, fitter: OptimalTree) -> tuple[float, int]:
    """Return errors on training rows plus the price of the splits, and the number of splits."""
    codes, labels = dataset.part("train")
    found = planned(fitter).fit(dataset, 0)
    assert found.graph is not None
    splits = int(found.details.get("leaves", 1)) - 1
    errors = int((found.graph.predict(codes) != labels).sum())
    return errors + fitter.cost * len(labels) * splits, splits


@settings(max_examples=25, deadline=None)
@given(datasets(), st.sampled_from([1, 2]), st.sampled_from([0.0, 0.02, 0.1]))
def test_no_tree_of_the_depth_is_better(dataset: Dataset, depth: int, cost: float) -> None:
    codes, labels = dataset.part("train")
    found, _ = objective(dataset, OptimalTree(depth, cost))
    assert found == pytest.approx(least(codes, labels, depth, cost * len(labels)))


def test_no_tree_of_depth_three_is_better() -> None:
    generator = np.random.default_rng(3)
    values = generator.integers(0, 4, size=(60, 3)).astype(np.float64)
    dataset = make(values, generator.integers(0, 3, size=60), input_bits=2)
    found, _ = objective(dataset, OptimalTree(3))
    assert found == least(*dataset.part("train"), 3, 0.0)


def test_a_cost_leads_to_a_smaller_tree() -> None:
    dataset = load("bundled:phoneme")
    assert objective(dataset, OptimalTree(2))[1] == 3
    assert objective(dataset, OptimalTree(2, 0.05))[1] < 3


@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("cuts", [None, 5])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_circuit_is_the_tree_on_every_code(n_classes: int, cuts: int | None, bits: int | None) -> None:
    codes = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1).reshape(-1, 2)
    labels = (codes[:, 0] // 9 + codes[:, 1] // 13) % n_classes
    dataset = make(codes.astype(np.float64), labels, input_bits=6)
    assert np.array_equal(dataset.codes, codes)
    # The plan compares the circuit with the solver's predictions on all rows.
    found = planned(OptimalTree(3, 0.0, cuts, bits)).fit(dataset, 0)
    assert found.details["depth"] == 3
    assert len(np.unique(found.predictions)) > 1


def test_thresholds_use_few_cuts_or_leading_bits() -> None:
    dataset = load("bundled:phoneme")
    coarse = planned(OptimalTree(3, bits=3)).fit(dataset, 0).graph
    few = planned(OptimalTree(3, cuts=2)).fit(dataset, 0).graph
    assert coarse is not None
    assert few is not None
    constants = {(node.feature, node.constant) for _, node in coarse.inputs if isinstance(node, Threshold)}
    assert constants
    assert all(constant % (1 << int(dataset.quantizer.bits[f]) - 3) == 0 for f, constant in constants)
    features = [node.feature for _, node in few.inputs if isinstance(node, Threshold)]
    assert max(map(features.count, features)) <= 2


def test_deeper_trees_err_less_and_an_optimal_one_less_than_a_greedy_one() -> None:
    dataset = load("bundled:phoneme")
    optimal = [planned(OptimalTree(depth)).fit(dataset, 0).accuracy(dataset)["train"] for depth in (1, 2, 3)]
    greedy = Plan("tree-8", "", "", DecisionTree(8)).fit(dataset, 0).accuracy(dataset)["train"]
    assert optimal == sorted(optimal)
    assert optimal[-1] > greedy + 0.01


def test_the_label_says_whether_optimality_is_proved() -> None:
    dataset = load("bundled:phoneme")
    proved = planned(OptimalTree(1)).fit(dataset, 0)
    assert proved.label == "optimal tree, depth 1"
    assert proved.details["optimality"] == "proved optimal"
    stopped = planned(OptimalTree(6, time_limit_s=0.2)).fit(dataset, 0)
    assert stopped.label == "optimal tree, depth 6, best within the time limit"
    assert stopped.graph is not None


def test_one_class_or_no_varying_feature_leave_the_most_frequent_class() -> None:
    generator = np.random.default_rng(0)
    constant = make(np.ones((40, 2)), generator.integers(2, size=40))
    assert len(set(planned(OptimalTree(2)).fit(constant, 0).predictions)) == 1


def test_a_class_without_training_rows_keeps_the_others_indices() -> None:
    labels = np.repeat([0, 2], 60)
    dataset = make(np.random.default_rng(0).normal(size=(120, 2)) + labels[:, None] * 3, labels)
    assert planned(OptimalTree(2)).fit(dataset, 0).accuracy(dataset)["test"] > 0.9


def test_a_configuration_plans_each_depth_and_cost() -> None:
    config = OptimalTreeConfig(depth=[2, 4], cost=[0.0, 0.005], cuts=8, bits=4)
    assert [each.name for each in plan([config])] == [
        "optimal-2-8cuts-4bits",
        "optimal-2-cost0p005-8cuts-4bits",
        "optimal-4-8cuts-4bits",
        "optimal-4-cost0p005-8cuts-4bits",
    ]
    assert plan([config])[-1].label == "optimal tree, depth 4, cost 0.005, 8 cuts, 4 bits"
    assert OptimalTreeConfig(depth=3, cost=0.5).cost == (0.5,)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycontree", None)
    with pytest.raises(
        ToolError, match=r"pycontree.* is not installed; pip install 'dwn-asic\[optimal-trees\]'"
    ):
        planned(OptimalTree(2)).fit(blobs(2), 0)
