"""The confusion matrix and its scores against scikit-learn, the interval against its own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from dwn_asic.data.confusion import balanced_accuracy, class_scores, confusion_matrix, wilson_interval

N_CLASSES = 4
ROWS = st.lists(st.tuples(st.integers(0, N_CLASSES - 1), st.integers(0, N_CLASSES)), min_size=1, max_size=40)


@given(ROWS)
def test_matrix_and_scores_are_scikit_learns(rows: list[tuple[int, int]]) -> None:
    labels, predictions = (np.array(column) for column in zip(*rows, strict=True))
    matrix = confusion_matrix(labels, predictions, N_CLASSES)
    wanted = metrics.confusion_matrix(labels, predictions, labels=range(N_CLASSES + 1))
    assert (matrix == wanted[:N_CLASSES]).all()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predictions, labels=range(N_CLASSES), zero_division=np.nan
    )
    found = class_scores(matrix)
    assert [scores.rows for scores in found] == support.tolist()
    np.testing.assert_allclose([scores.precision for scores in found], precision)
    np.testing.assert_allclose([scores.recall for scores in found], recall)
    np.testing.assert_allclose([scores.f1 for scores in found], f1)
    np.testing.assert_allclose(balanced_accuracy(matrix), np.mean(recall[support > 0]))


def test_an_index_that_no_class_has_counts_as_one() -> None:
    assert confusion_matrix(np.array([2, 2]), np.array([3, 7]), 3)[2].tolist() == [0, 0, 0, 2]


def test_without_rows_nothing_is_known() -> None:
    none = np.empty(0, np.int64)
    assert math.isnan(balanced_accuracy(confusion_matrix(none, none, 2)))


@given(st.integers(1, 10_000), st.floats(0.0, 1.0), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_ends_of_the_interval_are_as_far_from_the_share_as_the_normal_law_says(
    rows: int, share: float, confidence: float
) -> None:
    hits = round(rows * share)
    z = {0.5: 0.6744897501960817, 0.9: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004}
    low, high = wilson_interval(hits, rows, confidence)
    assert 0.0 <= low <= hits / rows <= high <= 1.0
    for end in (low, high):
        if 0.0 < hits / rows < 1.0 or end != hits / rows:
            distance = abs(hits / rows - end)
            assert distance == pytest.approx(z[confidence] * math.sqrt(end * (1 - end) / rows), abs=1e-9)


def test_the_published_example() -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion (1998), table I: 81 of 263."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
