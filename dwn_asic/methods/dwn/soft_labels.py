"""Training targets: labels, softened by smoothing or by a teacher, and weighted by class and objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dwn_asic.data.teacher import teacher_labels
from dwn_asic.methods.dwn.config import TrainingConfig

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["soft_labels"]


def soft_labels(dataset: Dataset, n_logits: int, training: TrainingConfig, seed: int) -> Tensor:
    """Return (N, logits) weighted soft labels of the training rows; logits without a class get 0.

    Raises
    ------
    DataError
        A teacher is asked for, and a class has fewer than two training rows.
    """
    _, labels = dataset.part("train")
    n_classes = dataset.table.n_classes
    targets = np.eye(n_logits)[labels]
    if training.label_smoothing > 0.0:
        even = (np.arange(n_logits) < n_classes) / n_classes
        targets += training.label_smoothing * (even - targets)
    if training.distillation > 0.0:
        taught = np.zeros_like(targets)
        taught[:, :n_classes] = teacher_labels(*dataset.part("train"), n_classes, seed)
        targets += training.distillation * (taught - targets)
    if training.class_weights == "balanced":
        counts = np.bincount(labels, minlength=n_classes)
        targets *= (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[labels][:, None]
    weights = dataset.loss_weights
    if weights is not None:
        targets *= weights[:, None]
    return torch.from_numpy(targets.astype(np.float32))
