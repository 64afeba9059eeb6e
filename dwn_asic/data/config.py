"""The sections ``data`` and ``objective`` of a flow file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from dwn_asic.configuration import Fraction, Strict

__all__ = ["FILE_KEYS", "DataConfig", "MetricName", "ObjectiveConfig", "PartConfig", "SplitConfig"]


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


MetricName = Literal["accuracy", "balanced_accuracy", "f1", "cost"]

_Numbers = tuple[float, ...]


def _as_class_weights(value: object) -> object:
    """Return a mapping whose keys are texts, since YAML reads some names as integers or Booleans."""
    if isinstance(value, Mapping):
        texts = {str(key).lower() if isinstance(key, bool) else str(key): each for key, each in value.items()}
        _check_costs([*texts.values()], "a weight of at least 0 for each class, one of them above 0")
        return texts
    if isinstance(value, list | tuple):
        _check_costs(value, "a weight of at least 0 for each class, one of them above 0")
        return tuple(map(float, value))
    if value is None:
        return None
    raise ValueError("a mapping of class names to weights, or a list with a weight for each class")


def _as_matrix(value: object) -> object:
    """Return a matrix of costs as tuples; raise ValueError if it is not one."""
    if value is None:
        return None
    allowed = "a list with a row for each class, each a list with a number for each class"
    if not isinstance(value, list | tuple) or not all(isinstance(row, list | tuple) for row in value):
        raise ValueError(allowed)
    if len(value) < 2 or any(len(row) != len(value) for row in value):
        raise ValueError(f"{allowed}; the matrix must be square")
    _check_costs([cost for row in value for cost in row], "costs of at least 0, one of them above 0")
    if any(row[place] != 0 for place, row in enumerate(value)):
        raise ValueError("0 on the diagonal, where the prediction is right")
    return tuple(tuple(map(float, row)) for row in value)


def _check_costs(values: Sequence[object], allowed: str) -> None:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != len(values) or not all(0.0 <= number < math.inf for number in numbers):
        raise ValueError(allowed)
    if not any(numbers):
        raise ValueError(allowed)


class ObjectiveConfig(Strict):
    """The score that networks, circuits and baselines are optimized for, chosen by and compared by."""

    metric: MetricName = "accuracy"
    """Score to maximize: ``accuracy``; ``balanced_accuracy``, the mean over the classes of the share of their
    rows that are right; ``f1``, the F1 score of the rarer of two classes, or the mean over more classes; or
    ``cost``, which is 1 less the cost of the predictions as a share of the cost of the worst possible ones.
    On uneven classes, where predicting the most frequent class for every row is accurate but useless, choose
    another one than ``accuracy``."""
    costs: Annotated[tuple[_Numbers, ...] | None, BeforeValidator(_as_matrix)] = None
    """Costs for the metric ``cost``: a list with a row for each class, in the order of the classes, each with
    the cost of predicting each class for a row of that class. Costs are at least 0, and 0 on the diagonal."""
    class_weights: Annotated[dict[str, float] | _Numbers | None, BeforeValidator(_as_class_weights)] = None
    """Costs for the metric ``cost`` that depend on the true class alone, in place of ``costs``: a mapping of
    each class name to the cost of a wrong prediction, or a list in the order of the classes."""

    @field_validator("costs", "class_weights")
    @classmethod
    def _only_for_costs(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("metric", "cost") != "cost":
            raise ValueError("only with metric: cost")
        if value is not None and info.field_name == "class_weights" and info.data.get("costs") is not None:
            raise ValueError("only without costs")
        return value

    @model_validator(mode="after")
    def _has_costs(self) -> ObjectiveConfig:
        if self.metric == "cost" and self.costs is None and self.class_weights is None:
            raise ValueError("metric: cost with costs or class_weights")
        return self
