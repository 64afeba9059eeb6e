"""Dataset: table, split and quantizer together; what every later stage reads its rows from."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dwn_asic.data.arrays import Frame, table_of_arrays
from dwn_asic.data.config import DataConfig
from dwn_asic.data.parts import part_indices, read_rows, split_rows
from dwn_asic.data.raw import RawTable
from dwn_asic.data.scaling import check_codes, fit_quantizer
from dwn_asic.data.table import PARTS, Part, Split, Table
from dwn_asic.encode.config import FeatureScaling, QuantizerConfig, Scaling
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.errors import DataError
from dwn_asic.yaml_file import validate

__all__ = ["Dataset", "prepare", "split_table"]

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Dataset:
    """The labelled rows as codes, in three parts.

    Attributes
    ----------
    table
        N rows of F features.
    split
        Its rows' parts.
    quantizer
        Value and code of F features, fitted on the training rows only.
    """

    table: Table
    split: Split
    quantizer: Quantizer

    def __post_init__(self) -> None:
        n_rows, n_features = self.table.values.shape
        if len(self.table.labels) != n_rows or len(self.table.feature_names) != n_features:
            raise ValueError(f"labels or feature names do not fit a table of {n_rows} x {n_features}")
        if self.quantizer.n_features != n_features:
            raise ValueError(f"quantizer of {self.quantizer.n_features} features, table of {n_features}")
        rows = np.sort(np.concatenate([self.split.rows(part) for part in PARTS]))
        if not np.array_equal(rows, np.arange(n_rows)):
            raise ValueError(f"the split is not one of {n_rows} rows")

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The (N, F) codes of all rows, read-only."""
        codes = self.quantizer.codes(self.table.values)
        codes.flags.writeable = False
        return codes

    def part(self, name: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the (n, F) codes and (n,) class indices of one part."""
        rows = self.split.rows(name)
        return self.codes[rows], self.table.labels[rows]

    @classmethod
    def from_arrays(
        cls,
        X: ArrayLike | Frame,
        y: ArrayLike,
        *,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        val: float = 0.2,
        test: float = 0.2,
        seed: int = 0,
        input_bits: int = 8,
        scaling: Scaling = "fitted",
        features: Mapping[str, FeatureScaling | Mapping[str, float]] | None = None,
        parts: Sequence[str] | None = None,
        split: Split | None = None,
    ) -> Dataset:
        """Split and quantize rows that are in memory, with the checks that a file's rows get.

        Parameters
        ----------
        X
            (N, F) values: an array, a list of rows, or a data frame (of pandas, or whatever has ``columns``).
            Numbers and truth values are taken as they are. Texts and categories are read as the cells of a
            comma-separated file: a column of texts becomes category codes, the categories sorted as text.
        y
            (N,) labels: texts, integers or truth values. Integers sort as numbers, others as text.
        feature_names
            (F,) names; default the data frame's, or ``x0``, ``x1``, ...
        class_names
            (C,) names in place of the labels' own, in their order; default the labels as text.
        val, test, seed
            Shares of the validation and test rows, drawn by class, as in a flow file.
        input_bits, scaling, features
            As in the section ``encoder`` of a flow file: width of the codes, whether values are ``codes``
            already, and ``lo``, ``step`` and ``bits`` of single features.
        parts
            (N,) the part of each row: ``train``, ``val`` or ``test``. A part without rows is drawn from the
            training rows.
        split
            In place of ``val``, ``test``, ``seed`` and ``parts``: the rows of each part.

        Raises
        ------
        ConfigError
            The scaling is wrong.
        DataError
            As for a file: a missing or infinite value, a column that is mostly but not all numbers, a missing
            label, a single class, a class with too few rows; or X, y and the names don't fit together. Rows
            count from 1.
        ValueError
            The shares leave no training rows, or ``split`` doesn't hold each row once.

        Examples
        --------
        >>> X = [[n, n / 4, ("red", "green")[n % 2]] for n in range(20)]
        >>> y = ["low" if n < 10 else "high" for n in range(20)]
        >>> dataset = Dataset.from_arrays(X, y, feature_names=["count", "share", "colour"])
        >>> dataset.table.class_names
        ('high', 'low')
        >>> dataset.table.values[1]
        array([1.  , 0.25, 0.  ])
        >>> dataset.table.notes
        ("text column 'colour', 2 categories",)
        >>> codes, labels = dataset.part("train")
        >>> codes.shape, labels.shape
        ((12, 3), (12,))
        """
        raw = table_of_arrays(X, y, feature_names=feature_names, class_names=class_names)
        options = {"input_bits": index(input_bits), "scaling": scaling, "features": dict(features or {})}
        config = validate(QuantizerConfig, options, raw.file)
        if split is None:
            indices = None if parts is None else _indices(raw, parts)
            split = split_rows(raw, indices, val=val, test=test, seed=seed)
        else:
            raw.check_classes()
        return _quantized(raw, raw.complete(None), split, config)

    def save(self, path: Path) -> None:
        """Write one ``.npz`` file; equal datasets give equal bytes."""
        meta = {
            "format": _FORMAT,
            "source": self.table.source,
            "feature_names": self.table.feature_names,
            "class_names": self.table.class_names,
            # Only where there are some, so that a table without any keeps the bytes that it always had.
            **({"notes": self.table.notes} if self.table.notes else {}),
            **({"categories": self.table.categories} if self.table.categories else {}),
            **({"fills": self.table.fills} if self.table.fills else {}),
        }
        arrays: dict[str, NDArray[Any]] = {
            "values": self.table.values,
            "labels": self.table.labels,
            **{f"rows_{part}": self.split.rows(part) for part in PARTS},
            "quantizer_lo": self.quantizer.lo,
            "quantizer_step": self.quantizer.step,
            "quantizer_bits": self.quantizer.bits,
            "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8),
        }
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Dataset:
        """Read what :meth:`save` wrote; raises DataError for a file that is missing, damaged or another."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                meta = json.loads(file["meta"].tobytes())
                if meta["format"] != _FORMAT:
                    raise DataError(path, f"dataset format {meta['format']}, this version reads {_FORMAT}")
                return cls(
                    Table(
                        meta["source"],
                        _read_only(file["values"]),
                        _read_only(file["labels"]),
                        tuple(meta["feature_names"]),
                        tuple(meta["class_names"]),
                        tuple(meta.get("notes", ())),
                        {name: tuple(texts) for name, texts in meta.get("categories", {}).items()},
                        tuple(meta.get("fills", ())),
                    ),
                    Split(*(_read_only(file[f"rows_{part}"]) for part in PARTS)),
                    Quantizer(file["quantizer_lo"], file["quantizer_step"], file["quantizer_bits"]),
                )
        except OSError as error:
            raise DataError(path, f"cannot be read: {error.strerror or error}") from error
        # A damaged zip shows as any of these; RuntimeError is zipfile's for flags and methods it can't read.
        except (
            ValueError,
            KeyError,
            TypeError,
            EOFError,
            RuntimeError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise DataError(path, f"not a dataset file: {error}") from error


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values


def _indices(raw: RawTable, parts: Sequence[str]) -> NDArray[np.int64]:
    if len(parts) != len(raw.labels):
        raise DataError(raw.file, f"{len(parts)} parts for {len(raw.labels)} rows")
    return part_indices(raw.file, "parts", [str(part) for part in parts])


def _quantized(raw: RawTable, table: Table, split: Split, config: QuantizerConfig) -> Dataset:
    """Fit the quantizer; ``raw`` is the table before missing cells were filled."""
    quantizer = fit_quantizer(table, split.train, config)
    check_codes(raw.values, table, quantizer, config, raw.place)
    return Dataset(table, split, quantizer)


def split_table(data: DataConfig, seed: int) -> tuple[Table, Split]:
    """Read the table and split it; missing cells are filled from training rows alone.

    Raises
    ------
    ConfigError, DataError
        As :func:`dwn_asic.data.parts.read_rows`.
    """
    raw, split = read_rows(data, seed)
    return raw.complete(data.impute, split.train), split


def prepare(data: DataConfig, encoder: QuantizerConfig, seed: int) -> Dataset:
    """Read the table, split it, and fit the quantizer; validation and test rows have no part in any fit.

    Parameters
    ----------
    data, encoder, seed
        Sections of the flow file.

    Raises
    ------
    ConfigError, DataError
        As :func:`dwn_asic.data.parts.read_rows`; or the scaling is wrong, or a value is none of its codes.
    """
    raw, split = read_rows(data, seed)
    return _quantized(raw, raw.complete(data.impute, split.train), split, encoder)
