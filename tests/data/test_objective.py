"""Objectives: scores against scikit-learn, costs whose sum follows the score, and configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from dwn_asic.data.config import ObjectiveConfig
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.objective import Costs, Objective
from dwn_asic.errors import ConfigError
from dwn_asic.yaml_file import validate

MATRIX = ((0.0, 1.0, 4.0), (0.5, 0.0, 2.0), (3.0, 0.0, 0.0))
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60)
TWO = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60)


def split(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, predictions = np.array(rows, np.int64).T
    return labels, predictions


def dataset(labels: list[int] | np.ndarray) -> Dataset:
    """Return a data set of training rows, whose classes are named ``c0``, ``c1``, ..."""
    names = [f"c{label}" for label in labels]
    parts = ["train"] * len(names) + ["val", "test"] * len(set(names))
    names += [name for name in sorted(set(names)) for _ in range(2)]
    return Dataset.from_arrays(np.arange(float(len(names)))[:, None], names, parts=parts)


@given(ROWS)
def test_scores_are_scikit_learns(rows: list[tuple[int, int]]) -> None:
    labels, predictions = split(rows)
    assert Objective().score(labels, predictions) == pytest.approx(
        metrics.accuracy_score(labels, predictions)
    )
    recalls = [np.mean(predictions[labels == c] == c) for c in np.unique(labels)]
    assert Objective("balanced_accuracy").score(labels, predictions) == pytest.approx(np.mean(recalls))
    macro = metrics.f1_score(labels, predictions, labels=np.unique(labels), average="macro", zero_division=0)
    assert Objective("f1").score(labels, predictions) == pytest.approx(macro)


@given(TWO, st.integers(0, 1))
def test_f1_is_that_of_the_positive_class(rows: list[tuple[int, int]], positive: int) -> None:
    labels, predictions = split(rows)
    wanted = metrics.f1_score(labels, predictions, pos_label=positive, zero_division=0)
    assert Objective("f1", positive).score(labels, predictions) == pytest.approx(wanted)


@given(ROWS)
def test_the_cost_score_adds_up_the_costs_of_rows(rows: list[tuple[int, int]]) -> None:
    labels, predictions = split(rows)
    # An index without a class costs as much as the worst class.
    cost = sum(max(MATRIX[t]) if p == 3 else MATRIX[t][p] for t, p in rows)
    worst = sum(max(MATRIX[t]) for t, _ in rows)
    assert Objective("cost", costs=MATRIX).score(labels, predictions) == pytest.approx(1.0 - cost / worst)


def test_no_rows_have_no_score() -> None:
    none = np.empty(0, np.int64)
    for objective in (Objective(), Objective("f1"), Objective("cost", costs=MATRIX)):
        assert np.isnan(objective.score(none, none))


@pytest.mark.parametrize(
    "objective", [Objective(), Objective("balanced_accuracy"), Objective("cost", costs=MATRIX)]
)
@given(ROWS)
def test_integer_costs_follow_the_score(objective: Objective, rows: list[tuple[int, int]]) -> None:
    labels, predictions = split(rows)
    costs = objective.total_costs(labels, 3)
    assert costs.matrix.min() == 0
    one_by_one = sum(int(costs.matrix[t, p]) for t, p in rows)
    assert costs.total(labels, predictions) == one_by_one
    assert 1.0 - one_by_one / costs.scale == pytest.approx(objective.score(labels, predictions))


def test_weights_of_balanced_accuracy_are_exact_and_small() -> None:
    weights = Objective("balanced_accuracy").total_costs(np.repeat([0, 1, 2], [60, 15, 10]), 3).by_label
    assert weights is not None
    assert weights.tolist() == [1, 4, 6]
    even = Objective("balanced_accuracy").total_costs(np.repeat([0, 1, 2], 7), 3)
    assert even.are_errors
    # The least common multiple of these numbers of rows is too large: the weights are rounded.
    counts = [99_991, 99_989, 99_971, 89, 0]
    labels = np.repeat(np.arange(5), counts)
    rounded = Objective("balanced_accuracy").total_costs(labels, 5).by_label
    assert rounded is not None
    assert rounded.max() <= 1 << 30
    shares = rounded[:4] * np.array(counts[:4])
    assert shares == pytest.approx(np.full(4, shares.mean()), rel=1e-5)
    assert rounded[4] == 0


@given(TWO)
def test_the_linearization_of_f1_leads_to_better_f1(rows: list[tuple[int, int]]) -> None:
    """Dinkelbach: predictions that cost less than those it is linearized around have a higher F1."""
    labels, predictions = split(rows)
    if not labels.any():
        return
    objective = Objective("f1", 1)
    costs = objective.total_costs(labels, 2, predictions)
    before = max(objective.score(labels, predictions), objective.score(labels, np.ones_like(labels)))
    for other in (labels, 1 - labels, np.ones_like(labels), np.zeros_like(labels), predictions):
        gain = costs.total(labels, predictions) - costs.total(labels, other)
        if before == objective.score(labels, predictions) and gain > len(labels):  # more than by rounding
            assert objective.score(labels, other) > before


@pytest.mark.parametrize("seed", range(4))
def test_one_more_error_costs_macro_f1_what_it_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, 2000, p=[0.8, 0.15, 0.05])
    predictions = np.where(rng.random(2000) < 0.8, labels, rng.integers(0, 3, 2000))
    objective = Objective("f1")
    costs = objective.total_costs(labels, 3, predictions)
    weights = costs.by_label
    assert weights is not None
    for label in range(3):
        row, losses = np.flatnonzero((labels == label) & (predictions == label))[0], []
        for other in {0, 1, 2} - {label}:
            changed = predictions.copy()
            changed[row] = other
            losses.append(objective.score(labels, predictions) - objective.score(labels, changed))
        assert weights[label] / costs.scale == pytest.approx(np.mean(losses), rel=0.05)


def test_loss_weights_are_one_on_average() -> None:
    labels = np.repeat([0, 1, 2], [60, 15, 10])
    assert Objective().loss_weights(labels, 3) is None
    for objective in (Objective("balanced_accuracy"), Objective("f1"), Objective("cost", costs=MATRIX)):
        weights = objective.loss_weights(labels, 3)
        assert weights is not None
        assert weights.mean() == pytest.approx(1.0)
    weights = Objective("balanced_accuracy").loss_weights(labels, 3)
    assert weights is not None
    assert [weights[labels == c].sum() for c in range(3)] == pytest.approx([85 / 3] * 3)


def test_gains_and_levels_of_costs() -> None:
    costs = Objective("cost", costs=MATRIX).total_costs(np.array([0, 1, 2]), 3)
    assert costs.by_label is None
    assert costs.worst.tolist() == [8, 4, 6]
    assert costs.gains.tolist() == [[8, 6, 0], [3, 4, 0], [0, 6, 6]]
    assert Costs.errors(5, 3).are_errors


# ---- configurations ----------------------------------------------------------------------------------------
def test_the_rarer_of_two_training_classes_is_positive() -> None:
    rows = dataset([0] * 5 + [1] * 9)
    assert rows.with_objective("f1").objective == Objective("f1", 0)
    assert dataset([0] * 9 + [1] * 5).with_objective("f1").objective == Objective("f1", 1)
    assert dataset([0] * 5 + [1] * 5).with_objective("f1").objective == Objective("f1", 1)
    assert dataset([0] * 5 + [1] * 5 + [2] * 5).with_objective("f1").objective == Objective("f1")


@pytest.mark.parametrize("weights", [{"c1": 5, "c0": 1.5}, [1.5, 5]])
def test_class_weights_are_costs_of_the_true_class(weights: Any) -> None:
    rows = dataset([0] * 5 + [1] * 5).with_objective({"metric": "cost", "class_weights": weights})
    assert rows.objective.costs == ((0.0, 1.5), (5.0, 0.0))


@pytest.mark.parametrize(
    "objective",
    ["balanced_accuracy", "f1", "accuracy", {"metric": "cost", "costs": [[0, 1], [7.25, 0]]}],
)
def test_a_file_keeps_the_objective(objective: Any, tmp_path: Path) -> None:
    rows = dataset([0] * 9 + [1] * 5).with_objective(objective)
    rows.save(tmp_path / "rows.npz")
    assert Dataset.load(tmp_path / "rows.npz").objective == rows.objective
    if objective == "accuracy":
        dataset([0] * 9 + [1] * 5).save(tmp_path / "plain.npz")
        assert (tmp_path / "plain.npz").read_bytes() == (tmp_path / "rows.npz").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"metric": "auc"}, r"objective: metric: is 'auc' \(allowed: 'accuracy', 'balanced_accuracy', 'f1'"),
        ({"costs": [[0, 1], [1, 0]]}, "objective: costs: .* only with metric: cost"),
        ({"metric": "f1", "class_weights": [1, 2]}, "class_weights: .* only with metric: cost"),
        ({"metric": "cost"}, "objective: is .*costs or class_weights"),
        ({"metric": "cost", "costs": [[0, 1]]}, "objective: costs: .*must be square"),
        ({"metric": "cost", "costs": [[0, 1], 3]}, "objective: costs: .*a row for each class"),
        ({"metric": "cost", "costs": [[0, -1], [1, 0]]}, "objective: costs: .*at least 0"),
        ({"metric": "cost", "costs": [[0, "x"], [1, 0]]}, "objective: costs: .*at least 0"),
        ({"metric": "cost", "costs": [[0, 0], [0, 0]]}, "objective: costs: .*above 0"),
        ({"metric": "cost", "costs": [[1, 1], [1, 0]]}, "objective: costs: .*0 on the diagonal"),
        ({"metric": "cost", "class_weights": 3}, "objective: class_weights: is 3 .*mapping"),
        ({"metric": "cost", "class_weights": [0, 0]}, "objective: class_weights: .*above 0"),
        (
            {"metric": "cost", "costs": [[0, 1], [1, 0]], "class_weights": [1, 2]},
            "class_weights: .*only without costs",
        ),
        ({"metric": "cost", "weights": [1, 2]}, "objective: weights: unknown key"),
    ],
)
def test_a_wrong_objective_is_one_line_that_names_the_key(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        validate(ObjectiveConfig, content, "objective")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"costs": [[0, 1, 1], [1, 0, 1], [1, 1, 0]]}, "objective.costs: has 3 rows for 2 classes .*c0, c1"),
        ({"class_weights": [1, 2, 3]}, "objective.class_weights: has 3 weights for 2 classes"),
        ({"class_weights": {"c0": 1, "c2": 3}}, "objective.class_weights.c2: is no class .*c0, c1"),
        ({"class_weights": {"c0": 1}}, "objective.class_weights.c1: missing"),
    ],
)
def test_costs_for_other_classes_are_an_error(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataset([0] * 5 + [1] * 5).with_objective({"metric": "cost", **content})


def test_names_that_yaml_reads_as_numbers_or_booleans() -> None:
    config = validate(
        ObjectiveConfig, {"metric": "cost", "class_weights": {0: 1, True: 2, "x": 3}}, "objective"
    )
    assert config.class_weights == {"0": 1.0, "true": 2.0, "x": 3.0}
    assert ObjectiveConfig.model_validate(config.model_dump(mode="json")) == config
