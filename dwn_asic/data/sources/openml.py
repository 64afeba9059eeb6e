"""Data sets of openml.org by their ID, fetched with scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np

from dwn_asic.data.config import DataConfig
from dwn_asic.data.data_source import DataSource
from dwn_asic.data.raw import RawTable
from dwn_asic.errors import ConfigError, DataError

__all__ = ["SOURCE"]

_RETRIES = 1


def _check(config: DataConfig, file: str | Path) -> None:
    if not (config.name.isascii() and config.name.isdecimal()):
        raise ConfigError(
            file, "data.source", f"is {config.source!r}", "openml:ID, where ID is the number of a data set"
        )


def _read(config: DataConfig) -> RawTable:
    bunch = _fetch(config)
    target = bunch.target
    if target is None or target.ndim != 1:
        raise DataError(config.source, "does not declare a single label column; set data.label")
    data = bunch.data.toarray() if hasattr(bunch.data, "toarray") else bunch.data
    features = [str(feature) for feature in bunch.feature_names]
    nominal: Mapping[str, Any] = bunch.get("categories") or {}
    return RawTable.build(
        config.source,
        config.source,
        values=np.asarray(data, np.float64),
        # Category codes follow the order in which the data set declares its categories.
        categorical=np.array([feature in nominal for feature in features], np.bool_),
        labels=["" if value is None else str(value).strip() for value in target],
        feature_names=features,
        label_name=str(bunch.target_names[0]),
        categories={feature: tuple(map(str, nominal[feature])) for feature in features if feature in nominal},
    )


def _fetch(config: DataConfig) -> Any:
    """Download the data set, or read it from the cache of scikit-learn (``~/scikit_learn_data``)."""
    from sklearn import datasets

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="A network error occurred")
            return datasets.fetch_openml(
                data_id=int(config.name),
                target_column=config.label or "default-target",
                as_frame=False,  # a frame would need pandas
                parser="liac-arff",
                n_retries=_RETRIES,
            )
    except (OSError, HTTPException) as error:
        offline = "the first download needs a network, later runs read ~/scikit_learn_data"
        raise _not_fetched(config, f"{getattr(error, 'reason', error)}; {offline}") from error
    except (ValueError, KeyError) as error:
        raise _not_fetched(config, str(error)) from error


def _not_fetched(config: DataConfig, reason: str) -> DataError:
    return DataError(config.source, f"cannot be fetched from OpenML: {' '.join(reason.split())}")


SOURCE = DataSource("openml", "openml:ID", _read, check=_check)
