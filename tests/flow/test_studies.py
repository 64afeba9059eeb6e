"""Studies: which runs they consist of, and how executors carry them out, on this machine or elsewhere."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.execution.cluster import DaskCluster
from dwn_asic.execution.executor import Executor, Job, Outcome, Shared, attempt
from dwn_asic.flow import Flow, open_flow
from dwn_asic.flow import remote as remote_module
from dwn_asic.flow.remote import Order, Parcel, run_order
from dwn_asic.flow.studies import planned, run_all
from dwn_asic.flow.work import Work
from flows import FILE, Lines, write_flow

QUICK: dict[str, Any] = {
    "data": {"source": "csv:../table.csv"},
    "model": {"layers": [{"luts": 3, "inputs": 2}, {"luts": 1, "inputs": 3}]},
    "baselines": [],
    "target": "aig",
}


_TIME = re.compile(rb'"(\w*seconds\w*|finished)": [^,}\s]+')


class Here(Executor):
    """Executor that runs every job in this process, as if it were a worker elsewhere or of this machine."""

    shares_files = True  # type: ignore[misc]
    slots, pending = 1, 0  # type: ignore[assignment]

    def __init__(self, *, shares_files: bool) -> None:
        self.shares_files = shares_files  # type: ignore[misc]
        self.jobs: list[Job[Any]] = []

    def submit(self, job: Job[Any], _deadline: float | None = None) -> None:
        self.jobs.append(job)
        self.pending += 1

    def wait(self, _seconds: float | None = None) -> Outcome[Any]:
        self.pending -= 1
        job = self.jobs[-1 - self.pending]
        return Outcome(job, *attempt(job.work, *job.arguments))

    def close(self) -> None:
        pass


@pytest.fixture
def study() -> Path:
    """Write a study of two flows whose table is there, and one whose table is missing."""
    Path("flows").mkdir()
    Path("flows/table.csv").write_text(
        "a,b,class\n" + "".join(f"{i},{i % 7},{int(i > 20)}\n" for i in range(40))
    )
    for name in ("one", "two"):
        write_flow(Path(f"flows/some/{name}.yaml"), **QUICK)
    write_flow(Path("flows/some/absent.yaml"), **{**QUICK, "data": {"source": "csv:none.csv"}})
    return Path("flows/some")


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of runs, without the times that some of them contain."""
    return {
        path.relative_to(folder).as_posix(): _TIME.sub(b"", path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".steps" not in path.parts and path.name != ".lock"
    }


def test_the_runs_of_a_study_and_of_a_single_flow(study: Path) -> None:
    write_flow(FILE)
    plan = planned([study, FILE], [3, 5])
    assert [(run.title, str(run.folder), run.seed) for run in plan.runs] == [
        ("some/one, seed 3", "build/some/seed-3/one", 3),
        ("some/two, seed 3", "build/some/seed-3/two", 3),
        ("some/one, seed 5", "build/some/seed-5/one", 5),
        ("some/two, seed 5", "build/some/seed-5/two", 5),
        ("tiny", "build/tiny", None),
    ]
    assert plan.studies == (Path("build/some"),)
    assert plan.missing == (study / "absent.yaml",)
    assert [run.title for run in plan.single] == ["tiny"]
    assert str(plan.runs[0].log) == "build/some/seed-3/one.log"


def test_a_file_for_many_tables_is_a_run_for_each(study: Path) -> None:
    shutil.copy("flows/table.csv", "flows/other.csv")
    write_flow(Path("flows/many/each.yaml"), **{**QUICK, "data": {"source": "csv:../*.csv"}})
    write_flow(Path("flows/none/each.yaml"), **{**QUICK, "data": {"source": "csv:../*.txt"}})
    plan = planned([Path("flows/many"), Path("flows/none")], [0])
    assert [run.title for run in plan.runs] == ["many/other, seed 0", "many/table, seed 0"]
    assert plan.studies == (Path("build/many"),)
    assert plan.missing == (Path("flows/none/each.yaml"),)


def test_a_wrong_flow_is_found_before_anything_runs(study: Path) -> None:
    write_flow(study / "wrong.yaml", sed=1)
    with pytest.raises(ConfigError, match=r"flows/some/wrong\.yaml: sed: unknown key"):
        planned([study], [0])
    Path("flows/empty").mkdir()
    with pytest.raises(ConfigError, match="flows/empty: contains no flow file"):
        planned([Path("flows/empty")], [0])


def test_runs_elsewhere_leave_the_same_files_and_keys_as_runs_here(study: Path) -> None:
    elsewhere, here = Lines(), Lines()
    run_all(planned([study], [0], Path("away/build")).runs, Here(shares_files=False), elsewhere)
    run_all(planned([study], [0], Path("build")).runs, Here(shares_files=True), here)
    assert elsewhere.lines == here.lines == ["done: some/one, seed 0", "done: some/two, seed 0"]
    assert files(Path("away/build")) == files(Path("build"))
    assert "train: best epoch" in Path("away/build/some/seed-0/one.log").read_text()

    again = Lines()
    shutil.rmtree("build")
    shutil.move("away/build", "build")
    for shares in (True, False):
        executor = Here(shares_files=shares)
        run_all(planned([study], [0], Path("build")).runs, executor, again)
        assert len(executor.jobs) == (2 if shares else 0), "what is up to date is not sent"
    assert again.lines == []
    assert Path("build/some/seed-0/one.log").read_text().startswith("data: ")


def test_a_study_begun_here_continues_elsewhere(study: Path) -> None:
    runs = planned([study / "one.yaml"], [0]).runs
    flow = runs[0].open()
    ran = flow.engine.run(Lines(), targets=["network.npz"])
    network = (flow.folder / "network.npz").stat().st_mtime_ns
    run_all(runs, Here(shares_files=False), Lines())
    assert [step.title for step in ran] == ["data", "train"]
    assert (flow.folder / "network.npz").stat().st_mtime_ns == network, (
        "what did not change does not come back"
    )
    assert open_flow(study / "one.yaml").engine.up_to_date()


@pytest.mark.parametrize("shares_files", [True, False])
def test_a_failing_run_stops_no_other_and_is_listed_at_the_end(study: Path, *, shares_files: bool) -> None:
    Path("flows/broken.csv").write_text("a,b,class\n1,x,0\n2,3,1\n")
    write_flow(study / "broken.yaml", **{**QUICK, "data": {"source": "csv:../broken.csv"}})
    lines = Lines()
    with pytest.raises(
        DwnAsicError, match=r"^1 of 3 runs failed; the others are finished and kept$"
    ) as caught:
        run_all(planned([study], [0]).runs, Here(shares_files=shares_files), lines)
    assert caught.value.exit_code == 2
    assert lines.lines[:3] == [
        "failed: some/broken, seed 0", "done: some/one, seed 0", "done: some/two, seed 0"
    ]  # fmt: skip
    assert lines.lines[3].startswith("some/broken, seed 0: ")
    assert lines.lines[3].endswith("(log: build/some/seed-0/broken.log)")
    assert Path("build/some/seed-0/broken.log").read_text().splitlines()[-1].startswith("error: ")
    assert Path("build/some/seed-0/two/result.json").exists()


def test_what_a_failed_run_has_finished_comes_back(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(flow: Flow, _work: Work, log: Path) -> list[str]:
        flow.engine.run(Lines(), targets=["network.npz"])
        log.write_text("half way\n")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(remote_module, "run_logged", stops)
    runs = planned([study / "one.yaml"], [0]).runs
    with pytest.raises(DwnAsicError) as caught:
        run_all(runs, Here(shares_files=False), Lines())
    assert caught.value.exit_code == 3
    assert runs[0].log.read_text() == "half way\n"
    assert [step.title for step in runs[0].open().engine.run(Lines(), targets=["network.npz"])] == []


def test_a_worker_with_other_versions_says_so(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def older(order: Order, *contents: Shared) -> Parcel:
        train = {**order.environments["train"], "torch": "1.0"}
        return run_order(replace(order, environments={"train": train}), *contents)

    monkeypatch.setattr("dwn_asic.flow.tasks.run_order", older)
    lines = Lines()
    with pytest.raises(DwnAsicError):
        run_all(planned([study / "one.yaml"], [0]).runs, Here(shares_files=False), lines)
    assert re.search("worker: torch is .* on this worker, and 1.0 where the run was ordered", lines.lines[-1])


def test_a_trained_network_is_not_sent(finished: Flow) -> None:
    Path("mine.yaml").write_text(f"model: {{file: {finished.folder}/network.npz}}\n")
    lines = Lines()
    with pytest.raises(DwnAsicError):
        run_all(planned([Path("mine.yaml")], [0]).runs, Here(shares_files=False), lines)
    assert "mine.yaml: model.file: is not sent to other machines" in lines.lines[-1]


def test_workers_of_a_cluster_do_the_same(study: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=60
        ) as local,
        DaskCluster(local.scheduler_address) as executor,
    ):
        lines = Lines()
        run_all(planned([study], [0, 1], Path("away/build")).runs, executor, lines)
    assert sorted(lines.lines) == [
        f"done: some/{name}, seed {seed}" for name in ("one", "two") for seed in (0, 1)
    ]
    run_all(planned([study], [0, 1], Path("build")).runs, Here(shares_files=True), Lines())
    assert files(Path("away/build")) == files(Path("build"))
