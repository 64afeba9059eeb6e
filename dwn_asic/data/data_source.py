"""Data sources: what each declares about itself."""

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
    """One kind of place that tables come from.

    Attributes
    ----------
    scheme
        What stands before the colon of ``data.source``.
    form
        How it is written, for error messages: ``csv:PATH``.
    read
        Reads the table that a ``data`` section names, missing cells left missing; raises DataError for data
        that can't be had or learned from, with a source that needs a network also without one.
    has_file
        Whether the name is the path of a file of the user's; a change of that file is a change of the data.
    options
        Which of the keys ``separator`` and ``decimal`` the source knows.
    check
        Raises ConfigError, which names the given file, for a section that ``read`` can't read.
    """

    scheme: str
    form: str
    read: Callable[[DataConfig], RawTable]
    has_file: bool = False
    options: tuple[str, ...] = ()
    check: Callable[[DataConfig, str | Path], None] = _accept


def check_name(config: DataConfig, names: tuple[str, ...], file: str | Path) -> None:
    """Raise a ConfigError that lists ``names`` if the source's name is none of them."""
    if config.name not in names:
        raise ConfigError(file, "data.source", f"is {config.source!r}", ", ".join(names))


def user_file(config: DataConfig) -> Path:
    """Return the path of the file that a source names; raises DataError where there is none."""
    written = Path(config.name).expanduser()
    path = written if config.file is None else Path(config.file)
    if not path.exists():
        looked = " and ".join(dict.fromkeys(str(place.resolve()) for place in (path, written)))
        raise DataError(written, f"not found, looked for {looked}")
    return path
