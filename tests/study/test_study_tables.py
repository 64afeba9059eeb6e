from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from study_examples import (
    baseline,
    measured,
    methods,
    shrunk,
    study_of,
    with_energies,
    with_forest_circuits,
    without_circuit,
)

import dwn_asic.study as study_package
from dwn_asic.report.result import MethodResult, Netlist
from dwn_asic.study.ablation import ablation_table
from dwn_asic.study.energy import energy_tables, matched, over_baselines
from dwn_asic.study.equal_accuracy import comparison, equal_accuracy_table, matches
from dwn_asic.study.overview import method_table, run_table
from dwn_asic.study.ranking import Ranking, bootstrap_interval, critical_difference, holm, ranking
from dwn_asic.study.ranks import rank_table
from dwn_asic.study.tables import Table, area_ratio, geometric_mean, mean_spread, number, text
from dwn_asic.study.tiny_classifier.generations import generations_table
from dwn_asic.study.tiny_classifier.headline import headline_table
from dwn_asic.study.tiny_classifier.paper import budget_ratios
from dwn_asic.study.write import tables

EQUAL = "DWN at its accuracy"


def shown_in(table: Table, row: int, column: str) -> str:
    return table.rows[row][table.columns.index(column)].shown


def test_cells() -> None:
    assert mean_spread([1.0, 3.0], 1).shown == "2.0 ± 1.4"
    assert mean_spread([1.0], 2).shown == "1.00"
    assert mean_spread([], 2).shown == "-"
    assert number(None, 1).key == math.inf
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert math.isnan(geometric_mean([]))


def test_wires_count_as_one_nand2_in_ratios() -> None:
    assert area_ratio(50.0, 0.0) == 50.0
    assert area_ratio(0.0, 0.2) == 1.0
    assert area_ratio(30.0, 10.0) == 3.0


def test_markdown_and_csv_hold_the_same_cells() -> None:
    table = Table("t", "Title", ("A note.",), ("name", "value"), [[text("a|b"), number(1.25, 1)]])
    assert "| a\\|b | 1.2 |" in table.markdown()
    assert "| :--- | ---: |" in table.markdown()
    assert list(csv.reader(io.StringIO(table.csv()))) == [["name", "value"], ["a|b", "1.2"]]


def test_headline_compares_at_the_baseline_s_validation_accuracy() -> None:
    study = study_of()
    found = matches(study.sets["alpha"], "tiny-paper-300g")
    assert [match.ours.total for match in found] == [10.0] * 3
    assert all(match.reached for match in found)
    assert found[1].gain == pytest.approx(0.011)
    assert found[0].times() == pytest.approx(12.0)
    assert budget_ratios(comparison(study, "tiny-paper-300g"))["alpha"] == pytest.approx(30.0)
    table = headline_table(study, "tiny-paper-300g")
    assert len(table.rows) == 4
    assert len({len(row) for row in (table.columns, *table.rows)}) == 1
    means = dict(zip(table.columns, table.rows[-1], strict=True))
    assert (means[f"{EQUAL}: area ratio"].shown, means[f"{EQUAL}: budget ratio"].shown) == ("12x", "30x")
    assert means["data set"].shown == "all"
    assert "12x ours (geometric mean over 3 data sets)" in table.summary
    assert "on 3 of 3." in table.summary
    worse = headline_table(study_of(lambda s: methods(s, gain=-0.1)), "tiny-paper-300g")
    assert "on 0 of 3." in worse.summary


def test_areas_of_nothing_are_told_apart() -> None:
    poor = baseline("tiny-paper-300g", "tiny_classifier", 60.0, 0.55, 0.5, gates=9, generations_of_all=1)
    study = study_of()
    gamma = study_of(lambda s: (*(m for m in methods(s) if m.method != "tiny_classifier"), poor))
    mixed = replace(study, sets={**study.sets, "gamma": gamma.sets["gamma"]})
    compared = comparison(mixed, "tiny-paper-300g")
    assert compared.free == {"gamma": 3}
    assert set(compared.with_gates.matches) == {"alpha", "beta"}
    note = headline_table(mixed, "tiny-paper-300g").notes[-1]
    assert "gamma (3 seeds)" in note
    assert "12x (area ratio) and 30x (budget ratio)" in note


