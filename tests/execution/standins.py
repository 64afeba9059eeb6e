"""Jobs that stand in for runs: quick functions of a module, which worker processes can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from dwn_asic.errors import DataError
from dwn_asic.execution.executor import Shared


class OddError(Exception):
    """An exception that pickle can write but not read."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def square(number: int) -> int:
    return number * number


def fail(how: str) -> None:
    if how == "odd":
        raise OddError("out", "of ideas")
    raise DataError("table.csv", "is wrong", row=3)


def where() -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def meet(own: str, other: str) -> int:
    """Wait until another job has begun too."""
    Path(own).touch()
    deadline = time.monotonic() + 60
    while not Path(other).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return os.getpid()


def die_at_first(mark: str, value: int) -> int:
    """Kill the own process, but only the first process that comes here."""
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(pid: str) -> None:
    Path(pid).write_text(str(os.getpid()))
    time.sleep(300)


def received(dask_worker: Any) -> int:
    """Return the bytes that a Dask worker has received from other workers."""
    return sum(transfer["total"] for transfer in dask_worker.transfer_incoming_log)


def read(content: Shared, mark: str) -> tuple[str, int]:
    Path(mark).write_text(str(os.getpid()))
    time.sleep(0.05)
    return content.name, len(content.content)


def nap(seconds: float) -> None:
    time.sleep(seconds)
