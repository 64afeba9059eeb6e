"""A search in its folder: trials, pruning, resuming, and the proved circuits that it ends in."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dwn_asic.cli import app
from dwn_asic.errors import ConfigError, DataError, DwnAsicError
from dwn_asic.execution.resources import Resources
from dwn_asic.flow import Flow, Reporter, open_flow, run_flow
from dwn_asic.flow.artifacts import DATASET, FRONT, FRONT_GRAPHS, GRAPH, PROOF
from dwn_asic.flow.search.auto import Auto, Wish, auto
from dwn_asic.flow.search.publish import publish, published_front
from dwn_asic.flow.search.session import Limits, Search, open_search
from dwn_asic.flow.search.trial import Trial, TrialWork
from dwn_asic.flow.steps.shared import SHRUNK
from dwn_asic.search.sampler import open_sampler
from flows import Lines

pytest.importorskip("optuna")

ONE = Resources(1)
FLOW = {
    "data": {"source": "csv:table.csv", "part": "part"},
    "encoder": {"input_bits": 4, "bits": 3},
    "model": {"pyramid": [3, 2]},
    "training": {"epochs": 4, "restarts": 2},
    "shrink": {"proposals": 500, "prices": [4.0], "judges": ["labels"], "temperatures": [0.5]},
    "minimize": {"effort": "low"},
    "baselines": [{"kind": "decision_tree", "leaves": [3]}],
    "search": {
        "encoder.bits": [2, 6],
        "model.pyramid": [[3, 2], [2, 2], [2, 2, 2]],
        "training.learning_rate": "log[0.01, 0.1]",
        "shrink.starts": [["dwn"], ["decision_tree"]],
    },
}


def project(folder: Path, *, shuffled_test: bool = False, **changes: object) -> Path:
    """Write a flow file and its table, with labels of the test rows in another order if asked for."""
    draw = random.Random(1)
    rows = []
    for n in range(180):
        a, b, c = (draw.randrange(16) for _ in range(3))
        label = int(a + b > 14) if draw.random() < 0.9 else int(c > 7)
        rows.append([a, b, c, ("train", "val", "test")[n % 3], label])
    if shuffled_test:
        for row in rows[2::3]:
            row[-1] = 1 - row[-1]
    folder.mkdir(parents=True)
    lines = ["a,b,c,part,class", *(",".join(map(str, row)) for row in rows)]
    (folder / "table.csv").write_text("\n".join(lines))
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**FLOW, **changes}))
    return file


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Return a finished search, which tests must not change."""
    folder = tmp_path_factory.mktemp("search") / "done"
    search = open_search(project(folder), folder / "build")
    outcomes = search.run(Limits(3), ONE, Reporter())
    publish(search, outcomes, published_front(outcomes, 2), ONE, Reporter())
    return search


def outcome_files(search: Search) -> list[bytes]:
    return [path.read_bytes() for path in sorted(search.folder.glob("trials/*/outcome.json"))]


def test_each_proved_circuit_has_a_flow_file_that_leads_to_it(done: Search) -> None:
    lines = (done.folder / "front.csv").read_text().splitlines()
    names = [line.partition(",")[0] for line in lines[1:]]
    assert names == ["mine_1", "mine_2"]
    for name in names:
        flow = open_flow(done.folder / f"{name}.yaml", done.folder)
        checks = flow.read(PROOF.at(SHRUNK))
        assert any(check.what == "graph == netlist" and check.how == "proof" for check in checks)
        assert run_flow(flow, Reporter(), targets=["shrunk/datasheet.html", "shrunk/proof.json"]) == []
        assert flow.config.shrink is not None
        rows = flow.read(FRONT.at(SHRUNK))
        chosen = next(i for i, row in enumerate(rows) if row.chosen)
        assert rows[chosen].total == pytest.approx(flow.config.shrink.max_area, abs=0.01)
        codes = flow.read(DATASET).codes
        graph, listed = flow.read(GRAPH.at(SHRUNK)), flow.read(FRONT_GRAPHS.at(SHRUNK))[chosen]
        assert (graph.predict(codes) == listed.predict(codes)).all()
    assert (done.folder / "front.svg").read_bytes().startswith(b"<?xml")


def test_the_same_search_makes_the_same_circuit_from_scratch(done: Search, tmp_path: Path) -> None:
    shutil.copytree(done.folder.parents[1], tmp_path / "copy")
    folder = tmp_path / "copy" / "build" / "mine_search"
    made = folder / "mine_2" / "shrunk"
    before = [(made / name).read_bytes() for name in ("graph.json", "netlist.v")]
    shutil.rmtree(folder / "mine_2")
    run_flow(open_flow(folder / "mine_2.yaml", folder), Reporter(), targets=["shrunk/netlist.v"])
    assert [(made / name).read_bytes() for name in ("graph.json", "netlist.v")] == before


