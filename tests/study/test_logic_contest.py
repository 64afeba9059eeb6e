"""The contest's tables: choices against enumeration, means by hand, and the published circuits."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_examples import result
from study_examples import run_of
from study_examples import study_of as cell_study

from dwn_asic.errors import DataError
from dwn_asic.flow.reports import write_reports
from dwn_asic.report.result import FrontPoint, MethodResult, PdkResult
from dwn_asic.study.logic_contest import PROTOCOL
from dwn_asic.study.logic_contest.choice import LIMIT, cheapest_price, choose, chosen, circuits, mean
from dwn_asic.study.logic_contest.published import FAMILIES, best_published, family, published
from dwn_asic.study.logic_contest.tables import benchmark_table, family_table, front_table, within
from dwn_asic.study.runs import Study, study_of
from dwn_asic.study.write import tables

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "iwls2020" / "published_aigs.csv"
AIG = PdkResult(name="aig", library="and-inverter graph", corner="", origin="AIGER format 1.9")

Front = list[tuple[int, float, float]]
"""Points (AND nodes, validation accuracy, test accuracy)."""


def point(ands: int, val: float, test: float) -> FrontPoint:
    return FrontPoint(
        core=float(ands), total=float(ands), train=val, val=val, expected=val,
        test=test, accuracy=test, levels=min(ands, 7),
    )  # fmt: skip


def shrunk(front: Front) -> MethodResult:
    ands, val, test = front[-1]
    sizes = {"aig__and__count": ands, "aig__and__count__core": ands, "aig__and__count__encoder": 0}
    accuracies = {"accuracy__train": val, "accuracy__val": val, "accuracy__test": test}
    return MethodResult(
        name="dwn-shrunk",
        label="DWN, shrunk",
        method="dwn",
        kind="shrunk",
        proof="proved",
        metrics={**sizes, "aig__level__count": 7, **accuracies},
        front=tuple(point(*each) for each in front),
    )


def made(benchmarks: dict[str, list[Front]]) -> Study:
    """Return a study with a front for each benchmark and seed."""
    runs = [
        run_of(
            result(name, seed=seed, methods=(shrunk(front),), pdk=AIG, config={"target": "aig"}),
            Path(f"build/iwls2020/seed-{seed}/{name}"),
        )
        for name, fronts in benchmarks.items()
        for seed, front in enumerate(fronts)
    ]
    return study_of("iwls2020", runs)


def example() -> Study:
    return made(
        {
            "ex00": [
                [(0, 0.50, 0.51), (10, 0.80, 0.79), (6000, 1.00, 1.00)],
                [(0, 0.50, 0.51), (20, 0.82, 0.83)],
            ],
            "ex12": [
                [(0, 0.60, 0.59), (100, 0.90, 0.91)],
                [(0, 0.60, 0.59), (30, 0.85, 0.84), (300, 0.905, 0.90)],
            ],
            "mine": [[(1, 0.70, 0.72)], [(1, 0.70, 0.72)]],
        }
    )


fronts = st.lists(
    st.tuples(st.integers(0, 400), st.integers(50, 100), st.integers(50, 100)), min_size=1, max_size=6
).map(lambda points: [(ands, val / 100, test / 100) for ands, val, test in points])


@given(st.lists(fronts, min_size=1, max_size=3), st.sampled_from([0.0, 0.1, 0.5, 2.0, 30.0]))
@settings(max_examples=60, deadline=None)
def test_the_choice_at_a_price_is_the_best_of_all_combinations(every: list[Front], price: float) -> None:
    study = made({f"b{n}": [front] for n, front in enumerate(every)})
    found = mean(chosen(study, price))

    def worth(combination: tuple[tuple[int, float, float], ...]) -> float:
        vals, sizes = (np.mean([each[k] for each in combination]) for k in (1, 0))
        return float(100.0 * vals - price * sizes / 100.0)

    assert 100.0 * found.val - price * found.ands / 100.0 == pytest.approx(max(map(worth, product(*every))))


@given(st.lists(fronts, min_size=1, max_size=3), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_within_a_limit_no_lower_price_of_the_grid_fits(every: list[Front], limit: int) -> None:
    study = made({f"b{n}": [front] for n, front in enumerate(every)})
    price = cheapest_price(study, limit)
    if price is None:
        assert mean(chosen(study, 1e4)).ands > limit
        return
    assert mean(chosen(study, price)).ands <= limit
    if price > 0.0:
        lower = 0.0 if price <= 0.01 else price / 1.03
        assert mean(chosen(study, lower)).ands > limit


def test_ties_go_to_the_smallest_and_then_to_training_rows() -> None:
    one, other = point(10, 0.8, 0.7), point(5, 0.8, 0.6)
    assert choose([one, other], 0.0) is other
    better = other.model_copy(update={"train": 0.9})
    assert choose([other, better], 0.0) is better


def test_circuits_above_the_limit_of_the_contest_are_left_out() -> None:
    study = example()
    assert max(p.total for p in study.sets["ex00"][0].result.methods[0].front) > LIMIT
    assert max(p.total for p in circuits(study.sets["ex00"][0])) == 10


def test_means_are_over_seeds_and_then_over_benchmarks() -> None:
    found = mean(chosen(example(), 0.0))
    assert found.ands == pytest.approx(np.mean([15, 200, 1]))
    assert found.test == pytest.approx(np.mean([0.81, 0.905, 0.72]))
    assert found.levels == pytest.approx(np.mean([7, 7, 1]))
    old = example().sets["ex00"][0].result.methods[0].front[0].model_copy(update={"levels": None})
    assert np.isnan(mean({"a": [chosen(example(), 0.0)["ex00"][0].__class__(example().runs[0], old)]}).levels)


def test_the_front_stands_beside_the_teams() -> None:
    table = front_table(example())
    ours = [row for row in table.rows if row[0].shown == "ours"]
    assert [cell.shown for cell in ours[0]] == ["ours", "0.0", "81.17", "80.42", "72.0", "5.0"]
    names = {row[0].shown for row in table.rows}
    assert {"pelotas (team 2)", "cgp (team 9)", "best published, benchmark by benchmark"} < names
    (best,) = [row for row in table.rows if row[0].shown.startswith("best")]
    expected = np.mean([max(each.test for each in published()[name]) for name in ("ex00", "ex12")])
    assert best[2].shown == f"{100 * expected:.2f}"
    assert "of 2 of the benchmarks" in table.notes[1]
    assert "81.17% with 72 (limit 200)" in table.summary
    assert "is not set" in table.notes[0]
    assert table.figures[0].svg().startswith(b"<?xml")


def test_families_and_benchmarks_are_means_of_the_same_choice() -> None:
    study = example()
    families = {row[0].shown: row for row in family_table(study).rows}
    assert list(families) == ["adders", "dividers and remainders", "other", "all"]
    assert [families[name][1].shown for name in families] == ["1", "1", "1", "3"]
    one = within(study, 200.0)
    assert one is not None
    assert families["all"][2].shown == f"{100 * mean(one).test:.2f}"
    rows = {row[0].shown: row for row in benchmark_table(study).rows}
    assert rows["mine"][1].shown == "other"
    assert rows["mine"][-1].shown == "-"
    assert rows["ex12"][2:5] == families["dividers and remainders"][2:5]
    assert len(benchmark_table(study).circuits[0]) == 2


def test_families_follow_the_numbers_of_the_contest() -> None:
    assert [family(f"ex{n:02d}") for n in (0, 9, 45, 88, 99)] == [FAMILIES[k] for k in (0, 0, 4, 8, 9)]
    assert family("ex123") == family("exam") == family("phoneme") == "other"


def test_a_study_in_and_nodes_follows_the_contest_and_one_in_cells_does_not(tmp_path: Path) -> None:
    study = example()
    assert PROTOCOL.follows(study)
    assert not PROTOCOL.follows(cell_study())
    assert [table.name for table in tables(study)] == ["front", "families", "benchmarks", "methods"]
    written = write_reports([], [study], tmp_path / "iwls2020")
    names = {path.relative_to(tmp_path / "iwls2020").as_posix() for path in written}
    assert {"README.md", "index.html", "front.csv", "figures/front.svg", "runs.csv"} <= names
    text = (tmp_path / "iwls2020" / "README.md").read_text()
    assert "core (AND)" in text
    assert "NAND2" not in text
    assert "NAND2" not in (tmp_path / "iwls2020" / "index.html").read_text()
    nested = {path.relative_to(tmp_path).as_posix() for path in write_reports([], [study], tmp_path)}
    assert {"README.md", "iwls2020/README.md"} <= nested


def test_runs_of_two_targets_are_no_study() -> None:
    with pytest.raises(DataError, match="is for another target than"):
        study_of("mixed", [*example().runs, *cell_study().runs])


def test_published_circuits_are_those_of_four_teams_on_45_benchmarks() -> None:
    assert list(published()) == [f"ex{n:02d}" for n in range(0, 90, 2)]
    assert {len(teams) for teams in published().values()} == {4}
    best = best_published(published())
    assert np.mean([each.test for each in best]) == pytest.approx(0.8339, abs=5e-5)
    assert np.mean([each.ands for each in best]) == pytest.approx(553, abs=0.5)
    assert best_published(["ex01"]) == []


@pytest.mark.skipif(not SHARED.exists(), reason="the measurements are not on this machine")
def test_published_circuits_are_as_they_were_measured() -> None:
    with SHARED.open() as file:
        measured = [
            (f"ex{int(row['bench']):02d}", float(row["test"]), int(row["ands"]), int(row["lev"]))
            for row in csv.DictReader(file)
        ]
    copied = [(e.benchmark, e.test, e.ands, e.levels) for teams in published().values() for e in teams]
    assert copied == measured
