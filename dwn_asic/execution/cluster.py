"""The executor of a Dask cluster, whose workers may be on other machines and share no files with this one.

Dask places jobs, carries contents from worker to worker, and begins a job again if its worker dies.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from dwn_asic.errors import ToolError, ToolTimeoutError
from dwn_asic.execution.executor import Executor, Job, Outcome, Shared, Submitted, attempt, seconds_to
from dwn_asic.execution.worker import Send, Worker, called, end_workers

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskCluster", "worker_folder"]

_CONNECT_S = 20.0
"""Seconds in which the scheduler must answer."""
_PATIENCE_S = 10.0
"""Seconds that a job has to end by itself at its deadline before it is killed."""
_ROUNDS = 2
"""Number of times that a job is submitted. Each time, Dask begins it again until four workers
have died of it (its option ``distributed.scheduler.allowed-failures``)."""


class DaskCluster(Executor):
    """The workers of a Dask scheduler; they may come and go while jobs run.

    Parameters
    ----------
    address
        Address of the scheduler, for example ``tcp://10.0.0.1:8786``.

    Raises
    ------
    ToolError
        The package ``distributed`` is not installed, or no scheduler answers.
    """

    shares_files: ClassVar[bool] = False

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise ToolError(
                "dask", "is not installed; pip install 'dwn-asic[cluster]' installs it"
            ) from error
        self._address = address
        try:
            self._client: Client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ToolError("dask", f"no scheduler answers at {address}") from error
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._slots = 0
        self._session, self._count = uuid4().hex[:8], 0
        self._jobs: dict[str, tuple[Future, Submitted[Any]]] = {}
        self._shared: dict[str, Future] = {}

    @property
    def slots(self) -> int:
        """Number of jobs that can run at once on the workers that are connected now.

        While the scheduler does not answer, it is the number before.
        """
        with suppress(OSError):
            if self._client.status == "running":
                self._slots = sum(self._client.nthreads().values())
        return self._slots

    @property
    def pending(self) -> int:
        """Number of jobs that were submitted and whose outcome was not returned yet."""
        return len(self._jobs)

    def submit(self, job: Job[Any], deadline: float | None = None) -> None:
        """Send a job to the scheduler."""
        self._submit(Submitted(job, deadline))

    def _submit(self, submitted: Submitted[Any]) -> None:
        self._count += 1
        job = submitted.job
        arguments = [self._sent(each) if isinstance(each, Shared) else each for each in job.arguments]
        key = f"{job.name} {self._session}-{self._count}"
        if submitted.deadline is None:
            future = self._call(attempt, job.work, *arguments, key=key)
        else:
            future = self._call(_within, seconds_to(submitted.deadline), job.work, *arguments, key=key)
        self._jobs[key] = future, submitted
        future.add_done_callback(self._ended.put)

    def _sent(self, content: Shared) -> Future:
        """Return the content as a task, whose result Dask keeps on the workers that have used it.

        In contrast to scattered data, a worker that dies can't lose it: the scheduler knows how it is made.
        """
        if content.digest not in self._shared:
            key = f"content-{content.digest}-{self._session}"
            self._shared[content.digest] = self._call(_content, content, key=key)
        return self._shared[content.digest]

    def _call(self, function: Callable[..., Any], *arguments: object, key: str) -> Future:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return self._client.submit(function, *arguments, key=key, pure=False)

    def wait(self, seconds: float | None = None) -> Outcome[Any] | None:
        """Wait until a job ends, and return its outcome."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            deadlines = [each.deadline for _, each in self._jobs.values()]
            try:
                future = self._ended.get(timeout=seconds_to(end, *deadlines))
            except Empty:
                late = next((key for key, (_, each) in self._jobs.items() if each.late), None)
                if late is not None:
                    future, submitted = self._jobs.pop(late)
                    future.cancel()
                    return submitted.stopped()
                if seconds_to(end) == 0.0:
                    return None
                continue
            if future.key in self._jobs:  # else it was stopped
                outcome = self._outcome(*self._jobs.pop(future.key))
                if outcome is not None:
                    return outcome

    def _outcome(self, future: Future, submitted: Submitted[Any]) -> Outcome[Any] | None:
        """Return the outcome of a job that has ended; None if its worker has died and it begins again."""
        from distributed import KilledWorker

        if future.status == "finished":
            return submitted.ended(*future.result())
        if future.status == "cancelled":
            raise ToolError("dask", f"the connection to the scheduler at {self._address} is lost")
        failed = future.exception()
        if not isinstance(failed, KilledWorker):
            return submitted.ended(None, failed)
        if submitted.attempts >= _ROUNDS:
            return submitted.ended(None, ToolError("dask", "every worker that began it died"))
        self._shared = {digest: sent for digest, sent in self._shared.items() if sent.status != "error"}
        self._submit(submitted.again())
        return None

    def close(self) -> None:
        """Cancel the jobs that still run, and end the connection; the workers stay."""
        futures = [future for future, _ in self._jobs.values()]
        self._jobs.clear()
        self._shared.clear()
        if self._client.status == "running":
            self._client.cancel(futures)
        self._client.close()


def _content(content: Shared) -> Shared:
    return content


def _within(seconds: float, work: Callable[..., Any], *arguments: object) -> tuple[Any, Exception | None]:
    """Call a function as :func:`attempt` does, but in a process of its own, which is stopped after a time.

    The time runs from here, so that a job that has waited, or begins again, may end after its deadline;
    whoever submitted it does not wait for it any longer.
    """
    worker = Worker.start(threads=1)
    try:
        worker.order(_in_folder, worker_folder(), work, arguments)
        if not wait([worker.link], seconds):
            return None, ToolTimeoutError("time limit", "the run was stopped when the time was up")
        _, found = worker.link.recv()
    except (EOFError, ConnectionResetError):
        return None, worker.died()
    except ToolError as died:
        return None, died
    else:
        return found
    finally:
        end_workers([worker], _PATIENCE_S)


_folders: list[Path] = []
"""Folder of the Dask worker that has started this process, if one has."""


def _in_folder(send: Send, folder: Path, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    _folders[:] = [folder]
    return called(send, work, arguments)


def worker_folder() -> Path:
    """Return the folder for files of the Dask worker that calls this; it is removed when the worker ends.

    Elsewhere it is the machine's folder for temporary files.
    """
    if _folders:
        return _folders[0]
    try:
        from distributed import get_worker

        return Path(get_worker().local_directory)
    except (ModuleNotFoundError, ValueError):
        return Path(gettempdir())
