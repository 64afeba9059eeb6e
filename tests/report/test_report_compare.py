from __future__ import annotations

from report_examples import circuit, result, software

from dwn_asic.report.compare import changes, compare_lines, setup_changes
from dwn_asic.report.result import Result


def pair() -> tuple[Result, Result]:
    old, new = circuit("old", "dwn", 0.5, 1, 1), circuit("new", "dwn", 0.5, 1, 1)
    before = result(methods=(circuit("a", "dwn", 0.8, 10.0, 5.0), software(), old))
    after = result(methods=(software(), circuit("a", "dwn", 0.82, 12.0, 5.0), new))
    return before, after


def test_only_metrics_that_differ_and_which_way() -> None:
    found = {change.metric.name: change.direction for change in changes(*pair())}
    assert found["accuracy__test"] == "better"
    assert found["area__core"] == "worse"
    assert "area__encoder" not in found
    assert {change.method for change in changes(*pair())} == {"a"}


def test_the_other_way_round_better_is_worse() -> None:
    before, after = pair()
    there, back = changes(before, after), changes(after, before)
    opposite = {"better": "worse", "worse": "better", "changed": "changed"}
    assert [opposite[change.direction] for change in there] == [change.direction for change in back]


def test_methods_and_setup_that_only_one_has() -> None:
    before, after = pair()
    after = after.model_copy(update={"seed": 3, "tools": {**after.tools, "yosys": "9.9"}})
    lines = setup_changes(before, after)
    assert "old: only in the first" in lines
    assert "new: only in the second" in lines
    assert any(line.startswith("seed: ") and line.endswith("-> 3") for line in lines)
    assert any(line.startswith("yosys: ") and line.endswith("-> 9.9") for line in lines)


def test_lines_for_people() -> None:
    before, after = pair()
    lines = compare_lines(before, after)
    assert "a: area__core__nand2_equivalent 10 -> 12 NAND2 (+20.0%): worse" in lines
    assert compare_lines(before, before) == ["no metric differs"]
