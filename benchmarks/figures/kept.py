"""Cache of long measurements in ``build/figures``; remove a file there to repeat its measurement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dwn_asic.files import read_json, write_json

__all__ = ["FOLDER", "kept"]

FOLDER = Path("build/figures")


def kept(name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the cached measurement of this name; if there is none, measure and store it."""
    file = FOLDER / f"{name}.json"
    if not file.exists():
        found = measure()
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        write_json(partial, found)
        partial.replace(file)
    content: dict[str, Any] = read_json(file)
    return content
