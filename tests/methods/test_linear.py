from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from made_datasets import blobs, datasets, make
from sklearn.linear_model import LogisticRegression

from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Plan
from dwn_asic.methods.linear import Linear


@settings(max_examples=25, deadline=None)
@given(dataset=datasets())
def test_the_graph_is_the_model_on_any_table(dataset: Dataset) -> None:
    for fitter in (Linear(2, 3), Linear(4, 5)):
        Plan("x", "x", "x", fitter).fit(dataset, 0)  # compares all rows and raises


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_as_accurate_as_logistic_regression_on_real_values(n_classes: int) -> None:
    dataset = blobs(n_classes)
    found = Plan("x", "x", "x", Linear(4, 5)).fit(dataset, 0)
    rows, table = dataset.split.train, dataset.table
    real = LogisticRegression(max_iter=2000).fit(table.values[rows], table.labels[rows])
    test = dataset.split.test
    assert found.accuracy(dataset)["test"] > real.score(table.values[test], table.labels[test]) - 0.08


@pytest.mark.parametrize("n_classes", [2, 3])
def test_roundings_of_many_weights_do_not_move_the_decision(n_classes: int) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(n_classes, size=1500)
    values = labels[:, None] * np.linspace(0.2, 0.3, 60) + rng.normal(size=(1500, 60)) + 3.0
    dataset = make(values, labels, input_bits=8)
    coarse, fine = (Plan("x", "x", "x", Linear(4, bits)).fit(dataset, 0) for bits in (3, 9))
    assert coarse.accuracy(dataset)["train"] > fine.accuracy(dataset)["train"] - 0.04


def test_more_weight_bits_follow_the_real_weights_closer() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((2000, 3))
    labels = (values @ [1.0, 0.45, -0.3] > 0.55).astype(np.int64)
    dataset = make(values, labels, input_bits=8)
    coarse, fine = (Plan("x", "x", "x", Linear(6, bits)).fit(dataset, 0) for bits in (2, 7))
    assert fine.accuracy(dataset)["test"] > 0.96
    assert fine.accuracy(dataset)["test"] > coarse.accuracy(dataset)["test"] + 0.02
