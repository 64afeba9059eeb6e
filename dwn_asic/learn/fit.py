"""Training: from a split data set and a configuration to the best LutNetwork found on validation rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dwn_asic.config import EncoderConfig, ModelConfig, TrainingConfig
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError
from dwn_asic.learn.heads import check_model
from dwn_asic.learn.model import DwnModel
from dwn_asic.network.lut_network import LutNetwork

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["EpochReport", "TrainResult", "train"]

_EVALUATION_ROWS = 4096  # rows evaluated at one time


@dataclass(frozen=True)
class EpochReport:
    """What one epoch did.

    Attributes
    ----------
    restart, epoch
        Which start and which of its epochs, both from 0.
    train_loss
        Mean over the epoch's batches, without the spectral penalty.
    val_loss, val_accuracy
        On the validation rows after the epoch; the accuracy is that of the hard decision, as in hardware.
    is_best
        True where this is the best epoch of all so far, over all restarts.
    """

    restart: int
    epoch: int
    train_loss: float
    val_loss: float
    val_accuracy: float
    is_best: bool


@dataclass(frozen=True)
class TrainResult:
    """The network with the best validation accuracy, and how it was found.

    Attributes
    ----------
    network
        The state after ``best_epoch`` of ``restart``.
    history
        Every epoch of every restart, in order.
    """

    network: LutNetwork
    history: tuple[EpochReport, ...]
    best_epoch: int
    restart: int


@dataclass(frozen=True)
class _Rows:
    """Thermometer bits and labels of one part of the split."""

    bits: Tensor  # (N, T) bool
    labels: Tensor  # (N,) int64

    @classmethod
    def encode(cls, thermometer: Thermometer, part: tuple[NDArray[np.int64], NDArray[np.int64]]) -> _Rows:
        codes, labels = part
        return cls(torch.from_numpy(thermometer.encode(codes)), torch.tensor(labels))

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """(B, T) float bits and (B,) labels, in the given order of rows."""
        for rows in order.split(size):
            yield self.bits[rows].float(), self.labels[rows]


def train(
    dataset: Dataset,
    encoder: EncoderConfig,
    model: ModelConfig,
    training: TrainingConfig,
    seed: int,
    progress: Callable[[EpochReport], None] | None = None,
) -> TrainResult:
    """Train on the training rows and keep the best epoch on the validation rows; test rows are not touched.

    The best epoch has the highest validation accuracy; of equals the one with the lowest validation loss,
    then the earliest. Equal inputs, seed and thread count give an equal network.

    Parameters
    ----------
    dataset
        Table, split and fitted quantizer.
    encoder, model, training
        The sections of a flow file.
    seed
        Draws the initial models and the order of rows.
    progress
        Called after each epoch.

    Raises
    ------
    ConfigError
        The last layer does not fit the head and the number of classes.
    DataError
        No training or validation rows, or no feature that varies.
    """
    table = dataset.table
    check_model(model, table.n_classes, table.source)
    codes, _ = dataset.part("train")
    for part in ("train", "val"):
        if not len(dataset.part(part)[1]):
            raise DataError(table.source, f"the {part} part of the split has no rows")
    thermometer = Thermometer.fit(codes, dataset.quantizer.bits, kind=encoder.thermometer, bits=encoder.bits)
    if not len(thermometer):
        raise DataError(table.source, "no feature varies in the training rows, so there is nothing to learn")
    train_rows = _Rows.encode(thermometer, dataset.part("train"))
    val_rows = _Rows.encode(thermometer, dataset.part("val"))

    generator = torch.Generator().manual_seed(seed)
    history: list[EpochReport] = []
    best: tuple[float, float] | None = None
    result: TrainResult | None = None
    with _threads(training.threads):
        for restart in range(training.restarts):
            dwn = DwnModel(
                model,
                dataset.quantizer,
                thermometer,
                table.n_classes,
                efd=training.efd,
                generator=generator,
            )
            for epoch, train_loss in enumerate(_epochs(dwn, train_rows, training, generator)):
                val_loss, val_accuracy = evaluate(dwn, val_rows)
                score = (val_accuracy, -val_loss)
                is_best = best is None or score > best
                report = EpochReport(restart, epoch, train_loss, val_loss, val_accuracy, is_best)
                history.append(report)
                if is_best:
                    best = score
                    network = dwn.to_lut_network(table.feature_names, table.class_names)
                    result = TrainResult(network, (), epoch, restart)
                if progress is not None:
                    progress(report)
    assert result is not None
    return TrainResult(result.network, tuple(history), result.best_epoch, result.restart)


def _epochs(
    dwn: DwnModel, rows: _Rows, training: TrainingConfig, generator: torch.Generator
) -> Iterator[float]:
    """Train one epoch at a time; yields its mean loss."""
    optimizer = torch.optim.Adam(dwn.parameters(), lr=training.learning_rate)
    for epoch in range(training.epochs):
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * _schedule(training, epoch)
        order = torch.randperm(len(rows), generator=generator)
        total = 0.0
        for bits, labels in rows.batches(order, training.batch_size):
            loss = nn.functional.cross_entropy(dwn(bits), labels)
            total += float(loss.detach()) * len(labels)
            if training.spectral.weight > 0:
                loss = loss + dwn.spectral_penalty(training.spectral)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            dwn.clamp()
        yield total / len(rows)


def _schedule(training: TrainingConfig, epoch: int) -> float:
    """Factor on the learning rate in this epoch."""
    share = epoch / training.epochs
    if training.schedule == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * share))
    if training.schedule == "step":  # a tenth after each third
        return 0.1 ** int(3 * share)
    return 1.0


@torch.no_grad()
def evaluate(dwn: DwnModel, rows: _Rows) -> tuple[float, float]:
    """Mean loss and share of rows whose hard decision is right."""
    loss, right = 0.0, 0
    for bits, labels in rows.batches(torch.arange(len(rows)), _EVALUATION_ROWS):
        values = dwn.values(bits)
        loss += float(nn.functional.cross_entropy(dwn.head(values), labels, reduction="sum"))
        right += int((dwn.head.decide(values) == labels).sum())
    return loss / len(rows), right / len(rows)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use this many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
