"""Topic ``search``, its part on scale: executors, workers that die, the table of results, the scheduler."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import pickle
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.figures.table import Row, named, row
from dwn_asic.execution.cluster import DaskCluster
from dwn_asic.execution.executor import Executor, Job, completed
from dwn_asic.execution.processes import LocalProcesses

_SETS = ("iris", "wine")
_LARGER = ("digits",)
_FLOW = """\
data: {{source: "sklearn:{name}"}}
encoder: {{input_bits: 6, bits: 8}}
model: {{pyramid: [4, 4, 4]}}
training: {{epochs: 10, restarts: 2}}
shrink: {{proposals: 100000, jobs: 1}}
minimize: {{effort: low}}
baselines: []
"""
_TIME = re.compile(rb'"(\w*seconds\w*|finished)": [^,}\s]+')
_KILL_EVERY_S = 30.0
_PAIRS = 5
"""Number of times that two studies are compared."""
_WORKERS = {
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
"""Options of workers, as in ``docs/howto/cluster.md``."""
_WITHOUT_WATCHERS = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "60s",
    "distributed.admin.tick.interval": "10s",
    "distributed.comm.timeouts.connect": "300s",
    "distributed.comm.timeouts.tcp": "300s",
}
"""Options for simulated workers: what watches a process would watch the same one a thousand times."""


def nap(seconds: float) -> None:
    """Wait in place of a run, as a process that sleeps."""
    time.sleep(seconds)


async def short_nap(seconds: float) -> None:
    """Wait in place of a run on one of many simulated workers, without a thread."""
    await asyncio.sleep(seconds)


@contextmanager
def cluster(workers: int, *, processes: bool = True) -> Iterator[Any]:
    """Start a Dask cluster of this machine, whose workers have one thread each.

    This is how ``docs/howto/cluster.md`` starts workers.
    """
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(_WORKERS),
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=":0",
            silence_logs=60,
            local_directory=folder,
        ) as started,
    ):
        started.wait_for_workers(workers)
        yield started


@contextmanager
def dask(workers: int) -> Iterator[Executor]:
    """Open the executor of a cluster with these worker processes."""
    with cluster(workers) as started, DaskCluster(started.scheduler_address) as executor:
        yield executor


def _elapsed(executor: Executor, seconds: float, count: int) -> float:
    """Return the seconds in which an executor, whose workers have started, ends stand-in runs that sleep."""
    _warm(executor)
    begun = time.perf_counter()
    jobs = (Job(f"nap {number}", nap, (seconds,)) for number in range(count))
    assert sum(each.error is None for each in completed(executor, jobs)) == count
    return time.perf_counter() - begun


def linear() -> Iterator[Row]:
    """Measure how far eight workers are from linear, with stand-in runs that sleep for a second."""
    opened: dict[str, tuple[str, Callable[[], Any]]] = {
        "workers": ("Dask workers", lambda: dask(8)),
        "processes": ("local processes", lambda: LocalProcesses(8)),
    }
    for name, (kind, opening) in opened.items():
        with opening() as executor:
            elapsed = _elapsed(executor, 1.0, 80)
        what = (
            f"time that eight {kind} take beyond an eighth of what one would, 80 stand-in runs that sleep "
            "for 1 s each (sleep-bound, since there are two processor cores)"
        )
        yield row(f"search.linear_8_{name}", what, 100 * (elapsed / 10 - 1), "%", "<= 10")


def overhead() -> Iterator[Row]:
    """Compare two local Dask workers with two local processes."""
    sleeping = {}
    for name, opening in {"dask": lambda: dask(2), "local": lambda: LocalProcesses(2)}.items():
        with opening() as executor:
            sleeping[name] = _elapsed(executor, 2.0, 20)
    what = "time that two Dask workers take beyond two local processes, 20 stand-in runs that sleep for 2 s"
    yield row("search.overhead_sleep", what, 100 * (sleeping["dask"] / sleeping["local"] - 1), "%", "< 5")
    openings: dict[str, Callable[[], Any]] = {"local": lambda: LocalProcesses(2), "dask": lambda: dask(2)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in openings}
    with _study(range(6)) as runs:
        _measured(runs[:1], "compiled", openings["local"])  # what all runs share
        for number in range(_PAIRS):
            # Their order alternates, since the machine may become slower or faster meanwhile.
            for name in sorted(openings, reverse=number % 2 == 0):
                times[name].append(_measured(runs, f"{name}{number}", openings[name]))
    clock, processor = (
        100.0 * (median(remote[k] / local[k] for local, remote in zip(*times.values(), strict=True)) - 1.0)
        for k in (0, 1)
    )
    sets = f"{len(runs)} runs of small flows, all of them whole, workers started; median of {_PAIRS} pairs"
    what = f"processor time of two Dask workers and a scheduler beyond that of two local processes: {sets}"
    yield row("search.overhead_processor", what, processor, "%", "< 5")
    what = f"wall-clock time that two Dask workers take beyond two local processes: {sets}"
    yield row("search.overhead_wall", what, clock, "%", "< 5")


@contextmanager
def _study(seeds: range, sets: tuple[str, ...] = _SETS) -> Iterator[list[tuple[str, int]]]:
    """Write a study of small flows in a temporary working directory, and yield its flows and seeds."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path("flows/small").mkdir(parents=True)
        for name in sets:
            Path(f"flows/small/{name}.yaml").write_text(_FLOW.format(name=name))
        yield list(itertools.product(sets, seeds))


