"""Printed circuits: ours of the published accuracy, by enumeration."""

from __future__ import annotations

from study_examples import methods, study_of

from dwn_asic.study.printed import PROTOCOL
from dwn_asic.study.printed.published import Published, published
from dwn_asic.study.printed.tables import in_share, published_table, reaching
from dwn_asic.study.write import tables


def test_ours_is_the_smallest_of_the_front_that_reaches_the_accuracy() -> None:
    runs = study_of(flows=["cardio"]).sets["cardio"]
    for accuracy, total in ((0.5, 0.0), (0.79, 10.0), (0.80, 10.0), (0.81, 20.0), (0.86, 40.0)):
        found = reaching(runs, Published("MLP", accuracy, 100.0))
        assert {(each.ours.total, each.reached) for each in found} == {(total, True)}
    found = reaching(runs, Published("MLP", 0.9, 100.0))
    assert {(each.ours.total, each.reached) for each in found} == {(40.0, False)}
    unknown = reaching(runs, Published("SVM", None, 100.0))
    assert {(each.ours.name, each.reached) for each in unknown} == {("dwn-shrunk", None)}


def test_our_best_in_a_tenth_of_the_area() -> None:
    runs = study_of(flows=["cardio"]).sets["cardio"]
    for area, total in ((0.0, 0.0), (99.0, 0.0), (100.0, 10.0), (399.0, 20.0), (4000.0, 40.0)):
        assert {each.total for each in in_share(runs, Published("MLP", 0.5, area))} == {total}
    assert in_share(runs, Published("MLP", 0.5, None)) == []


def test_the_table_compares_areas() -> None:
    study = study_of(flows=["redwine", "balance"], seeds=2)
    table = published_table(study)
    rows = {(row[0].shown, row[1].shown): row for row in table.rows}
    larger = rows["redwine", "approximate MLP (larger)"]
    assert [cell.shown for cell in larger[2:4]] == ["55.0", "265"]
    assert larger[6].shown.startswith("0.0")  # mere wires reach 0.55
    assert (larger[7].shown, larger[8].shown) == ("265x", "2 of 2")
    svm = rows["balance", "exact MLP"]
    assert (svm[2].shown, svm[8].shown) == ("-", "-")
    assert svm[7].shown == f"{3452 / 40:.3g}x"
    tree = rows["balance", "decision tree of 33 comparators"]
    assert (tree[3].shown, tree[7].shown) == ("-", "-")
    assert len(table.circuits) == len(table.rows) == 4


def test_a_study_follows_it_only_if_every_set_was_published() -> None:
    assert set(published()) == {"cardio", "redwine", "whitewine", "seeds", "vertebral3c", "balance"}
    assert PROTOCOL.follows(study_of(flows=["seeds", "cardio"]))
    assert not PROTOCOL.follows(study_of(flows=["seeds", "alpha"]))
    found = [table.name for table in tables(study_of(methods, flows=["seeds"]))]
    assert found == ["published", "equal_area", "equal_accuracy", "methods"]
