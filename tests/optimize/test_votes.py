"""Networks of votes: each vote is the best function of few thresholds, for the loss and the area."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from dwn_asic import api
from dwn_asic.boolean.convert import to_graph
from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import DataError
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.anneal.search import areas
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.function_area import function_area
from dwn_asic.optimize.lossy.shrink import shrink
from dwn_asic.optimize.lossy.votes import _NEVER, _losses_of_a_vote, _Rows, learn_votes
from dwn_asic.targets.asic.cost import PRICES


@pytest.fixture(scope="module")
def iris() -> Dataset:
    return api.read_data("sklearn:iris", input_bits=4)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return api.read_data("sklearn:digits", input_bits=2)


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def test_the_loss_of_a_vote_is_the_difference_of_two_cross_entropies() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 9, (200, 4)), rng.integers(0, 4, 200)
    weights, found = rng.random(200), np.empty(200)
    for own in range(4):
        _losses_of_a_vote(scores, labels, weights, own, found)
        more = scores + (np.arange(4) == own)
        expected = weights * (cross_entropy(more, labels) - cross_entropy(scores, labels))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_a_function_is_at_least_as_good_as_all_of_two_thresholds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bits = (rng.random((60, 6)) < 0.5).astype(np.float32)
    rows = _Rows(
        bits,
        rng.integers(-40, 41, 60).astype(np.float32),
        0.05,
        rng.random(6) * 2.0,
        PRICES,
    )

    def value(inputs: tuple[int, ...], table: int) -> float:
        address = sum(bits[:, place].astype(int) << k for k, place in enumerate(inputs))
        loss = rows.weights[(table >> address & 1).astype(bool)].sum()
        area = function_area(table, len(inputs), PRICES) + rows.comparators[list(inputs)].sum()
        return float(rows.vote + area + rows.price * loss)

    best = min(value(pair, table) for pair in combinations(range(6), 2) for table in range(1, 15))
    found = rows.best(_NEVER)
    loss = float(rows.weights[found.values(bits)].sum())
    added = found.area + float(rows.comparators[list(found.inputs)].sum()) + rows.vote
    assert (added if found.inputs else 0.0) + rows.price * loss <= min(best, 0.0) + 1e-9
    assert rows.best(found) == found or len(found.inputs) >= 2


def test_a_function_before_is_kept_unless_a_better_one_is_found() -> None:
    rng = np.random.default_rng(1)
    bits = (rng.random((200, 40)) < 0.5).astype(np.float32)
    rows = _Rows(bits, rng.integers(-9, 10, 200).astype(np.float32), 1.0, np.ones(40), PRICES)
    found = rows.best(_NEVER)
    for _ in range(3):
        again = rows.best(found)

        def value(function: object) -> float:
            return rows._added(function) + rows.price * float(rows.weights[function.values(bits)].sum())  # type: ignore[attr-defined,arg-type]

        assert value(again) <= value(found) + 1e-6
        found = again


def test_votes_classify_and_cost_more_at_a_higher_price(iris: Dataset) -> None:
    cheap, dear = map(to_graph, learn_votes(iris, ((4, 1.0), (4, 200.0)), PRICES))
    assert areas([cheap], PRICES)[0] < areas([dear], PRICES)[0]
    assert iris.score("train", cheap.predict(iris.codes)) <= iris.score("train", dear.predict(iris.codes))
    assert iris.score("test", dear.predict(iris.codes)) > 0.85


def test_the_order_of_rows_does_not_matter(iris: Dataset) -> None:
    order = np.random.default_rng(3).permutation(iris.split.train)
    shuffled = replace(iris, split=replace(iris.split, train=order))
    one, other = (learn_votes(dataset, [(3, 50.0)], PRICES)[0] for dataset in (iris, shuffled))
    assert (one.layers[0].mapping == other.layers[0].mapping).all()
    assert (one.layers[0].tables == other.layers[0].tables).all()


def test_the_objective_weighs_rows(digits: Dataset) -> None:
    dear = digits.with_objective({"metric": "cost", "class_weights": [1] * 8 + [30, 1]})

    def recall(dataset: Dataset) -> float:
        found = to_graph(learn_votes(dataset, [(2, 10.0)], PRICES)[0]).predict(dataset.codes)
        return float(np.mean(found[dataset.table.labels == 8] == 8))

    assert recall(dear) > recall(digits) + 0.03


@pytest.mark.parametrize("n_features", [1, 2])
def test_one_or_two_thresholds_are_enough(iris: Dataset, n_features: int) -> None:
    values = (iris.table.values[:, 2 : 2 + n_features] > [2.45, 1.75][:n_features]).astype(float)
    table = replace(iris.table, values=values, feature_names=iris.table.feature_names[:n_features])
    quantizer = Quantizer(np.zeros(n_features), np.ones(n_features), np.ones(n_features, np.int64))
    binary = replace(iris, table=table, quantizer=quantizer)
    found = to_graph(learn_votes(binary, [(2, 100.0)], PRICES)[0])
    right = found.predict(values.astype(np.int64)) == table.labels
    assert np.mean(right) > (0.6, 0.9)[n_features - 1]


def test_features_that_do_not_vary_are_an_error(iris: Dataset) -> None:
    constant = replace(iris, table=replace(iris.table, values=np.zeros_like(iris.table.values)))
    with pytest.raises(DataError, match="no feature varies in the training rows"):
        learn_votes(constant, [(2, 10.0)], PRICES)


def starts_of_front(dataset: Dataset, votes: tuple[tuple[int, float], ...]) -> set[str]:
    tree = api.fit(dataset, "decision_tree", leaves=4).graph
    assert tree is not None
    front = shrink(
        [tree],
        dataset,
        api.target().cost,
        ShrinkConfig(
            prices=(4.0,), temperatures=(0.5,), proposals=500, judges=("labels",), votes=votes, jobs=1
        ),
        0,
        limits=MinimizeConfig(),
        names=["tree"],
    )
    return {circuit.start for circuit in front.circuits}


def test_votes_join_the_front_of_many_classes(digits: Dataset) -> None:
    assert "votes" in starts_of_front(digits, ((2, 20.0), (4, 100.0)))
    assert "votes" not in starts_of_front(digits, ())


def test_two_classes_have_no_votes() -> None:
    dataset = api.read_data("sklearn:breast_cancer", input_bits=4)
    assert "votes" not in starts_of_front(dataset, ((4, 200.0),))