def test_a_baseline_out_of_reach_is_said_to_be() -> None:
    strong = baseline("tiny-paper-300g", "tiny_classifier", 120.0, 0.99, 0.8, gates=9, generations_of_all=1)
    study = study_of(lambda s: (*(m for m in methods(s) if m.method != "tiny_classifier"), strong))
    assert not any(match.reached for match in matches(study.sets["alpha"], "tiny-paper-300g"))
    assert not comparison(study, "tiny-paper-300g").reached.matches
    assert shown_in(headline_table(study, "tiny-paper-300g"), 0, f"{EQUAL}: reached") == "0 of 3"
    table = equal_accuracy_table(study)
    row = next(row for row in table.rows if row[1].shown == "tiny paper 300g")
    assert row[-1].shown == "0 of 3"
    assert table.methods[table.rows.index(row)] == ("alpha", "tiny-paper-300g")


def test_a_baseline_without_a_circuit_on_some_seed_is_compared_on_the_others() -> None:
    study = study_of(lambda seed: with_forest_circuits(seed, {1, 2}))
    row = next(row for row in equal_accuracy_table(study).rows if row[1].shown == "forest 3x8")
    assert row[-1].shown == "2 of 2"
    table = rank_table(study)
    row = next(row for row in table.rows if row[0].shown == "forest 3x8")
    assert row[table.columns.index("area: rank")].shown == "2.00"
    assert row[table.columns.index("area: ratio")].shown == "2.00"  # 80 over 40 NAND2


def test_a_baseline_without_any_circuit_on_a_set_has_no_rank_by_area() -> None:
    table = rank_table(study_of(lambda seed: with_forest_circuits(seed, set())))
    row = next(row for row in table.rows if row[0].shown == "forest 3x8")
    assert [row[table.columns.index(name)].shown for name in ("area: rank", "area: ratio")] == ["-", "-"]


def test_what_a_method_is_goes_by_all_its_runs() -> None:
    for seeds, kind, circuits in ({1, 2}, "exact", "2 of 3"), (set(), "software", "0 of 3"):
        table = method_table(study_of(lambda seed, seeds=seeds: with_forest_circuits(seed, seeds)))
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        forest = next(row for row in rows if row["method"].shown == "forest 3x8")
        assert [forest[name].shown for name in ("kind", "circuits", "seeds")] == [kind, circuits, "3"]
        boosting = next(row for row in rows if row["method"].shown == "gradient boosting")
        assert boosting["circuits"].shown == "-"


def test_generations_are_summed_up() -> None:
    table = generations_table(study_of(), ["tiny-paper-300g"])
    assert [row[1].shown for row in table.rows] == ["alpha", "beta", "gamma", "all"]
    assert table.rows[-1][-3].shown == "12x"


def test_an_equal_circuit_counts_with_the_area_of_its_netlist() -> None:
    def with_netlist(seed: int) -> tuple[MethodResult, ...]:
        exact, ours, *baselines = methods(seed)
        points = list(ours.front)
        netlist = Netlist(folder="shrunk/front/01", core=4.0, total=12.0)
        points[1] = points[1].model_copy(update={"netlist": netlist})
        return (exact, ours.model_copy(update={"front": tuple(points)}), *baselines)

    study = study_of(with_netlist)
    table = headline_table(study, "tiny-paper-300g")
    assert [shown_in(table, 0, f"{EQUAL}: {area} (NAND2)") for area in ("core", "total")] == [
        "4.0 ± 0.0",
        "12.0 ± 0.0",
    ]
    assert shown_in(table, 0, f"{EQUAL}: area ratio") == "10x"
    first, *_ = table.circuits[0]
    assert first.run.place == "build/nine/seed-0/alpha"
    assert first.verilog == "shrunk/front/01/design.v"
    assert first.shown["total (NAND2)"] == "12.00"


