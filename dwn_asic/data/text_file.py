"""Text files, plain or gzip: whatever goes wrong with one is a DataError that names it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from dwn_asic.errors import DataError

__all__ = ["open_text", "text_faults"]


@contextmanager
def text_faults(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with the file into a DataError."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(path, "not UTF-8 text") from error
    # Before OSError, which gzip.BadGzipFile is too.
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(path, f"damaged gzip file: {error}") from error
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 file, line ends as they are; ``.gz`` files are unpacked."""
    # utf-8-sig: spreadsheet programs put a byte order mark in front of the first column's name.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("rt", encoding="utf-8-sig", newline="")
