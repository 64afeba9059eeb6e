"""A mapping of names to bytes that is stored in a folder, for checkpoints of unfinished work."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path

__all__ = ["FolderStore"]


class FolderStore(MutableMapping[str, bytes]):
    """A mutable mapping that stores each value in a file, which is written atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, key: str) -> bytes:
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{key}.partial"
        partial.write_bytes(value)
        partial.replace(self._folder / key)

    def __delitem__(self, key: str) -> None:
        try:
            (self._folder / key).unlink()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        if self._folder.is_dir():
            yield from sorted(path.name for path in self._folder.iterdir() if not path.name.startswith("."))

    def __len__(self) -> int:
        return sum(1 for _ in self)
