"""Reachable patterns: samples and clauses allow exactly the patterns that codes produce."""

from __future__ import annotations

import numpy as np
from strategies import patterns

from dwn_asic.boolean.graph import CodeBit, Input, Interface, Threshold
from dwn_asic.optimize.exact.reachable import ReachableInputs

INTERFACE = Interface(("x", "y"), (4, 3), ("no", "yes"))
INPUTS: tuple[Input, ...] = (
    Threshold(0, 9),
    Threshold(1, 2),
    Threshold(0, 3),
    CodeBit(1, 1),
    Threshold(0, 12),
)


def real(inputs: tuple[Input, ...]) -> set[tuple[bool, ...]]:
    codes = [(x, y) for x in range(16) for y in range(8)]
    return {
        tuple(
            codes_[n.feature] >= n.constant
            if isinstance(n, Threshold)
            else bool(codes_[n.feature] >> n.bit & 1)
            for n in inputs
        )
        for codes_ in codes
    }


def rows(values: np.ndarray) -> set[tuple[bool, ...]]:
    return {tuple(map(bool, row)) for row in values}


def test_samples_are_all_reachable_patterns() -> None:
    found = ReachableInputs(INPUTS, INTERFACE).sample(2048, np.random.default_rng(0))
    assert rows(found) == real(INPUTS)


def test_neighbours_are_reachable_and_start_with_the_row() -> None:
    rng = np.random.default_rng(0)
    reachable = ReachableInputs(INPUTS, INTERFACE)
    row = reachable.sample(1, rng)[0]
    found = reachable.neighbours(row, 256, rng)
    np.testing.assert_array_equal(found[0], row)
    assert rows(found) <= real(INPUTS)
    assert len(rows(found)) > 3


def test_clauses_allow_exactly_the_order_of_thresholds() -> None:
    thresholds = tuple(node for node in INPUTS if isinstance(node, Threshold))
    clauses = ReachableInputs(thresholds, INTERFACE).clauses
    allowed = {
        tuple(map(bool, row))
        for row in patterns(len(thresholds))
        if all(any(row[abs(v) - 1] == (v > 0) for v in clause) for clause in clauses)
    }
    assert allowed == real(thresholds)


def test_clauses_never_exclude_a_reachable_pattern() -> None:
    clauses = ReachableInputs(INPUTS, INTERFACE).clauses
    for row in real(INPUTS):
        assert all(any(row[abs(v) - 1] == (v > 0) for v in clause) for clause in clauses)
