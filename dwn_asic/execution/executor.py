"""The interface of all executors: jobs go in, outcomes come out in the order in which jobs end."""

from __future__ import annotations

import hashlib
import pickle
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

from dwn_asic.errors import ToolTimeoutError

__all__ = [
    "ATTEMPTS",
    "Executor",
    "Job",
    "Outcome",
    "Shared",
    "Submitted",
    "attempt",
    "completed",
    "seconds_to",
]

ATTEMPTS = 4
"""Number of times that a job is begun on this machine if its worker dies each time; then the job
has failed."""
_LOOK_S = 5.0
"""Seconds after which :func:`completed` looks whether workers have joined."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Shared:
    """Content that many jobs read, and that reaches each worker at most once.

    Attributes
    ----------
    name
        Name for people and for file types, for example ``phoneme.csv.gz``.
    content
        The bytes.
    digest
        SHA-256 digest of the content, hexadecimal. Contents with the same digest are the same.
    """

    name: str
    content: bytes
    digest: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Shared:
        """Return content with its digest."""
        return cls(name, content, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Job(Generic[Value]):
    """A call of a function in a worker.

    Attributes
    ----------
    name
        Name for people, unique among the jobs of an executor.
    work
        Function of a module, which every worker can import.
    arguments
        Its arguments, which can be pickled. Those that are :class:`Shared` reach each worker at most once.
    """

    name: str
    work: Callable[..., Value]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Outcome(Generic[Value]):
    """The value or the error of a job.

    Attributes
    ----------
    job
        The job.
    value
        What its function returned; None if it failed.
    error
        Its error, with the traceback as a note, or None.
    attempts
        Number of times that the job was submitted to workers: 1, unless it was begun again because they died.
    """

    job: Job[Value]
    value: Value | None
    error: Exception | None
    attempts: int = 1


@dataclass(frozen=True)
class Submitted(Generic[Value]):
    """A job that was submitted.

    Attributes
    ----------
    job
        The job.
    deadline
        Time of :func:`time.monotonic` at which it is stopped, or None.
    attempts
        Number of times that it was submitted to workers.
    """

    job: Job[Value]
    deadline: float | None
    attempts: int = 1

    @property
    def late(self) -> bool:
        """True if its deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def again(self) -> Submitted[Value]:
        """Return it as it is submitted once more."""
        return replace(self, attempts=self.attempts + 1)

    def ended(self, value: Value | None, error: Exception | None) -> Outcome[Value]:
        """Return its outcome."""
        return Outcome(self.job, value, error, self.attempts)

    def stopped(self) -> Outcome[Value]:
        """Return the outcome of a job whose deadline has passed."""
        return self.ended(None, ToolTimeoutError("time limit", "the run was stopped when the time was up"))


class Executor(ABC):
    """A context manager that runs jobs in workers; leaving it ends the jobs that still run.

    A job whose worker dies is begun again on another one, and fails if that happens several times. Other jobs
    are not affected.

    Attributes
    ----------
    shares_files
        Whether workers see the files of this process under the same paths.
    """

    shares_files: ClassVar[bool]

    @property
    @abstractmethod
    def slots(self) -> int:
        """Number of jobs that can run at once now."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """Number of jobs that were submitted and whose outcome was not returned yet."""

    @abstractmethod
    def submit(self, job: Job[Any], deadline: float | None = None) -> None:
        """Add a job, which starts as soon as a worker is free.

        Parameters
        ----------
        job
            The job.
        deadline
            Time of :func:`time.monotonic` at which it is stopped, with a ToolTimeoutError as its error; None
            for no limit.
        """

    @abstractmethod
    def wait(self, seconds: float | None = None) -> Outcome[Any] | None:
        """Wait until a job ends, and return its outcome; there must be a pending one.

        Parameters
        ----------
        seconds
            Time after which None is returned if no job has ended; None waits for as long as it takes.

        Raises
        ------
        ToolError
            The connection to all workers is lost.
        """

    @abstractmethod
    def close(self) -> None:
        """End the jobs that still run, and the workers or the connection to them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def completed(
    executor: Executor,
    jobs: Iterable[Job[Value] | Outcome[Value]],
    *,
    ahead: int = 2,
    deadline: float | None = None,
) -> Iterator[Outcome[Value]]:
    """Run jobs, and yield their outcomes in the order in which they end.

    Parameters
    ----------
    executor
        Executor of the jobs.
    jobs
        Jobs in the order in which they begin. An outcome among them, of a job that needs no worker, is
        yielded as it is.
    ahead
        Number of jobs for each slot that are taken before their outcomes are known. With two, no worker waits
        for its next job, and the iterable may be long and its jobs large. With one, a job is taken when a
        worker is free, so that it may depend on all outcomes that were yielded.
    deadline
        Time of :func:`time.monotonic` at which jobs that still run are stopped, with a ToolTimeoutError as
        their error, and no further job is taken; None for no limit.
    """
    waiting = iter(jobs)
    while True:
        while executor.pending < ahead * max(1, executor.slots) and seconds_to(deadline) != 0.0:
            each = next(waiting, None)
            if each is None:
                break
            if isinstance(each, Outcome):
                yield each
            else:
                executor.submit(each, deadline)
        if not executor.pending:
            return
        outcome = executor.wait(_LOOK_S)
        if outcome is not None:
            yield outcome


def seconds_to(*times: float | None) -> float | None:
    """Return the time until the first of these times of :func:`time.monotonic`, or 0; None if all are."""
    known = [each for each in times if each is not None]
    return max(0.0, min(known) - time.monotonic()) if known else None


def attempt(work: Callable[..., Value], *arguments: object) -> tuple[Value | None, Exception | None]:
    """Call a function, and return its value and None, or None and its error in a form that can be pickled.

    The traceback is a note of the error. An error that can't be pickled becomes a RuntimeError with the text.
    """
    try:
        return work(*arguments), None
    except Exception as error:  # noqa: BLE001 - whoever receives it raises or reports it
        return None, portable(error)


def portable(error: Exception) -> Exception:
    """Return an error that can be pickled, with its traceback as a note."""
    text = "".join(traceback.format_exception(error))
    with suppress(Exception):
        error = pickle.loads(pickle.dumps(error))  # noqa: S301 - not every exception can be read again
        error.add_note(text)
        return error
    return RuntimeError(text)
