"""Where a table comes from: ``bundled:``, ``sklearn:``, ``csv:`` and ``openml:`` sources."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np

from dwn_asic.data.config import DataConfig
from dwn_asic.data.csv_file import read_csv
from dwn_asic.data.raw import RawTable
from dwn_asic.data.table import Table
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.flow.flow_file import csv_file

__all__ = ["BUNDLED", "SKLEARN", "load_table", "read_source"]

BUNDLED = ("australian", "phoneme", "segment")
SKLEARN = ("breast_cancer", "digits", "iris", "wine")

_BUNDLED_FOLDER = Path(__file__).parent / "bundled"
_DEFAULT_LABEL = "class"
_OPENML_RETRIES = 1


def load_table(config: DataConfig, base: Path) -> Table:
    """Read the table that a flow file names, missing cells filled from all rows.

    :func:`dwn_asic.data.dataset.prepare` fills them from the training rows only.

    Parameters
    ----------
    config
        The ``data`` section of the flow file.
    base
        The flow file's directory: where a relative ``csv:`` path is looked for first.

    Raises
    ------
    ConfigError
        The source is not one that exists.
    DataError
        The file is missing, damaged, or holds something that can't be learned from.
    """
    return read_source(config, base).complete(config.impute)


def read_source(config: DataConfig, base: Path) -> RawTable:
    """Read the table that a flow file names; missing cells stay missing. Raises as :func:`load_table`."""
    scheme, _, name = config.source.partition(":")
    reader = _READERS.get(scheme)
    if reader is None or not name:
        raise ConfigError(base, "data.source", f"is {config.source!r}", ", ".join(_FORMS))
    return reader(name, config, base)


def _read_bundled(name: str, config: DataConfig, base: Path) -> RawTable:
    _check_name(name, BUNDLED, config, base)
    label = config.label or _DEFAULT_LABEL
    return read_csv(_BUNDLED_FOLDER / f"{name}.csv.gz", source=config.source, label=label)


def _read_csv(name: str, config: DataConfig, base: Path) -> RawTable:
    path = csv_file(name, base)
    if not path.exists():
        raise DataError(path, f"not found, looked in {base.resolve()} and {Path.cwd()}")
    return read_csv(path, source=config.source, label=config.label or _DEFAULT_LABEL)


def _read_sklearn(name: str, config: DataConfig, base: Path) -> RawTable:
    _check_name(name, SKLEARN, config, base)
    if config.label is not None:
        raise ConfigError(base, "data.label", f"is {config.label!r}", "not with a sklearn source")
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    return RawTable.build(
        config.source,
        config.source,
        values=np.asarray(bunch.data, np.float64),
        categorical=np.zeros(bunch.data.shape[1], np.bool_),
        labels=[str(bunch.target_names[index]) for index in bunch.target],
        feature_names=[str(feature) for feature in bunch.feature_names],
        label_name="target",
    )


def _read_openml(name: str, config: DataConfig, base: Path) -> RawTable:
    if not (name.isascii() and name.isdecimal()):
        raise ConfigError(base, "data.source", f"is {config.source!r}", "openml: and the data set's number")
    bunch = _fetch_openml(int(name), config)
    target = bunch.target
    if target is None or target.ndim != 1:
        raise DataError(config.source, "has no single label column of its own; set data.label")
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
    )


def _fetch_openml(number: int, config: DataConfig) -> Any:
    """Download through scikit-learn, or take from its cache (``~/scikit_learn_data``)."""
    from sklearn import datasets

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="A network error occurred")
            return datasets.fetch_openml(
                data_id=number,
                target_column=config.label or "default-target",
                as_frame=False,  # a frame would need pandas
                parser="liac-arff",
                n_retries=_OPENML_RETRIES,
            )
    except (OSError, ValueError, KeyError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise DataError(config.source, f"cannot be fetched from OpenML: {reason}") from error


def _check_name(name: str, allowed: tuple[str, ...], config: DataConfig, base: Path) -> None:
    if name not in allowed:
        raise ConfigError(base, "data.source", f"is {config.source!r}", ", ".join(allowed))


_READERS: dict[str, Callable[[str, DataConfig, Path], RawTable]] = {
    "bundled": _read_bundled,
    "sklearn": _read_sklearn,
    "csv": _read_csv,
    "openml": _read_openml,
}
_FORMS = ("bundled:NAME", "sklearn:NAME", "csv:PATH", "openml:ID")
