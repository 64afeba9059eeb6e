"""The section ``model`` of a flow file that takes a trained network instead of training one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from dwn_asic.configuration import Strict

__all__ = ["ImportConfig"]


class ImportConfig(Strict):
    """A trained network: a checkpoint of torch_dwn or dwn2rtl, or ``network.npz`` of this package."""

    file: str
    """Relative to the directory of the flow file that says it, else to the working directory."""
    thresholds: str | None = None
    """File of the thermometer's thresholds, where the checkpoint has none; found as ``file`` is."""
    classes: Annotated[int, Field(ge=2)] | None = None
    """Number of classes, where the checkpoint doesn't say."""
    features: Annotated[int, Field(ge=1)] | None = None
    """Number of features, where the checkpoint doesn't say."""
    input_bits: Annotated[int, Field(ge=1, le=16)] = 16
    """Of a feature's code, at most; thresholds get as few as they need."""
    folder: str | None = Field(default=None, exclude=True)
    """Not a key of flow files: the directory of the flow file that says ``file``, from the working
    directory. No part of what is written out, for the path says nothing about the model."""

    def path(self, name: str) -> Path:
        """Where a file of this section is looked for."""
        path = Path(name).expanduser()
        return Path(self.folder) / path if self.folder and (Path(self.folder) / path).exists() else path

    @property
    def model_path(self) -> Path:
        """Of ``file``."""
        return self.path(self.file)

    @property
    def thresholds_path(self) -> Path | None:
        """Of ``thresholds``."""
        return None if self.thresholds is None else self.path(self.thresholds)
