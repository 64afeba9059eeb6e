"""What training aims at: labels, softened by smoothing or by a teacher, and weighted by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dwn_asic.config import TrainingConfig
from dwn_asic.errors import DataError

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["soft_labels", "teacher_labels"]

_FOLDS = 5


def soft_labels(dataset: Dataset, n_logits: int, training: TrainingConfig, seed: int) -> Tensor:
    """(N, logits) weighted soft labels of the training rows; logits that no class has get 0.

    Raises
    ------
    DataError
        A teacher is asked for, and a class has less than two training rows.
    """
    _, labels = dataset.part("train")
    n_classes = dataset.table.n_classes
    targets = np.eye(n_logits)[labels]
    if training.label_smoothing > 0.0:
        even = (np.arange(n_logits) < n_classes) / n_classes
        targets += training.label_smoothing * (even - targets)
    if training.distillation > 0.0:
        taught = np.zeros_like(targets)
        taught[:, :n_classes] = teacher_labels(dataset, seed)
        targets += training.distillation * (taught - targets)
    if training.class_weights == "balanced":
        counts = np.bincount(labels, minlength=n_classes)
        targets *= (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[labels][:, None]
    return torch.from_numpy(targets.astype(np.float32))


def teacher_labels(dataset: Dataset, seed: int) -> NDArray[np.float64]:
    """(N, C) probabilities of the training rows by gradient boosting, each by a model that knows only others.

    A teacher that has seen a row is sure of its label, and would say no more than the label itself.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    codes, labels = dataset.part("train")
    counts = np.bincount(labels, minlength=dataset.table.n_classes)
    folds = min(_FOLDS, int(counts[counts > 0].min()))
    if folds < 2:
        raise DataError(dataset.table.source, "a teacher needs at least two training rows of each class")
    found = np.zeros((len(labels), dataset.table.n_classes))
    seed %= 1 << 32
    with threadpool_limits(limits=1, user_api="openmp"):
        found[:, counts > 0] = cross_val_predict(
            HistGradientBoostingClassifier(random_state=seed),
            codes,
            labels,
            cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
            method="predict_proba",
        )
    return found
