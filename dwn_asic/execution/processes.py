"""The executor of this machine: one worker process for each job that runs at once."""

from __future__ import annotations

from collections import deque
from multiprocessing.connection import Connection, wait
from typing import Any, ClassVar

from dwn_asic.execution.executor import ATTEMPTS, Executor, Job, Outcome, attempt
from dwn_asic.execution.worker import END, Send, Worker, end_workers

__all__ = ["LocalProcesses"]


class LocalProcesses(Executor):
    """Worker processes of this machine, each with one thread, which start when they are needed.

    A worker that dies is replaced, and costs no other job anything.

    Parameters
    ----------
    jobs
        Maximum number of jobs that run at once.
    """

    shares_files: ClassVar[bool] = True

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._waiting: deque[tuple[Job[Any], int]] = deque()
        self._idle: list[Worker] = []
        self._busy: dict[Connection, tuple[Worker, Job[Any], int]] = {}

    @property
    def slots(self) -> int:
        """Number of jobs that can run at once."""
        return self._jobs

    @property
    def pending(self) -> int:
        """Number of jobs that were submitted and whose outcome was not returned yet."""
        return len(self._waiting) + len(self._busy)

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids of the workers that carry out jobs."""
        return tuple(worker.process.pid for worker, _, _ in self._busy.values())

    def submit(self, job: Job[Any]) -> None:
        """Add a job, which starts at once if a worker is free."""
        self._waiting.append((job, 1))
        self._start()

    def wait(self) -> Outcome[Any]:
        """Wait until a job ends, and return its outcome."""
        while True:
            self._start()
            for link in wait(list(self._busy)):
                assert isinstance(link, Connection)
                ended = self._receive(link)
                if ended is not None:
                    self._start()
                    return ended

    def close(self) -> None:
        """End the jobs that still run, and the workers."""
        workers = [*self._idle, *(worker for worker, _, _ in self._busy.values())]
        self._waiting.clear()
        self._idle.clear()
        self._busy.clear()
        end_workers(workers)

    def _start(self) -> None:
        while self._waiting and len(self._busy) < self._jobs:
            job, number = self._waiting.popleft()
            worker = self._idle.pop() if self._idle else Worker.start(threads=1)
            self._busy[worker.link] = worker, job, number
            # An idle worker may have died meanwhile: then its connection is at its end.
            attempt(worker.order, _work, job.work, job.arguments)

    def _receive(self, link: Connection) -> Outcome[Any] | None:
        """Return the outcome that a worker has sent; None if it has died and the job begins again."""
        worker, job, number = self._busy.pop(link)
        try:
            kind, (value, error) = link.recv()
        except (EOFError, ConnectionResetError):
            link.close()
            died = worker.died()
            if number >= ATTEMPTS:
                return Outcome(job, None, died, number)
            self._waiting.appendleft((job, number + 1))
            return None
        assert kind == END
        self._idle.append(worker)
        return Outcome(job, value, error, number)


def _work(_send: Send, work: Any, arguments: tuple[Any, ...]) -> Any:
    return work(*arguments)
