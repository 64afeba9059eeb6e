"""Libraries that were read once, kept on disk under the digest of their files.

Reading ten megabytes of Liberty text takes seconds, loading the same numbers from a cache a tenth of a
second.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from dwn_asic.errors import PdkError
from dwn_asic.files import content_digest
from dwn_asic.targets.asic.kept_files import keep, kept_file
from dwn_asic.targets.asic.signoff import liberty, library
from dwn_asic.targets.asic.signoff.library import (
    Conditions,
    Tables,
    Thresholds,
    TimedCell,
    TimingLibrary,
    WireLoad,
)

__all__ = ["load_timing"]


@dataclass(frozen=True)
class _Record:
    """A library without its tables, which a file keeps as JSON."""

    name: str
    conditions: Conditions
    cells: tuple[TimedCell, ...]
    thresholds: Thresholds
    grounds: tuple[str, ...]
    wire_loads: tuple[WireLoad, ...]
    default_wire_load: str
    notes: tuple[str, ...]


_JSON = TypeAdapter(_Record)


def load_timing(paths: Sequence[Path]) -> TimingLibrary:
    """Return the library in these Liberty files, from the cache if they were read before.

    Raises the errors of :func:`dwn_asic.targets.asic.signoff.liberty.read_timing`.
    """
    try:
        digests = tuple(map(content_digest, paths))
    except OSError as error:
        raise PdkError(f"{error.filename}: cannot be read: {error.strerror}") from error
    return _load(tuple(paths), digests)


@lru_cache(maxsize=8)
def _load(paths: tuple[Path, ...], digests: tuple[str, ...]) -> TimingLibrary:
    file = kept_file(digests, (liberty, library), ".npz")
    kept = _read(file)
    if kept is None:
        kept = liberty.read_timing(paths)
        _write(file, kept)
    return kept


def _read(file: Path) -> TimingLibrary | None:
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
            record = _JSON.validate_json(content["record"].tobytes())
            tables = Tables(content["numbers"], content["shapes"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ValidationError):
        return None
    return TimingLibrary(
        record.name,
        record.conditions,
        {cell.name: cell for cell in record.cells},
        tables,
        record.thresholds,
        frozenset(record.grounds),
        {load.name: load for load in record.wire_loads},
        record.default_wire_load,
        record.notes,
    )


def _write(file: Path, found: TimingLibrary) -> None:
    record = _Record(
        found.name,
        found.conditions,
        tuple(found.cells.values()),
        found.thresholds,
        tuple(sorted(found.grounds)),
        tuple(found.wire_loads.values()),
        found.default_wire_load,
        found.notes,
    )
    text = np.frombuffer(_JSON.dump_json(record), np.uint8)
    with io.BytesIO() as content:
        np.savez(content, record=text, numbers=found.tables.numbers, shapes=found.tables.shapes)
        keep(file, content.getvalue())
