"""Choice of a circuit on a front."""

from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Threshold
from dwn_asic.optimize.lossy.anneal.search import Found
from dwn_asic.optimize.lossy.front import choose, front, is_worse, within

INTERFACE = Interface(("a",), (6,), ("no", "yes"))
CODES = np.arange(64)[:, None]
LABELS = (CODES[:, 0] >= 32).astype(np.int64)


def stump(constant: int) -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    return builder.finish([builder.add(Threshold(0, constant) if constant else Constant(value=False))])


def points() -> tuple[Found, ...]:
    # Thresholds nearer and nearer to the right one: 0, 16, 8, 2, 0 rows wrong of 64.
    circuits = ((0, 32), (16, 16), (24, 8), (30, 2), (32, 0))
    return tuple(
        Found(stump(c), 2.0 * i, errors, 1.0 - errors / 64) for i, (c, errors) in enumerate(circuits)
    )


def test_a_front_holds_accuracy_on_the_rows_held_out() -> None:
    found = front(points(), CODES, LABELS)
    assert [point.val for point in found] == [0.5, 0.75, 0.875, 62 / 64, 1.0]
    assert [point.train for point in found] == [point.val for point in found]
    assert [point.expected for point in found] == pytest.approx([point.val for point in found])


def test_luck_on_the_rows_held_out_does_not_count() -> None:
    # The third circuit is right on all held-out rows only because they stop where it would fail.
    lucky = CODES[(CODES[:, 0] < 24) | (CODES[:, 0] >= 32)]
    found = front(points(), lucky, (lucky[:, 0] >= 32).astype(np.int64))
    assert found[2].val == 1.0
    assert found[2].expected < 1.0
    assert within(found, 0.99)[0].area > found[2].area


@pytest.mark.parametrize(("tolerance", "area"), [(0.0, 6.0), (2.9, 6.0), (3.0, 4.0), (7.0, 2.0), (15.0, 0.0)])
def test_the_smallest_within_a_share_of_many_errors_is_chosen(tolerance: float, area: float) -> None:
    # Of 6,400 rows, the circuits get 3,200, 1,600, 800 and 200 wrong.
    assert choose(front(points()[:-1], CODES, LABELS), tolerance, 6400).area == area


@pytest.mark.parametrize(
    ("tolerance", "area"), [(0.0, 6.0), (0.42, 6.0), (0.43, 4.0), (1.0, 2.0), (2.2, 0.0)]
)
def test_few_errors_may_grow_by_a_share_of_their_standard_error(tolerance: float, area: float) -> None:
    # Of 64 rows, the circuits get 32, 16, 8 and 2 wrong. Ten standard errors of 2 are 14.1.
    assert choose(front(points()[:-1], CODES, LABELS), tolerance, 64).area == area


def test_no_error_is_added_to_a_circuit_without_errors() -> None:
    assert choose(front(points(), CODES, LABELS), 0.5, 64).area == 8.0


def test_one_more_error_is_no_significant_difference_and_many_are() -> None:
    # The circuits get 32, 16, 8, 2 and 0 of 64 rows wrong, each all those of the next.
    half, quarter, eighth, few, none = front(points(), CODES, LABELS)
    assert is_worse(half, none, CODES, LABELS)
    assert is_worse(eighth, few, CODES, LABELS)
    assert not is_worse(few, none, CODES, LABELS)
    assert not is_worse(none, few, CODES, LABELS)
    assert not is_worse(quarter, quarter, CODES, LABELS)
    # All weight on the row that both get right.
    weights = (CODES[:, 0] == 63).astype(np.float64)
    assert not is_worse(half, none, CODES, LABELS, weights)
