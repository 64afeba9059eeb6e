"""TabNet on the standardized values, software only, from an optional package."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dwn_asic.configuration import Count
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "Tabnet", "TabnetConfig"]

_PATIENCE = 10
_BATCH, _VIRTUAL_BATCH = 1024, 128


class TabnetConfig(MethodConfig):
    """TabNet (optional package) on the raw values: an upper reference for accuracy, without a circuit."""

    kind: Literal["tabnet"] = "tabnet"
    """Kind of the method; selects these keys."""
    epochs: Count = 100
    """Maximum number of epochs. Training ends earlier after ten epochs without a better validation
    accuracy."""
    rows: Count = 32_768
    """Maximum number of training rows; a larger training set is sampled, to bound the time."""


@dataclass(frozen=True)
class Tabnet:
    """TabNetClassifier with its defaults, on standardized values; keeps the epoch that validates best.

    For small tables a batch is a tenth of the rows, since the default batch would exceed the table.

    Attributes
    ----------
    epochs
        Maximum number of epochs.
    rows
        Maximum number of training rows; a larger training set is sampled.

    References
    ----------
    Arik and Pfister, TabNet: Attentive Interpretable Tabular Learning, AAAI 2021.
    """

    epochs: int
    rows: int = 32_768

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit on training rows.

        Raises
        ------
        ToolError
            The package is not installed.
        """
        classifier = _classifier()
        import numpy as np
        from sklearn.preprocessing import StandardScaler

        from dwn_asic.data.split import drawn
        from dwn_asic.methods.parts.fitting_steps import short_seed

        split, table = dataset.split, dataset.table
        rows, labels = drawn((split.train, table.labels[split.train]), self.rows, seed)
        classes, places = np.unique(labels, return_inverse=True)
        values = StandardScaler().fit(table.values[rows]).transform(table.values).astype(np.float32)
        known = split.val[np.isin(table.labels[split.val], classes)]
        weights = dataset.objective.loss_weights(labels, table.n_classes)
        batch = min(_BATCH, max(2, len(rows) // 10))
        model = classifier(seed=short_seed(seed), verbose=0, device_name="cpu")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(
                values[rows],
                places,
                eval_set=[(values[known], np.searchsorted(classes, table.labels[known]))],
                eval_metric=[_metric(dataset, classes)],
                weights=0 if weights is None else weights,
                max_epochs=self.epochs,
                patience=min(_PATIENCE, self.epochs),
                batch_size=batch,
                virtual_batch_size=min(_VIRTUAL_BATCH, batch),
                drop_last=len(rows) % batch < 2,
            )
            predictions: NDArray[np.int64] = classes[model.predict(values).astype(np.int64)]
        progress(f"best epoch {model.best_epoch + 1}")
        return Fitted(None, predictions, {"best_epoch": model.best_epoch + 1})


def _metric(dataset: Dataset, classes: NDArray[np.int64]) -> Any:
    """Return the metric that chooses the epoch, in the package's form; labels are places in ``classes``."""
    if dataset.objective.metric == "accuracy":
        return "accuracy"
    from pytorch_tabnet.metrics import Metric

    objective = dataset.objective

    class Score(Metric):  # type: ignore[misc]  # the package has no type annotations
        def __init__(self) -> None:
            # The package finds metrics by name, so different ones must have different names.
            self._name, self._maximize = f"{objective} {classes.tolist()}", True

        def __call__(self, labels: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
            return objective.score(classes[labels], classes[shares.argmax(axis=1)])

    return Score


def _classifier() -> Any:
    """Return the package's class, which has no type annotations."""
    from dwn_asic.methods.parts.fitting_steps import not_installed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy warns about an import of the package
            from pytorch_tabnet.tab_model import TabNetClassifier
    except ImportError as error:
        raise not_installed(str(error.name or "pytorch-tabnet"), "tabnet") from error
    return TabNetClassifier


def _plans(config: TabnetConfig) -> Iterator[Plan]:
    yield Plan("tabnet", "TabNet (software)", config.kind, Tabnet(config.epochs, config.rows))


METHOD = Method(
    "tabnet",
    TabnetConfig,
    _plans,
    Look("TabNet", "#BCBD22", "D"),
    "Arik and Pfister, TabNet: Attentive Interpretable Tabular Learning, AAAI 2021",
    rank=110,
    software=True,
    objective="fit",
    packages=("pytorch-tabnet", "torch", "scikit-learn"),
)
