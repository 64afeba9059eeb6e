"""Files that keep what was read from others, under a digest of these and of the code that read them.

They are in the folder ``dwn-asic/liberty`` below ``XDG_CACHE_HOME`` (by default ``~/.cache``). It may be
deleted at any time; where it cannot be written, files are read anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from dwn_asic.files import write_bytes

__all__ = ["keep", "kept_file"]


def kept_file(parts: Iterable[str], code: Iterable[ModuleType], suffix: str) -> Path:
    """Return the path of a file for what these modules make of these parts, such as digests of files."""
    sources = [Path(module.__file__ or "").read_bytes() for module in code]
    digest = hashlib.sha256(b"\0".join([*sources, *map(str.encode, parts)])).hexdigest()[:32]
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "dwn-asic" / "liberty"
    return folder / f"{digest}{suffix}"


def keep(file: Path, content: bytes) -> None:
    """Write a file whole, or not at all where it cannot be written."""
    with suppress(OSError):
        write_bytes(file, content)
