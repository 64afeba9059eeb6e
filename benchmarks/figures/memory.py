"""The memory of this process and of the tools that it runs, taken together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

__all__ = ["Memory", "watched"]

_EVERY_S = 0.1


@dataclass
class Memory:
    """Largest amount of memory so far in GiB, of all processes at once."""

    peak: float = 0.0


@contextmanager
def watched() -> Iterator[Memory]:
    """Look ten times a second how much memory this process and all that it has started hold together.

    The system's own record of the peak (``ru_maxrss``) is of no use for tools: a process begins as a copy of
    the one that starts it, shares its memory until it has loaded its program, and yet counts it as its own.
    """
    memory, done = Memory(), threading.Event()
    thread = threading.Thread(target=_watch, args=(memory, done), daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()


def _watch(memory: Memory, done: threading.Event) -> None:
    this = psutil.Process()
    own = this.cmdline()
    while not done.wait(_EVERY_S):
        held = this.memory_info().rss
        for child in this.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if child.cmdline() != own:  # else it has not loaded its program yet
                    held += child.memory_info().rss
        memory.peak = max(memory.peak, held / 2**30)
