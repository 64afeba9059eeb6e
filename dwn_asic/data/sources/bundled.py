"""Public tables that are bundled with the package; ``data/bundled`` also documents their provenance."""

from __future__ import annotations

from pathlib import Path

from dwn_asic.data.config import DataConfig
from dwn_asic.data.csv_file import DEFAULT_LABEL, CsvForm, read_csv
from dwn_asic.data.data_source import DataSource, check_name
from dwn_asic.data.raw import RawTable

__all__ = ["NAMES", "SOURCE"]

NAMES = ("australian", "phoneme", "segment")

_FOLDER = Path(__file__).parents[1] / "bundled"


def _check(config: DataConfig, file: str | Path) -> None:
    check_name(config, NAMES, file)


def _read(config: DataConfig) -> RawTable:
    path = _FOLDER / f"{config.name}.csv.gz"
    form = CsvForm(config.label or DEFAULT_LABEL, text=config.text)
    return read_csv(path, source=config.source, form=form)


SOURCE = DataSource("bundled", "bundled:NAME", _read, check=_check)
