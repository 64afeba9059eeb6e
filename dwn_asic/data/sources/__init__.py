"""Where a table comes from: each module is one source, found by being here.

A module declares its source as ``SOURCE``, a :class:`~dwn_asic.data.data_source.DataSource`. Another package
adds one by an entry point of the group ``dwn_asic.data_sources`` whose object is a ``DataSource``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.data.config import DataConfig
from dwn_asic.data.data_source import DataSource
from dwn_asic.discovery import discover
from dwn_asic.errors import ConfigError

if TYPE_CHECKING:
    from dwn_asic.data.raw import RawTable
    from dwn_asic.data.table import Table

__all__ = ["check_source", "data_file", "data_sources", "load_table", "locate", "read_source"]

_GROUP = "dwn_asic.data_sources"


def load_table(config: DataConfig) -> Table:
    """Read the table that a flow file names, missing cells filled from all rows.

    :func:`dwn_asic.data.dataset.prepare` fills them from the training rows only.

    Raises
    ------
    ConfigError
        The source is not one that exists.
    DataError
        The file is missing, damaged, or holds something that can't be learned from.
    """
    return read_source(config).complete(config.impute)


def read_source(config: DataConfig) -> RawTable:
    """Read the table that a flow file names; missing cells stay missing. Raises as :func:`load_table`."""
    return check_source(config, "data").read(config)


def check_source(config: DataConfig, file: str | Path) -> DataSource:
    """The source of a ``data`` section; raises ConfigError, which names ``file``, if there is none such."""
    sources = data_sources()
    source = sources.get(config.scheme)
    if source is None or not config.name:
        forms = ", ".join(source.form for source in sources.values())
        raise ConfigError(file, "data.source", f"is {config.source!r}", forms)
    source.check(config, file)
    return source


def locate(source: str, folder: Path) -> Path | None:
    """The user's file that a source names, as a path from the working directory; None if it has none.

    A relative path starts at ``folder``, the directory of the flow file that says it. If there is no such
    file there but one in the working directory, it is that.
    """
    scheme, _, name = source.partition(":")
    found = data_sources().get(scheme)
    if found is None or not found.has_file or not name:
        return None
    path = Path(name).expanduser()
    return path if path.exists() and not (folder / path).exists() else folder / path


def data_file(config: DataConfig) -> Path | None:
    """The user's file that the table is read from, whether it is there or not; None of other sources."""
    return locate(config.source, Path()) if config.file is None else Path(config.file)


def data_sources() -> dict[str, DataSource]:
    """All sources by scheme: the modules of this package, then those that other packages add.

    Raises
    ------
    ConfigError
        Two of them have one scheme.
    """
    sources: dict[str, DataSource] = {}
    for source in discover(__name__, "SOURCE", _GROUP, DataSource):
        if source.scheme in sources:
            raise ConfigError(_GROUP, source.scheme, "two data sources have this scheme")
        sources[source.scheme] = source
    return sources
