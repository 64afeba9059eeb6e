"""Both executors: outcomes, errors, workers that die, and contents that travel once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import standins

from dwn_asic.errors import DataError, ToolError, ToolTimeoutError
from dwn_asic.execution import cluster
from dwn_asic.execution.cluster import DaskCluster, worker_folder
from dwn_asic.execution.executor import ATTEMPTS, Executor, Job, Outcome, Shared, completed
from dwn_asic.execution.processes import LocalProcesses, ThisProcess
from dwn_asic.execution.resources import Resources

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Start a scheduler with two workers in this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as found:
        yield found.scheduler_address


@pytest.fixture(params=["processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Open each executor, with two workers."""
    address = request.getfixturevalue("scheduler") if request.param == "dask" else None
    with Resources(2, address).open() as found:
        yield found


def test_every_job_has_its_outcome(executor: Executor) -> None:
    assert executor.slots == 2
    found = {
        each.job.name: each
        for each in completed(executor, (Job(str(i), standins.square, (i,)) for i in range(9)))
    }
    assert {name: each.value for name, each in found.items()} == {str(i): i * i for i in range(9)}
    assert {(each.error, each.attempts) for each in found.values()} == {(None, 1)}
    assert executor.pending == 0


def test_jobs_are_taken_shortly_before_they_start(executor: Executor) -> None:
    taken: list[int] = []

    def jobs() -> Iterator[Job[int]]:
        for number in range(20):
            taken.append(number)
            yield Job(str(number), standins.square, (number,))

    for ended, _ in enumerate(completed(executor, jobs())):
        assert len(taken) <= ended + 2 * executor.slots
    assert len(taken) == 20


def test_a_job_that_fails_costs_no_other(executor: Executor) -> None:
    jobs = [
        Job("good", standins.square, (3,)),
        Job("bad", standins.fail, ("data",)),
        Job("odd", standins.fail, ("odd",)),
    ]
    found = {each.job.name: each for each in completed(executor, jobs)}
    assert found["good"].value == 9
    error = found["bad"].error
    assert isinstance(error, DataError)
    assert (str(error), error.row) == ("table.csv, row 3: is wrong", 3)
    assert "in fail" in "".join(error.__notes__)
    assert "out of ideas" in str(found["odd"].error)  # Dask can pickle even this error


def test_jobs_run_at_once(executor: Executor) -> None:
    jobs = [Job("a", standins.meet, ("a", "b")), Job("b", standins.meet, ("b", "a"))]
    assert {each.error for each in completed(executor, jobs)} == {None}


def test_contents_reach_the_functions(executor: Executor) -> None:
    content = Shared.of("table.csv", b"x" * 1000)
    jobs = [Job(str(i), standins.read, (content, "mark")) for i in range(3)]
    assert {each.value for each in completed(executor, jobs)} == {("table.csv", 1000)}


def test_with_one_ahead_a_job_is_taken_when_a_worker_is_free(executor: Executor) -> None:
    taken = ended = 0

    def jobs() -> Iterator[Job[int]]:
        nonlocal taken
        for number in range(8):
            assert taken - ended < executor.slots
            taken += 1
            yield Job(str(number), standins.square, (number,))

    for _ in completed(executor, jobs(), ahead=1):
        ended += 1
    assert ended == 8


def test_an_outcome_among_the_jobs_is_yielded_before_the_next_is_taken(executor: Executor) -> None:
    seen: list[str] = []

    def jobs() -> Iterator[Job[int] | Outcome[int]]:
        yield Outcome(Job("known", standins.square), 4, None)
        assert seen == ["known"]
        yield Job("new", standins.square, (3,))

    for each in completed(executor, jobs()):
        seen += [each.job.name]
    assert seen == ["known", "new"]


def test_at_the_deadline_what_runs_is_stopped_and_nothing_begins(executor: Executor, tmp_path: Path) -> None:
    names = ["quick", "pid-0", "pid-1", "never", "nor this"]
    work = {"quick": Job("quick", standins.square, (3,))}
    jobs = (work.get(name, Job(name, standins.sleep, (str(tmp_path / name),))) for name in names)
    begun = time.monotonic()
    found = {
        each.job.name: each for each in completed(executor, jobs, ahead=1, deadline=time.monotonic() + 2.5)
    }
    assert 2.5 <= time.monotonic() - begun < 60.0
    assert (found.pop("quick").value, found.keys()) == (9, {"pid-0", "pid-1"})
    assert {type(each.error) for each in found.values()} == {ToolTimeoutError}
    assert executor.pending == 0
    pids = [int((tmp_path / name).read_text()) for name in found]
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() - begun < 60.0, "a worker elsewhere stops it too"
        time.sleep(0.05)


def test_a_wait_may_end_before_a_job_does(executor: Executor) -> None:
    executor.submit(Job("nap", standins.nap, (1.0,)))
    assert executor.wait(0.05) is None
    found = executor.wait()
    assert found is not None
    assert found.error is None


