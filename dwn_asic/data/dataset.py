"""The data set: table, split and quantizer together, from which every later stage takes its rows."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dwn_asic.boolean.graph import Interface
from dwn_asic.data.arrays import Frame, table_of_arrays
from dwn_asic.data.config import DataConfig, ObjectiveConfig
from dwn_asic.data.objective import Objective
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
    """Labelled rows, their split into three parts, and their integer codes.

    Attributes
    ----------
    table
        Table of N rows and F features.
    split
        Row indices of each part.
    quantizer
        Scaling of the F features from values to codes, fitted on the training rows only unless an imported
        model brings its own.
    objective
        Score that models of this data set are fitted for, chosen by and compared by.
    """

    table: Table
    split: Split
    quantizer: Quantizer
    objective: Objective = field(default_factory=Objective)

    def __post_init__(self) -> None:
        n_rows, n_features = self.table.values.shape
        if len(self.table.labels) != n_rows or len(self.table.feature_names) != n_features:
            raise ValueError(f"labels or feature names do not match a table of {n_rows} x {n_features}")
        if self.quantizer.n_features != n_features:
            raise ValueError(
                f"the quantizer has {self.quantizer.n_features} features, the table {n_features}"
            )
        rows = np.sort(np.concatenate([self.split.rows(part) for part in PARTS]))
        if not np.array_equal(rows, np.arange(n_rows)):
            raise ValueError(f"the split does not contain each of the {n_rows} rows exactly once")

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """(N, F) codes of all rows, read-only."""
        codes = self.quantizer.codes(self.table.values)
        codes.flags.writeable = False
        return codes

    @cached_property
    def interface(self) -> Interface:
        """The interface of a circuit for this table."""
        widths = tuple(int(width) for width in self.quantizer.bits)
        return Interface(self.table.feature_names, widths, self.table.class_names)

    @property
    def loss_weights(self) -> NDArray[np.float64] | None:
        """(N,) weights of the training rows by the objective, 1 on average; None if they are equal."""
        return self.objective.loss_weights(self.part("train")[1], self.table.n_classes)

    def part(self, name: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the (n, F) codes and (n,) class indices of one part."""
        rows = self.split.rows(name)
        return self.codes[rows], self.table.labels[rows]

    def require(self, *names: Part) -> None:
        """Raise DataError if one of these parts has no rows."""
        for name in names:
            if not len(self.split.rows(name)):
                raise DataError(self.table.source, f"the {name} part of the split has no rows")

    def with_objective(self, objective: ObjectiveConfig | Mapping[str, object] | str) -> Dataset:
        """Return the same rows with another objective.

        Parameters
        ----------
        objective
            Name of the metric, or the keys of the section ``objective`` of a flow file.

        Raises
        ------
        ConfigError
            There is no such metric, or the costs do not fit the classes.
        """
        if not isinstance(objective, ObjectiveConfig):
            keys = {"metric": objective} if isinstance(objective, str) else dict(objective)
            objective = validate(ObjectiveConfig, keys, "objective")
        return replace(self, objective=Objective.of(objective, self.table, self.split.train))

    def score(self, part: Part, predictions: NDArray[np.int64]) -> float:
        """Return the score of a part's rows, given the (N,) predictions for all rows; NaN without rows."""
        rows = self.split.rows(part)
        return self.objective.score(self.table.labels[rows], predictions[rows])

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
        """Split and quantize rows in memory, with the same checks as for the rows of a file.

        Parameters
        ----------
        X
            (N, F) values: an array, a list of rows, or a data frame (of pandas, or any object with
            ``columns``). Numbers and Booleans are used as they are. Texts and categories are read like the
            cells of a CSV file: a column of texts becomes category codes, its categories sorted as text.
        y
            (N,) labels: texts, integers or Booleans. Integers sort as numbers, other labels as text.
        feature_names
            (F,) names; by default those of the data frame, or ``x0``, ``x1``, ...
        class_names
            (C,) names that replace the labels' own, in the order of the classes; by default the labels as
            text.
        val, test, seed
            Shares of the validation and test rows and the seed of the stratified split, as in a flow file.
        input_bits, scaling, features
            Options of the quantizer, as in the section ``encoder`` of a flow file: width of the codes,
            ``fitted`` scaling or values that are ``codes`` already, and ``lo``, ``step`` and ``bits`` of
            individual features.
        parts
            (N,) part of each row: ``train``, ``val`` or ``test``. If no row is in ``val`` or ``test``, the
            rows of that part are drawn from the training rows.
        split
            Row indices of each part, which replace ``val``, ``test``, ``seed`` and ``parts``.

        Raises
        ------
        ConfigError
            The scaling is invalid.
        DataError
            The data are invalid, as those of a file: a missing or infinite value, a column in which most but
            not all cells are numbers, a missing label, a single class, a class with too few rows; or X, y and
            the names do not match. Rows are counted from 1.
        ValueError
            The shares leave no training rows, or ``split`` does not contain each row exactly once.

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
        """Write one ``.npz`` file; equal data sets result in equal bytes."""
        meta = {
            "format": _FORMAT,
            "source": self.table.source,
            "feature_names": self.table.feature_names,
            "class_names": self.table.class_names,
            # Stored only if there are any, so that other tables have the same bytes as in earlier versions.
            **({"notes": self.table.notes} if self.table.notes else {}),
            **({"categories": self.table.categories} if self.table.categories else {}),
            **({"fills": self.table.fills} if self.table.fills else {}),
            **({"objective": asdict(self.objective)} if self.objective != Objective() else {}),
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
        """Read a file of :meth:`save`; raises DataError if it is missing, damaged or of another kind."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                meta = json.loads(file["meta"].tobytes())
                if meta["format"] != _FORMAT:
                    raise DataError(
                        path, f"has dataset format {meta['format']}; this version reads {_FORMAT}"
                    )
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
                    _objective(meta.get("objective", {})),
                )
        except OSError as error:
            raise DataError(path, f"cannot be read: {error.strerror or error}") from error
        # A damaged archive raises any of these, for example RuntimeError for an unsupported compression.
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


