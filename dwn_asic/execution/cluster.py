"""The executor of a Dask cluster, whose workers may be on other machines and share no files with this one.

Dask places jobs, carries contents from worker to worker, and begins a job again if its worker dies.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from dwn_asic.errors import ToolError
from dwn_asic.execution.executor import Executor, Job, Outcome, Shared, attempt

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskCluster", "worker_folder"]

_CONNECT_S = 20.0
"""Seconds in which the scheduler must answer."""
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
            from distributed import Client, as_completed
        except ModuleNotFoundError as error:
            raise ToolError(
                "dask", "is not installed; pip install 'dwn-asic[cluster]' installs it"
            ) from error
        self._address = address
        try:
            self._client: Client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ToolError("dask", f"no scheduler answers at {address}") from error
        self._ended = as_completed(loop=self._client.loop)
        self._session, self._count = uuid4().hex[:8], 0
        self._jobs: dict[str, tuple[Future, Job[Any], int]] = {}
        self._shared: dict[str, Future] = {}

    @property
    def slots(self) -> int:
        """Number of jobs that can run at once on the workers that are connected now."""
        return sum(self._client.nthreads().values())

    @property
    def pending(self) -> int:
        """Number of jobs that were submitted and whose outcome was not returned yet."""
        return len(self._jobs)

    def submit(self, job: Job[Any]) -> None:
        """Send a job to the scheduler."""
        self._submit(job, 1)

    def _submit(self, job: Job[Any], number: int) -> None:
        self._count += 1
        arguments = [self._sent(each) if isinstance(each, Shared) else each for each in job.arguments]
        key = f"{job.name} {self._session}-{self._count}"
        future = self._call(attempt, job.work, *arguments, key=key)
        self._jobs[key] = future, job, number
        self._ended.add(future)

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

    def wait(self) -> Outcome[Any]:
        """Wait until a job ends, and return its outcome."""
        from distributed import KilledWorker

        while True:
            future = next(self._ended)
            _, job, number = self._jobs.pop(future.key)
            if future.status == "finished":
                value, error = future.result()
                return Outcome(job, value, error, number)
            if future.status == "cancelled":
                raise ToolError("dask", f"the connection to the scheduler at {self._address} is lost")
            failed = future.exception()
            if not isinstance(failed, KilledWorker):
                return Outcome(job, None, failed, number)
            if number >= _ROUNDS:
                return Outcome(job, None, ToolError("dask", "every worker that began it died"), number)
            self._shared = {digest: sent for digest, sent in self._shared.items() if sent.status != "error"}
            self._submit(job, number + 1)

    def close(self) -> None:
        """Cancel the jobs that still run, and end the connection; the workers stay."""
        futures = [future for future, _, _ in self._jobs.values()]
        self._jobs.clear()
        self._shared.clear()
        if self._client.status == "running":
            self._client.cancel(futures)
        self._client.close()


def _content(content: Shared) -> Shared:
    return content


def worker_folder() -> Path:
    """Return the folder for files of the Dask worker that calls this; it is removed when the worker ends.

    Elsewhere it is the machine's folder for temporary files.
    """
    try:
        from distributed import get_worker

        return Path(get_worker().local_directory)
    except (ModuleNotFoundError, ValueError):
        return Path(gettempdir())
