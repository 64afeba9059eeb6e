"""The front of all trials, the choice from it, and the report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.errors import ConfigError
from dwn_asic.optimize.lossy import front as shrinking
from dwn_asic.search.pareto import Candidate, choose, pareto, smallest_reaching, spread, within_area
from dwn_asic.search.pruning import pilot_epochs, threshold
from dwn_asic.search.report import Proved, front_csv, front_figure, front_markdown
from dwn_asic.targets.registry import target_kind

AREAS = st.integers(0, 40).map(float)
SCORES = st.integers(0, 20).map(lambda n: n / 20)
CANDIDATES = st.lists(st.tuples(AREAS, SCORES, SCORES), min_size=1, max_size=30).map(
    lambda rows: [Candidate(n % 3, n, *row) for n, row in enumerate(rows)]
)


@given(CANDIDATES)
def test_the_front_holds_exactly_what_nothing_else_covers(found: list[Candidate]) -> None:
    front = pareto(found)
    areas, scores = [each.area for each in front], [each.score for each in front]
    assert areas == sorted(set(areas))
    assert scores == sorted(set(scores))
    for each in found:
        assert any(other.area <= each.area and other.score >= each.score for other in front)


def test_a_further_objective_keeps_what_is_better_in_it() -> None:
    small = Candidate(0, 0, 10.0, 0.9, 0.9, chosen=True, further={"timing__delay": 2.0})
    fast = Candidate(1, 0, 20.0, 0.9, 0.9, chosen=True, further={"timing__delay": 1.0})
    slow = Candidate(2, 0, 30.0, 0.9, 0.9, chosen=True, further={"timing__delay": 3.0})
    assert pareto([slow, fast, small]) == (small, fast)


@given(CANDIDATES, AREAS)
def test_the_best_within_an_area(found: list[Candidate], limit: float) -> None:
    front = pareto(found)
    if min(each.area for each in found) > limit:
        with pytest.raises(ConfigError, match="max_area"):
            within_area(front, limit)
        return
    best = within_area(front, limit)
    fitting = [each for each in found if each.area <= limit]
    assert best.score == max(each.score for each in fitting)
    assert best.area == min(each.area for each in fitting if each.score == best.score)


@given(CANDIDATES, st.floats(0.0, 1.0), st.integers(1, 1000))
def test_the_choice_is_that_of_shrinking(found: list[Candidate], tolerance: float, n_rows: int) -> None:
    points = [shrinking.Point(None, each.area, 0.0, each.val, each.expected) for each in pareto(found)]  # type: ignore[arg-type]
    theirs = shrinking.choose(points, tolerance, n_rows)
    ours = choose(pareto(found), tolerance, n_rows)
    assert (ours.area, ours.val, ours.expected) == (theirs.area, theirs.val, theirs.expected)


def test_no_circuit_of_a_score_is_none() -> None:
    assert smallest_reaching([Candidate(0, 0, 1.0, 0.8, 0.9)], 0.85) is None


@given(CANDIDATES, st.integers(1, 8))
def test_circuits_to_publish_are_spread_over_the_front(found: list[Candidate], count: int) -> None:
    front = pareto(found)
    chosen = front[len(front) // 2]
    taken = spread(front, count, [chosen])
    assert len(taken) == min(count, len(front))
    assert chosen in taken
    assert set(taken) <= set(front)
    if count >= 3 and len(front) >= 3:
        assert {front[0], front[-1]} <= set(taken)


def test_pruning_waits_for_some_trials_and_leaves_room_for_noise() -> None:
    assert threshold([0.9] * 4, 100) is None
    least = threshold([0.9] * 5, 100)
    assert least == pytest.approx(0.9 - 0.03)
    assert threshold([0.9] * 5, 10_000) == pytest.approx(0.9 - 0.003)
    assert pilot_epochs(100) == 10
    assert pilot_epochs(1) == 1


def test_the_report_holds_every_circuit_and_is_the_same_each_time() -> None:
    size = target_kind("asic").size
    assert size is not None
    metrics = {
        "accuracy__val": 0.9,
        "accuracy__test": 0.8,
        size.total: 12.34,
        size.core: 2.0,
        size.encoder: 10.34,
    }
    candidates = [Candidate(0, 0, 0.0, 0.6, 0.6), Candidate(1, 4, 12.3, 0.9, 0.9)]
    proved = [Proved("mine_1", candidates[1], metrics, "encoder.bits 4")]
    lines = front_csv(proved, size, "accuracy").splitlines()
    assert lines[0].startswith("circuit,accuracy val,accuracy test,core (NAND2),")
    assert lines[1].startswith("mine_1,0.9000,0.8000,2.0,10.3,12.3,")
    assert lines[1].endswith(",1,encoder.bits 4")
    text = front_markdown(proved, size, "accuracy", 2)
    assert "| mine_1 | 0.9000 | 0.8000 |" in text
    assert "Circuits of 2 trials" in text
    figure = front_figure(candidates, proved, size, "accuracy")
    assert figure == front_figure(candidates, proved, size, "accuracy")
    assert b"<svg" in figure