def _objective(content: dict[str, Any]) -> Objective:
    return Objective(**{**content, "costs": tuple(map(tuple, content.get("costs", ())))})


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values


def _indices(raw: RawTable, parts: Sequence[str]) -> NDArray[np.int64]:
    if len(parts) != len(raw.labels):
        raise DataError(raw.file, f"{len(parts)} parts for {len(raw.labels)} rows")
    return part_indices(raw.file, "parts", [str(part) for part in parts])


def _quantized(raw: RawTable, table: Table, split: Split, config: QuantizerConfig) -> Dataset:
    """Fit the quantizer and check codes; ``raw`` is the table before missing cells were filled."""
    quantizer = fit_quantizer(table, split.train, config)
    check_codes(raw.values, table, quantizer, config, raw.place)
    return Dataset(table, split, quantizer)


def split_table(data: DataConfig, seed: int) -> tuple[Table, Split]:
    """Read the table and split it; missing cells are filled from the training rows only.

    Raises
    ------
    ConfigError, DataError
        As :func:`dwn_asic.data.parts.read_rows`.
    """
    raw, split = read_rows(data, seed)
    return raw.complete(data.impute, split.train), split


def prepare(
    data: DataConfig, encoder: QuantizerConfig, seed: int, objective: ObjectiveConfig | None = None
) -> Dataset:
    """Read the table, split it, and fit imputation and quantizer on the training rows only.

    Parameters
    ----------
    data, encoder, seed, objective
        Sections of the flow file; the default objective is accuracy.

    Raises
    ------
    ConfigError, DataError
        As :func:`dwn_asic.data.parts.read_rows`; also if the scaling is invalid, or if a value should be a
        code and is not.
    """
    raw, split = read_rows(data, seed)
    dataset = _quantized(raw, raw.complete(data.impute, split.train), split, encoder)
    return dataset if objective is None else dataset.with_objective(objective)
