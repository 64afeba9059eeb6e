"""Atomic writing of files, and digests that decide whether results are up to date."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dwn_asic.errors import DataError

__all__ = [
    "canonical_digest",
    "content_digest",
    "read_json",
    "replace_path",
    "staged",
    "write_bytes",
    "write_json",
    "write_text",
]


@contextmanager
def staged(folder: Path, stage: str) -> Iterator[Path]:
    """Yield a scratch folder whose files move into ``folder`` once the block ends without an error.

    After an error, an interrupt or a full disk the scratch folder is removed and ``folder`` is unchanged. If
    the process is killed, the next call for the same stage removes the scratch folder that it left behind.
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


def canonical_digest(content: object) -> str:
    """Return the SHA-256 digest (hexadecimal) of a nested value.

    The value may consist of mappings, sequences, dataclasses, pydantic models, paths, numbers and strings.
    Equal values have equal digests in every process.

    Raises
    ------
    TypeError
        The value contains an object of another type, which has no canonical form.
    """
    return hashlib.sha256(json.dumps(_canonical(content), sort_keys=True).encode()).hexdigest()


def _canonical(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, BaseModel):
        return [type(value).__name__, _canonical(value.model_dump(mode="json"))]
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        return [type(value).__name__, _canonical(content)]
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_canonical(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no canonical form")


def content_digest(path: Path) -> str:
    """Return the SHA-256 digest of a file's content, or of the names and contents of a folder's files."""
    if path.is_dir():
        files = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if p.is_file()}
        return canonical_digest({name: content_digest(file) for name, file in files.items()})
    state = path.stat()
    return _file_digest(str(path.resolve()), state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=100_000)
def _file_digest(path: str, _written_ns: int, _size: int, _inode: int) -> str:
    """Compute the digest of a file's content, once per process unless the file changes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_path(source: Path | None, target: Path, *, copy: bool = False) -> None:
    """Replace ``target`` by the file or folder ``source``; with None as source, only remove ``target``."""
    if target.is_dir():
        shutil.rmtree(target)
    elif source is None or source.is_dir():
        target.unlink(missing_ok=True)
    if source is None:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not copy:
        source.replace(target)
    elif source.is_dir():
        shutil.copytree(source, target)
    else:
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(source, partial)
        partial.replace(target)


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON with sorted keys, so that equal contents have equal bytes."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; raises DataError, naming the file, if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(path, f"not a readable JSON file: {error}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file as :func:`write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and then rename it, so that no reader sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
