"""Small tables that are part of scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dwn_asic.data.config import DataConfig
from dwn_asic.data.data_source import DataSource, check_name
from dwn_asic.data.raw import RawTable
from dwn_asic.errors import ConfigError

__all__ = ["NAMES", "SOURCE"]

NAMES = ("breast_cancer", "digits", "iris", "wine")


def _check(config: DataConfig, file: str | Path) -> None:
    check_name(config, NAMES, file)
    if config.label is not None:
        raise ConfigError(file, "data.label", f"is {config.label!r}", "not with a sklearn source")


def _read(config: DataConfig) -> RawTable:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{config.name}")()
    return RawTable.build(
        config.source,
        config.source,
        values=np.asarray(bunch.data, np.float64),
        categorical=np.zeros(bunch.data.shape[1], np.bool_),
        labels=[str(bunch.target_names[index]) for index in bunch.target],
        feature_names=[str(feature) for feature in bunch.feature_names],
        label_name="target",
    )


SOURCE = DataSource("sklearn", "sklearn:NAME", _read, check=_check)
