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

from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.methods.dwn.augment import check_shift, shifted
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig
from dwn_asic.methods.dwn.heads import check_model
from dwn_asic.methods.dwn.layers import InputNoise
from dwn_asic.methods.dwn.model import DwnModel
from dwn_asic.methods.dwn.soft_labels import soft_labels

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["EpochReport", "TrainResult", "train"]

_EVALUATION_ROWS = 4096  # rows evaluated at one time
_RENEWED = 0.25  # share of the candidates of a slot that are replaced after an epoch


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
        True where this is the best of all reports so far, over all restarts.
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
        One report per epoch and restart, epoch by epoch (the restarts train side by side).
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
    def encode(
        cls,
        thermometer: Thermometer,
        part: tuple[NDArray[np.int64], NDArray[np.int64]],
        device: torch.device,
    ) -> _Rows:
        codes, labels = part
        return cls(
            torch.from_numpy(thermometer.encode(codes)).to(device), torch.tensor(labels, device=device)
        )

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """(B, T) float bits and (B,) row numbers, in the given order of rows."""
        for rows in torch.split(order, size):
            yield self.bits[rows].float(), rows


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
        Called with each report, ``restarts`` times after each epoch.

    Raises
    ------
    ConfigError
        The last layer does not fit the head and the number of classes.
    DataError
        No training or validation rows, or no feature that varies.
    """
    table = dataset.table
    check_model(model, table.n_classes, table.source)
    device = _device(training, table.source)
    if training.shift is not None:
        check_shift(training.shift, len(table.feature_names), table.source)
    codes, labels = dataset.part("train")
    for part in ("train", "val"):
        if not len(dataset.part(part)[1]):
            raise DataError(table.source, f"the {part} part of the split has no rows")
    thermometer = Thermometer.fit(codes, dataset.quantizer.bits, kind=encoder.thermometer, bits=encoder.bits)
    if not len(thermometer):
        raise DataError(table.source, "no feature varies in the training rows, so there is nothing to learn")
    train_rows = _Rows.encode(thermometer, dataset.part("train"), device)
    val_rows = _Rows.encode(thermometer, dataset.part("val"), device)

    generator = torch.Generator().manual_seed(seed)
    dwn = DwnModel(
        model,
        dataset.quantizer,
        thermometer,
        table.n_classes,
        starts=training.restarts,
        efd=training.efd,
        generator=generator,
    )
    if training.input_noise > 0.0:
        dwn.set_noise(InputNoise(training.input_noise, generator))
    targets = soft_labels(dataset, dwn.head.n_logits, training, seed)
    dwn.to(device)
    targets = targets.to(device)
    history: list[EpochReport] = []
    best: EpochReport | None = None
    network: LutNetwork | None = None
    racing = list(range(training.restarts))  # the restart of each start that is still trained
    optimizer = torch.optim.Adam(dwn.parameters(), lr=training.learning_rate, fused=True)
    with _threads(training.threads):
        for epoch in range(training.epochs):
            if epoch in _halving_epochs(training):
                kept = _better_half(racing, history)
                dwn.keep([racing.index(restart) for restart in kept], optimizer)
                racing = kept
            if training.shift is not None:
                values = shifted(table.values[dataset.split.train], training.shift, generator)
                moved = dataset.quantizer.codes(values), labels
                train_rows = _Rows.encode(thermometer, moved, device)
            train_loss = _train_epoch(dwn, train_rows, targets, training, epoch, optimizer, generator)
            for report in _reports(racing, epoch, train_loss, *evaluate(dwn, val_rows), best):
                if report.is_best:
                    best = report
                    start = racing.index(report.restart)
                    network = dwn.to_lut_network(start, table.feature_names, table.class_names)
                history.append(report)
                if progress is not None:
                    progress(report)
    assert best is not None
    assert network is not None
    return TrainResult(network, tuple(history), best.epoch, best.restart)


def _halving_epochs(training: TrainingConfig) -> set[int]:
    return {training.epochs * (i + 1) // (training.halvings + 1) for i in range(training.halvings)} - {0}


def _better_half(racing: list[int], history: list[EpochReport]) -> list[int]:
    """The restarts with the better best epochs so far, in ascending order."""

    def best_of(restart: int) -> tuple[float, float]:
        return max((r.val_accuracy, -r.val_loss) for r in history if r.restart == restart)

    return sorted(sorted(racing, key=best_of, reverse=True)[: -(-len(racing) // 2)])


def _reports(
    racing: list[int],
    epoch: int,
    train_loss: Tensor,
    val_loss: Tensor,
    val_accuracy: Tensor,
    best: EpochReport | None,
) -> Iterator[EpochReport]:
    """One report per start; ``best`` is the best report of the epochs before."""
    columns = (train_loss.tolist(), val_loss.tolist(), val_accuracy.tolist())
    for restart, train, loss, accuracy in zip(racing, *columns, strict=True):
        is_best = best is None or (accuracy, -loss) > (best.val_accuracy, -best.val_loss)
        report = EpochReport(restart, epoch, train, loss, accuracy, is_best)
        best = report if is_best else best
        yield report


def _train_epoch(
    dwn: DwnModel,
    rows: _Rows,
    targets: Tensor,
    training: TrainingConfig,
    epoch: int,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> Tensor:
    """(R,) mean losses of the epoch."""
    if 0 < epoch <= training.epochs // 2:
        dwn.renew_candidates(_RENEWED, generator)
    for group in optimizer.param_groups:
        group["lr"] = training.learning_rate * _schedule(training, epoch)
    total = torch.zeros(dwn.starts, device=targets.device)
    order = torch.randperm(len(rows), generator=generator)
    for bits, chosen in rows.batches(order, training.batch_size):
        losses = _losses(dwn(bits), targets[chosen])
        total += losses.detach() * len(chosen)
        loss = losses.sum()  # the starts share no parameter: each gets its own gradient
        if training.spectral.weight > 0:
            loss = loss + dwn.spectral_penalty(training.spectral)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        dwn.clamp()
    return total / len(rows)


def _losses(logits: Tensor, targets: Tensor) -> Tensor:
    """(B, R, logits) and (B, logits) soft labels -> (R,) mean cross entropies."""
    return -(targets[:, None] * logits.log_softmax(2)).sum(2).mean(0)


def _schedule(training: TrainingConfig, epoch: int) -> float:
    """Factor on the learning rate in this epoch."""
    share = epoch / training.epochs
    if training.schedule == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * share))
    if training.schedule == "step":  # a tenth after each third
        return 0.1 ** int(3 * share)
    return 1.0


@torch.no_grad()
def evaluate(dwn: DwnModel, rows: _Rows) -> tuple[Tensor, Tensor]:
    """(R,) mean losses and (R,) shares of rows whose hard decision is right."""
    dwn.eval()
    device = rows.bits.device
    loss = torch.zeros(dwn.starts, device=device)
    right = torch.zeros(dwn.starts, dtype=torch.int64, device=device)
    for bits, chosen in rows.batches(torch.arange(len(rows)), _EVALUATION_ROWS):
        values, labels = dwn.values(bits), rows.labels[chosen]
        logits = dwn.head(values)
        loss += _losses(logits, nn.functional.one_hot(labels, logits.shape[2])) * len(labels)
        right += (dwn.head.decide(values) == labels[:, None]).sum(0)
    dwn.train()
    return loss / len(rows), right.double() / len(rows)


def _device(training: TrainingConfig, source: str) -> torch.device:
    if training.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(source, "training.device", "is 'cuda', and torch sees no CUDA device", "cpu")
    return torch.device(training.device)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use this many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
