"""The declaration of a data source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.data.config import DataConfig
from dwn_asic.errors import ConfigError, DataError

if TYPE_CHECKING:
    from dwn_asic.data.raw import RawTable

__all__ = ["DataSource", "check_name", "user_file"]


def _accept(config: DataConfig, file: str | Path) -> None:
    """Accept any name."""


@dataclass(frozen=True)
class DataSource:
    """A kind of data source, for example CSV files.

    Attributes
    ----------
    scheme
        Text before the colon of ``data.source``.
    form
        Form of ``data.source`` for error messages, for example ``csv:PATH``.
    read
        Function that reads the table of a ``data`` section, without filling missing cells. It raises
        DataError for data that are unavailable, for example without a network, or unusable.
    has_file
        Whether the name is the path of a user's file; steps that read the data run again if the file changes.
    options
        Those of the keys ``separator`` and ``decimal`` that the source supports.
    check
        Function that raises ConfigError, naming the given file, for a section that ``read`` does not support.
    """

    scheme: str
    form: str
    read: Callable[[DataConfig], RawTable]
    has_file: bool = False
    options: tuple[str, ...] = ()
    check: Callable[[DataConfig, str | Path], None] = _accept


def check_name(config: DataConfig, names: tuple[str, ...], file: str | Path) -> None:
    """Raise a ConfigError that lists ``names`` unless the name of the source is one of them."""
    if config.name not in names:
        raise ConfigError(file, "data.source", f"is {config.source!r}", ", ".join(names))


def user_file(config: DataConfig) -> Path:
    """Return the path of the file that a source names; raises DataError if it does not exist."""
    written = Path(config.name).expanduser()
    path = written if config.file is None else Path(config.file)
    if not path.exists():
        looked = " and ".join(dict.fromkeys(str(place.resolve()) for place in (path, written)))
        raise DataError(written, f"not found; looked for {looked}")
    return path
