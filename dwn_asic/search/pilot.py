"""The pilot of a trial: the validation score of its network after a few epochs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.methods.dwn.fit import EpochReport

__all__ = ["pilot_score"]


class _EnoughEpochs(Exception):  # noqa: N818 - it is no error
    """Raised to end a training."""


def pilot_score(
    dataset: Dataset,
    encoder: EncoderConfig,
    model: ModelConfig,
    training: TrainingConfig,
    seed: int,
    epochs: int,
) -> float:
    """Return the best validation score of the first epochs of a training.

    These are the epochs that the whole training with the same seed begins with.

    Parameters
    ----------
    dataset, encoder, model, training, seed
        As in :func:`dwn_asic.methods.dwn.fit.train`, which says what is raised.
    epochs
        Number of epochs, at least 1.
    """
    from dwn_asic.methods.dwn.fit import train

    best = 0.0

    def look(report: EpochReport) -> None:
        nonlocal best
        if report.epoch >= epochs:
            raise _EnoughEpochs
        best = max(best, report.val_score)

    with suppress(_EnoughEpochs):
        train(dataset, encoder, model, training, seed, look)
    return best
