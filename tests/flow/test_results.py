"""The table of many results: what it holds, when it reads them again, and the questions that it answers."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dwn_asic.errors import ConfigError, DataError
from dwn_asic.flow import Flow
from dwn_asic.flow.result_query import Question, ask, compare, listed
from dwn_asic.flow.results import INDEX, index_results, open_results


@pytest.fixture
def runs(finished: Flow) -> Path:
    """Write the results of two flows with two seeds each, whose test accuracies are 0.50 to 0.53."""
    content = json.loads((finished.folder / "result.json").read_text())
    for number, (flow, seed) in enumerate((flow, seed) for flow in ("one", "two") for seed in (0, 1)):
        write(Path(f"build/some/seed-{seed}/{flow}"), content, flow, seed, 0.5 + number / 100)
    return Path("build")


def write(folder: Path, content: dict[str, Any], flow: str, seed: int, accuracy: float) -> None:
    content = json.loads(json.dumps({**content, "flow": flow, "seed": seed}))
    for method in content["methods"]:
        method["metrics"]["accuracy__test"] = accuracy
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(content))


def answer(folder: Path, **question: Any) -> list[tuple[Any, ...]]:
    with open_results(folder) as (database, _):
        return list(ask(database, Question(**question)).rows)


def counts(folder: Path) -> tuple[int, int]:
    """Return the number of runs, and of results that are read now."""
    with open_results(folder) as (_, (found,)):
        return found.runs, found.read


def test_a_row_for_each_method_of_each_run(runs: Path, finished: Flow) -> None:
    rows = answer(runs, columns=("run", "study", "flow", "seed", "name", "kind", "test", "unit"))
    assert len(rows) == 4 * 3
    assert rows[0] == ("some/seed-0/one", "some", "one", 0, "dwn", "exact", 0.5, "NAND2")
    assert rows[2] == ("some/seed-0/one", "some", "one", 0, "gbdt", "software", 0.5, None)
    total = json.loads((finished.folder / "result.json").read_text())["methods"][0]["metrics"]
    columns = ("total", "area__nand2_equivalent", "timing__delay")
    sizes = answer(runs, columns=columns, where="name = 'dwn'", limit=1)
    assert sizes == [(*[total["area__nand2_equivalent"]] * 2, total["timing__delay"])]
    assert answer(runs / "some" / "seed-1", columns=("run", "study"), where="name = 'dwn'") == [
        ("one", "some"), ("two", "some")
    ]  # fmt: skip
    with open_results(runs) as (database, _):
        lines = listed(database)
    assert "flow" in lines
    assert any(line.startswith("timing__delay: ") and line.endswith("(ns)") for line in lines)


def test_only_new_and_changed_results_are_read(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(runs) == (4, 4)
    before = (runs / INDEX).stat()
    assert counts(runs) == (4, 0)
    assert (runs / INDEX).stat().st_mtime_ns == before.st_mtime_ns

    one = runs / "some/seed-0/one/result.json"
    content = json.loads(one.read_text())
    write(one.parent, content, "one", 0, 0.75)
    write(runs / "some/seed-2/one", content, "one", 2, 0.25)
    (runs / "some/seed-1/two/result.json").unlink()
    assert counts(runs) == (4, 2)
    tests = answer(runs, columns=("test",), where="name = 'dwn'")
    assert tests == [(0.75,), (0.52,), (0.51,), (0.25,)]

    (runs / INDEX).write_bytes(b"damaged")
    assert counts(runs) == (4, 4)
    assert counts(runs) == (4, 0)


def test_a_damaged_result_is_left_out_and_named(runs: Path) -> None:
    (runs / "some/seed-1/two/result.json").write_text("{")
    (runs / "some/seed-1/one/result.json").write_text('{"flow": "one"}')
    with open_results(runs) as (database, (found,)):
        assert (found.runs, len(ask(database, Question()).rows)) == (2, 6)
        assert ["seed-1/one/result.json: not a result file" in str(error) for error in found.damaged] == [
            True,
            False,
        ]
        assert "seed-1/two/result.json: not a readable JSON file" in str(found.damaged[1])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_listed_all_the_same(runs: Path) -> None:
    runs.chmod(0o555)
    try:
        assert counts(runs) == counts(runs) == (4, 4)
    finally:
        runs.chmod(0o755)


def test_conditions_groups_and_orders(runs: Path) -> None:
    assert answer(runs, columns=("flow", "seed"), where="test > 0.51 and name = 'dwn'", sort=("-seed",)) == [
        ("two", 1), ("two", 0)
    ]  # fmt: skip
    with open_results(runs) as (database, _):
        found = ask(database, Question(by=("flow",), columns=("test", "total"), sort=("-test",), limit=1))
        assert found.columns == ("flow", "rows", "test", "total", "test_sd")
        assert found.rows[0][:3] == ("two", 6, pytest.approx(0.525))
        assert found.rows[0][4] == pytest.approx(0.00548, rel=1e-2)
        assert found.total == 2
        assert found.text().splitlines()[-1] == "1 of 2 rows; --limit 0 shows all"


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"where": "test >"}, "--where: Parser Error"),
        ({"where": "sed = 3"}, '--where: Binder Error: Referenced column "sed" not found'),
        ({"where": "flow = 3"}, "--where: Conversion Error"),
        ({"where": "seed in (select 1 from read_csv('flow.csv'))"}, "--where: Permission Error"),
        ({"columns": ("tset",)}, "--columns: there is no column 'tset' (allowed: run, study, "),
        ({"by": ("flow",), "columns": ("label",)}, "--columns: column 'label' holds texts"),
        ({"by": ("flwo",)}, "--by: there is no column 'flwo'"),
        ({"sort": ("-tset",)}, "--sort: there is no column 'tset'"),
    ],
)
def test_mistakes_name_the_option(runs: Path, question: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        answer(runs, **question)
    assert str(caught.value).startswith(f"results: {says}")
    assert "\n" not in str(caught.value)


def test_a_folder_without_runs_is_an_error() -> None:
    Path("empty").mkdir()
    with pytest.raises(DataError, match="empty: contains no run"), open_results(Path("empty")):
        pass


def test_results_are_compared_with_those_of_the_same_flow_seed_and_method(runs: Path) -> None:
    content = json.loads((runs / "some/seed-0/one/result.json").read_text())
    write(Path("old/one"), content, "one", 0, 0.4)
    write(Path("old/two"), content, "two", 1, 0.6)
    write(Path("old/three"), content, "three", 1, 0.6)
    with open_results(runs, Path("old")) as (database, _):
        single = compare(database, Question(where="name = 'dwn'", columns=("test",)))
        assert single.columns == ("flow", "seed", "name", "test before", "test after", "test change")
        assert single.rows == (
            ("one", 0, "dwn", 0.4, 0.5, pytest.approx(0.1)),
            ("two", 1, "dwn", 0.6, 0.53, pytest.approx(-0.07)),
        )  # fmt: skip
        grouped = compare(database, Question(by=("name",), columns=("test", "total")))
    first = dict(zip(grouped.columns, grouped.rows[0], strict=True))
    assert (first["name"], first["rows"], first["test better"], first["test worse"]) == ("dwn", 2, 1, 1)
    assert first["test change"] == pytest.approx(0.015)
    assert (first["total change"], first["total better"]) == (0, 0)


def test_rows_become_files(runs: Path) -> None:
    with open_results(runs) as (database, _):
        found = ask(database, Question(columns=("run", "test", "total"), where="seed = 0"))
    found.save(Path("out/rows.csv"))
    with Path("out/rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["run"] == "some/seed-0/one"
    assert rows[2]["total"] == ""
    found.save(Path("out/rows.json"))
    assert json.loads(Path("out/rows.json").read_text())[2]["total"] is None
    with pytest.raises(ConfigError, match=r"out/rows\.txt: is of type '\.txt' \(allowed: \.csv, \.json\)"):
        found.save(Path("out/rows.txt"))


def test_the_columnar_file_can_be_read_elsewhere(runs: Path) -> None:
    with duckdb.connect(":memory:") as database:
        assert index_results(runs, database, "results").kept
    with duckdb.connect(":memory:") as other:
        assert other.read_parquet(str(runs / INDEX)).aggregate("count(*), max(test)").fetchall() == [
            (12, 0.53)
        ]
