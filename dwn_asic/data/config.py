"""The section ``data`` of a flow file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dwn_asic.configuration import Fraction, Strict

__all__ = ["DataConfig", "SplitConfig"]


class SplitConfig(Strict):
    """Shares of the rows; the rest is for training."""

    val: Fraction = 0.2
    test: Fraction = 0.2

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> SplitConfig:
        if self.val + self.test >= 1.0:
            raise ValueError("val + test must be below 1, the rest is for training")
        return self


class DataConfig(Strict):
    """Where the table comes from."""

    source: str
    """``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH`` (relative to the directory of the flow file that says
    it, else to the working directory) or ``openml:ID``; other packages may add more."""
    file: str | None = Field(default=None, exclude=True)
    """Not a key of flow files: where the file that ``source`` names lies, as a path from the working
    directory. Set when the flow file is read; without it a relative path of ``source`` starts at the working
    directory. No part of what is written out, for the path says nothing about the data."""
    label: str | None = None
    """Label column; default ``class`` for csv, the source's own elsewhere."""
    impute: Literal["mean", "median", "mode"] | None = None
    """What a missing cell becomes; without it a missing cell is an error."""
    one_against_rest: str | None = None
    """A class: the task becomes to tell it (class 1) from all others (class 0)."""
    split: SplitConfig = SplitConfig()

    @property
    def scheme(self) -> str:
        """What kind of source it is: the part of ``source`` before the first colon."""
        return self.source.partition(":")[0]

    @property
    def name(self) -> str:
        """Which of its kind: the part of ``source`` after the first colon."""
        return self.source.partition(":")[2]
