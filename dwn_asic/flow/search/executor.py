"""Independent runs, side by side: the only place that decides where a run is executed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Protocol, TypeVar

from dwn_asic.errors import ToolTimeoutError
from dwn_asic.execution.worker import END, Send, Worker, end_workers
from dwn_asic.flow.step import Reporter
from dwn_asic.tools import processors

__all__ = ["Work", "completed"]

_PATIENCE_S = 10.0
"""Seconds that a worker has to end by itself before it is killed."""


class Work(Protocol):
    """A run that can be pickled; its results are files."""

    def run(self, reporter: Reporter) -> None:
        """Do the work; equal work leaves equal files, and work that was done before ends at once."""


Job = TypeVar("Job", bound=Work)


def completed(
    tasks: Iterable[Job], workers: int, *, deadline: float | None = None, locks: Sequence[int] = ()
) -> Iterator[tuple[Job, Exception | None]]:
    """Run tasks side by side; yield each as it ends, with its error if it failed.

    The next task is taken only when a worker is free, so that it may depend on the results of those that were
    yielded. A task that fails, or whose process dies, does not stop the others.

    Parameters
    ----------
    tasks
        Tasks, in the order in which they begin.
    workers
        Number of processes. A single one without a deadline is this process.
    deadline
        Time of :func:`time.monotonic` at which tasks that still run are stopped, with a ToolTimeoutError as
        their error, and no further task begins; None for no limit.
    locks
        File descriptors of locks that the processes inherit.
    """
    if workers == 1 and deadline is None:
        for task in tasks:
            yield task, _outcome(task)
        return
    yield from _Pool(workers, deadline, locks).completed(iter(tasks))


def _outcome(task: Work) -> Exception | None:
    try:
        task.run(Reporter())
    except Exception as error:  # noqa: BLE001 - the caller decides
        return error
    return None


class _Pool:
    """Worker processes, each of which runs one task after another."""

    def __init__(self, workers: int, deadline: float | None, locks: Sequence[int]) -> None:
        self._workers, self._deadline, self._locks = workers, deadline, locks
        self._idle: list[Worker] = []

    def completed(self, tasks: Iterator[Job]) -> Iterator[tuple[Job, Exception | None]]:
        """Run the tasks; see the function of this name."""
        busy: dict[Connection, tuple[Worker, Job]] = {}
        try:
            while True:
                while len(busy) < self._workers and not self._late():
                    task = next(tasks, None)
                    if task is None:
                        break
                    worker = (
                        self._idle.pop()
                        if self._idle
                        else Worker.start(max(1, processors() // self._workers), self._locks)
                    )
                    busy[worker.link] = worker, task
                    worker.order(_run, task)
                if not busy:
                    return
                if self._late():
                    yield from self._stopped(busy)
                    return
                for link in wait(list(busy), self._left()):
                    assert isinstance(link, Connection)
                    ended = self._receive(busy, link)
                    if ended is not None:
                        yield ended
        finally:
            end_workers([*self._idle, *(worker for worker, _ in busy.values())], _PATIENCE_S)

    def _late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _stopped(self, busy: dict[Connection, tuple[Worker, Job]]) -> Iterator[tuple[Job, Exception | None]]:
        """Stop all tasks that run, and yield them."""
        stopped = list(busy.values())
        busy.clear()
        end_workers([worker for worker, _ in stopped], _PATIENCE_S)
        for _, task in stopped:
            yield task, ToolTimeoutError("time limit", "the run was stopped when the time was up")

    def _receive(
        self, busy: dict[Connection, tuple[Worker, Job]], link: Connection
    ) -> tuple[Job, Exception | None] | None:
        """Take one message of a worker; return its task and its error, if any, once the task has ended."""
        worker, task = busy[link]
        try:
            kind, content = link.recv()
        except (EOFError, ConnectionResetError):
            del busy[link]
            link.close()
            return task, worker.died()
        if kind != END:
            return None
        del busy[link]
        self._idle.append(worker)
        return task, content[1]


def _run(_send: Send, task: Work) -> None:
    """Run a task in a worker process."""
    task.run(Reporter())
