"""The section ``data`` of a flow file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from dwn_asic.configuration import Fraction, Strict

__all__ = ["FILE_KEYS", "DataConfig", "PartConfig", "SplitConfig"]


class SplitConfig(Strict):
    """Shares of validation and test rows, which are drawn class by class; the rest is for training."""

    val: Fraction = 0.2
    """Share of validation rows, between 0 and 1; ``val`` and ``test`` together must be below 1. It has no
    effect if the key ``val`` or ``part`` of ``data`` fixes the validation rows. The defaults of both keys
    leave 60% of the rows for training."""
    test: Fraction = 0.2
    """Share of test rows, between 0 and 1. It has no effect if the key ``test`` or ``part`` of ``data`` fixes
    the test rows."""
    random_state: Annotated[int, Field(ge=0)] | None = None
    """Draw the test rows as ``train_test_split(test_size=test, random_state=random_state)`` of scikit-learn
    does, whatever the classes and the flow's seed, for comparisons with papers that split so. Validation rows
    are still drawn from the other rows class by class, with the flow's seed. By default test rows are too."""

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> SplitConfig:
        if self.val + self.test >= 1.0:
            raise ValueError("val + test below 1; the rest of the rows is for training")
        return self


def _as_texts(value: object) -> object:
    """Return one text or several as a list of texts; YAML reads some texts as integers or Booleans."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(each) if isinstance(each, int) else each for each in values]


_Texts = Annotated[tuple[str, ...], BeforeValidator(_as_texts), Field(strict=False)]


class PartConfig(Strict):
    """The column that names the part of each row, and the cell texts that stand for each part."""

    column: str
    """Name of the column, which is then not a feature."""
    train: _Texts = ()
    """Cell texts of training rows, in addition to ``train`` and ``training``: one text or a list. Case is
    ignored."""
    val: _Texts = ()
    """Cell texts of validation rows, in addition to ``val``, ``valid``, ``validation``: a text or a list."""
    test: _Texts = ()
    """Cell texts of test rows, in addition to ``test`` and ``testing``: one text or a list."""


def _as_part(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _as_names(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_separator(value: object) -> object:
    return "\t" if value == "tab" else value


FILE_KEYS: Mapping[str, str] = {"source": "file", "test": "test_file", "val": "val_file"}
"""Each key that names a source, and the attribute with the path of its file."""


class DataConfig(Strict):
    """The source of the table, and its split into training, validation and test rows."""

    source: str
    """Source of the table: ``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH``, ``arff:PATH``, ``pla:PATH`` or
    ``openml:ID``; other packages may add more. A relative PATH starts at the directory of the flow file or,
    if there is no such file, at the working directory. With a ``*`` in the file name, the flow file stands
    for one flow for each file that matches, which is run as ``FILE:NAME``: NAME is the text that ``*`` stands
    for, also in ``test`` and ``val``."""
    test: str | None = None
    """Source of the test rows, in the form of ``source`` and with the same columns. By default test rows are
    drawn from ``source``, with the share that ``split`` sets."""
    val: str | None = None
    """Source of the validation rows, in the form of ``source`` and with the same columns. By default
    validation rows are drawn from ``source``, with the share that ``split`` sets."""
    part: Annotated[PartConfig | None, BeforeValidator(_as_part)] = None
    """Column of ``source`` that names the part of each row: the name of the column, or a mapping with the key
    ``column`` and the cell texts of each part. It excludes ``test`` and ``val``. If the column marks no
    validation or no test rows, these are drawn from the training rows."""
    file: str | None = Field(default=None, exclude=True)
    """Path of the file that ``source`` names, relative to the working directory. It is not a key of flow
    files, but set when one is read; if it is None, a relative path in ``source`` starts at the working
    directory. It is not serialized, since results do not depend on where a file is."""
    test_file: str | None = Field(default=None, exclude=True)
    """Path of the file that ``test`` names; see ``file``."""
    val_file: str | None = Field(default=None, exclude=True)
    """Path of the file that ``val`` names; see ``file``."""
    text: tuple[str, ...] = Field(default=(), exclude=True)
    """Names of columns that are read as text even if all their cells are numbers, because they are text in
    another file of the same data. It is not a key of flow files."""
    label: str | None = None
    """Name of the label column, or of the output of a ``pla`` file. The default is ``class`` for ``csv`` and
    ``bundled``, the attribute ``class`` or else the last one for ``arff``, and the source's own label
    elsewhere."""
    drop: Annotated[tuple[str, ...], BeforeValidator(_as_names), Field(strict=False)] = ()
    """Names of columns to leave out, for example row numbers: one name or a list; ``''`` stands for columns
    without a name. By default every column but the label is a feature."""
    separator: Annotated[str | None, BeforeValidator(_as_separator)] = None
    """Character between the cells of a ``csv`` file, or ``tab``; not a letter, digit, quote or line end. The
    default is a comma."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark of the numbers in a ``csv`` file, ``.`` or ``,``. The default is a point."""
    impute: Literal["mean", "median", "mode"] | None = None
    """Statistic of the column that replaces missing cells: ``mean``, ``median`` or ``mode``, computed from
    the training rows. Text columns always use the mode. By default a missing cell is an error."""
    one_against_rest: str | None = None
    """Name of a class. The task becomes to distinguish it (class 1) from all others (class 0); by default all
    classes are kept."""
    split: SplitConfig = SplitConfig()
    """Shares of the rows of ``source`` that are drawn, class by class, for parts that ``test``, ``val`` and
    ``part`` do not fix; ``random_state`` draws test rows in another way."""

    @field_validator("part")
    @classmethod
    def _one_way_to_fix_parts(cls, value: PartConfig | None, info: ValidationInfo) -> PartConfig | None:
        for key in ("test", "val"):
            if value is not None and info.data.get(key) is not None:
                raise ValueError(f"only without {key}")
        return value

    @field_validator("split")
    @classmethod
    def _draws_test_rows(cls, value: SplitConfig, info: ValidationInfo) -> SplitConfig:
        fixed = [key for key in ("test", "part") if info.data.get(key) is not None]
        if value.random_state is not None and fixed:
            raise ValueError(f"random_state only without {fixed[0]}, which fixes the test rows")
        return value

    @field_validator("separator")
    @classmethod
    def _is_a_separator(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '"\r\n' or value.isalnum()):
            raise ValueError("'tab', or one character that is not a letter, digit, quote or line end")
        return value

    @property
    def scheme(self) -> str:
        """Kind of the source: the part of ``source`` before the first colon."""
        return self.source.partition(":")[0]

    @property
    def name(self) -> str:
        """Name of the source within its kind: the part of ``source`` after the first colon."""
        return self.source.partition(":")[2]

    @property
    def sources(self) -> Mapping[str, DataConfig]:
        """Key of each source that is set, and a section in which it is the only source."""
        alone = {"test": None, "val": None, "test_file": None, "val_file": None}
        found = {}
        for key, place in FILE_KEYS.items():
            source = getattr(self, key)
            if source is not None:
                own = {"source": source, "file": getattr(self, place)}
                found[key] = self.model_copy(update={**alone, **own})
        return found
