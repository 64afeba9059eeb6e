from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from made_datasets import datasets, make
from numpy.typing import NDArray

from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Plan
from dwn_asic.methods.sum_table import SumTable
from dwn_asic.methods.sum_table.search import Term, WeightedSum, _filled, sums

Bits = NDArray[np.int64]


def table(function: Callable[[Bits], Bits], n_features: int, rows: int = 3000) -> Dataset:
    """Return random bits, labelled by a function of them."""
    bits = np.random.default_rng(0).integers(2, size=(rows, n_features))
    return make(bits.astype(np.float64), function(bits).astype(np.int64))


def number(bits: Bits) -> Bits:
    """Return the numbers that rows of bits form, the first bit the least significant."""
    values: Bits = bits @ (1 << np.arange(bits.shape[1]))
    return values


RECOGNIZED: dict[str, tuple[Callable[[Bits], Bits], int]] = {
    "majority": (lambda b: b.sum(axis=1) > 8, 17),
    "parity": (lambda b: b.sum(axis=1) & 1, 10),
    "remainder of the number of set bits": (lambda b: b.sum(axis=1) % 3, 12),
    "bit of a sum": (lambda b: (number(b[:, :6]) + number(b[:, 6:])) >> 5 & 1, 12),
    "bit of a sum, first bit most significant": (
        lambda b: (number(b[:, 5::-1]) + number(b[:, 11:5:-1])) >> 6 & 1,
        12,
    ),
    "comparison": (lambda b: number(b[:, :5]) > number(b[:, 5:]), 10),
    "comparison of alternate bits": (lambda b: number(b[:, ::2]) <= number(b[:, 1::2]), 10),
    "two bits of one word": (lambda b: (number(b[:, 3:9]) >> 4) & 3, 16),
}


@pytest.mark.parametrize("name", RECOGNIZED)
def test_functions_of_a_sum_are_recognized(name: str) -> None:
    dataset = table(*RECOGNIZED[name])
    found = Plan("x", "x", "x", SumTable(8)).fit(dataset, 0)
    assert min(found.accuracy(dataset).values()) == 1.0, found.details


def test_the_top_bits_of_long_words_nearly_decide_a_sum() -> None:
    # The carry from the bits below changes a sum of six bits in about one row of 64.
    dataset = table(lambda b: (number(b[:, :20]) + number(b[:, 20:])) >> 19 & 1, 40)
    found = Plan("x", "x", "x", SumTable(6)).fit(dataset, 0)
    assert found.accuracy(dataset)["test"] > 0.96
    assert found.graph is not None
    assert len(found.graph.inputs) == 12
    assert found.details["sum"] == "sum of halves, bits 14 to 19 up"


def test_few_bits_suffice_for_a_function_of_few_bits() -> None:
    dataset = table(lambda b: b[:, 3], 9)
    found = Plan("x", "x", "x", SumTable(8)).fit(dataset, 0)
    assert found.details == {"sum": "word, bits 3 to 3 up", "values": 2}


@settings(max_examples=25, deadline=None)
@given(dataset=datasets())
def test_the_graph_is_the_model_on_any_table(dataset: Dataset) -> None:
    Plan("x", "x", "x", SumTable(3)).fit(dataset, 0)  # compares all rows and raises


def test_features_of_several_bits_are_left_out() -> None:
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.normal(size=500), rng.integers(2, size=(500, 4))])
    dataset = make(values, values[:, 1:].sum(axis=1).astype(np.int64) & 1)
    found = Plan("x", "x", "x", SumTable(4)).fit(dataset, 0)
    assert found.graph is not None
    assert {node.feature for _, node in found.graph.inputs} == {1, 2, 3, 4}
    assert found.accuracy(dataset)["test"] == 1.0


def test_without_binary_features_the_most_frequent_class_is_left() -> None:
    values = np.random.default_rng(2).normal(size=(100, 3))
    dataset = make(values, (np.arange(100) % 3 > 0).astype(np.int64))
    found = Plan("x", "x", "x", SumTable(4)).fit(dataset, 0)
    assert set(found.predictions) == {1}


def test_sums_add_up_their_terms() -> None:
    bits = np.random.default_rng(3).integers(2, size=(50, 7))
    every = list(sums(range(7), 3))
    assert len({each.terms for each in every}) == len(every)
    for each in every:
        wanted = sum((bits[:, t.feature] ^ t.inverted) << t.place for t in each.terms)
        np.testing.assert_array_equal(each.evaluate(bits.T.astype(np.int16)), wanted)
        assert np.max(wanted) < each.n_values


def test_the_largest_value_counts_in_the_size() -> None:
    terms = (Term(0, inverted=True, place=2), Term(1, inverted=False, place=0))
    assert WeightedSum("", terms).n_values == 6


def test_unseen_values_follow_the_nearest_seen_one() -> None:
    counts = np.zeros((9, 3), np.int64)
    counts[2, 1], counts[6, 2], counts[7, 0] = 5, 3, 1
    assert _filled(counts, np.eye(3, dtype=np.int64)).tolist() == [1, 1, 1, 1, 1, 2, 2, 0, 0]
