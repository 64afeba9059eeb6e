"""A run whose messages go to a file."""

from __future__ import annotations

import traceback
from pathlib import Path

from dwn_asic.errors import DwnAsicError
from dwn_asic.flow.run import Flow
from dwn_asic.flow.step import Reporter
from dwn_asic.flow.work import Work

__all__ = ["run_logged"]


class _Log(Reporter):
    """Reporter that writes messages to a file, which the first message replaces."""

    def __init__(self, path: Path) -> None:
        self._path, self._mode = path, "w"

    def message(self, text: str) -> None:
        with self._path.open(self._mode, encoding="utf-8") as file:
            file.write(f"{text}\n")
        self._mode = "a"


def run_logged(flow: Flow, work: Work, log: Path) -> list[str]:
    """Do some work on a flow, and write its messages and its error, if it fails, to a file.

    Parameters
    ----------
    flow
        The flow.
    work
        What to do.
    log
        File of the messages. It stays as it is if every step is up to date.

    Returns
    -------
    list of str
        Titles of the steps that ran.
    """
    reporter = _Log(log)
    try:
        return work.run(flow, reporter)
    except DwnAsicError as error:
        reporter.message(f"error: {error}")
        raise
    except Exception:
        reporter.message(traceback.format_exc())
        raise
