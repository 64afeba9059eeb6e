"""The lock of a build folder, which only one process at a time may use."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

__all__ = ["locked"]


class _Listener(Protocol):
    def message(self, text: str) -> None: ...


@contextmanager
def locked(folder: Path, reporter: _Listener) -> Iterator[int]:
    """Hold the lock of a folder, and yield its file descriptor.

    If another process holds the lock, report that and wait until it ends. The operating system releases the
    lock once the process, and those that inherited the descriptor, have ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            reporter.message(f"{folder} is in use by process {holder}: waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()