def test_energies_are_compared_at_equal_accuracy() -> None:
    study = study_of(with_energies, seeds=2, match=["tiny-paper-300g", "tree-32"])
    compared = comparison(study, "tiny-paper-300g")
    # 1.2 and 4.8 pJ over 0.1 pJ: the geometric mean of 12 and 48; delays are twice ours.
    assert compared.ratios("energy__inference") == pytest.approx(dict.fromkeys(study.sets, 24.0))
    assert compared.ratios("energy__delay_product") == pytest.approx(dict.fromkeys(study.sets, 48.0))
    table = headline_table(study, "tiny-paper-300g")
    for row in (0, len(table.rows) - 1):
        assert shown_in(table, row, f"{EQUAL}: energy ratio") == "24x"
        assert shown_in(table, row, f"{EQUAL}: EDP ratio") == "48x"
        assert shown_in(table, row, "DWN at each tree's: energy ratio") == "2x"
    assert "takes 24x our energy per inference and has 48x our energy-delay product" in table.summary
    assert "The decision tree takes 2x our energy" in table.summary
    assert "tree-32" in next(note for note in table.notes if note.startswith("DWN at each tree's"))
    equal = equal_accuracy_table(study)
    row = next(n for n, row in enumerate(equal.rows) if row[1].shown == "tree 32")
    columns = ("baseline: energy (pJ)", "ours: energy (pJ)", "ratio: energy", "ours: delay (ns)")
    shown = ["0.400 ± 0.000", "0.200 ± 0.000", "2x", "2.00 ± 0.00"]
    assert [shown_in(equal, row, column) for column in columns] == shown


def test_baselines_of_a_method_are_combined_set_by_set() -> None:
    ratios = over_baselines([{"alpha": 2.0, "beta": 3.0}, {"alpha": 8.0}])
    assert ratios == pytest.approx({"alpha": 4.0, "beta": 3.0})
    # tree-4 is matched too: its example takes 0.457 pJ in 1.23 ns, and ours of 10 NAND2 0.1 pJ in 2 ns.
    (table,) = energy_tables(study_of(with_energies, match=["tree-4", "tree-32"]))
    assert [row[0].shown for row in table.rows] == ["tree 4", "tree 32", "decision tree, mean of these"]
    assert [shown_in(table, row, "ratio: energy") for row in range(3)] == ["4.57x", "2x", "3.02x"]
    assert [shown_in(table, row, "ratio: delay") for row in range(3)] == ["0.615x", "1x", "0.784x"]
    assert [shown_in(table, row, "ratio: total area") for row in range(3)] == ["1.2x", "5x", "2.45x"]
    assert table.summary.endswith("decision tree 3.02x and 2.37x.")


def test_a_matched_baseline_without_any_ratio_keeps_its_row() -> None:
    def free(seed: int) -> tuple[MethodResult, ...]:
        poor = measured(baseline("tree-2", "decision_tree", 60.0, 0.55, 0.5), 1.0, 1.0)
        return (*with_energies(seed), poor)

    (table,) = energy_tables(study_of(free, match=["tree-32", "tree-2"]))
    row = next(n for n, row in enumerate(table.rows) if row[0].shown == "tree 2")
    assert [cell.shown for cell in table.rows[row][1:]] == ["-"] * 4 + ["0", "alpha, beta, gamma"]
    assert shown_in(table, len(table.rows) - 1, "ratio: energy") == "2x"


def test_only_baselines_that_every_flow_matches_are_compared_by_energy() -> None:
    study = study_of(with_energies, match=["tree-32"])
    unmatched = study_of(with_energies, match=[])
    assert list(matched(study, "decision_tree")) == ["tree-32"]
    assert not matched(study, "tiny_classifier")
    mixed = replace(study, sets={**study.sets, "beta": unmatched.sets["beta"]})
    assert not energy_tables(mixed)
    assert not energy_tables(study_of(match=["tree-32"]))  # without netlists nothing is measured
    assert "energy" in [table.name for table in tables(study)]


