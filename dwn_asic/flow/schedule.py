"""The order in which the steps of a run start: each as soon as its inputs are there and a worker is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dwn_asic.flow.messages import Messages
from dwn_asic.flow.step import Step
from dwn_asic.flow.workers import Workers

if TYPE_CHECKING:
    from dwn_asic.flow.engine import Engine

__all__ = ["Schedule"]


class Schedule:
    """Steps of a run that are brought up to date.

    After an error no further step starts; those that still run are completed.

    Parameters
    ----------
    engine
        Engine of the run.
    steps
        The steps in order.
    workers
        Workers that run them.
    messages
        Messages of these steps.
    force
        Whether to run steps that are current too.
    before
        Function that is called once, before the first step that runs.

    Attributes
    ----------
    ran
        Titles of the steps that ran.
    errors
        Title and error of each step that failed.
    """

    def __init__(
        self,
        engine: Engine,
        steps: Sequence[Step[Any]],
        workers: Workers,
        messages: Messages,
        *,
        force: bool,
        before: Callable[[], object],
    ) -> None:
        self.ran: set[str] = set()
        self.errors: dict[str, Exception] = {}
        self._engine, self._waiting = engine, list(steps)
        self._workers, self._messages = workers, messages
        self._force, self._before = force, before

    def run(self) -> None:
        """Run the steps until all have ended or, after an error, no step runs any more."""
        self._start_all()
        while self._workers.tasks:
            task, error = self._workers.wait()
            try:
                self._engine.finish(task, error, self._messages.of(task.step))
            except Exception as raised:  # noqa: BLE001 - the engine raises it in the end
                self._fail(task.step, raised)
            self._messages.end(task.step.title)
            self._start_all()

    def _start_all(self) -> None:
        """Start the steps that are ready, as many as there are free workers."""
        while not self.errors and not self._workers.full:
            step = self._ready()
            if step is None:
                return
            self._waiting.remove(step)
            try:
                if not self._started(step):
                    self._messages.end(step.title)
            except Exception as raised:  # noqa: BLE001 - the engine raises it in the end
                self._fail(step, raised)

    def _ready(self) -> Step[Any] | None:
        """Return the first step whose inputs are all made, or None.

        A step of the same key as one that runs waits, to copy the outputs of that one.
        """
        running = self._workers.tasks
        unmade = {
            place for step in (*self._waiting, *(task.step for task in running)) for place in step.makes
        }
        for step in self._waiting:
            twins = [task.key for task in running if task.step.name == step.name and not self._force]
            if unmade.isdisjoint(step.reads) and not (twins and self._engine.key(step) in twins):
                return step
        return None

    def _started(self, step: Step[Any]) -> bool:
        """Start a step unless it is current or can be copied; return whether it runs now."""
        if not self._force and self._engine.is_current(step):
            return False
        if not self.ran:
            self._before()
        self.ran.add(step.title)
        if not self._force and self._engine.copied(step):
            return False
        task = self._engine.begin(step, force=self._force)
        if task is not None:
            self._workers.add(task)
        return task is not None

    def _fail(self, step: Step[Any], error: Exception) -> None:
        self.errors[step.title] = error
        if self._workers.tasks:
            titles = ", ".join(task.step.title for task in self._workers.tasks)
            self._messages.announce(f"{step.title} failed: waiting for {titles} to end")
