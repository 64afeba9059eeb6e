"""CSV files of the user, plain or ``.gz``."""

from __future__ import annotations

from dwn_asic.data.config import DataConfig
from dwn_asic.data.csv_file import DEFAULT_LABEL, CsvForm, read_csv
from dwn_asic.data.data_source import DataSource, user_file
from dwn_asic.data.raw import RawTable

__all__ = ["SOURCE"]


def _read(config: DataConfig) -> RawTable:
    form = CsvForm(
        config.label or DEFAULT_LABEL,
        config.drop,
        config.text,
        config.separator or ",",
        config.decimal or ".",
    )
    return read_csv(user_file(config), source=config.source, form=form)


SOURCE = DataSource("csv", "csv:PATH", _read, has_file=True, options=("separator", "decimal"))
