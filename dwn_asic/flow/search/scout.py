"""The first, short trial of ``auto``, which tells how long whole trials take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.files import read_json, write_json
from dwn_asic.flow.run import Flow
from dwn_asic.flow.search.trial import Trial, TrialWork
from dwn_asic.flow.step import Reporter
from dwn_asic.search.effort import Times

__all__ = ["EFFORT", "NUMBER", "Scout"]

EFFORT = 0.05
"""Share of the whole effort of a trial."""
NUMBER = 9999
"""Number of the short trial, beyond those of a search."""
_TIMES = "times.json"


@dataclass(frozen=True)
class Scout:
    """A short trial, which is the fallback if no other ends in time.

    Attributes
    ----------
    trial
        The trial.
    """

    trial: Trial

    @property
    def title(self) -> str:
        """Title for people."""
        return "short trial"

    @property
    def folder(self) -> Path:
        """Build folder of the trial."""
        return self.trial.folder

    @property
    def log(self) -> Path:
        """File of its messages."""
        return self.trial.log

    @property
    def work(self) -> ScoutWork:
        """The trial, and its times."""
        return ScoutWork(self.trial.work)

    @property
    def done(self) -> bool:
        """True if it has run."""
        return (self.folder / _TIMES).exists() and self.trial.outcome() is not None

    @property
    def times(self) -> Times:
        """The times of its parts."""
        return Times(**read_json(self.folder / _TIMES))

    def open(self) -> Flow:
        """Open the flow."""
        return self.trial.open()


@dataclass(frozen=True)
class ScoutWork:
    """A trial whose times are measured.

    Attributes
    ----------
    trial
        The trial.
    """

    trial: TrialWork

    def done(self, flow: Flow) -> bool:
        """Return whether it has run."""
        return (flow.folder / _TIMES).exists() and self.trial.done(flow)

    def run(self, flow: Flow, reporter: Reporter) -> list[str]:
        """Run the trial, and write the times of its parts."""
        watch = _Watch(reporter)
        begun = time.monotonic()
        ran = self.trial.run(flow, watch)
        whole = time.monotonic() - begun
        training = flow.engine.seconds().get("train", 0.0)
        rest = max(0.0, whole - training - watch.annealing)
        write_json(flow.folder / _TIMES, Times(training, watch.annealing, rest).content)
        return ran


class _Watch(Reporter):
    """A reporter that measures the time of the annealing."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._first: float | None = None
        self.annealing = 0.0

    def message(self, text: str) -> None:
        """Pass on a message."""
        self._reporter.message(text)

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        """Note the time between the first and the last report on the annealing."""
        self._reporter.progress(what, done, total, note)
        if what == "shrinking":
            now = time.monotonic()
            self._first = now if self._first is None else self._first
            self.annealing = now - self._first
