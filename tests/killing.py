"""Ends of a run as by a power cut, and a record of its files to compare."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def kill_when(
    moment: Callable[[], bool],
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Start a command, and kill it and its children as soon as ``moment`` is true."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 400
    try:
        while not moment() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.poll() is None, "ended before it could be killed"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
    assert moment(), "not killed at the moment"


def contents(files: Iterable[Path]) -> dict[Path, tuple[bytes, int]]:
    """Return the bytes of each file, and the time when it was written."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
