"""Objectives: methods that follow one find a rare class, which accuracy lets them overlook."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from made_datasets import make
from report_examples import circuit, software

from dwn_asic import api
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Classifier
from dwn_asic.methods.registry import methods
from dwn_asic.report.table import following_notes

TRAINING = {"epochs": 8, "restarts": 2, "batch_size": 64}
OPTIONS: dict[str, dict[str, Any]] = {
    "dwn": {"model": {"pyramid": [4, 4]}, "training": TRAINING},
    "dwn_variant": {"name": "small", "model": {"pyramid": [4, 4]}, "training": TRAINING},
    "decision_tree": {"leaves": 4},
    "tiny_classifier": {"bits": 4, "gates": 40, "generations": 3000, "fitness": "objective"},
    "forest": {"trees": 3},
    "linear": {},
    "binarized_mlp": {"hidden": [6], "steps": 600},
    "gate_network": {"gates": [32, 32], "steps": 600},
    "gbdt": {},
    "xgboost": {},
    "tabnet": {"epochs": 8},
    "mlp": {"hidden": [8]},
    "optimal_tree": {"depth": 2},
    "boosted_stumps": {"trees": 4, "depth": 2},
    "wisard": {"tuples": 24, "inputs": 3, "bits": 4},
}
FOLLOWING = [kind for kind, method in methods().items() if method.objective == "fit" and kind != "sum_table"]
COSTS = {"metric": "cost", "class_weights": [1, 12]}


@cache
def rare() -> Dataset:
    """Make rows of which 8% belong to class 1, a quarter of the rows of the region where they are."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1500, 3)).round()  # few distinct values, so that noise cannot be learned
    inside = values[:, 0] > 0.5
    labels = (inside & (rng.random(1500) < 0.25)).astype(np.int64)
    return make(values, labels, input_bits=5)


def fitted(kind: str, objective: object) -> Classifier:
    return api.fit(rare(), kind, objective=objective, **OPTIONS[kind])  # type: ignore[arg-type]


def recall(found: Classifier) -> float:
    rows = rare().split.test
    labels = rare().table.labels[rows]
    return float((found.predictions[rows][labels == 1] == 1).mean())


def test_every_method_says_how_it_follows() -> None:
    assert set(FOLLOWING) == set(OPTIONS)
    assert methods()["rule_list"].objective == "choice"


@pytest.mark.parametrize("kind", FOLLOWING)
def test_a_method_finds_the_rare_class_if_every_class_counts(kind: str) -> None:
    plain, balanced = fitted(kind, "accuracy"), fitted(kind, "balanced_accuracy")
    assert recall(plain) < 0.5
    score = rare().with_objective("balanced_accuracy").score
    assert score("test", balanced.predictions) > score("test", plain.predictions) + 0.1
    assert recall(balanced) > 0.7


@pytest.mark.parametrize("kind", ["dwn", "decision_tree", "tiny_classifier", "linear", "gbdt"])
def test_costs_and_f1_are_followed_too(kind: str) -> None:
    for objective in (COSTS, "f1"):
        goal = rare().with_objective(objective)
        plain, found = fitted(kind, "accuracy"), fitted(kind, objective)
        assert goal.score("test", found.predictions) > goal.score("test", plain.predictions) + 0.05


def test_the_default_fitness_of_tiny_classifiers_follows_f1_and_costs() -> None:
    options = {**OPTIONS["tiny_classifier"], "fitness": None}
    for objective, fitness in (
        ("accuracy", "balanced_accuracy"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("f1", "objective"),
        (COSTS, "objective"),
    ):
        found = api.fit(rare(), "tiny_classifier", objective=objective, **options)  # type: ignore[arg-type]
        assert f"{fitness}_val" in found.details


def test_a_table_over_a_sum_takes_the_class_that_costs_least() -> None:
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (1200, 5)).astype(float)
    labels = ((bits.sum(axis=1) >= 3) & (rng.random(1200) < 0.3)).astype(np.int64)
    data = make(bits, labels, input_bits=1)
    plain, balanced = (api.fit(data, "sum_table", objective=o) for o in ("accuracy", "balanced_accuracy"))
    assert not plain.predictions.any()
    assert (balanced.predictions == (bits.sum(axis=1) >= 3)).all()


def test_a_note_names_the_methods_that_do_not_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**methods()}
    known["wisard"] = replace(known["wisard"], objective="choice")
    known["forest"] = replace(known["forest"], objective="none")
    monkeypatch.setattr("dwn_asic.report.table.methods", lambda: known)
    rows = [software(), *(circuit(kind, kind, 0.8, 1.0, 1.0) for kind in ("wisard", "forest"))]
    assert [*following_notes(rows)] == []
    balanced = [row.model_copy(update={"metric": "balanced_accuracy"}) for row in rows]
    assert [*following_notes(balanced)] == [
        (
            "Of these methods, WiSARD is chosen by its balanced accuracy on validation rows, but not fitted "
            "for it."
        ),
        "Of these methods, random forest is neither fitted for nor chosen by its balanced accuracy.",
    ]
