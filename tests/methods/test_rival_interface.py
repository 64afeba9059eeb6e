from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from rival_tables import blobs, datasets, make

from dwn_asic.boolean.graph import GraphBuilder, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import PARTS
from dwn_asic.errors import VerificationError
from dwn_asic.flow.config import BaselineConfig, DecisionTreeConfig, GbdtConfig, TinyClassifierConfig
from dwn_asic.methods.base import Fitting, Progress, RivalPlan
from dwn_asic.methods.decision_tree import DecisionTree, Forest
from dwn_asic.methods.registry import fit_rivals, plan
from dwn_asic.methods.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.methods.wisard import Wisard

TINY = TinyClassifierConfig(kind="tiny_classifier", gates=20, generations=200)
CONFIGS: list[BaselineConfig] = [TINY, DecisionTreeConfig(kind="decision_tree"), GbdtConfig(kind="gbdt")]


def test_plan_keeps_the_flow_s_order_and_names_are_identifiers() -> None:
    plans = plan(CONFIGS)
    assert [p.name for p in plans] == ["tiny-2bit", "tiny-4bit", "tree-8", "tree-16", "tree-32", "gbdt"]
    assert [p.method for p in plans] == ["tiny_classifier"] * 2 + ["decision_tree"] * 3 + ["gbdt"]
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


def test_fit_rivals_reports_accuracies_and_lines() -> None:
    dataset, lines = blobs(3), list[str]()
    rivals = fit_rivals(CONFIGS, dataset, 0, lines.append)
    assert len(lines) >= len(rivals)
    for rival in rivals:
        assert re.fullmatch("[a-z0-9-]+", rival.name)
        assert set(rival.accuracy) == set(PARTS)
        assert json.loads(json.dumps(dict(rival.details))) == rival.details
        if rival.graph is None:
            assert rival.name == "gbdt"
            continue
        assert rival.graph.interface.class_names == dataset.table.class_names
        assert len(rival.graph.outputs) == rival.graph.interface.class_bits
        assert all(isinstance(node, Threshold) for _, node in rival.graph.inputs)
        for part in PARTS:
            codes, labels = dataset.part(part)
            assert rival.accuracy[part] == pytest.approx((rival.graph.predict(codes) == labels).mean())


def test_one_at_a_time_is_the_same_as_all() -> None:
    dataset = blobs(3)
    for one, other in zip(plan(CONFIGS), fit_rivals(CONFIGS, dataset, 3), strict=True):
        rival = one.fit(dataset, 3)
        assert (rival.name, rival.label, rival.accuracy) == (other.name, other.label, other.accuracy)
        assert rival.details == other.details


def test_a_circuit_that_differs_from_its_model_is_an_error() -> None:
    tree = DecisionTree(8)

    def wrong(dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        fitting = tree(dataset, seed, progress)
        assert fitting.graph is not None
        builder = GraphBuilder(fitting.graph.interface)
        driver = builder.add(Threshold(0, 1))
        return replace(fitting, graph=builder.finish([driver] * fitting.graph.interface.class_bits))

    with pytest.raises(VerificationError, match=r"bad: the circuit and its software model differ on .* row"):
        RivalPlan("bad", "bad", "decision_tree", wrong).fit(blobs(2), 0)


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
        rival = RivalPlan("x", "x", "x", fitter).fit(dataset, 1)
        assert rival.graph is not None
        assert rival.graph.predict(dataset.codes).max() < 1 << rival.graph.interface.class_bits


def test_a_table_without_information_gives_the_most_frequent_class() -> None:
    labels = np.repeat([0, 1, 2], [10, 40, 10])
    dataset = make(np.ones((60, 2)), labels)
    for rival in fit_rivals(CONFIGS, dataset, 0):
        assert rival.accuracy["test"] == pytest.approx(2 / 3)
        assert rival.graph is None or not rival.graph.inputs
