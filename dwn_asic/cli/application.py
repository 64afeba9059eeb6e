"""The application ``dwn-asic``: its options, its exit codes, and what several commands share."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.errors import DwnAsicError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dwn_asic.flow.step import Reporter
    from dwn_asic.targets.asic.tapeout.lay_out import Watch

__all__ = [
    "Build",
    "Classes",
    "Features",
    "Finished",
    "Jobs",
    "Label",
    "Seed",
    "Shrunk",
    "Thresholds",
    "app",
    "main",
    "rounds_of_layout",
    "terminal",
]

app = typer.Typer(
    help="Turn a table of labelled data into the smallest verified classifier chip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Finished = Annotated[Path, typer.Argument(help="Build folder of a finished flow, for example build/NAME.")]
Build = Annotated[Path, typer.Option(help="Folder of all build folders; a flow is built in BUILD/NAME.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Maximum number of steps that run at once, each on one processor core. Default: the number of "
        "cores. The results do not depend on it.",
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed to use instead of the flow file's.")]
Shrunk = Annotated[bool, typer.Option("--shrunk", help="Take the shrunk circuit instead of the exact one.")]
Label = Annotated[
    str | None,
    typer.Option(help="Label column of the table. Default: class in a CSV file, else the source's own."),
]
Thresholds = Annotated[
    Path | None,
    typer.Option(
        help="File of the thermometer thresholds (.npy, .csv, or written by torch.save). "
        "Default: those in the checkpoint."
    ),
]
Classes = Annotated[
    int | None, typer.Option(min=2, help="Number of classes; needed only if the checkpoint lacks it.")
]
Features = Annotated[
    int | None, typer.Option(min=1, help="Number of features; needed only if the checkpoint lacks it.")
]

_TOOL_FAILURE = 3
_INTERRUPTED = 130
_AFTER_INTERRUPT = "interrupted; finished steps are kept, and the next run resumes after them"


def main() -> None:
    """Run the command line; an error prints one line and sets the exit code, ``--debug`` adds the traceback.

    Exit codes: 0 for success, 2 for wrong input, 3 for a tool or file system failure, 4 for a failed
    verification, 130 for an interruption.
    """
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(standalone_mode=True)
    except DwnAsicError as error:
        _fail(str(error), error.exit_code, debug=debug)
    except SystemExit as ended:
        # typer turns KeyboardInterrupt into this exit code without a message.
        if ended.code != _INTERRUPTED:
            raise
        _fail(_AFTER_INTERRUPT, _INTERRUPTED, debug=debug)
    except OSError as error:
        if error.errno == errno.EPIPE:
            # The reader of our output has closed the pipe, as in `dwn-asic ... | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        _fail(f"{error.filename or 'file'}: {error.strerror or error}", _TOOL_FAILURE, debug=debug)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(message: str, code: int, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    typer.echo(f"dwn-asic: error: {message}", err=True)
    raise SystemExit(code)


@app.callback()
def _options(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error; allowed anywhere in the line.")
    ] = False,
) -> None:
    """Declare the options before the command; ``main`` handles ``--debug`` wherever it stands."""


class _Terminal:
    """Context manager for a :class:`dwn_asic.flow.step.Reporter` that prints lines and a progress bar."""

    def __enter__(self) -> Reporter:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from dwn_asic.flow.step import Reporter

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._bar: Progress = bar
        bar.start()
        shown: dict[str, TaskID] = {}

        class Printing(Reporter):
            def message(self, text: str) -> None:
                bar.print(
                    text, highlight=False, markup=False, soft_wrap=True
                ) if not bar.disable else typer.echo(text)

            def progress(self, what: str, done: int, total: int, note: str = "") -> None:
                if what not in shown:
                    shown[what] = bar.add_task(what, total=total, note=note)
                bar.update(shown[what], completed=done, note=note)

        return Printing()

    def __exit__(self, *_exception: object) -> None:
        self._bar.stop()


def rounds_of_layout(reporter: Reporter) -> Watch:
    """Return what shows the stages of place and route, and the rounds of the routing, as progress."""

    def watch(stage: str, number: int, shared: int) -> None:
        note = f"round {number}, {shared} crossings overused" if number else ""
        reporter.progress(stage, number, 0, note)

    return watch


def terminal() -> _Terminal:
    """Return a context manager for a reporter that prints lines and a progress bar."""
    return _Terminal()