def test_a_data_set_without_gates_on_some_seed_has_no_ratio_of_energies() -> None:
    def free(seed: int) -> tuple[MethodResult, ...]:
        poor = baseline("tiny-paper-300g", "tiny_classifier", 60.0, 0.55, 0.5, gates=9, generations_of_all=1)
        found = [each for each in with_energies(seed) if each.method != "tiny_classifier" or seed]
        return (*found, *([] if seed else [measured(poor, 4.0, 1.2)]))

    study, match = study_of(with_energies, match=["tiny-paper-300g"]), ["tiny-paper-300g"]
    mixed = replace(study, sets={**study.sets, "gamma": study_of(free, match=match).sets["gamma"]})
    compared = comparison(mixed, "tiny-paper-300g")
    assert compared.free == {"gamma": 1}
    assert set(compared.measured.matches) == {"alpha", "beta"}
    table = headline_table(mixed, "tiny-paper-300g")
    assert shown_in(table, 2, f"{EQUAL}: energy ratio") == "-"
    assert any("gates on every seed. No ratio: gamma." in note for note in table.notes)
    (table,) = energy_tables(mixed)
    assert [shown_in(table, 0, name) for name in ("data sets", "without a ratio")] == ["2", "gamma"]


def test_a_baseline_without_a_circuit_leaves_the_headline_with_the_other_seeds() -> None:
    def failing(seed: int) -> tuple[MethodResult, ...]:
        found = methods(seed)
        if seed < 2:
            return found
        tiny = next(m for m in found if m.method == "tiny_classifier")
        accuracies = {k: v for k, v in tiny.metrics.items() if k.startswith("accuracy")}
        failed = tiny.model_copy(update={"kind": "software", "metrics": accuracies})
        return (*(m for m in found if m is not tiny), failed)

    table = headline_table(study_of(failing), "tiny-paper-300g")
    assert shown_in(table, 0, f"{EQUAL}: reached") == "2 of 2"


def test_every_method_and_run_is_listed() -> None:
    study = study_of()
    assert len(method_table(study).rows) == 3 * 7
    runs = run_table(study)
    assert len(runs.rows) == 3 * 3 * 7
    assert runs.rows[0][runs.columns.index("result")].shown == "build/nine/seed-0/alpha/result.json"
    assert runs.rows[0][runs.columns.index("flow")].shown == "flows/nine/alpha.yaml"


def with_variant(seed: int) -> tuple[MethodResult, ...]:
    """Return the methods and a network whose exact circuit is half as large, with a front of its own."""
    variant = baseline("dwn-fixed", "dwn_variant", 100.0, 0.8, 0.83 + 0.001 * seed)
    small = shrunk([(5.0, 0.8, 0.79), (20.0, 0.86, 0.81), (60.0, 0.87, 0.82)])
    small = small.model_copy(update={"name": "dwn-fixed-shrunk", "method": "dwn_variant"})
    return (*methods(seed), variant, small)


def test_ablations_are_paired_by_seed() -> None:
    table = ablation_table(study_of(with_variant, flows=("alpha",)))
    assert len({len(row) for row in (table.columns, *table.rows)}) == 1
    base, variant = table.rows
    gain = table.columns.index("exact: gain (points)")
    assert base[gain].shown == "-"
    assert variant[gain].shown == "-1.00"
    assert variant[gain + 1].shown == "0.00"  # the same difference on each seed
    assert variant[gain + 2].shown == "0.5x"
    equal = dict(zip(table.columns, variant, strict=True))
    assert equal["shrunk: total (NAND2)"].shown == "60.0 ± 0.0"
    assert equal["equal accuracy: test (%)"].shown == "81.00 ± 0.00"
    assert equal["equal accuracy: total (NAND2)"].shown == "20.0 ± 0.0"
    assert (equal["equal accuracy: area ratio"].shown, equal["reached"].shown) == ("0.5x", "3 of 3")
    assert dict(zip(table.columns, base, strict=True))["equal accuracy: area ratio"].shown == "1x"


def test_the_ablations_say_whether_fronts_are_minimized() -> None:
    plain = study_of(with_variant, flows=("alpha",))
    minimized = study_of(with_variant, flows=("beta",), shrink={"minimize_front": True})
    assert "All circuits are minimized." in ablation_table(minimized).notes[-1]
    assert "those of the fronts are mapped as they are" in ablation_table(plain).notes[-1]
    mixed = replace(plain, sets={**plain.sets, **minimized.sets})
    assert "those of the fronts on alpha are mapped as they are" in ablation_table(mixed).notes[-1]


