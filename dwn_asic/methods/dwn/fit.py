"""Training: from a split data set and a configuration to the LutNetwork that is best on validation rows."""

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
from dwn_asic.elementary import cosine
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.methods.dwn.adam import Adam
from dwn_asic.methods.dwn.augment import check_shift, shifted
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig
from dwn_asic.methods.dwn.heads import check_model
from dwn_asic.methods.dwn.layers import InputNoise
from dwn_asic.methods.dwn.loss import cross_entropy
from dwn_asic.methods.dwn.model import DwnModel
from dwn_asic.methods.dwn.soft_labels import soft_labels

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.data.objective import Objective

__all__ = ["EpochReport", "TrainResult", "initial", "train"]

_EVALUATION_ROWS = 4096  # rows evaluated at a time
_RENEWED = 0.25  # share of the candidates of a slot that are replaced after an epoch


@dataclass(frozen=True)
class EpochReport:
    """The result of one epoch of one start.

    Attributes
    ----------
    restart, epoch
        The start, and its epoch, both counted from 0.
    train_loss
        Mean over the epoch's batches, without the spectral penalty.
    val_loss, val_score
        Results on the validation rows after the epoch; the score by the objective of the data set is that of
        the discrete network, as in hardware.
    is_best
        Whether this is the best of all reports so far, over all starts.
    """

    restart: int
    epoch: int
    train_loss: float
    val_loss: float
    val_score: float
    is_best: bool


