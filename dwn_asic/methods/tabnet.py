"""TabNet on the standardized values, software only; the package is an extra."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from dwn_asic.data.dataset import Dataset
from dwn_asic.data.split import drawn
from dwn_asic.methods.base import Fitting, Progress
from dwn_asic.methods.parts.fitting_steps import not_installed, short_seed

__all__ = ["Tabnet"]

_PATIENCE = 10
_BATCH, _VIRTUAL_BATCH = 1024, 128


@dataclass(frozen=True)
class Tabnet:
    """TabNetClassifier with its defaults, on standardized values; the epoch kept is the best in validation.

    Of small tables a batch is a tenth of the rows: the default would be more rows than there are.

    Attributes
    ----------
    epochs
        At most.
    rows
        To train on, at most; of more these are drawn.

    References
    ----------
    Arik and Pfister, TabNet: Attentive Interpretable Tabular Learning, AAAI 2021.
    """

    epochs: int
    rows: int = 32_768

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit on training rows.

        Raises
        ------
        ToolError
            The package is not installed.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of scipy, about what the package imports
                from pytorch_tabnet.tab_model import TabNetClassifier
        except ImportError as error:
            raise not_installed(str(error.name or "pytorch-tabnet"), "tabnet") from error
        split, table = dataset.split, dataset.table
        rows, labels = drawn((split.train, table.labels[split.train]), self.rows, seed)
        classes, places = np.unique(labels, return_inverse=True)
        values = StandardScaler().fit(table.values[rows]).transform(table.values).astype(np.float32)
        known = split.val[np.isin(table.labels[split.val], classes)]
        batch = min(_BATCH, max(2, len(rows) // 10))
        model = TabNetClassifier(seed=short_seed(seed), verbose=0, device_name="cpu")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(
                values[rows],
                places,
                eval_set=[(values[known], np.searchsorted(classes, table.labels[known]))],
                eval_metric=["accuracy"],
                max_epochs=self.epochs,
                patience=min(_PATIENCE, self.epochs),
                batch_size=batch,
                virtual_batch_size=min(_VIRTUAL_BATCH, batch),
                drop_last=len(rows) % batch < 2,
            )
            predictions: NDArray[np.int64] = classes[model.predict(values).astype(np.int64)]
        progress(f"best epoch {model.best_epoch + 1}")
        return Fitting(None, predictions, {"best_epoch": model.best_epoch + 1})
