"""Studies: many independent runs of flows, which an executor carries out on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.data.sources import data_files
from dwn_asic.errors import ConfigError, DwnAsicError, ToolError
from dwn_asic.execution.executor import Executor
from dwn_asic.flow.flow_file import flows_of, load_flow, yaml_of
from dwn_asic.flow.run import DEFAULT_BUILD, Flow, open_flow
from dwn_asic.flow.step import Reporter
from dwn_asic.flow.tasks import carried_out
from dwn_asic.flow.work import WholeRun

__all__ = ["Plan", "StudyRun", "planned", "run_all"]


@dataclass(frozen=True)
class StudyRun:
    """One run of a flow.

    Attributes
    ----------
    title
        Title in messages, for example ``nine/phoneme, seed 0``.
    file
        Flow file, or ``FILE:NAME``.
    seed
        Seed that replaces the file's; None keeps it.
    build
        Folder that contains the run's folder.
    name
        Name of the flow and of the run's folder.
    """

    title: str
    file: Path
    seed: int | None
    build: Path
    name: str

    @property
    def folder(self) -> Path:
        """Build folder of the run."""
        return self.build / self.name

    @property
    def log(self) -> Path:
        """File with the messages of the run, beside its folder."""
        return self.build / f"{self.name}.log"

    @property
    def work(self) -> WholeRun:
        """All steps of the flow, which is what a run consists of."""
        return WholeRun()

    def open(self) -> Flow:
        """Open the flow of the run."""
        return open_flow(self.file, self.build, self.seed)


@dataclass(frozen=True)
class Plan:
    """The runs that flow files and folders of flow files stand for.

    Attributes
    ----------
    runs
        The runs, study by study and seed by seed.
    studies
        Build folder of each study that has runs; its runs are in the subfolders ``seed-SEED/NAME``.
    missing
        Flow files that were left out because a file of their data is missing.
    """

    runs: tuple[StudyRun, ...]
    studies: tuple[Path, ...]
    missing: tuple[Path, ...]

    @property
    def single(self) -> tuple[StudyRun, ...]:
        """Runs of single flow files, which belong to no study."""
        return tuple(run for run in self.runs if run.seed is None)


def planned(places: Iterable[Path], seeds: Sequence[int], build: Path = DEFAULT_BUILD) -> Plan:
    """Return the runs of flow files and of studies.

    Parameters
    ----------
    places
        A flow file stands for one run with its own seed, in ``build/NAME``. A folder STUDY of flow files
        stands for a run of each with each seed, in ``build/STUDY/seed-SEED/NAME``. A file with ``*`` in its
        data source stands for a flow for each file that matches.
    seeds
        Seeds of the runs of folders.
    build
        Folder of all build folders.

    Raises
    ------
    ConfigError
        A flow file is wrong, or a folder contains none. Every file is read before anything runs.
    """
    runs: list[StudyRun] = []
    studies: list[Path] = []
    missing: list[Path] = []
    for place in places:
        files = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
        if not files:
            raise ConfigError(place, "", "contains no flow file", "a folder with files *.yaml")
        flows = [flow for file in files for flow in flows_of(file)]
        names = {flow: name for flow in flows if (name := _available(flow)) is not None}
        read = {yaml_of(flow) for flow in names}
        missing += [file for file in files if file not in read]
        if not place.is_dir():
            runs += [StudyRun(name, flow, None, build, name) for flow, name in names.items()]
            continue
        study = place.resolve().name
        studies += [build / study] * bool(names)
        runs += [
            StudyRun(f"{study}/{name}, seed {seed}", flow, seed, build / study / f"seed-{seed}", name)
            for seed in seeds
            for flow, name in names.items()
        ]
    return Plan(tuple(runs), tuple(studies), tuple(missing))


def _available(file: Path) -> str | None:
    """Return the name of a flow, or None if a file of its data is missing."""
    flow = load_flow(file)
    there = flow.data is None or all(table.exists() for table in data_files(flow.data).values())
    return flow.name if there else None


def run_all(runs: Sequence[StudyRun], executor: Executor, reporter: Reporter) -> None:
    """Execute runs, and report each that did something when it has ended.

    A run that fails does not stop the others; all that failed are reported at the end. Each run has a log
    file beside its folder. Runs and steps that are up to date are left as they are.

    Raises
    ------
    DwnAsicError
        Runs have failed; the error has the exit code of the first.
    """
    progress = _Progress(reporter, len(runs))
    if executor.slots == 0:
        reporter.message("no worker is connected to the scheduler yet: waiting for one")
    for run, found in carried_out(runs, executor):
        progress.end(run, found)
    progress.report_failures()


class _Progress:
    """The number of runs that have ended, and the errors of those that failed."""

    def __init__(self, reporter: Reporter, total: int) -> None:
        self._reporter, self._total, self._ended = reporter, total, 0
        self._failures: dict[StudyRun, Exception] = {}

    def end(self, run: StudyRun, found: list[str] | Exception) -> None:
        """Report that a run has ended, with the steps that ran or its error."""
        self._ended += 1
        if isinstance(found, Exception):
            self._failures[run] = found
            self._reporter.message(f"failed: {run.title}")
        elif found:
            self._reporter.message(f"done: {run.title}")
        self._reporter.progress("runs", self._ended, self._total)

    def report_failures(self) -> None:
        """Report all runs that failed, and raise an error if there are any."""
        for run, error in self._failures.items():
            self._reporter.message(f"{run.title}: {_line(error)} (log: {run.log})")
        if not self._failures:
            return
        failed = DwnAsicError(
            f"{len(self._failures)} of {self._total} runs failed; the others are finished and kept"
        )
        first = next(iter(self._failures.values()))
        failed.exit_code = first.exit_code if isinstance(first, DwnAsicError) else ToolError.exit_code
        raise failed


def _line(error: Exception) -> str:
    """Return the message of an error in one line."""
    text = str(error) if isinstance(error, DwnAsicError | OSError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
