"""A run whose messages go to a file."""

from __future__ import annotations

import traceback
from pathlib import Path

from dwn_asic.errors import DwnAsicError
from dwn_asic.flow.run import Flow, run_flow
from dwn_asic.flow.step import Reporter

__all__ = ["run_logged"]


class _Log(Reporter):
    """Reporter that writes messages to a file, which the first message replaces."""

    def __init__(self, path: Path) -> None:
        self._path, self._mode = path, "w"

    def message(self, text: str) -> None:
        with self._path.open(self._mode, encoding="utf-8") as file:
            file.write(f"{text}\n")
        self._mode = "a"


def run_logged(flow: Flow, log: Path) -> list[str]:
    """Run a flow one step at a time, and write its messages and its error, if it fails, to a file.

    Parameters
    ----------
    flow
        The flow.
    log
        File of the messages. It stays as it is if every step is up to date.

    Returns
    -------
    list of str
        Titles of the steps that ran.
    """
    reporter = _Log(log)
    try:
        return run_flow(flow, reporter)
    except DwnAsicError as error:
        reporter.message(f"error: {error}")
        raise
    except Exception:
        reporter.message(traceback.format_exc())
        raise
