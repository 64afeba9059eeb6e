"""How numba compiles the inner loops, and when it compiles them again.

numba keeps compiled code on disk and looks at a function's own file to tell whether it is stale. But the code
has constants and functions of other files in it. So the name that it is kept under has a digest of all files
with compiled functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["allocating", "fast", "kernel", "leaf"]

_MARK = b"from dwn_asic.compiled import"


def _digest() -> str:
    files = sorted(path.read_bytes() for path in Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"\0".join(content for content in files if _MARK in content)).hexdigest()[:12]


_DIGEST = _digest()


def _compiler(**options: bool) -> Callable[[Callable[..., Any]], Any]:
    def compile_(function: Callable[..., Any]) -> Any:
        function.__qualname__ += f"_{_DIGEST}"
        return njit(cache=True, nogil=True, **options)(function)

    return compile_


allocating = _compiler()
# Without reference counts, which take longer than the work where there are many calls. Such functions can't
# allocate arrays, nor give views of them.
kernel = _compiler(_nrt=False)
leaf = _compiler(_nrt=False, forceinline=True)
# Sums may be taken in another order than written, which lets them vectorize; it is the same order each time.
fast = _compiler(_nrt=False, fastmath=True)
