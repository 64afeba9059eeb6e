"""Steps that run at once in worker processes; while there is one at a time, the engine's process runs it.

A worker runs one step after another, so that it imports libraries once. It inherits the lock of the run's
folder, which is therefore held until the last worker has ended, even if the engine's process is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dwn_asic.execution.worker import END, PATIENCE_S, Send, Worker, end_workers
from dwn_asic.flow.step import OUTPUTS, Reporter, Step, Workspace
from dwn_asic.tools import processors

__all__ = ["Task", "Workers"]

_MESSAGE, _PROGRESS = "message", "progress"
_PATIENCE_S = PATIENCE_S


@dataclass(frozen=True)
class Task:
    """A step that is ready to run.

    Attributes
    ----------
    step
        The step.
    key
        Its key.
    begun
        Time when it began, in seconds of :func:`time.perf_counter`.
    folder, scratch
        Folder of the run, and folder of the step's unfinished work.
    failures
        Reason why each file of the run that was not made is missing.
    seconds
        Title of each step that has run, and the time it took.
    """

    step: Step[Any]
    key: str
    begun: float
    folder: Path
    scratch: Path
    failures: Mapping[str, str]
    seconds: Mapping[str, float]

    @property
    def outputs(self) -> Path:
        """Folder of the outputs until the step has ended."""
        return self.scratch / OUTPUTS

    def run(self, reporter: Reporter) -> None:
        """Run the step in this process; its outputs remain in the scratch folder."""
        space = Workspace(self.step, self.folder, self.scratch, reporter, self.failures, self.seconds)
        self.step.work(self.step.settings, space)


class Workers:
    """A context manager that runs tasks, at most ``jobs`` at once.

    Leaving it ends the worker processes, and the steps that still run.

    Parameters
    ----------
    jobs
        Maximum number of steps at once.
    lock
        File descriptor that the workers inherit.
    reporter
        Function that returns the receiver of a step's messages.
    """

    def __init__(self, jobs: int, lock: int, reporter: Callable[[Step[Any]], Reporter]) -> None:
        self._jobs, self._lock, self._reporter = jobs, lock, reporter
        self._added: list[Task] = []
        self._idle: list[Worker] = []
        self._busy: dict[Connection, tuple[Worker, Task]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        end_workers([*self._idle, *(worker for worker, _ in self._busy.values())], _PATIENCE_S)

    @property
    def tasks(self) -> list[Task]:
        """Tasks that were added and have not ended."""
        return [*self._added, *(task for _, task in self._busy.values())]

    @property
    def full(self) -> bool:
        """True if as many tasks run as are allowed."""
        return len(self.tasks) >= self._jobs

    def add(self, task: Task) -> None:
        """Add a task, which the next call of :meth:`wait` starts."""
        self._added.append(task)

    def wait(self) -> tuple[Task, Exception | None]:
        """Run the tasks until one of them ends; return it, with its error if it failed.

        A single task runs in this process, as long as there are no worker processes.
        """
        if len(self._added) == 1 and not self._busy and not self._idle:
            task = self._added[0]
            error = _here(task, self._reporter(task.step))
            self._added.clear()
            return task, error
        while self._added:
            self._start(self._added[0])
            self._added.pop(0)
        while True:
            for link in wait(list(self._busy)):
                assert isinstance(link, Connection)
                ended = self._receive(link)
                if ended is not None:
                    return ended

    def _start(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = Worker.start(max(1, processors() // self._jobs), [self._lock])
        self._busy[worker.link] = worker, task
        worker.order(_run, task)

    def _receive(self, link: Connection) -> tuple[Task, Exception | None] | None:
        """Pass on one message of a worker; return its task with its error, if any, once it has ended."""
        worker, task = self._busy[link]
        try:
            kind, content = link.recv()
        except (EOFError, ConnectionResetError):
            del self._busy[link]
            link.close()
            return task, worker.died()
        if kind == END:
            del self._busy[link]
            self._idle.append(worker)
            return task, content[1]
        reporter = self._reporter(task.step)
        (reporter.message if kind == _MESSAGE else reporter.progress)(*content)
        return None


def _here(task: Task, reporter: Reporter) -> Exception | None:
    """Run a task in this process and return its error, or None."""
    try:
        task.run(reporter)
    except Exception as error:  # noqa: BLE001 - the engine raises it again
        return error
    return None


# ---- in the worker process ---------------------------------------------------------------------------------
class _Remote(Reporter):
    """Reporter that passes everything on to the engine's process."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def message(self, text: str) -> None:
        self._send(_MESSAGE, (text,))

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        self._send(_PROGRESS, (what, done, total, note))


def _run(send: Send, task: Task) -> None:
    """Run a task in a worker process."""
    task.run(_Remote(send))
