from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_datasets import blobs, datasets, load, make
from sklearn.ensemble import GradientBoostingClassifier

from dwn_asic.boolean.graph import Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Plan
from dwn_asic.methods.boosted_stumps import BoostedStumps, BoostedStumpsConfig
from dwn_asic.methods.registry import plan


def planned(fitter: BoostedStumps) -> Plan:
    return Plan("boosted", "boosted", "boosted_stumps", fitter)


@settings(max_examples=20, deadline=None)
@given(datasets(), st.sampled_from([1, 2]), st.sampled_from([1, 3]), st.sampled_from([None, 2]))
def test_any_data_set_gives_a_circuit(
    dataset: Dataset, depth: int, score_bits: int, bits: int | None
) -> None:
    # The plan compares the circuit with the integer sums on every row.
    found = planned(BoostedStumps(3, depth, score_bits, bits)).fit(dataset, 0)
    assert found.graph is not None


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_circuit_is_the_sum_of_integer_scores_on_every_code(n_classes: int) -> None:
    codes = np.stack(np.meshgrid(np.arange(32), np.arange(32)), axis=-1).reshape(-1, 2)
    labels = (codes[:, 0] // 5 + codes[:, 1] // 7) % n_classes
    dataset = make(codes.astype(np.float64), labels, input_bits=5)
    assert np.array_equal(dataset.codes, codes)
    found = planned(BoostedStumps(4, 2)).fit(dataset, 0)
    assert found.graph is not None
    train_codes, train_labels = dataset.part("train")
    fitter = BoostedStumps(4, 2)
    ensemble = fitter._ensemble(
        (train_codes, train_labels, None), n_classes, float(found.details["learning_rate"]), 0
    )
    wanted = []
    for row in codes:
        sums = [int(bias) for bias in ensemble.votes.biases]
        for number, (tree, scores) in enumerate(zip(ensemble.trees, ensemble.scores, strict=True)):
            node, nodes = 0, tree.tree_
            while nodes.children_left[node] >= 0:
                left = row[nodes.feature[node]] <= nodes.threshold[node]
                node = nodes.children_left[node] if left else nodes.children_right[node]
            sums[number % len(sums)] += int(scores[node])
        wanted.append(int(sums[0] > 0) if len(sums) == 1 else int(np.argmax(sums)))
    assert found.graph.predict(codes).tolist() == wanted


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("score_bits", [1, 3, 8])
def test_scores_are_the_leaves_rounded_to_the_steps_of_the_widest_tree(
    n_classes: int, score_bits: int
) -> None:
    codes, labels = blobs(n_classes).part("train")
    found = BoostedStumps(5, 2, score_bits)._ensemble((codes, labels, None), n_classes, 0.3, 0)
    leaves = [tree.tree_.value[:, 0, 0][tree.tree_.children_left < 0] for tree in found.trees]
    scores = [s[tree.tree_.children_left < 0] for s, tree in zip(found.scores, found.trees, strict=True)]
    steps = (1 << score_bits) - 1
    unit = max(np.ptp(values) for values in leaves) / steps
    assert max(each.max() for each in scores) == steps
    assert all(each.min() == 0 for each in scores)
    for values, each in zip(leaves, scores, strict=True):
        assert np.abs(values - values.min() - each * unit).max() <= unit / 2 + 1e-9


def test_many_bits_decide_as_the_real_valued_ensemble() -> None:
    codes, labels = load("bundled:phoneme").part("train")
    found = BoostedStumps(8, 2, score_bits=8)._ensemble((codes, labels, None), 2, 0.3, 0)
    model = GradientBoostingClassifier(n_estimators=8, max_depth=2, learning_rate=0.3, random_state=0)
    same = found.predict(codes) == model.fit(codes, labels).predict(codes)
    assert same.mean() > 0.99


def test_more_trees_are_more_accurate_and_few_bits_keep_constants_cheap() -> None:
    dataset = load("bundled:phoneme")
    few, many = (planned(BoostedStumps(trees, 2, bits=5)).fit(dataset, 0) for trees in (1, 8))
    assert many.accuracy(dataset)["train"] > few.accuracy(dataset)["train"] + 0.01
    assert many.graph is not None
    assert all(node.constant % 8 == 0 for _, node in many.graph.inputs if isinstance(node, Threshold))


def test_a_class_without_training_rows_never_wins() -> None:
    labels = np.repeat([0, 2], 60)
    dataset = make(np.random.default_rng(0).normal(size=(120, 2)) + labels[:, None] * 3, labels)
    assert planned(BoostedStumps(4, 1)).fit(dataset, 0).accuracy(dataset)["test"] > 0.9


def test_a_configuration_plans_each_size() -> None:
    config = BoostedStumpsConfig(trees=[2, 4], depth=2, score_bits=2, bits=4)
    assert [each.name for each in plan([config])] == ["boosted-2x2-4bits", "boosted-4x2-4bits"]
    assert plan([config])[0].label == "boosted trees, 2 of depth 2, 2-bit scores, 4 bits"
