from __future__ import annotations

import numpy as np
import pytest
from made_datasets import blobs, load, make
from sklearn.tree import DecisionTreeClassifier

from dwn_asic.boolean.fold import fold
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Plan
from dwn_asic.methods.decision_tree import DecisionTree
from dwn_asic.methods.parts.tree_logic import CodeTree, tree_graph


def fitted(dataset: Dataset, leaves: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(*dataset.part("train"))


@pytest.mark.parametrize("leaves", [2, 8, 100])
@pytest.mark.parametrize("n_classes", [2, 3, 4, 5, 7, 8, 10, 26])
def test_the_graph_is_the_tree_on_every_row(n_classes: int, leaves: int) -> None:
    dataset = blobs(n_classes, rows=600)
    model = fitted(dataset, leaves)
    graph = tree_graph(CodeTree.of_classifier(model), dataset.interface)
    for part in ("train", "val", "test"):
        codes, _ = dataset.part(part)
        assert np.array_equal(graph.predict(codes), model.predict(codes))


def test_the_graph_is_the_tree_on_every_code() -> None:
    dataset = blobs(5, n_features=2)
    width = 1 << int(dataset.quantizer.bits.max())
    codes = np.stack(np.meshgrid(np.arange(width), np.arange(width)), axis=-1).reshape(-1, 2)
    model = fitted(dataset, 30)
    assert np.array_equal(
        tree_graph(CodeTree.of_classifier(model), dataset.interface).predict(codes), model.predict(codes)
    )


def test_a_tree_deeper_than_python_s_recursion_limit() -> None:
    # Each best split cuts one row off the end.
    rows = 2500
    values = np.arange(rows, dtype=np.float64)[:, None]
    dataset = make(values, np.arange(rows) % 2, input_bits=12)
    model = DecisionTreeClassifier(max_leaf_nodes=rows, random_state=0).fit(*dataset.part("train"))
    graph = tree_graph(CodeTree.of_classifier(model), dataset.interface)
    assert np.array_equal(graph.predict(dataset.codes), model.predict(dataset.codes))


def test_a_class_without_rows_in_training_keeps_the_others_indices() -> None:
    dataset = blobs(5)
    codes, labels = dataset.part("train")
    seen = labels != 1
    model = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(codes[seen], labels[seen])
    got = tree_graph(CodeTree.of_classifier(model), dataset.interface).predict(dataset.codes)
    assert np.array_equal(got, model.predict(dataset.codes))


def test_fewer_leaves_than_allowed_are_reported() -> None:
    dataset = make(np.repeat([0.0, 1.0], 20)[:, None], np.repeat([0, 1], 20))
    found = Plan("tree-8", "", "", DecisionTree(8)).fit(dataset, 0)
    assert found.details == {"leaves": 2, "leaves_allowed": 8, "depth": 1, "thresholds": 1}
    assert found.accuracy(dataset)["test"] == 1.0
    assert found.graph is not None
    assert not fold(found.graph).luts  # the threshold itself


def test_any_seed_is_taken_and_the_same_seed_gives_the_same_tree() -> None:
    dataset = load("sklearn:breast_cancer")
    plan = Plan("tree-16", "", "", DecisionTree(16))
    one, other = plan.fit(dataset, 1 << 40), plan.fit(dataset, 1 << 40)
    assert one.graph is not None
    assert other.graph is not None
    assert list(one.graph.nodes()) == list(other.graph.nodes())
    assert one.accuracy(dataset)["test"] > 0.85
