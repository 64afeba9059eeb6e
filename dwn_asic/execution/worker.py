"""A worker process of this machine: it runs one order after another, so that it imports libraries once.

An order is a function of a module and its arguments. The function gets a further first argument, which sends
messages to the process that has given the order.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import FrameType
from typing import Any

from dwn_asic.errors import ToolError
from dwn_asic.execution.executor import attempt, portable

__all__ = ["END", "PATIENCE_S", "Send", "Worker", "called", "end_workers", "serve"]

END = "end"
"""Kind of the last message of an order; its content is the value and the error, one of which is None."""
PATIENCE_S = 60.0
"""Seconds that an interrupted worker has to stop its work and its tools before it is killed."""

Send = Callable[[str, object], None]
"""Function that sends a message: its kind and its content."""


@dataclass(frozen=True, eq=False)
class Worker:
    """A worker process, and the connection to it; the process ends when the connection is closed."""

    process: subprocess.Popen[bytes]
    link: Connection

    @classmethod
    def start(cls, threads: int, inherited: Iterable[int] = ()) -> Worker:
        """Start a worker.

        Parameters
        ----------
        threads
            Number of threads of its numeric libraries, unless OMP_NUM_THREADS is set.
        inherited
            File descriptors that it keeps open, for example those of locks.
        """
        here, there = Pipe()
        with there:
            number = there.fileno()
            program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve({number})"
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=(number, *inherited),
                env={"OMP_NUM_THREADS": str(threads), **os.environ},
            )
        return cls(process, here)

    def order(self, function: Callable[..., object], *arguments: object) -> None:
        """Send the worker a function to call, whose first argument sends messages back.

        Raises
        ------
        ToolError
            The process has ended.
        """
        content = pickle.dumps((function, arguments))
        try:
            self.link.send_bytes(content)
        except (BrokenPipeError, ConnectionResetError):
            raise self.died() from None

    def died(self) -> ToolError:
        """Return the error of a process that ended by itself."""
        code = self.process.wait()
        why = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        return ToolError("worker process", f"ended unexpectedly: {why}")


def end_workers(workers: Iterable[Worker], patience_s: float = PATIENCE_S) -> None:
    """Close the connections to all workers, wait until they have ended, and kill those that take too long."""
    workers = list(workers)
    for worker in workers:
        worker.link.close()
    try:
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(patience_s)
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


# ---- in the worker process ---------------------------------------------------------------------------------
def serve(number: int) -> None:
    """Execute the orders that arrive at a connection until it is closed.

    Parameters
    ----------
    number
        File descriptor of the connection.
    """
    # Ctrl-C reaches the other process too, which then closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    link, arrived, turn = Connection(number), SimpleQueue[bytes](), threading.Lock()
    threading.Thread(target=_listen, args=(link, arrived), daemon=True).start()

    def send(kind: str, content: object) -> None:
        with turn:  # since threads of a step may share it
            link.send((kind, content))

    with suppress(KeyboardInterrupt, BrokenPipeError):
        while True:
            send(END, _answer(arrived.get(), send))


def called(_send: Send, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Return what a function returns that sends no messages: the order of a job."""
    return work(*arguments)


def _listen(link: Connection, arrived: SimpleQueue[bytes]) -> None:
    """Receive orders; the end of the connection interrupts the one that is carried out."""
    with suppress(EOFError, OSError):
        while True:
            arrived.put(link.recv_bytes())
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _answer(content: bytes, send: Send) -> tuple[Any, Exception | None]:
    """Execute a pickled order, and return its value or its error."""
    try:
        function, arguments = pickle.loads(content)  # noqa: S301 - the other process has written it
    except Exception as found:  # noqa: BLE001 - the order cannot be read, for example its module is missing
        return None, portable(found)
    return attempt(function, send, *arguments)
