"""XGBoost on the raw values, software only; the package is an extra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitting, Progress
from dwn_asic.methods.parts.fitting_steps import not_installed

__all__ = ["Xgboost"]


@dataclass(frozen=True)
class Xgboost:
    """XGBClassifier with its defaults.

    References
    ----------
    Chen and Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016.
    """

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit on the training rows; validation rows take no part.

        Raises
        ------
        ToolError
            The package is not installed.
        """
        try:
            from xgboost import XGBClassifier
        except ImportError as error:
            raise not_installed("xgboost", "xgboost") from error
        rows, table = dataset.split.train, dataset.table
        classes, places = np.unique(table.labels[rows], return_inverse=True)  # it wants 0, 1, 2, ...
        model = XGBClassifier(random_state=seed % (1 << 31), n_jobs=1)
        model.fit(table.values[rows], places)
        predictions: NDArray[np.int64] = classes[model.predict(table.values).astype(np.int64)]
        rounds = int(model.get_booster().num_boosted_rounds())
        progress(f"{rounds} rounds of boosting")
        return Fitting(None, predictions, {"trees": rounds * (1 if len(classes) == 2 else len(classes))})
