"""A comma-separated file of the user's, plain or ``.gz``."""

from __future__ import annotations

from pathlib import Path

from dwn_asic.data.config import DataConfig
from dwn_asic.data.csv_file import DEFAULT_LABEL, read_csv
from dwn_asic.data.data_source import DataSource
from dwn_asic.data.raw import RawTable
from dwn_asic.errors import DataError

__all__ = ["SOURCE"]


def _read(config: DataConfig) -> RawTable:
    written = Path(config.name).expanduser()
    path = written if config.file is None else Path(config.file)
    if not path.exists():
        looked = " and ".join(dict.fromkeys(str(place.resolve()) for place in (path, written)))
        raise DataError(written, f"not found, looked for {looked}")
    return read_csv(path, source=config.source, label=config.label or DEFAULT_LABEL)


SOURCE = DataSource("csv", "csv:PATH", _read, has_file=True)
