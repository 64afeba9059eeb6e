"""The section ``model`` of a flow file that reads a trained network instead of training one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from dwn_asic.configuration import Strict

__all__ = ["ImportConfig"]


class ImportConfig(Strict):
    """A trained network that the flow reads from a file instead of training one."""

    file: str
    """Path of the network: a checkpoint of torch_dwn or dwn2rtl, or a ``network.npz`` of this package. It is
    relative to the directory of the flow file or, if there is no such file there, to the working directory.
    """
    thresholds: str | None = None
    """Path of a file with the thermometer's thresholds (``.npy``, ``.csv``, or written by ``torch.save``),
    found in the same way as ``file``. It is needed only if the checkpoint contains no thermometer."""
    classes: Annotated[int, Field(ge=2)] | None = None
    """Number of classes, at least 2. It is needed only if the checkpoint does not contain it."""
    features: Annotated[int, Field(ge=1)] | None = None
    """Number of features, at least 1. It is needed only if the checkpoint does not contain it."""
    input_bits: Annotated[int, Field(ge=1, le=16)] = 16
    """Maximum width of a feature's code in bits, 1 to 16. Each feature gets as few bits as its thresholds
    need, so the default only has to be lowered if the hardware has narrower inputs."""
    folder: str | None = Field(default=None, exclude=True)
    """Directory of the flow file, as seen from the working directory. It is set by the reader of flow files,
    is not a key of theirs, and is not written to records, since it does not affect the model."""

    def path(self, name: str) -> Path:
        """Return the path of a file that this section names."""
        path = Path(name).expanduser()
        return Path(self.folder) / path if self.folder and (Path(self.folder) / path).exists() else path

    @property
    def model_path(self) -> Path:
        """Path of the network."""
        return self.path(self.file)

    @property
    def thresholds_path(self) -> Path | None:
        """Path of the thresholds, or None if the network has its own."""
        return None if self.thresholds is None else self.path(self.thresholds)
