"""Scores of a classifier on each part of a data set."""

from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.data.dataset import Dataset
from dwn_asic.data.scores import METRICS, scores
from dwn_asic.data.table import Split
from dwn_asic.metrics import TEST, TRAIN, VAL

LABELS = np.array([0, 1, 0, 1, 1, 0, 1, 0])


def dataset(train: list[int], val: list[int], test: list[int]) -> Dataset:
    split = Split(*(np.array(rows, np.int64) for rows in (train, val, test)))
    return Dataset.from_arrays(np.arange(8.0)[:, None], LABELS, split=split)


def test_each_part_by_its_own_rows() -> None:
    predictions = LABELS.copy()
    predictions[[0, 4, 7]] ^= 1  # one of four, one of two, one of two
    found = scores(dataset([0, 1, 2, 3], [4, 5], [6, 7]), predictions)
    assert {name: found[name] for name in (TRAIN, VAL, TEST)} == {TRAIN: 0.75, VAL: 0.5, TEST: 0.5}
    assert [metric.name for metric in METRICS][: len(found)] == list(found)
    assert all(metric.higher_is_better and metric.unit == "" for metric in METRICS)


def test_a_part_without_rows_has_no_score() -> None:
    found = scores(dataset([*range(8)], [], []), LABELS)
    assert found == {"accuracy__train": 1.0, "balanced_accuracy__train": 1.0, "macro_f1__train": 1.0}


@pytest.mark.parametrize(
    "objective", ["balanced_accuracy", "f1", {"metric": "cost", "class_weights": {"0": 1, "1": 3}}]
)
def test_the_score_of_the_objective_is_there(objective: str | dict[str, object]) -> None:
    rows = dataset([*range(8)], [], []).with_objective(objective)
    predictions = LABELS.copy()
    predictions[[0, 1, 2]] ^= 1
    found = scores(rows, predictions)
    assert found[f"{rows.objective.key}__train"] == pytest.approx(rows.score("train", predictions))
    assert found[TRAIN] == 0.625


@pytest.mark.parametrize("wrong", [0, 3, 8])
def test_shares_are_of_the_rows(wrong: int) -> None:
    predictions = LABELS.copy()
    predictions[:wrong] ^= 1
    assert scores(dataset([*range(8)], [], []), predictions)[TRAIN] == 1.0 - wrong / 8
