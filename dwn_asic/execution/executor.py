"""The interface of all executors: jobs go in, outcomes come out in the order in which jobs end."""

from __future__ import annotations

import hashlib
import pickle
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

__all__ = ["ATTEMPTS", "Executor", "Job", "Outcome", "Shared", "attempt", "completed"]

ATTEMPTS = 4
"""Number of times that a job is begun on this machine if its worker dies each time; then the job
has failed."""

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
    def submit(self, job: Job[Any]) -> None:
        """Add a job, which starts as soon as a worker is free."""

    @abstractmethod
    def wait(self) -> Outcome[Any]:
        """Wait until a job ends, and return its outcome; there must be a pending one.

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


def completed(executor: Executor, jobs: Iterable[Job[Value]]) -> Iterator[Outcome[Value]]:
    """Run jobs, and yield their outcomes in the order in which they end.

    Jobs are taken from the iterable only shortly before they can start, two for each slot, so that it may be
    long and its jobs large.
    """
    waiting = iter(jobs)
    while True:
        for job in islice(waiting, max(0, 2 * max(1, executor.slots) - executor.pending)):
            executor.submit(job)
        if not executor.pending:
            return
        yield executor.wait()


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
