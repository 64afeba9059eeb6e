"""Decorators that compile the inner loops with numba and cache the compiled code safely.

numba caches compiled code on disk and checks only the file that defines a function to decide whether the code
is stale. Compiled code may, however, contain constants and inlined functions of other files. The name under
which it is cached therefore contains a digest of all files that define compiled functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["allocating", "kernel", "leaf"]

_MARK = b"from dwn_asic.compiled import"


def _digest() -> str:
    files = sorted(path.read_bytes() for path in Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"\0".join(content for content in files if _MARK in content)).hexdigest()[:12]


_DIGEST = _digest()


def _compiler(**options: bool) -> Callable[[Callable[..., Any]], Any]:
    def compile_(function: Callable[..., Any]) -> Any:
        function.__qualname__ += f"_{_DIGEST}"
        # Python's error model checks each division for zero; then no loop that divides vectorizes.
        return njit(cache=True, nogil=True, error_model="numpy", **options)(function)

    return compile_


allocating = _compiler()
# No reference counting: with many short calls it takes longer than the work itself. Such functions can
# neither allocate arrays nor return views of them.
kernel = _compiler(_nrt=False)
leaf = _compiler(_nrt=False, forceinline=True)