def _measured(runs: list[tuple[str, int]], build: str, opening: Callable[[], Any]) -> tuple[float, float]:
    """Run the study and return its times in seconds: by the clock, and of all processors.

    Both begin with the first run, when all workers have started.
    """
    from dwn_asic.flow.step import Reporter
    from dwn_asic.flow.studies import planned, run_all

    plan = planned([Path("flows/small")], sorted({seed for _, seed in runs}), Path(build))
    with opening() as executor:
        _warm(executor)
        begun, before = time.perf_counter(), _processor_s()
        run_all(plan.runs, executor, Reporter())
        return time.perf_counter() - begun, _processor_s() - before


def _warm(executor: Executor) -> None:
    """Wait until all workers of an executor have started."""
    jobs = [Job(f"warm {number}", nap, (0.5,)) for number in range(executor.slots)]
    assert all(each.error is None for each in completed(executor, jobs))


def _processor_s() -> float:
    """Return the processor time of this process and of all that it has started, those that ended included."""
    this = psutil.Process()
    times = [each.cpu_times() for each in (this, *this.children(recursive=True))]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def killed() -> Iterator[Row]:
    """Kill a worker of a study of 40 runs every 30 s, and compare with an undisturbed study."""
    kills: list[int] = []
    with _study(range(20)) as runs:
        _measured(runs, "calm", lambda: LocalProcesses(2))
        _measured(runs, "disturbed", lambda: _attacked(kills))
        calm, disturbed = (_files(Path(build)) for build in ("calm", "disturbed"))
    differing = {name for name in calm.keys() | disturbed.keys() if calm.get(name) != disturbed.get(name)}
    wrong = {"/".join(name.split("/")[:3]) for name in differing}
    assert len({"/".join(name.split("/")[:3]) for name in calm if name.endswith("result.json")}) == 40
    what = (
        f"of 40 runs on two Dask workers, one of which is killed every {_KILL_EVERY_S:.0f} s, those with a "
        "file that is missing or differs from that of an undisturbed study on local processes (no times)"
    )
    yield row("search.killed_workers", what, len(wrong), "runs", "<= 0")
    yield row("search.killed_workers_kills", "workers that were killed meanwhile", len(kills), "workers")


@contextmanager
def _attacked(kills: list[int]) -> Iterator[Executor]:
    """Open the executor of two Dask workers, and kill one of them every 30 s; it starts again."""
    draw, over = random.Random(0), threading.Event()
    with cluster(2) as started, DaskCluster(started.scheduler_address) as executor:

        def attack() -> None:
            while not over.wait(_KILL_EVERY_S):
                pids = [nanny.pid for nanny in started.workers.values() if nanny.pid]
                if pids:
                    kills.append(draw.choice(pids))
                    os.kill(kills[-1], signal.SIGKILL)

        attacker = threading.Thread(target=attack)
        attacker.start()
        try:
            yield executor
        finally:
            over.set()
            attacker.join()


def _files(build: Path) -> dict[str, bytes]:
    """Return the files of a study, without measured times and what only a running process needs."""
    return {
        path.relative_to(build).as_posix(): _TIME.sub(b"", path.read_bytes())
        for path in build.rglob("*")
        if path.is_file() and ".steps" not in path.parts and path.name != ".lock" and path.suffix != ".log"
    }


def results() -> Iterator[Row]:
    """Measure a table of means over 10,000 stored results, as ``dwn-asic results`` makes it."""
    with _study(range(1), _LARGER) as runs, tempfile.TemporaryDirectory() as folder:
        _measured(runs, "build", lambda: LocalProcesses(1))
        content = json.loads(Path("build/small/seed-0/digits/result.json").read_text())
        rows = [
            {**method, "name": f"{method['name']}-{n}"} for n in range(6) for method in content["methods"]
        ]
        for flow, seed in itertools.product(range(100), range(100)):
            place = Path(folder) / f"many/seed-{seed}/set{flow}"
            place.mkdir(parents=True)
            text = json.dumps({**content, "flow": f"set{flow}", "seed": seed, "methods": rows})
            (place / "result.json").write_text(text)
        command = [sys.executable, "-m", "dwn_asic", "results", folder, "--by", "flow,name", "--limit", "0"]
        taken = []
        for _ in range(4):
            begun = time.perf_counter()
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            taken.append(time.perf_counter() - begun)
            assert len(done.stdout.splitlines()) == 1 + 100 * len(rows)
        size = (Path(folder) / "results.parquet").stat().st_size / 2**20
    what = f"time of dwn-asic results --by flow,name over 10,000 stored results of {len(rows)} methods each"
    yield row("search.results_10000_seconds", f"{what}, best of three", min(taken[1:]), "s", "< 3")
    yield row(
        "search.results_10000_first_seconds", f"{what}, when all are read for the first time", taken[0], "s"
    )
    yield row("search.results_10000_megabytes", "size of results.parquet of these results", size, "MiB")


