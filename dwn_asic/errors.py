"""The exceptions of this package: each carries its evidence, and its message is one line."""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "ConfigError",
    "DataError",
    "DwnAsicError",
    "PdkError",
    "ToolError",
    "ToolTimeoutError",
    "VerificationError",
    "shortened",
]

_SHOWN = 20  # names listed in a message


class DwnAsicError(Exception):
    """Base of every error that this package raises on purpose.

    ``exit_code`` is the status with which the command line exits on this error.
    """

    exit_code = 2

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to copy the error: by its attributes, since constructors take no message."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ConfigError(DwnAsicError):
    """A flow file, a PDK configuration or an option is wrong.

    Parameters
    ----------
    file
        File with the mistake, or the function or section whose options are wrong.
    key
        Dotted path of the key, for example ``model.layers.0.inputs``; empty for the file as a whole.
    problem
        What is wrong, for example ``is 'x'`` or ``unknown key``.
    allowed
        What is allowed, as a phrase or a list of values.
    """

    def __init__(self, file: str | Path, key: str, problem: str, allowed: str = "") -> None:
        self.file, self.key, self.problem, self.allowed = str(file), key, problem, allowed
        hint = f" (allowed: {allowed})" if allowed else ""
        where = f"{file}: {key}: " if key else f"{file}: "
        super().__init__(f"{where}{problem}{hint}")


class DataError(DwnAsicError):
    """A data file is wrong.

    The message names the file and, if known, the row (counted from 1, without the header) and the column.
    """

    def __init__(
        self, file: str | Path, problem: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        self.file, self.problem, self.row, self.column = str(file), problem, row, column
        place = "".join(
            f", {name} {value}" for name, value in (("row", row), ("column", column)) if value is not None
        )
        super().__init__(f"{file}{place}: {problem}")


class PdkError(DwnAsicError):
    """A PDK or its Liberty file cannot be used; the message says what was searched and how to get it."""


class ToolError(DwnAsicError):
    """An external tool is missing, failed, timed out, or did not produce what was asked for.

    Parameters
    ----------
    tool
        Name of the tool, as the user knows it.
    problem
        What happened, for example ``timed out after 60 s`` or ``exit code 1``.
    command
        The command line.
    tail
        The last lines of the tool's output; the message quotes the last one.
    output
        The whole output.
    log
        File that holds the whole output.
    """

    exit_code = 3

    def __init__(
        self,
        tool: str,
        problem: str,
        *,
        command: str = "",
        tail: str = "",
        output: str = "",
        log: str | Path | None = None,
    ) -> None:
        self.tool, self.problem, self.command, self.tail = tool, problem, command, tail
        self.output, self.log = output, log
        parts = [f"{tool}: {problem}"]
        last = tail.strip().splitlines()[-1:] if tail else []
        if last:
            parts.append(f"last output: {last[0].strip()}")
        if log is not None:
            parts.append(f"log: {log}")
        super().__init__("; ".join(parts))

    def with_log(self, log: Path) -> ToolError:
        """Return the same error with the file that the tool's output was written to."""
        return type(self)(
            self.tool, self.problem, command=self.command, tail=self.tail, output=self.output, log=log
        )


class ToolTimeoutError(ToolError):
    """A tool was killed because it reached its time limit."""


class VerificationError(DwnAsicError):
    """Two descriptions of a circuit differ.

    The error carries the first input at which they differ, and both outputs.
    """

    exit_code = 4

    def __init__(self, what: str, *, inputs: str = "", expected: str = "", got: str = "") -> None:
        self.what, self.inputs, self.expected, self.got = what, inputs, expected, got
        detail = f": at {inputs} expected {expected}, got {got}" if inputs or expected or got else ""
        super().__init__(f"{what}{detail}")


def shortened(names: Sequence[str]) -> str:
    """List names for a message, of many only the first."""
    return ", ".join(names[:_SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > _SHOWN else "")