def test_a_variant_without_a_circuit_on_some_seed_has_no_areas() -> None:
    def make(seed: int) -> tuple[MethodResult, ...]:
        found = {method.name: method for method in with_variant(seed)}
        if seed == 1:
            del found["dwn-fixed-shrunk"]
            found["dwn-fixed"] = without_circuit(found["dwn-fixed"])
        return tuple(found.values())

    table = ablation_table(study_of(make, flows=("alpha",)))
    base, variant = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert (variant["network"].shown, variant["exact: test (%)"].shown) == ("dwn fixed", "83.10 ± 0.10")
    assert variant["exact: gain (points)"].shown == "-1.00"
    assert {variant[f"exact: {area} (NAND2)"].shown for area in ("core", "total")} == {"-"}
    dashes = [name for name in table.columns if name.startswith(("shrunk: ", "equal accuracy: "))]
    assert len(dashes) == 5
    assert {variant[name].shown for name in (*dashes, "exact: area ratio", "reached")} == {"-"}
    assert base["equal accuracy: area ratio"].shown == "1x"


def test_a_network_that_was_not_shrunk_on_some_seed_has_no_equals() -> None:
    def make(seed: int) -> tuple[MethodResult, ...]:
        return tuple(m for m in with_variant(seed) if seed != 2 or m.name != "dwn-shrunk")

    table = ablation_table(study_of(make, flows=("alpha",)))
    base, variant = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert (base["shrunk: total (NAND2)"].shown, variant["shrunk: total (NAND2)"].shown) == (
        "-",
        "60.0 ± 0.0",
    )
    assert {row["equal accuracy: total (NAND2)"].shown for row in (base, variant)} == {"-"}


def test_critical_differences_are_those_of_demsar() -> None:
    # Demsar (2006): table 5(a) gives q = 2.569 for 4 methods, and 1.25 for 14 data sets.
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.01)
    assert critical_difference(2, 10) == pytest.approx(1.960 * math.sqrt(2 * 3 / 60), abs=1e-3)


def test_ranks_share_ties_and_friedman_sees_a_constant_order() -> None:
    scores = {"a": np.arange(6) + 0.9, "b": np.arange(6) + 0.5, "c": np.arange(6) + 0.1}
    found = ranking(scores)
    assert found.ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found.p_value < 0.01
    tied = ranking({"a": np.array([1.0, 1.0]), "b": np.array([1.0, 1.0])})
    assert tied.ranks == {"a": 1.5, "b": 1.5}
    assert math.isnan(tied.p_value)


def test_bootstrap_covers_the_mean_and_is_deterministic() -> None:
    rng = np.random.default_rng(1)
    differences = [rng.normal(1.0, 0.3, 5) for _ in range(9)]
    low, high = bootstrap_interval(differences)
    assert low < float(np.mean([d.mean() for d in differences])) < high
    assert (low, high) == bootstrap_interval(differences)
    assert bootstrap_interval([np.full(3, 2.0)] * 4) == pytest.approx((2.0, 2.0))


def test_the_rank_table_orders_by_accuracy() -> None:
    table = rank_table(study_of())
    names = [row[0].shown for row in table.rows]
    assert names[0] == "DWN, shrunk"
    assert "decision tree, best up to 300 NAND2" in names
    ours = table.rows[names.index("DWN, shrunk")]
    assert ours[table.columns.index("area: rank")].shown == "1.00"
    tree = table.rows[names.index("decision tree, best up to 300 NAND2")]
    assert tree[table.columns.index("area: ratio")].shown == "2.50"
    assert tree[table.columns.index("accuracy: gain (points)")].shown == "2.20"


