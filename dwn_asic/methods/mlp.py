"""A multilayer perceptron on the raw values, software only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitting, Progress
from dwn_asic.methods.parts.fitting_steps import short_seed

__all__ = ["Mlp"]


@dataclass(frozen=True)
class Mlp:
    """scikit-learn's MLPClassifier on standardized values; other settings are its defaults.

    Attributes
    ----------
    hidden
        Neurons of each hidden layer.
    """

    hidden: tuple[int, ...]

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit on the training rows; validation rows take no part."""
        rows = dataset.split.train
        network = MLPClassifier(self.hidden, max_iter=200, random_state=short_seed(seed))
        model = make_pipeline(StandardScaler(), network)
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(dataset.table.values[rows], dataset.table.labels[rows])
        progress(f"{network.n_iter_} epochs")
        predictions: NDArray[np.int64] = model.predict(dataset.table.values).astype(np.int64)
        return Fitting(None, predictions, {"neurons": sum(self.hidden)})
