"""Steps that run at once in worker processes; while there is one at a time, the engine's process runs it.

A worker runs one step after another, so that it imports libraries once. It inherits the lock of the run's
folder, which is therefore held until the last worker has ended, even if the engine's process is killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Self

from dwn_asic.errors import ToolError
from dwn_asic.flow.step import OUTPUTS, Reporter, Step, Workspace
from dwn_asic.tools import processors

__all__ = ["Task", "Workers", "serve"]

_MESSAGE, _PROGRESS, _END = "message", "progress", "end"
_PATIENCE_S = 60.0
"""Seconds that an interrupted worker has to stop its work and its tools before it is killed."""


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


@dataclass(frozen=True, eq=False)
class _Worker:
    """A worker process, and the connection to it; the process ends when the connection is closed."""

    process: subprocess.Popen[bytes]
    link: Connection

    @classmethod
    def start(cls, lock: int, threads: int) -> _Worker:
        here, there = Pipe()
        with there:
            number = there.fileno()
            program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve({number})"
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=(number, lock),
                env={"OMP_NUM_THREADS": str(threads), **os.environ},
            )
        return cls(process, here)

    def died(self) -> ToolError:
        """Return the error of a process that ended by itself."""
        code = self.process.wait()
        why = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        return ToolError("worker process", f"ended unexpectedly: {why}")


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
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Task]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        workers = [*self._idle, *(worker for worker, _ in self._busy.values())]
        for worker in workers:
            worker.link.close()
        try:
            for worker in workers:
                with suppress(subprocess.TimeoutExpired):
                    worker.process.wait(_PATIENCE_S)
        finally:
            for worker in workers:
                if worker.process.poll() is None:
                    worker.process.kill()
                    worker.process.wait()

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
            error = _outcome(task, self._reporter(task.step))
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
            worker = _Worker.start(self._lock, max(1, processors() // self._jobs))
        self._busy[worker.link] = worker, task
        order = pickle.dumps(task)
        try:
            worker.link.send_bytes(order)
        except BrokenPipeError:
            raise worker.died() from None

    def _receive(self, link: Connection) -> tuple[Task, Exception | None] | None:
        """Pass on one message of a worker; return its task with its error, if any, once it has ended."""
        worker, task = self._busy[link]
        try:
            kind, content = link.recv()
        except (EOFError, ConnectionResetError):
            del self._busy[link]
            link.close()
            return task, worker.died()
        if kind == _END:
            del self._busy[link]
            self._idle.append(worker)
            return task, content
        reporter = self._reporter(task.step)
        (reporter.message if kind == _MESSAGE else reporter.progress)(*content)
        return None


def _outcome(task: Task, reporter: Reporter) -> Exception | None:
    """Run a task and return its error, or None."""
    try:
        task.run(reporter)
    except Exception as error:  # noqa: BLE001 - the engine raises it again
        return error
    return None


# ---- in the worker process ---------------------------------------------------------------------------------
class _Remote(Reporter):
    """Reporter that passes everything on to the engine's process; steps with threads may share it."""

    def __init__(self, link: Connection) -> None:
        self._link, self._turn = link, threading.Lock()

    def message(self, text: str) -> None:
        self.send(_MESSAGE, (text,))

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        self.send(_PROGRESS, (what, done, total, note))

    def send(self, kind: str, content: object) -> None:
        """Send one message to the engine's process."""
        with self._turn:
            self._link.send((kind, content))


def serve(number: int) -> None:
    """Run the tasks that arrive at a connection until it is closed.

    Parameters
    ----------
    number
        File descriptor of the connection.
    """
    # Ctrl-C reaches the engine's process too, which then closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    link, arrived = Connection(number), SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=(link, arrived), daemon=True).start()
    remote = _Remote(link)
    with suppress(KeyboardInterrupt, BrokenPipeError):
        while True:
            remote.send(_END, _answer(arrived.get(), remote))


def _listen(link: Connection, arrived: SimpleQueue[bytes]) -> None:
    """Receive tasks; the end of the connection interrupts the step that runs."""
    with suppress(EOFError, OSError):
        while True:
            arrived.put(link.recv_bytes())
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _answer(order: bytes, reporter: Reporter) -> Exception | None:
    """Run a pickled task, and return its error, if any, with the traceback as a note."""
    try:
        error = _outcome(pickle.loads(order), reporter)  # noqa: S301 - the engine has written it
    except Exception as found:  # noqa: BLE001 - the task cannot be read, for example its module is missing
        error = found
    if error is None:
        return None
    text = "".join(traceback.format_exception(error))
    with suppress(Exception):
        error = pickle.loads(pickle.dumps(error))  # noqa: S301 - not every exception can be read again
        error.add_note(text)
        return error
    return RuntimeError(text)