def scheduler() -> Iterator[Row]:
    """Measure how many runs a second Dask's scheduler hands out, with up to 1,000 simulated workers.

    The workers are objects in one process with the scheduler, and the stand-in runs sleep on its event loop.
    All share one processor core, so a scheduler with a core of its own is faster than this.
    """
    for workers, count in ((10, 2000), (100, 2000), (1000, 4000)):
        rate, megabytes = asyncio.run(_simulated(workers, count))
        what = (
            f"runs a second that one Dask scheduler hands out and takes back with {workers} simulated "
            "workers, which share its processor core (sleep-bound stand-in runs)"
        )
        yield row(f"search.scheduler_{workers}_workers", what, rate, "runs/s")
        if workers == 1000:
            what = (
                "memory of a Dask scheduler, 1,000 simulated workers and a client after 4,000 stand-in runs"
            )
            yield row("search.scheduler_1000_megabytes", what, megabytes, "MiB")


async def _simulated(workers: int, count: int) -> tuple[float, float]:
    """Return the runs a second of a scheduler, and the memory of the process in MiB."""
    import dask
    from distributed import Client, Scheduler, Worker

    with tempfile.TemporaryDirectory() as folder, dask.config.set(_WITHOUT_WATCHERS):
        async with Scheduler(protocol="inproc://", port=0, dashboard_address=":0") as started:
            crew = [
                Worker(started.address, nthreads=1, memory_limit=0, local_directory=folder, dashboard=False)
                for _ in range(workers)
            ]
            await asyncio.gather(*crew)
            async with Client(started.address, asynchronous=True) as client:
                begun = time.perf_counter()
                keys = [f"nap-{number}" for number in range(count)]
                await client.gather(client.map(short_nap, [0.001] * count, key=keys, pure=False))
                rate = count / (time.perf_counter() - begun)
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            await asyncio.gather(*(worker.close(executor_wait=False, nanny=False) for worker in crew))
    return rate, megabytes


def movement() -> Iterator[Row]:
    """Measure what a run sends back, the whole run of a small flow, and the time this takes here."""
    from dwn_asic.flow.remote import order_of, run_order, store_parcel
    from dwn_asic.flow.studies import planned

    with _study(range(1), _LARGER):
        (run,) = planned([Path("flows/small/digits.yaml")], [0], Path("build")).runs
        order = order_of(run.open(), run.work)
        assert order is not None
        ordering = min(_seconds(lambda: order_of(run.open(), run.work)) for _ in range(5))
        parcel: Any = run_order(*order)  # type: ignore[arg-type]
        assert parcel.error is None
        storing = min(_seconds(lambda: store_parcel(parcel, run.folder, run.log)) for _ in range(5))
    with zipfile.ZipFile(io.BytesIO(parcel.archive)) as archive:
        files = len(archive.namelist())
        unpacked = sum(each.file_size for each in archive.infolist())
    sent, returned = len(pickle.dumps(order)) / 1024, len(parcel.archive) / 1024
    yield row(
        "search.order_kilobytes", "size of what a worker gets for a new run, without its data", sent, "KiB"
    )
    yield row("search.parcel_kilobytes", "size of what a worker returns of a small run", returned, "KiB")
    yield row("search.run_kilobytes", "size of the files of this run on disk", unpacked / 1024, "KiB")
    yield row("search.run_files", "number of these files", files, "files")
    what = "time in which the command opens a flow and prepares it for a worker, best of five"
    yield row("search.order_milliseconds", what, 1000 * ordering, "ms")
    what = "time in which the command stores what a worker returns of a small run, best of five"
    yield row("search.store_milliseconds", what, 1000 * storing, "ms")


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


MEASUREMENTS = {
    **named("search", linear, "linear_8_workers", "linear_8_processes"),
    **named("search", overhead, "overhead_sleep", "overhead_processor", "overhead_wall"),
    **named("search", killed, "killed_workers", "killed_workers_kills"),
    **named(
        "search", results, "results_10000_seconds", "results_10000_first_seconds", "results_10000_megabytes"
    ),
    **named("search", scheduler, "scheduler_10_workers", "scheduler_100_workers", "scheduler_1000_workers"),
    **named("search", scheduler, "scheduler_1000_megabytes"),
    **named("search", movement, "order_kilobytes", "parcel_kilobytes", "run_kilobytes", "run_files"),
    **named("search", movement, "order_milliseconds", "store_milliseconds"),
}
"""Id of each figure -> the function that measures it."""