def test_holm_rejects_as_in_demsar_and_stops_at_the_first_it_keeps() -> None:
    # Demsar (2006), 3.2.2: C4.5 against itself with m, cf or both tuned, on 14 data sets.
    ranks = {"C4.5": 3.143, "m": 2.000, "cf": 2.893, "both": 1.964}
    found = Ranking(ranks, 0.026, 1.25, math.sqrt(4 * 5 / (6 * 14)))
    assert found.differing("C4.5") == {"both": "better", "m": "better"}
    assert found.differing("both") == {"C4.5": "worse"}
    assert not replace(found, p_value=0.06).differing("C4.5")
    assert not replace(found, p_value=math.nan).differing("C4.5")
    assert holm({"a": 0.03, "b": 0.001, "c": 0.04}) == ["b"]


def test_the_rank_table_says_which_circuits_differ_from_ours_and_ranks_no_software() -> None:
    table = rank_table(study_of())
    rows = {row[0].shown: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    accuracy = {
        name: (r["accuracy: rank"].shown, r["accuracy: against ours"].shown) for name, r in rows.items()
    }
    assert accuracy["DWN, shrunk"] == ("1.00", "control")
    assert accuracy["forest 3x8"] == ("4.00", "-")
    assert accuracy["tiny paper 300g"] == ("5.00", "worse")
    assert accuracy["gradient boosting"] == ("-", "")
    assert {name for name, row in rows.items() if row["area: against ours"].shown == "worse"} == {"DWN"}
    assert rows["gradient boosting"]["accuracy: gain (points)"].shown == "-3.00"
    said = (
        "Among 4 other circuits, significantly more accurate than our shrunk circuit: none, less accurate: 1;"
    )
    assert table.summary == f"{said} significantly smaller: none, larger: 1."


def sized(seed: int) -> tuple[MethodResult, ...]:
    """Return methods with forests and Tiny Classifiers of two sizes."""
    more = baseline("forest-7x8", "forest", 150.0, 0.85, 0.835)
    small = baseline("tiny-paper-50g", "tiny_classifier", 30.0, 0.7, 0.7 + 0.001 * seed)
    return (*methods(seed), more, small)


def test_sizes_of_a_method_are_ranked_once_as_the_best_of_them() -> None:
    labels = {row[0].shown for row in rank_table(study_of(sized)).rows}
    families = {
        f"{name}, best up to 300 NAND2" for name in ("decision tree", "Tiny Classifier", "random forest")
    }
    assert labels == {"DWN", "DWN, shrunk", "gradient boosting", *families}


def test_the_protocol_ranks_its_own_baselines_by_themselves_and_leaves_out_their_other_sizes() -> None:
    ranks = next(table for table in tables(study_of(sized)) if table.name == "ranks")
    labels = {row[0].shown for row in ranks.rows}
    alone = {"tiny paper 300g", "forest 3x8", "forest 7x8"}
    assert labels == {
        "DWN",
        "DWN, shrunk",
        "gradient boosting",
        "decision tree, best up to 300 NAND2",
        *alone,
    }


def test_the_tables_of_a_study_are_its_protocol_s_or_those_of_every_study() -> None:
    protocol = ["headline", "generations", "ranks", "above_tree", "equal_area", "equal_accuracy", "methods"]
    assert [table.name for table in tables(study_of())] == protocol
    general = ["ranks", "above_decision_tree", "above_forest", "equal_area", "equal_accuracy", "methods"]
    other = study_of(lambda seed: tuple(m for m in methods(seed) if m.method != "tiny_classifier"))
    assert [table.name for table in tables(other)] == general
    plain = study_of(lambda seed: tuple(m for m in methods(seed) if m.method in {"dwn", "gbdt"}))
    assert [table.name for table in tables(plain)] == ["methods"]


def test_general_tables_import_no_protocol() -> None:
    folder = Path(study_package.__file__).parent
    general = [path for path in folder.glob("*.py") if path.name != "write.py"]
    assert len(general) > 8
    assert not [path.name for path in general if "study.tiny_classifier" in path.read_text()]


def test_a_method_that_some_run_lacks_takes_no_part() -> None:
    study = study_of(lambda s: methods(s) if s else tuple(m for m in methods(s) if m.method != "forest"))
    assert "forest 3x8" not in [row[0].shown for row in rank_table(study).rows]
