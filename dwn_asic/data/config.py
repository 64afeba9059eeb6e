"""The section ``data`` of a flow file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from dwn_asic.configuration import Fraction, Strict

__all__ = ["FILE_KEYS", "DataConfig", "PartConfig", "SplitConfig"]


class SplitConfig(Strict):
    """Shares of the rows that are in no part yet; the rest is for training."""

    val: Fraction = 0.2
    """Share of the validation rows, unless ``val`` or ``part`` of ``data`` fixes them."""
    test: Fraction = 0.2
    """Share of the test rows, unless ``test`` or ``part`` of ``data`` fixes them."""

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> SplitConfig:
        if self.val + self.test >= 1.0:
            raise ValueError("val + test must be below 1, the rest is for training")
        return self


def _as_texts(value: object) -> object:
    """Make a list of cell texts of a single one; YAML reads some as numbers or truth values."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(each) if isinstance(each, int) else each for each in values]


_Texts = Annotated[tuple[str, ...], BeforeValidator(_as_texts), Field(strict=False)]


class PartConfig(Strict):
    """The column that says to which part a row belongs, and what its cells mean."""

    column: str
    """The name of the column."""
    train: _Texts = ()
    """Cells of training rows, beside ``train`` and ``training``; upper and lower case are one."""
    val: _Texts = ()
    """Cells of validation rows, beside ``val``, ``valid`` and ``validation``."""
    test: _Texts = ()
    """Cells of test rows, beside ``test`` and ``testing``."""


def _as_part(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _as_names(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_separator(value: object) -> object:
    return "\t" if value == "tab" else value


FILE_KEYS: Mapping[str, str] = {"source": "file", "test": "test_file", "val": "val_file"}
"""Each key that names a source, and the attribute that says where its file lies."""


class DataConfig(Strict):
    """The source of the table, and which of its rows are for what."""

    source: str
    """``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH``, ``arff:PATH``, ``pla:PATH`` (relative to the
    directory of the flow file that says it, else to the working directory) or ``openml:ID``; other packages
    may add more."""
    test: str | None = None
    """The test rows, as ``source``; without it they are drawn from ``source``, as ``split`` says."""
    val: str | None = None
    """The validation rows, as ``source``; without it they are drawn from ``source``, as ``split`` says."""
    part: Annotated[PartConfig | None, BeforeValidator(_as_part)] = None
    """The column of ``source`` that says which part a row belongs to, in place of ``test`` and ``val``; or a
    mapping of ``column`` and the cells of each part. A part without rows is drawn from the training rows."""
    file: str | None = Field(default=None, exclude=True)
    """The place of the file that ``source`` names, as a path from the working directory: not a key of flow
    files, but set when one is read; without it a relative path of ``source`` starts at the working directory.
    No part of what is written out, for the path says nothing about the data."""
    test_file: str | None = Field(default=None, exclude=True)
    """The place of the file that ``test`` names, as ``file``."""
    val_file: str | None = Field(default=None, exclude=True)
    """The place of the file that ``val`` names, as ``file``."""
    text: tuple[str, ...] = Field(default=(), exclude=True)
    """Columns that are text whatever their cells look like, as they are in another file of the same data; not
    a key of flow files."""
    label: str | None = None
    """Label column; default ``class`` for csv, the source's own elsewhere. Of a pla file, the output."""
    drop: Annotated[tuple[str, ...], BeforeValidator(_as_names), Field(strict=False)] = ()
    """Columns to leave out, for example row numbers; ``''`` stands for columns without a name."""
    separator: Annotated[str | None, BeforeValidator(_as_separator)] = None
    """The character between the cells of a csv file, or ``tab``; default a comma."""
    decimal: Literal[".", ","] | None = None
    """The mark before the fraction of a number in a csv file; default a point."""
    impute: Literal["mean", "median", "mode"] | None = None
    """The statistic of the column that a missing cell becomes; without it a missing cell is an error."""
    one_against_rest: str | None = None
    """A class: the task becomes to tell it (class 1) from all others (class 0)."""
    split: SplitConfig = SplitConfig()
    """Shares of the rows of ``source`` that are drawn, class by class, for parts that nothing else fixes."""

    @field_validator("part")
    @classmethod
    def _one_way_to_fix_parts(cls, value: PartConfig | None, info: ValidationInfo) -> PartConfig | None:
        for key in ("test", "val"):
            if value is not None and info.data.get(key) is not None:
                raise ValueError(f"only without {key}")
        return value

    @field_validator("separator")
    @classmethod
    def _is_a_separator(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '"\r\n' or value.isalnum()):
            raise ValueError("one character that is no letter, digit, quote or line end, or 'tab'")
        return value

    @property
    def scheme(self) -> str:
        """The kind of the source: the part of ``source`` before the first colon."""
        return self.source.partition(":")[0]

    @property
    def name(self) -> str:
        """The name of the source among its kind: the part of ``source`` after the first colon."""
        return self.source.partition(":")[2]

    @property
    def sources(self) -> Mapping[str, DataConfig]:
        """Key -> section of each source that is named, as if it were the only one."""
        alone = {"test": None, "val": None, "test_file": None, "val_file": None}
        found = {}
        for key, place in FILE_KEYS.items():
            source = getattr(self, key)
            if source is not None:
                own = {"source": source, "file": getattr(self, place)}
                found[key] = self.model_copy(update={**alone, **own})
        return found
