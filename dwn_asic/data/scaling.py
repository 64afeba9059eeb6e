"""The scaling of features: the quantizer of the section ``encoder``, its checks and its summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.table import Table
from dwn_asic.encode.config import QuantizerConfig
from dwn_asic.encode.quantizer import Quantizer, fit_feature
from dwn_asic.errors import ConfigError, DataError, shortened

__all__ = ["Place", "check_codes", "fit_quantizer", "scaling_lines"]

Place = Callable[[int], tuple[str, int]]
"""A function from the row of a table (counted from 0) to its file and its number there (counted from 1)."""


def fit_quantizer(table: Table, rows: NDArray[np.int64], config: QuantizerConfig) -> Quantizer:
    """Fit the quantizer of a table on its training rows.

    Parameters
    ----------
    table
        Table of N rows and F features.
    rows
        Indices of the training rows; other rows have no influence.
    config
        Scaling of all features, and of individual ones.

    Raises
    ------
    ConfigError
        The scaling of an individual feature is for a feature that does not exist, or for a text column.
    """
    for name in config.features:
        key = f"encoder.features.{name}"
        if name not in table.feature_names:
            raise ConfigError(
                table.source, key, "is not the name of a feature", shortened(table.feature_names)
            )
        if name in table.categories:
            raise ConfigError(table.source, key, "is a text column, whose codes are those of its categories")
    values = table.values[rows]
    if not len(values):
        raise ValueError("no rows to fit the quantizer on")
    return Quantizer.build(
        [_feature(values[:, f], name, table, config) for f, name in enumerate(table.feature_names)]
    )


def _feature(
    column: NDArray[np.float64], name: str, table: Table, config: QuantizerConfig
) -> tuple[float, float, int]:
    own = config.features.get(name)
    lo, step, bits = (None, None, None) if own is None else (own.lo, own.step, own.bits)
    if config.scaling == "codes" and name not in table.categories:
        return (
            0.0 if lo is None else lo,
            1.0 if step is None else step,
            config.input_bits if bits is None else bits,
        )
    return fit_feature(column, config.input_bits, lo=lo, step=step, bits=bits)


def check_codes(
    values: NDArray[np.float64],
    table: Table,
    quantizer: Quantizer,
    config: QuantizerConfig,
    place: Place | None = None,
) -> None:
    """Raise a DataError for a value that should be a code but is not.

    Parameters
    ----------
    values
        (N, F) values as read from the source; missing cells are NaN.
    table, quantizer, config
        The table, its quantizer, and the configuration of the quantizer.
    place
        File and number of a row, for the error; by default the row of ``table.source``.
    """
    if config.scaling != "codes":
        return
    asked = np.array([_is_code(name, table, config) for name in table.feature_names])
    top = (1 << quantizer.bits) - 1
    wrong = asked & ~np.isnan(values) & ((values != np.round(values)) | (values < 0) | (values > top))
    if not wrong.any():
        return
    n, f = (int(index) for index in np.argwhere(wrong)[0])
    file, row = (table.source, n + 1) if place is None else place(n)
    problem = (
        f"{values[n, f]:.12g} is not a code of {_bits(quantizer.bits[f])}, an integer from 0 to {top[f]}"
    )
    advice = "encoder.input_bits sets the width; encoder.features sets bits, or lo and step, of one feature"
    raise DataError(file, f"{problem} ({advice})", row=row, column=table.feature_names[f])


def _is_code(name: str, table: Table, config: QuantizerConfig) -> bool:
    """Return whether the values of a feature are codes already."""
    own = config.features.get(name)
    return name not in table.categories and (own is None or (own.lo is None and own.step is None))


# ---- summary -----------------------------------------------------------------------------------------------
def scaling_lines(table: Table, quantizer: Quantizer, most: int = 24) -> Iterator[str]:
    """Yield at most ``most`` lines that describe the values of each feature's codes.

    Features with the same scaling share a line; the lines follow the order of their first features.
    """
    groups: dict[str, list[str]] = {}
    for f, name in enumerate(table.feature_names):
        groups.setdefault(_codes_of(f, name, table, quantizer), []).append(name)
    lines = [f"{_listed(names)}: {codes}" for codes, names in groups.items()]
    if len(lines) <= most:
        yield from lines
        return
    yield from lines[: most - 1]
    rest = sum(len(names) for names in [*groups.values()][most - 1 :])
    low, high = quantizer.bits.min(), quantizer.bits.max()
    yield f"and {rest} more features, {_bits(high) if low == high else f'{low} to {_bits(high)}'} each"


def _codes_of(f: int, name: str, table: Table, quantizer: Quantizer) -> str:
    lo, step, top = float(quantizer.lo[f]), float(quantizer.step[f]), (1 << int(quantizer.bits[f])) - 1
    if name in table.categories:
        texts = table.categories[name]
        codes = quantizer.feature_codes(f, np.arange(len(texts), dtype=np.float64))
        return "code " + shortened([f"{code} for {text}" for code, text in zip(codes, texts, strict=True)])
    named = "code 0 or 1" if top == 1 else f"codes 0 to {top}"
    if (lo, step) == (0.0, 1.0):
        return f"{named}, the value itself"
    return f"{named} for {lo:.6g} to {lo + top * step:.6g}, step {step:.6g}"


def _bits(count: np.int64) -> str:
    return "1 bit" if count == 1 else f"{count} bits"


def _listed(names: list[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"
