from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from made_datasets import blobs, datasets, make

from dwn_asic.boolean.graph import GraphBuilder, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import PARTS
from dwn_asic.errors import VerificationError
from dwn_asic.methods.base import Classifier, Fitted, MethodConfig, Plan, Progress
from dwn_asic.methods.decision_tree import DecisionTree, DecisionTreeConfig
from dwn_asic.methods.forest import Forest
from dwn_asic.methods.gbdt import GbdtConfig
from dwn_asic.methods.registry import plan
from dwn_asic.methods.tiny_classifier import Inputs, TinyClassifier, TinyClassifierConfig
from dwn_asic.methods.wisard import Wisard

TINY = TinyClassifierConfig(kind="tiny_classifier", gates=20, generations=200)
CONFIGS: list[MethodConfig] = [TINY, DecisionTreeConfig(kind="decision_tree"), GbdtConfig(kind="gbdt")]


def fit_all(dataset: Dataset, seed: int, progress: Progress | None = None) -> list[Classifier]:
    return [each.fit(dataset, seed, progress) for each in plan(CONFIGS)]


def test_plan_keeps_the_flow_s_order_and_names_are_identifiers() -> None:
    plans = plan(CONFIGS)
    assert [p.name for p in plans] == ["tiny-2bit", "tiny-4bit", "tree-8", "tree-16", "tree-32", "gbdt"]
    assert [p.kind for p in plans] == ["tiny_classifier"] * 2 + ["decision_tree"] * 3 + ["gbdt"]
    assert plans[3].label == "decision tree, 16 leaves"


def test_plan_drops_repeats_and_tells_other_options_apart() -> None:
    small = TINY.model_copy(update={"gates": (10,), "bits": (2,)})
    tiny = TINY.model_copy(update={"bits": (2, 2)})
    plans = plan([tiny, small, tiny, small, TINY.model_copy(update={"gates": (5,)})])
    assert [p.name for p in plans] == ["tiny-2bit", "tiny-2bit-v2", "tiny-2bit-v3", "tiny-4bit"]
    assert len({p.label for p in plans}) == len(plans)
    assert plan([]) == []


def test_gate_budgets_and_names_tell_tiny_classifiers_apart() -> None:
    paper = TinyClassifierConfig(kind="tiny_classifier", name="paper", keep="best", gates=(50, 300))
    nand = TinyClassifierConfig(kind="tiny_classifier", keep="best", functions="nand")
    accuracy = TinyClassifierConfig(kind="tiny_classifier", keep="best", fitness="accuracy")
    plans = plan([paper, nand, accuracy])
    assert [p.name for p in plans] == ["tiny-paper-50g", "tiny-paper-300g", "tiny-nand", "tiny-accuracy"]
    assert [p.label for p in plans] == [
        "Tiny Classifier, best of 2 encodings, paper, 50 gates",
        "Tiny Classifier, best of 2 encodings, paper, 300 gates",
        "Tiny Classifier, best of 2 encodings, nand only",
        "Tiny Classifier, best of 2 encodings, accuracy as fitness",
    ]


def test_fitting_reports_accuracies_and_lines() -> None:
    dataset, lines = blobs(3), list[str]()
    classifiers = fit_all(dataset, 0, lines.append)
    assert len(lines) >= len(classifiers)
    for found in classifiers:
        assert re.fullmatch("[a-z0-9-]+", found.name)
        assert set(found.accuracy(dataset)) == set(PARTS)
        assert json.loads(json.dumps(dict(found.details))) == found.details
        if found.graph is None:
            assert found.name == "gbdt"
            continue
        assert found.graph.interface.class_names == dataset.table.class_names
        assert len(found.graph.outputs) == found.graph.interface.class_bits
        assert all(isinstance(node, Threshold) for _, node in found.graph.inputs)
        for part in PARTS:
            codes, labels = dataset.part(part)
            assert found.accuracy(dataset)[part] == pytest.approx(
                (found.graph.predict(codes) == labels).mean()
            )


def test_one_at_a_time_is_the_same_as_all() -> None:
    dataset = blobs(3)
    for one, other in zip(plan(CONFIGS), fit_all(dataset, 3), strict=True):
        found = one.fit(dataset, 3)
        assert (found.name, found.label, found.accuracy(dataset)) == (
            other.name,
            other.label,
            other.accuracy(dataset),
        )
        assert found.details == other.details


def test_a_circuit_that_differs_from_its_model_is_an_error() -> None:
    tree = DecisionTree(8)

    def wrong(dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        fitted = tree(dataset, seed, progress)
        assert fitted.graph is not None
        builder = GraphBuilder(fitted.graph.interface)
        driver = builder.add(Threshold(0, 1))
        return replace(fitted, graph=builder.finish([driver] * fitted.graph.interface.class_bits))

    with pytest.raises(VerificationError, match=r"bad: the circuit and its software model differ on .* row"):
        Plan("bad", "bad", "decision_tree", wrong).fit(blobs(2), 0)


@settings(max_examples=40, deadline=None)
@given(dataset=datasets())
def test_every_method_agrees_with_its_graph_on_any_table(dataset: Dataset) -> None:
    # fit() compares all rows and raises.
    for fitter in (
        DecisionTree(2),
        DecisionTree(40),
        DecisionTree(5, pruned=True),
        Forest(1, 4),
        Forest(4, 6),
        Wisard(3, 2, 2),
        Wisard(7, 5, 8),
        Wisard(None, 3, 2),
        TinyClassifier((Inputs(2),), 6, 60, 20),
        TinyClassifier((Inputs(4),), 30, 60, 60),
        TinyClassifier((Inputs(2, "equal_width", "onehot"), Inputs(4, "quantile", "gray")), 30, 60, 60, 20),
        TinyClassifier((Inputs(2, "quantile", "binary"),), 30, 60, 60, nand_only=True),
    ):
        found = Plan("x", "x", "x", fitter).fit(dataset, 1)
        assert found.graph is not None
        assert found.graph.predict(dataset.codes).max() < 1 << found.graph.interface.class_bits


def test_a_table_without_information_gives_the_most_frequent_class() -> None:
    labels = np.repeat([0, 1, 2], [10, 40, 10])
    dataset = make(np.ones((60, 2)), labels)
    for found in fit_all(dataset, 0):
        assert found.accuracy(dataset)["test"] == pytest.approx(2 / 3)
        assert found.graph is None or not found.graph.inputs
