from __future__ import annotations

import numpy as np
import pytest
from study_examples import baseline, methods, shrunk, study_of

from dwn_asic.report.choice import Candidate, best_within, candidates, smallest_reaching
from dwn_asic.study.front_tables import domination_table, equal_area_table
from dwn_asic.study.fronts import Curve, curve, dominations

TREE = "decision_tree"
CIRCUITS = [
    Candidate("a", 1.0, 5.0, 0.7, 0.7, 0.7, 0.6, 0.6),
    Candidate("b", 4.0, 10.0, 0.9, 0.8, 0.8, 0.9, 0.9),
    Candidate("c", 2.0, 20.0, 0.8, 0.8, 0.8, 0.5, 0.5),
]


def test_a_budget_takes_the_best_in_validation_and_of_equals_the_best_in_training() -> None:
    assert best_within(CIRCUITS, 4.9) is None
    assert best_within(CIRCUITS, 5.0) is CIRCUITS[0]
    assert best_within(CIRCUITS, 100.0) is CIRCUITS[1]  # not c, whose validation accuracy is the same
    assert best_within(CIRCUITS, 3.0, "core") is CIRCUITS[2]


def test_a_bar_takes_the_smallest_above_it_or_the_best() -> None:
    assert smallest_reaching(CIRCUITS, 0.65) == (CIRCUITS[0], True)
    assert smallest_reaching(CIRCUITS, 0.75) == (CIRCUITS[1], True)
    assert smallest_reaching(CIRCUITS, 0.75, "core") == (CIRCUITS[2], True)
    assert smallest_reaching(CIRCUITS, 0.95) == (CIRCUITS[1], False)


def test_luck_does_not_reach_a_bar_but_may_fill_a_budget() -> None:
    lucky = Candidate("lucky", 1.0, 6.0, 0.9, 0.85, 0.75, 0.7, 0.7)
    circuits = [*CIRCUITS, lucky]
    assert smallest_reaching(circuits, 0.78) == (CIRCUITS[1], True)
    assert best_within(circuits, 300.0) is lucky
    point = shrunk([(5.0, 0.9, 0.6)]).front[0].model_copy(update={"expected": 0.7})
    study = study_of(lambda _: (shrunk([(5.0, 0.9, 0.6)]).model_copy(update={"front": (point,)}),))
    (candidate,) = candidates(study.runs[0].result, "ours")
    assert (candidate.val, candidate.sure) == (0.9, 0.7)


def test_families_and_what_their_choice_goes_by() -> None:
    run = study_of().sets["alpha"][0]
    assert [c.total for c in candidates(run.result, "ours")] == [0.0, 10.0, 20.0, 40.0]
    assert [c.name for c in candidates(run.result, "decision_tree")] == ["tree-4", "tree-32"]
    assert [c.name for c in candidates(run.result, "tiny_classifier")] == ["tiny-paper-300g"]


def test_a_curve_is_the_mean_of_each_seed_s_choice() -> None:
    found = curve(study_of().sets["alpha"], "ours")
    assert found is not None
    assert found.at(-1.0) is None
    assert found.at(15.0) == pytest.approx([0.79, 0.791, 0.792])
    assert found.at(1e9) == pytest.approx([0.85, 0.851, 0.852])


def test_a_curve_starts_where_every_seed_has_a_circuit() -> None:
    runs = study_of(lambda s: (shrunk([(5.0 + s, 0.8, 0.7)]),)).sets["alpha"]
    found = curve(runs, "ours")
    assert found is not None
    assert found.areas[0] == 7.0
    assert curve(runs, "decision_tree") is None


def test_domination_names_interval_and_difference() -> None:
    ours = Curve(np.array([10.0, 30.0]), np.array([[0.70, 0.72], [0.90, 0.92]]))
    tree = Curve(np.array([5.0, 20.0, 40.0]), np.array([[0.60, 0.62], [0.75, 0.76], [0.93, 0.95]]))
    first, second, third = dominations(ours, tree, 300.0)
    assert (first.low, first.high, first.alone) == (5.0, 10.0, True)  # ours has no circuit there
    assert not second.alone
    assert (second.low, second.high) == (20.0, 30.0)
    assert second.most == pytest.approx(4.5)
    assert second.error == pytest.approx(0.5)
    assert (third.low, third.high) == (40.0, 300.0)
    assert dominations(ours, tree, 15.0)[-1].high == 10.0
    assert not dominations(ours, ours)


def test_a_gap_next_to_areas_without_a_circuit_of_ours_stands_apart() -> None:
    ours = Curve(np.array([10.0, 30.0]), np.array([[0.70, 0.72], [0.90, 0.92]]))
    tree = Curve(np.array([5.0, 7.0, 20.0]), np.array([[0.60, 0.62], [0.72, 0.74], [0.75, 0.76]]))
    alone, gap = dominations(ours, tree)
    assert (alone.low, alone.high, alone.alone) == (5.0, 10.0, True)
    assert (gap.low, gap.high, gap.alone) == (10.0, 30.0, False)
    assert gap.most == pytest.approx(4.5)


def test_areas_without_a_circuit_of_ours_are_named_in_the_table() -> None:
    study = study_of(lambda _: (shrunk([(9.0, 0.8, 0.8)]), baseline("tree-2", TREE, 3.0, 0.7, 0.7)))
    shown = [cell.shown for cell in domination_table(study, TREE).rows[0]]
    assert shown == ["total", "alpha", "3.0", "9.0", "no circuit", "-"]


def test_tables_of_fronts() -> None:
    table = domination_table(study_of(), TREE)
    assert {row[2].shown for row in table.rows} == {"never"}
    budgets = {row[1].shown: [cell.shown for cell in row[2:]] for row in equal_area_table(study_of()).rows}
    assert budgets["5"] == ["60.10 ± 0.10", "-", "-", "-"]
    assert budgets["100"] == ["85.10 ± 0.10", "82.90 ± 0.10", "-", "82.00 ± 0.00"]
    worse = domination_table(study_of(lambda s: methods(s, gain=-0.2)), TREE)
    assert "never" not in {row[2].shown for row in worse.rows}


def test_rows_of_fronts_lead_to_the_runs_of_our_shrunk_circuit() -> None:
    above, equal = domination_table(study_of(), TREE), equal_area_table(study_of())
    for table, column in ((above, 1), (equal, 0)):
        flows = [row[column].shown for row in table.rows]
        assert [table.methods[n] for n in range(len(flows))] == [(flow, "dwn-shrunk") for flow in flows]
    unshrunk = study_of(lambda s: tuple(m for m in methods(s) if m.kind != "shrunk"))
    assert not equal_area_table(unshrunk).methods


def test_a_baseline_that_is_better_only_where_ours_is_equal_does_not_dominate() -> None:
    study = study_of(lambda _: (shrunk([(1.0, 0.8, 0.8)]), baseline("tree-2", TREE, 1.0, 0.8, 0.8)))
    assert domination_table(study, TREE).rows[0][2].shown == "never"


def test_an_area_is_the_same_for_a_front_which_has_two_decimals_and_for_a_baseline() -> None:
    # 5 / 3 NAND2: a baseline of the same circuit isn't below ours between 1.6667 and 1.67.
    study = study_of(
        lambda _: (shrunk([(1.67, 0.9, 0.9)]), baseline("tree-3", "decision_tree", 5 / 3, 0.9, 0.9))
    )
    ours, tree = (curve(study.sets["alpha"], family) for family in ("ours", TREE))
    assert ours is not None
    assert tree is not None
    assert not dominations(ours, tree)