@dataclass(frozen=True)
class TrainResult:
    """The network with the best validation score, and how it was found.

    Attributes
    ----------
    network
        The state of start ``restart`` after ``best_epoch``.
    history
        One report per epoch and start, epoch by epoch (the starts train side by side).
    best_epoch, restart
        The epoch and the start of the network, both counted from 0.
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
        """Yield (B, T) float bits and (B,) row numbers, in the given order of rows."""
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
    """Train on the training rows and keep the epoch that is best on validation rows; test rows are not used.

    The best epoch has the highest validation score by the objective of the data set; ties go to the lowest
    validation loss, then to the first. Equal inputs and seed yield an equal network, on every CPU and with
    any number of threads.

    Parameters
    ----------
    dataset
        Table, split and fitted quantizer.
    encoder, model, training
        The sections of a flow file.
    seed
        Seed of the initial models and of the order of rows.
    progress
        Called with each report, one per start after each epoch.

    Raises
    ------
    ConfigError
        The last layer does not fit the head and the number of classes, the images do not fit the features, or
        the device is not available.
    DataError
        There are no training or validation rows, no feature varies, or a teacher lacks rows of a class.
    """
    table = dataset.table
    device = _device(training, table.source)
    if training.shift is not None:
        check_shift(training.shift, len(table.feature_names), table.source)
    generator = torch.Generator().manual_seed(seed)
    dwn = initial(dataset, encoder, model, training, generator)
    labels = dataset.part("train")[1]
    train_rows = _Rows.encode(dwn.thermometer, dataset.part("train"), device)
    val_rows = _Rows.encode(dwn.thermometer, dataset.part("val"), device)
    if training.input_noise > 0.0:
        dwn.set_noise(InputNoise(training.input_noise, generator))
    targets = soft_labels(dataset, dwn.head.n_logits, training, seed)
    dwn.to(device)
    targets = targets.t().contiguous().to(device)
    history: list[EpochReport] = []
    best: EpochReport | None = None
    network: LutNetwork | None = None
    racing = list(range(training.restarts))  # number of each start that is still in training
    optimizer = Adam(dwn.parameters())
    with _threads(training.threads):
        for epoch in range(training.epochs):
            if epoch in _halving_epochs(training):
                kept = _better_half(racing, history)
                starts = torch.tensor([racing.index(restart) for restart in kept], device=device)
                dwn.keep(starts)
                optimizer.keep(starts)
                racing = kept
            if training.shift is not None:
                values = shifted(table.values[dataset.split.train], training.shift, generator)
                moved = dataset.quantizer.codes(values), labels
                train_rows = _Rows.encode(dwn.thermometer, moved, device)
            train_loss = _train_epoch(dwn, train_rows, targets, training, epoch, optimizer, generator)
            for report in _reports(
                racing, epoch, train_loss, *evaluate(dwn, val_rows, dataset.objective), best
            ):
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


def initial(
    dataset: Dataset,
    encoder: EncoderConfig,
    model: ModelConfig,
    training: TrainingConfig,
    generator: torch.Generator,
) -> DwnModel:
    """Return the model before training, with as many starts as training has; the generator draws them.

    Raises
    ------
    ConfigError
        The last layer does not fit the head and the number of classes.
    DataError
        There are no training or validation rows, or no feature varies.
    """
    table = dataset.table
    check_model(model, table.n_classes, table.source)
    dataset.require("train", "val")
    thermometer = Thermometer.fit(
        dataset.part("train")[0], dataset.quantizer.bits, kind=encoder.thermometer, bits=encoder.bits
    )
    if not len(thermometer):
        raise DataError(table.source, "no feature varies in the training rows, so there is nothing to learn")
    return DwnModel(
        model,
        dataset.quantizer,
        thermometer,
        table.n_classes,
        starts=training.restarts,
        efd=training.efd,
        generator=generator,
    )


def _halving_epochs(training: TrainingConfig) -> set[int]:
    return {training.epochs * (i + 1) // (training.halvings + 1) for i in range(training.halvings)} - {0}


def _better_half(racing: list[int], history: list[EpochReport]) -> list[int]:
    """Return the starts whose best epoch so far is better, in ascending order."""

    def best_of(restart: int) -> tuple[float, float]:
        return max((r.val_score, -r.val_loss) for r in history if r.restart == restart)

    return sorted(sorted(racing, key=best_of, reverse=True)[: -(-len(racing) // 2)])


def _reports(
    racing: list[int],
    epoch: int,
    train_loss: Tensor,
    val_loss: Tensor,
    val_score: Tensor,
    best: EpochReport | None,
) -> Iterator[EpochReport]:
    """Yield one report per start; ``best`` is the best report of the previous epochs."""
    columns = (train_loss.tolist(), val_loss.tolist(), val_score.tolist())
    for restart, train, loss, score in zip(racing, *columns, strict=True):
        is_best = best is None or (score, -loss) > (best.val_score, -best.val_loss)
        report = EpochReport(restart, epoch, train, loss, score, is_best)
        best = report if is_best else best
        yield report


def _train_epoch(
    dwn: DwnModel,
    rows: _Rows,
    targets: Tensor,
    training: TrainingConfig,
    epoch: int,
    optimizer: Adam,
    generator: torch.Generator,
) -> Tensor:
    """Train for one epoch and return the (R,) mean losses."""
    if 0 < epoch <= training.epochs // 2:
        dwn.renew_candidates(_RENEWED, generator)
    rate = training.learning_rate * _schedule(training, epoch)
    total = torch.zeros(dwn.starts, device=targets.device)
    order = torch.randperm(len(rows), generator=generator)
    for bits, chosen in rows.batches(order, training.batch_size):
        losses = cross_entropy(dwn(bits), targets[:, chosen])
        total += losses.detach() * len(chosen)
        loss = losses.sum()  # the starts share no parameter: each gets its own gradient
        if training.spectral.weight > 0:
            loss = loss + dwn.spectral_penalty(training.spectral)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step(rate)
        dwn.clamp()
    return total / len(rows)


def _schedule(training: TrainingConfig, epoch: int) -> float:
    """Return the factor on the learning rate in this epoch."""
    share = epoch / training.epochs
    if training.schedule == "cosine":
        return 0.5 * (1.0 + cosine(math.pi * share))
    if training.schedule == "step":  # a tenth after each third
        return 1.0 / 10 ** int(3 * share)
    return 1.0


@torch.no_grad()
def evaluate(dwn: DwnModel, rows: _Rows, objective: Objective) -> tuple[Tensor, Tensor]:
    """Return (R,) mean losses and (R,) scores of the discrete network."""
    dwn.eval()
    loss = torch.zeros(dwn.starts, device=rows.bits.device)
    decided = []
    for bits, chosen in rows.batches(torch.arange(len(rows)), _EVALUATION_ROWS):
        values, labels = dwn.values(bits), rows.labels[chosen]
        logits = dwn.head(values)
        targets = nn.functional.one_hot(labels, logits.shape[1]).t().to(logits.dtype)
        loss += cross_entropy(logits, targets) * len(labels)
        decided.append(dwn.head.decide(values))
    dwn.train()
    predictions, wanted = torch.cat(decided, 1).cpu().numpy(), rows.labels.cpu().numpy()  # (R, N), (N,)
    scores = [objective.score(wanted, of_start) for of_start in predictions]
    return loss / len(rows), torch.tensor(scores, dtype=torch.float64)


def _device(training: TrainingConfig, source: str) -> torch.device:
    if training.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(source, "training.device", "is 'cuda', but torch finds no CUDA device", "cpu")
    return torch.device(training.device)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use this number of threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
