"""The executors of this machine: one worker process for each job that runs at once, or this process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, ClassVar

from dwn_asic.execution.executor import ATTEMPTS, Executor, Job, Outcome, Submitted, attempt, seconds_to
from dwn_asic.execution.worker import END, PATIENCE_S, Worker, called, end_workers

__all__ = ["LocalProcesses", "ThisProcess"]


class LocalProcesses(Executor):
    """Worker processes of this machine, which start when they are needed.

    A worker that dies is replaced, and costs no other job anything.

    Parameters
    ----------
    jobs
        Maximum number of jobs that run at once.
    threads
        Number of threads of each worker's numeric libraries, unless OMP_NUM_THREADS is set.
    locks
        File descriptors of locks that the workers inherit, so that the locks are held until all have ended.
    patience_s
        Seconds that an interrupted worker has to end by itself before it is killed.
    """

    shares_files: ClassVar[bool] = True

    def __init__(
        self, jobs: int, *, threads: int = 1, locks: Sequence[int] = (), patience_s: float = PATIENCE_S
    ) -> None:
        self._jobs, self._threads, self._locks, self._patience_s = jobs, threads, locks, patience_s
        self._waiting: deque[Submitted[Any]] = deque()
        self._idle: list[Worker] = []
        self._busy: dict[Connection, tuple[Worker, Submitted[Any]]] = {}
        self._stopped: deque[Outcome[Any]] = deque()

    @property
    def slots(self) -> int:
        """Number of jobs that can run at once."""
        return self._jobs

    @property
    def pending(self) -> int:
        """Number of jobs that were submitted and whose outcome was not returned yet."""
        return len(self._waiting) + len(self._busy) + len(self._stopped)

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids of the workers that carry out jobs."""
        return tuple(worker.process.pid for worker, _ in self._busy.values())

    def submit(self, job: Job[Any], deadline: float | None = None) -> None:
        """Add a job, which starts at once if a worker is free."""
        self._waiting.append(Submitted(job, deadline))
        self._start()

    def wait(self, seconds: float | None = None) -> Outcome[Any] | None:
        """Wait until a job ends, and return its outcome."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            self._stop_late()
            if self._stopped:
                return self._stopped.popleft()
            self._start()
            deadlines = [
                each.deadline for each in (*self._waiting, *(each for _, each in self._busy.values()))
            ]
            for link in wait(list(self._busy), seconds_to(end, *deadlines)):
                assert isinstance(link, Connection)
                ended = self._receive(link)
                if ended is not None:
                    self._start()
                    return ended
            if seconds_to(end) == 0.0:
                return None

    def close(self) -> None:
        """End the jobs that still run, and the workers."""
        workers = [*self._idle, *(worker for worker, _ in self._busy.values())]
        for jobs in (self._waiting, self._idle, self._busy, self._stopped):
            jobs.clear()
        end_workers(workers, self._patience_s)

    def _start(self) -> None:
        while self._waiting and len(self._busy) < self._jobs and not self._waiting[0].late:
            submitted = self._waiting.popleft()
            worker = self._idle.pop() if self._idle else Worker.start(self._threads, self._locks)
            self._busy[worker.link] = worker, submitted
            # An idle worker may have died meanwhile: then its connection is at its end.
            attempt(worker.order, called, submitted.job.work, submitted.job.arguments)

    def _stop_late(self) -> None:
        """Stop the jobs whose deadline has passed, all at the same time."""
        late = {link: each for link, each in self._busy.items() if each[1].late}
        for link in late:
            del self._busy[link]
        end_workers([worker for worker, _ in late.values()], self._patience_s)
        never = [each for each in self._waiting if each.late]
        for each in never:
            self._waiting.remove(each)
        self._stopped += [each.stopped() for each in (*(each for _, each in late.values()), *never)]

    def _receive(self, link: Connection) -> Outcome[Any] | None:
        """Return the outcome that a worker has sent; None if it has died and the job begins again."""
        worker, submitted = self._busy.pop(link)
        try:
            kind, (value, error) = link.recv()
        except (EOFError, ConnectionResetError):
            link.close()
            died = worker.died()
            if submitted.attempts >= ATTEMPTS:
                return submitted.ended(None, died)
            self._waiting.appendleft(submitted.again())
            return None
        assert kind == END
        self._idle.append(worker)
        return submitted.ended(value, error)


class ThisProcess(Executor):
    """The process of the caller, which carries out one job after another and cannot stop any."""

    shares_files: ClassVar[bool] = True

    def __init__(self) -> None:
        self._waiting: deque[Submitted[Any]] = deque()

    @property
    def slots(self) -> int:
        """Number of jobs that can run at once: one."""
        return 1

    @property
    def pending(self) -> int:
        """Number of jobs that were submitted and whose outcome was not returned yet."""
        return len(self._waiting)

    def submit(self, job: Job[Any], deadline: float | None = None) -> None:
        """Add a job, which must not have a deadline.

        Raises
        ------
        ValueError
            It has one.
        """
        if deadline is not None:
            raise ValueError("a job in this process cannot be stopped")
        self._waiting.append(Submitted(job, None))

    def wait(self, seconds: float | None = None) -> Outcome[Any] | None:
        """Run the next job, however long it takes, and return its outcome."""
        del seconds
        submitted = self._waiting.popleft()
        return submitted.ended(*attempt(submitted.job.work, *submitted.job.arguments))

    def close(self) -> None:
        """Forget the jobs that have not begun."""
        self._waiting.clear()
