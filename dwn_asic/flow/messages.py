"""Messages of steps that run at once, in the order in which the steps would run one after another."""

from __future__ import annotations

from collections.abc import Iterable

from dwn_asic.flow.step import Reporter, Step

__all__ = ["Messages"]


class Messages:
    """The messages of all steps of a run.

    Those of the first step that has not ended pass on at once; those of later steps are held back until all
    steps before have ended. Progress always passes on at once.

    Parameters
    ----------
    reporter
        Receives the messages.
    titles
        Titles of the steps in order.
    """

    def __init__(self, reporter: Reporter, titles: Iterable[str]) -> None:
        self._reporter = reporter
        self._held: dict[str, list[str]] = {title: [] for title in titles}
        self._ended: set[str] = set()

    def of(self, step: Step[object]) -> Reporter:
        """Return the reporter of a step."""
        return _OfStep(self._reporter, self, step.title)

    def announce(self, text: str) -> None:
        """Pass on a message of the run itself at once."""
        self._reporter.message(text)

    def add(self, title: str, text: str) -> None:
        """Add a message of a step that has not ended."""
        self._held[title].append(text)
        self._pass_on()

    def end(self, title: str) -> None:
        """Note that a step has ended, or does not have to run."""
        self._ended.add(title)
        self._pass_on()

    def end_all(self) -> None:
        """Pass on all messages, since no further step ends."""
        self._ended |= set(self._held)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._held:
            title, texts = next(iter(self._held.items()))
            while texts:
                self._reporter.message(texts.pop(0))
            if title not in self._ended:
                return
            del self._held[title]


class _OfStep(Reporter):
    """The reporter of one step."""

    def __init__(self, reporter: Reporter, messages: Messages, title: str) -> None:
        self._reporter, self._messages, self._title = reporter, messages, title

    def message(self, text: str) -> None:
        self._messages.add(self._title, text)

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        self._reporter.progress(what, done, total, note)
