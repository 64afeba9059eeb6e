"""Files that appear whole or not at all, and digests that tell whether work is up to date."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dwn_asic.errors import DataError

__all__ = ["digest", "read_json", "staged", "write_json", "write_text_if_changed"]


@contextmanager
def staged(folder: Path, stage: str) -> Iterator[Path]:
    """A scratch folder whose files move into ``folder`` when the block ends without an error.

    After an error, an interrupt or a full disk nothing of it is left and ``folder`` is as before; what a
    killed process leaves behind is removed by the next run of the same stage.
    """
    scratch = folder / f".partial-{stage}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        for path in sorted(scratch.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def digest(config: Mapping[str, Any], inputs: Sequence[Path]) -> str:
    """SHA-256 over a JSON-like configuration and the contents of files."""
    sha = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for path in inputs:
        sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Readable, deterministic JSON."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file; raises DataError that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(path, f"not a readable JSON file: {error}") from error


def write_text_if_changed(path: Path, text: str) -> bool:
    """Write ``text`` unless the file holds it already; tells whether it wrote.

    An untouched file keeps its time stamp, so that make rebuilds only what depends on a real change.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return True
