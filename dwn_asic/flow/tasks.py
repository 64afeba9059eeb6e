"""Independent work on many flows, which an executor carries out on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from dwn_asic.errors import DwnAsicError
from dwn_asic.execution.executor import Executor, Job, Outcome, completed
from dwn_asic.flow.logged import run_logged
from dwn_asic.flow.remote import Parcel, order_of, run_order, store_parcel
from dwn_asic.flow.run import Flow
from dwn_asic.flow.work import Work

__all__ = ["Task", "carried_out"]


class Task(Protocol):
    """Work on a flow that is done in one go, and that depends on no other task.

    It can be pickled.
    """

    @property
    def title(self) -> str:
        """Title for people, unique among the tasks that run at once."""

    @property
    def work(self) -> Work:
        """The work to do with the flow."""

    @property
    def folder(self) -> Path:
        """Folder of the flow, in which the results are."""

    @property
    def log(self) -> Path:
        """File of the messages."""

    def open(self) -> Flow:
        """Open the flow."""


Each = TypeVar("Each", bound=Task)


def carried_out(
    tasks: Iterable[Each], executor: Executor, *, ahead: int = 2, deadline: float | None = None
) -> Iterator[tuple[Each, list[str] | Exception]]:
    """Run tasks; yield each as it ends, with the titles of the steps that ran or its error.

    A task that fails, or whose worker dies, does not stop the others. To workers that share no files with
    this machine goes only what was not done before.

    Parameters
    ----------
    tasks
        Tasks in the order in which they begin.
    executor, ahead, deadline
        As in :func:`~dwn_asic.execution.executor.completed`.
    """
    begun: dict[str, Each] = {}

    def jobs() -> Iterator[Job[list[str] | Parcel] | Outcome[list[str] | Parcel]]:
        for task in tasks:
            begun[task.title] = task
            yield _job(task, executor)

    for outcome in completed(executor, jobs(), ahead=ahead, deadline=deadline):
        task = begun.pop(outcome.job.name)
        yield task, _received(task, outcome)


def _job(task: Task, executor: Executor) -> Job[list[str] | Parcel] | Outcome[list[str] | Parcel]:
    """Return the job of a task; its outcome if it needs none."""
    here = Job[list[str] | Parcel](task.title, _run_here, (task,))
    if executor.shares_files:
        return here
    try:
        order = order_of(task.open(), task.work)
    except (DwnAsicError, OSError) as error:
        return Outcome(here, None, error)
    return Outcome(here, [], None) if order is None else Job(task.title, run_order, order)


def _run_here(task: Task) -> list[str]:
    """Run a task in a worker of this machine."""
    return run_logged(task.open(), task.work, task.log)


def _received(task: Task, outcome: Outcome[list[str] | Parcel]) -> list[str] | Exception:
    """Return the steps that ran, or the error; what a worker elsewhere has made is stored first."""
    if outcome.error is not None or outcome.value is None:
        return outcome.error or RuntimeError("no result")
    if isinstance(outcome.value, Parcel):
        try:
            store_parcel(outcome.value, task.folder, task.log)
        except OSError as error:
            return error
        return outcome.value.error or list(outcome.value.ran)
    return outcome.value