def test_the_first_trials_are_the_flow_itself_and_other_starts(done: Search) -> None:
    first, second = (yaml.safe_load((done.folder / f"trials/000{n}.yaml").read_text()) for n in (0, 1))
    own = {key: FLOW[key] for key in ("encoder", "model")}
    assert {key: first[key] for key in own} == own
    assert first["training"]["learning_rate"] == 0.02
    assert second["shrink"]["starts"] == ["decision_tree"]
    assert not (done.folder / "trials/0001/network.npz").exists()


def test_neither_an_interruption_nor_labels_of_test_rows_change_a_trial(done: Search, tmp_path: Path) -> None:
    file = project(tmp_path / "a", shuffled_test=True)
    assert file.with_name("table.csv").read_text() != (done.flow.file.parent / "table.csv").read_text()
    search = open_search(file, tmp_path / "a" / "build")
    search.run(Limits(1), ONE, Reporter())
    asked = open_sampler(search.storage, "mine", search.space, search.objectives, 0).ask()
    search.trial(asked)  # it was begun, and then the process ended
    outcomes = search.run(Limits(3), ONE, Reporter())
    assert [*outcomes] == [0, 1, 2]
    assert outcome_files(search) == outcome_files(done)
    told = Lines()
    search.run(Limits(3), ONE, told)
    assert told.lines == []


def test_a_weak_trial_is_pruned_after_a_few_epochs(done: Search, tmp_path: Path) -> None:
    file = done.folder / "trials" / "0000.yaml"
    trial = replace(Trial(0, file, tmp_path / "pruned"), least=1.1, prunes=True)
    trial.work.run(trial.open(), Reporter())
    outcome, kept = trial.outcome(), Trial(0, file, file.with_suffix("")).outcome()
    assert outcome is not None
    assert kept is not None
    assert outcome.pruned
    assert not kept.pruned
    assert outcome.pilot == kept.pilot
    assert not (tmp_path / "pruned" / "network.npz").exists()


def test_a_trial_that_fails_is_reported_and_the_others_continue(
    done: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_work: TrialWork, flow: Flow, _reporter: Reporter) -> list[str]:
        if flow.folder.name == "0000":
            raise DataError("table.csv", "is bad")
        flow.folder.mkdir()
        shutil.copy(done.folder / "trials" / flow.folder.name / "outcome.json", flow.folder)
        return ["shrink"]

    monkeypatch.setattr(TrialWork, "run", run)
    search = open_search(project(tmp_path / "a"), tmp_path / "a" / "build")
    told = Lines()
    outcomes = search.run(Limits(2), ONE, told)
    assert [*outcomes] == [1]
    assert told.lines[0].startswith("trial 0: failed: table.csv: is bad (log: ")


def test_another_search_in_the_same_folder_is_an_error(done: Search) -> None:
    other = replace(done, prunes=False)
    with pytest.raises(ConfigError, match="has a search with another prunes"):
        other.run(Limits(3), ONE, Reporter())


