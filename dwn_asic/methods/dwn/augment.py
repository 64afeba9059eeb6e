"""Random shifts of rows that are images, new in each epoch, so that decisions tolerate them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dwn_asic.errors import ConfigError
from dwn_asic.methods.dwn.config import ShiftConfig

__all__ = ["check_shift", "shifted"]


def check_shift(shift: ShiftConfig, n_features: int, file: str | Path) -> None:
    """Raise ConfigError if the number of pixels of an image is not the number of features."""
    if shift.height * shift.width != n_features:
        problem = f"{shift.height} x {shift.width} pixels, but there are {n_features} features"
        raise ConfigError(file, "training.shift", problem, "height x width equal to the number of features")


def shifted(
    values: NDArray[np.float64], shift: ShiftConfig, generator: torch.Generator
) -> NDArray[np.float64]:
    """Shift each image of (N, F) rows by its own random move; pixels at the edge are repeated.

    Parameters
    ----------
    values
        (N, height * width) values, pixels row by row.
    shift
        Size of the images and largest move.
    generator
        Draws (N, 2) moves, down and to the right, uniformly from ``-pixels..pixels``.
    """
    size = (2, len(values), 1)
    down, right = torch.randint(-shift.pixels, shift.pixels + 1, size, generator=generator).numpy()
    rows = (np.arange(shift.height) - down).clip(0, shift.height - 1)  # (N, height) source of each row
    columns = (np.arange(shift.width) - right).clip(0, shift.width - 1)
    pixels = (rows[:, :, None] * shift.width + columns[:, None]).reshape(values.shape)
    return np.take_along_axis(values, pixels, 1)
