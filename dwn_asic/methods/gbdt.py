"""Gradient-boosted trees on the raw values: what accuracy the data allows, at no price in gates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitting, Progress
from dwn_asic.methods.parts.fitting_steps import short_seed

__all__ = ["GradientBoosting"]


@dataclass(frozen=True)
class GradientBoosting:
    """scikit-learn's histogram gradient boosting with its defaults, on unquantized values. Software only.

    References
    ----------
    Ke et al., LightGBM, NeurIPS 2017, which scikit-learn's version follows.
    """

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit on the training rows; validation rows take no part."""
        rows = dataset.split.train
        model = HistGradientBoostingClassifier(random_state=short_seed(seed), early_stopping=False)
        # One thread: on small tables OpenMP's threads mostly wait for each other, on a machine that is busy
        # with other flows for many times as long as the work takes.
        with threadpool_limits(limits=1, user_api="openmp"):
            model.fit(dataset.table.values[rows], dataset.table.labels[rows])
        progress(f"{model.n_iter_} rounds of boosting")
        predictions: NDArray[np.int64] = model.predict(dataset.table.values).astype(np.int64)
        # A round grows one tree for two classes, else one per class.
        return Fitting(None, predictions, {"trees": int(model.n_iter_ * model.n_trees_per_iteration_)})