def test_a_table_that_has_changed_is_another_search(done: Search, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(done.folder.parents[1], folder)
    table = folder / "table.csv"
    table.write_text(table.read_text().replace("\n1,", "\n2,"))
    with pytest.raises(ConfigError, match="another table"):
        open_search(folder / "mine.yaml", folder / "build").run(Limits(3), ONE, Reporter())


def test_the_command_says_where_everything_is(
    done: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(done.folder.parents[1], tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    arguments = ["search", "mine.yaml", "--trials", "3", "--points", "2", "--jobs", "1"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "search: encoder.bits: integers from 2 to 6" in result.output
    assert "Flow files of its circuits: build/mine_search/{mine_1,mine_2}.yaml" in result.output
    assert "3 trials in" in result.output


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--objective", "beauty"], "search: objective: is 'beauty' (allowed: delay, energy)"),
        (["--storage", "nonsense://x"], "storage: cannot be used"),
    ],
)
def test_wrong_options_are_errors(tmp_path: Path, options: list[str], problem: str) -> None:
    file = project(tmp_path / "a")
    result = CliRunner().invoke(app, ["search", str(file), "--build", "b", "--jobs", "1", *options])
    assert problem in str(result.exception)


def test_delay_and_energy_are_objectives(tmp_path: Path) -> None:
    search = open_search(project(tmp_path / "a"), tmp_path / "a" / "build", further=["delay", "energy"])
    outcome = search.run(Limits(1), ONE, Reporter())[0]
    assert outcome.chosen.further.keys() == {"timing__delay", "energy__inference"}
    assert not any(each.further for each in outcome.candidates if not each.chosen)


# ---- auto --------------------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the recipe of auto be a small one."""
    sections = {key: FLOW[key] for key in ("encoder", "model", "training", "shrink", "minimize", "baselines")}
    monkeypatch.setattr("dwn_asic.flow.search.auto.base_sections", lambda *_: sections)
    monkeypatch.setattr("dwn_asic.flow.search.auto._OTHERS", 0)


def automatic(folder: Path, wish: Wish, told: Lines) -> Auto:
    table, build = str(folder / "a" / "table.csv"), folder / "a" / "build"
    return auto(table, wish=wish, reporter=told, trials=1, budget_s=120.0, build=build)


@pytest.mark.usefixtures("small")
def test_auto_ends_in_a_proved_chip_within_the_area(tmp_path: Path) -> None:
    project(tmp_path / "a")
    told = Lines()
    made = automatic(tmp_path, Wish(max_area=12.0), told)
    assert "auto: 180 rows of 4 features in 2 classes" in told.lines
    assert made.trials == 1
    assert made.chip.name == "table"
    assert made.chip.metrics["area__nand2_equivalent"] <= 12.0
    files = {each.name for each in made.folder.iterdir()}
    assert {"netlist.v", "design.v", "datasheet.html", "proof.json"} <= files
    assert made.chip in made.proved
    again = automatic(tmp_path, Wish(min_score=0.999), told)
    assert any("no circuit reaches a validation score of 0.999" in line for line in told.lines)
    assert again.chip.candidate.score >= made.chip.candidate.score


@pytest.mark.usefixtures("small")
def test_auto_makes_the_circuit_of_the_short_trial_if_no_other_ends(tmp_path: Path) -> None:
    project(tmp_path / "a")
    told, table = Lines(), str(tmp_path / "a" / "table.csv")
    made = auto(table, trials=0, build=tmp_path / "a" / "build", reporter=told)
    assert told.lines[-3] == "auto: the short trial has to do"
    assert made.chip.metrics["accuracy__test"] > 0.5
    assert "\ndata:" not in made.search.folder.joinpath("table.yaml").read_text()
    assert (made.folder / "netlist.v").exists()


@pytest.mark.usefixtures("small")
def test_auto_without_time_says_so(tmp_path: Path) -> None:
    project(tmp_path / "a")
    with pytest.raises(Exception, match="no circuit was found in the time"):
        auto(str(tmp_path / "a" / "table.csv"), budget_s=1.0, build=tmp_path / "build")


# ---- on a cluster ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Start a Dask scheduler with one worker in this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=60
    ) as local:
        yield local.scheduler_address


def test_a_cluster_finds_what_this_machine_finds(done: Search, scheduler: str, tmp_path: Path) -> None:
    search = open_search(project(tmp_path / "a"), tmp_path / "a" / "build")
    there, told = Resources(1, scheduler), Lines()
    outcomes = search.run(Limits(3), there, told)
    assert outcome_files(search) == outcome_files(done)
    assert (search.folder / "trials/0000.log").read_text().startswith("data: ")
    proved = publish(search, outcomes, published_front(outcomes, 2), there, Reporter())
    assert [each.name for each in proved] == ["mine_1", "mine_2"]
    assert (search.folder / "front.csv").read_bytes() == (done.folder / "front.csv").read_bytes()
    for name in ("mine_1/shrunk/netlist.v", "mine_2/shrunk/netlist.v"):
        assert (search.folder / name).read_bytes() == (done.folder / name).read_bytes()
    again = Lines()
    assert search.run(Limits(3), Resources(1), again) == outcomes, "continued on this machine"
    assert again.lines == []


def test_the_time_of_a_trial_elsewhere_is_limited_too(scheduler: str, tmp_path: Path) -> None:
    long = {"epochs": 1_000_000, "restarts": 2}
    search = open_search(project(tmp_path / "a", training=long), tmp_path / "a" / "build")
    told, begun = Lines(), time.monotonic()
    with pytest.raises(DwnAsicError, match="mine: no trial ended in the time"):
        search.run(Limits(None, begun + 4.0), Resources(1, scheduler), told)
    assert time.monotonic() - begun < 60.0
    assert told.lines == ["trial 0: stopped, since the time is up"]
    assert outcome_files(search) == []
