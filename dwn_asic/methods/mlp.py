"""A multilayer perceptron on the raw values, software only."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Count
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "Mlp", "MlpConfig"]


class MlpConfig(MethodConfig):
    """Multilayer perceptron on the raw values: an upper reference for accuracy, without a circuit."""

    kind: Literal["mlp"] = "mlp"
    """Kind of the method; selects these keys."""
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (100,)
    """Number of neurons of each hidden layer, first to last. The default is scikit-learn's."""


@dataclass(frozen=True)
class Mlp:
    """MLPClassifier of scikit-learn on standardized values; all other settings are its defaults.

    Attributes
    ----------
    hidden
        Number of neurons of each hidden layer.

    References
    ----------
    Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986.
    """

    hidden: tuple[int, ...]

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit on the training rows; validation rows are not used."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from dwn_asic.methods.parts.fitting_steps import short_seed

        rows = dataset.split.train
        network = MLPClassifier(self.hidden, max_iter=200, random_state=short_seed(seed))
        model = make_pipeline(StandardScaler(), network)
        weights = dataset.loss_weights
        options = {} if weights is None else {"mlpclassifier__sample_weight": weights}
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(dataset.table.values[rows], dataset.table.labels[rows], **options)
        progress(f"{network.n_iter_} epochs")
        predictions: NDArray[np.int64] = model.predict(dataset.table.values).astype("int64")
        return Fitted(None, predictions, {"neurons": sum(self.hidden)})


def _plans(config: MlpConfig) -> Iterator[Plan]:
    yield Plan("mlp", "MLP (software)", config.kind, Mlp(config.hidden))


METHOD = Method(
    "mlp",
    MlpConfig,
    _plans,
    Look("MLP", "#9467BD", "d"),
    "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986",
    rank=120,
    software=True,
    objective="fit",
    packages=("scikit-learn",),
)
