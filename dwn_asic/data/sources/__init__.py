"""Data sources: every module in this package is one, and is found automatically.

A module declares its source as ``SOURCE``, a :class:`~dwn_asic.data.data_source.DataSource`. Another package
adds a source with an entry point of the group ``dwn_asic.data_sources`` that refers to a ``DataSource``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.data.config import DataConfig
from dwn_asic.data.data_source import DataSource
from dwn_asic.discovery import discover
from dwn_asic.errors import ConfigError, shortened

if TYPE_CHECKING:
    from dwn_asic.data.raw import RawTable
    from dwn_asic.data.table import Table

__all__ = [
    "check_dropped",
    "check_source",
    "data_files",
    "data_sources",
    "load_table",
    "locate",
    "read_source",
    "read_undropped",
]

_GROUP = "dwn_asic.data_sources"
_FILE_OPTIONS = ("separator", "decimal")  # keys that only some sources support


def load_table(config: DataConfig) -> Table:
    """Read the table of a ``data`` section, and fill missing cells from all rows.

    In contrast, :func:`dwn_asic.data.dataset.prepare` fills them from the training rows only.

    Raises
    ------
    ConfigError
        The source does not exist.
    DataError
        The file is missing or damaged, or its data are unusable.
    """
    raw = read_source(config)
    raw.check_classes()
    return raw.complete(config.impute)


def read_source(config: DataConfig) -> RawTable:
    """Read the table of ``source`` without filling missing cells; raises as :func:`load_table`."""
    raw = read_undropped(config)
    check_dropped(config, [raw])
    return raw


def read_undropped(config: DataConfig) -> RawTable:
    """Read as :func:`read_source`, but accept names in ``drop`` that the table does not have."""
    return _checked(config, "data").read(config).without(config.drop)


def check_dropped(config: DataConfig, tables: Sequence[RawTable]) -> None:
    """Raise a ConfigError if ``drop`` names a column that none of the tables has."""
    for name in config.drop:
        if not any(name in table.dropped for table in tables):
            file, columns = tables[0].file, (*tables[0].feature_names, *tables[0].dropped)
            raise ConfigError(file, "data.drop", f"there is no column {name!r}", shortened(columns))


def check_source(config: DataConfig, file: str | Path) -> None:
    """Raise a ConfigError that names ``file`` if a source does not exist or does not support its options."""
    known = {key: _checked(section, file, key) for key, section in config.sources.items()}
    for key in _FILE_OPTIONS:
        value = getattr(config, key)
        if value is not None and not any(key in source.options for source in known.values()):
            forms = ", ".join(source.form for source in data_sources().values() if key in source.options)
            raise ConfigError(file, f"data.{key}", f"is {value!r}", f"only with {forms}")


def _checked(config: DataConfig, file: str | Path, key: str = "source") -> DataSource:
    """Return the source of a ``data`` section; ``key`` is its key in the flow file, for error messages."""
    sources = data_sources()
    source = sources.get(config.scheme)
    if source is None or not config.name:
        forms = ", ".join(source.form for source in sources.values())
        raise ConfigError(file, f"data.{key}", f"is {config.source!r}", forms)
    try:
        source.check(config, file)
    except ConfigError as error:
        if error.key != "data.source":
            raise
        raise ConfigError(file, f"data.{key}", error.problem, error.allowed) from error
    return source


def locate(source: str, folder: Path) -> Path | None:
    """Return the path of the user's file that a source names, or None if it names no file.

    A relative path starts at ``folder``, the directory of the flow file that contains it. If there is no such
    file there but one in the working directory, that one is returned.
    """
    scheme, _, name = source.partition(":")
    found = data_sources().get(scheme)
    if found is None or not found.has_file or not name:
        return None
    path = Path(name).expanduser()
    return path if path.exists() and not (folder / path).exists() else folder / path


def data_files(config: DataConfig) -> dict[str, Path]:
    """Return the key and path of each user's file that rows are read from, whether it exists or not."""
    found = {
        key: locate(section.source, Path()) if section.file is None else Path(section.file)
        for key, section in config.sources.items()
    }
    return {key: path for key, path in found.items() if path is not None}


def data_sources() -> dict[str, DataSource]:
    """Return scheme and source of all modules of this package, and of those that other packages add.

    Raises
    ------
    ConfigError
        Two sources have the same scheme.
    """
    sources: dict[str, DataSource] = {}
    for source in discover(__name__, "SOURCE", _GROUP, DataSource):
        if source.scheme in sources:
            raise ConfigError(_GROUP, source.scheme, "two data sources have this scheme")
        sources[source.scheme] = source
    return sources
