"""Training, validation and test rows: fixed by files or by a column, or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.config import DataConfig, PartConfig
from dwn_asic.data.join import joined
from dwn_asic.data.raw import RawTable
from dwn_asic.data.sources import check_dropped, check_source, data_sources, read_undropped
from dwn_asic.data.split import stratified_split
from dwn_asic.data.table import PARTS, Part, Split
from dwn_asic.errors import DataError, shortened

__all__ = ["part_indices", "read_rows", "split_rows"]

_SPELLINGS: dict[Part, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def read_rows(data: DataConfig, seed: int) -> tuple[RawTable, Split]:
    """Read all rows of a ``data`` section, and split them into parts.

    Raises
    ------
    ConfigError, DataError
        A source is invalid, its files do not match, or a class has too few rows.
    """
    check_source(data, "data")
    raw, parts = _of_column(data, data.part) if data.part is not None else _of_files(data)
    if data.one_against_rest is not None:
        raw = raw.one_against_rest(data.one_against_rest)
    val, test, state = data.split.val, data.split.test, data.split.random_state
    if state is None:
        return raw, split_rows(raw, parts, val=val, test=test, seed=seed)
    parts = _with_test_rows(parts, len(raw.labels), test, state)
    # The share of validation rows is that of all rows, but they are drawn from what is left.
    return raw, split_rows(raw, parts, val=val / (1.0 - test), test=test, seed=seed)


def _with_test_rows(
    parts: NDArray[np.int64] | None, n_rows: int, test: float, random_state: int
) -> NDArray[np.int64]:
    """Return the (N,) indices of parts with the test rows that scikit-learn draws from the training rows."""
    from sklearn.model_selection import train_test_split

    found = np.zeros(n_rows, np.int64) if parts is None else parts.copy()
    rows = np.flatnonzero(found == PARTS.index("train"))
    _, drawn = train_test_split(rows, test_size=test, random_state=random_state)
    found[drawn] = PARTS.index("test")
    return found


def split_rows(
    raw: RawTable, parts: NDArray[np.int64] | None, *, val: float, test: float, seed: int
) -> Split:
    """Split the rows of a table; a part without rows is drawn from the training rows.

    Parameters
    ----------
    raw
        Table of N rows.
    parts
        (N,) indices into :data:`~dwn_asic.data.table.PARTS`; with None all parts are drawn.
    val, test, seed
        As in :func:`~dwn_asic.data.split.stratified_split`.

    Raises
    ------
    DataError
        There are no training rows, there is a single class, or a class has too few rows.
    """
    if parts is None:
        raw.check_classes()
    else:
        pool = np.flatnonzero(parts == PARTS.index("train"))
        if not len(pool):
            raise DataError(raw.file, "there are no training rows")
        drawn = [part for part in PARTS if part == "train" or not (parts == PARTS.index(part)).any()]
        raw.check_classes(pool, drawn)
    return stratified_split(raw.labels, val=val, test=test, seed=seed, parts=parts)


def part_indices(
    file: str, column: str, cells: Sequence[str | None], config: PartConfig | None = None
) -> NDArray[np.int64]:
    """Return (N,) indices into :data:`~dwn_asic.data.table.PARTS` for (N,) cells that name parts.

    Raises
    ------
    DataError
        A cell is missing (None) or is not the name of a part, or a name stands for two parts.
    """
    index: dict[str, int] = {}
    for place, part in enumerate(PARTS):
        own: tuple[str, ...] = getattr(config, part) if config is not None else ()
        for text in own:
            if index.setdefault(text.casefold(), place) != place:
                raise DataError(file, f"data.part assigns {text!r} to two parts", column=column)
    for place, part in enumerate(PARTS):
        for text in _SPELLINGS[part]:
            index.setdefault(text, place)
    found = np.empty(len(cells), np.int64)
    for n, cell in enumerate(cells):
        if cell is None:
            raise DataError(file, "the name of the part is missing", row=n + 1, column=column)
        if cell.casefold() not in index:
            known = ", ".join(dict.fromkeys(index))
            problem = f"{cell!r} is not the name of a part (known: {known}; data.part can add names)"
            raise DataError(file, problem, row=n + 1, column=column)
        found[n] = index[cell.casefold()]
    return found


def _of_column(data: DataConfig, part: PartConfig) -> tuple[RawTable, NDArray[np.int64]]:
    """Read the rows of the only source; the column that names the parts becomes indices of parts."""
    raw = read_undropped(data.sources["source"].model_copy(update={"text": (part.column,)}))
    check_dropped(data, [raw])
    if part.column not in raw.feature_names:
        problem = (
            f"there is no column {part.column!r} for data.part; its columns: {shortened(raw.feature_names)}"
        )
        raise DataError(raw.file, problem)
    cells = _cells(raw, part.column)
    found = part_indices(raw.file, part.column, cells, part)
    return replace(raw.without([part.column]), dropped=raw.dropped), found


def _cells(raw: RawTable, name: str) -> list[str | None]:
    """Return the texts of a column, None for missing cells; numbers are written in their shortest form."""
    values, texts = raw.values[:, raw.feature_names.index(name)], raw.categories.get(name)

    def text(value: float) -> str | None:
        if np.isnan(value):
            return None
        return texts[int(value)] if texts is not None else repr(float(value)).removesuffix(".0")

    return [text(value) for value in values]


def _of_files(data: DataConfig) -> tuple[RawTable, NDArray[np.int64] | None]:
    """Read the rows of all sources and the index of the part of each; None if all parts are to be drawn."""
    sections = dict(data.sources)
    raw = read_undropped(sections.pop("source"))
    others: dict[Part, RawTable] = {}
    for part in PARTS:
        if part in sections:
            others[part] = read_undropped(_like(sections[part], raw))
    check_dropped(data, [raw, *others.values()])
    if not others:
        return raw, None
    sizes = [len(raw.labels), *(len(other.labels) for other in others.values())]
    parts = np.repeat([PARTS.index("train"), *map(PARTS.index, others)], sizes)
    return joined(raw, [*others.values()]), parts


def _like(section: DataConfig, raw: RawTable) -> DataConfig:
    """Return the section of a further file with the label and the text columns of the first file."""
    update: dict[str, object] = {"text": tuple(raw.categories)}
    if section.label is None and data_sources()[section.scheme].has_file:
        update["label"] = raw.label_name
    return section.model_copy(update=update)
