"""Text files, plain or gzip, whose errors become DataError with the name of the file."""

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
    """Convert all errors of opening, unpacking and decoding the file to DataError."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(path, "not UTF-8 text") from error
    # This precedes OSError, the base class of gzip.BadGzipFile.
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(path, f"damaged gzip file: {error}") from error
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 file without translating line ends; ``.gz`` files are unpacked."""
    # utf-8-sig skips the byte order mark that spreadsheet programs write at the start of a file.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("rt", encoding="utf-8-sig", newline="")