# ---- processes of this machine -----------------------------------------------------------------------------
def test_workers_are_other_processes_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with LocalProcesses(1) as executor:
        found = [each.value for each in completed(executor, [Job(str(i), standins.where) for i in range(3)])]
    assert len(set(found)) == 1, "one worker runs one job after another"
    assert found[0] is not None
    pid, threads = found[0]
    assert (pid != os.getpid(), threads) == (True, "1")


def test_a_job_whose_worker_dies_begins_again(tmp_path: Path) -> None:
    jobs = [
        Job("dies", standins.die_at_first, ("mark", 5)),
        *(Job(str(i), standins.square, (i,)) for i in range(4)),
    ]
    with LocalProcesses(2) as executor:
        found = {each.job.name: (each.value, each.attempts) for each in completed(executor, jobs)}
    assert found == {"dies": (5, 2), **{str(i): (i * i, 1) for i in range(4)}}


def test_a_job_that_always_kills_its_worker_fails() -> None:
    with LocalProcesses(2) as executor:
        found = {
            each.job.name: each
            for each in completed(executor, [Job("x", standins.die), Job("y", standins.square, (2,))])
        }
    assert (found["x"].attempts, found["y"].value) == (ATTEMPTS, 4)
    assert str(found["x"].error) == "worker process: ended unexpectedly: Killed"


def test_leaving_it_ends_what_still_runs(tmp_path: Path) -> None:
    with LocalProcesses(2) as executor:
        executor.submit(Job("long", standins.sleep, ("pid",)))
        deadline = time.monotonic() + 60
        while not (text := Path("pid").read_text() if Path("pid").exists() else ""):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(int(text), 0)


def test_one_job_at_a_time_needs_no_other_process() -> None:
    with Resources(1).open(isolated=False) as executor:
        assert isinstance(executor, ThisProcess)
        jobs = [Job("a", standins.where), Job("b", standins.fail, ("data",)), Job("c", standins.square, (2,))]
        found = {each.job.name: each for each in completed(executor, jobs)}
        with pytest.raises(ValueError, match="cannot be stopped"):
            executor.submit(jobs[0], time.monotonic())
    assert found["a"].value is not None
    assert found["a"].value[0] == os.getpid()  # type: ignore[index]
    assert isinstance(found["b"].error, DataError)
    assert found["c"].value == 4


# ---- Dask --------------------------------------------------------------------------------------------------
def test_dask_begins_a_job_again_and_carries_contents_to_each_worker_once(tmp_path: Path) -> None:
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=60,
            local_directory=str(tmp_path),
        ) as local,
        DaskCluster(local.scheduler_address) as executor,
    ):
        content = Shared.of("table.csv", os.urandom(2_000_000))
        jobs = [Job(f"read {i}", standins.read, (content, str(tmp_path / f"mark-{i}"))) for i in range(8)]
        assert {each.value for each in completed(executor, jobs)} == {("table.csv", 2_000_000)}
        sent = [key for key in local.scheduler.tasks if str(key).startswith("content-")]
        assert len(sent) == 1, "the scheduler has it once, for all eight jobs"
        with distributed.Client(local) as client:
            received = sum(client.run(standins.received).values())
        assert received < 1.1 * 2_000_000, (
            "one worker has it from the scheduler, the other at most from the first"
        )

        dies = Job("dies", standins.die_at_first, (str(tmp_path / "mark"), 5))
        others = [Job(str(i), standins.read, (content, str(tmp_path / f"mark-{i}"))) for i in range(4)]
        found = {each.job.name: each.value for each in completed(executor, [dies, *others])}
        assert found == {"dies": 5, **{str(i): ("table.csv", 2_000_000) for i in range(4)}}


def test_a_worker_has_a_folder_of_its_own(scheduler: str) -> None:
    with DaskCluster(scheduler) as executor:
        executor.submit(Job("folder", worker_folder))
        executor.submit(Job("with a deadline, in a process of its own", worker_folder), time.monotonic() + 60)
        found = [executor.wait(), executor.wait()]
    inside = [each.value for each in found if each is not None]
    assert len({folder.parent for folder in inside if folder is not None}) == 1
    assert worker_folder() not in inside


def test_no_scheduler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.2)
    with pytest.raises(ToolError, match=r"^dask: no scheduler answers at tcp://127\.0\.0\.1:1$"):
        DaskCluster("tcp://127.0.0.1:1")


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"pip install 'dwn-asic\[cluster\]'"):
        DaskCluster("tcp://127.0.0.1:1")


def test_a_scheduler_that_ends_is_an_error() -> None:
    local = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=60
    )
    with DaskCluster(local.scheduler_address) as executor:
        executor.submit(Job("nap", standins.nap, (1.0,)))
        local.close()
        with pytest.raises(ToolError, match=r"the connection to the scheduler at .* is lost"):
            executor.wait()
