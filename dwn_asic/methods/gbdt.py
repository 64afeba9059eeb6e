"""Gradient-boosted trees on the raw values: the accuracy that the data allow, regardless of gates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "GbdtConfig", "GradientBoosting"]


class GbdtConfig(MethodConfig):
    """Gradient-boosted trees on the raw values: an upper reference for accuracy, without a circuit."""

    kind: Literal["gbdt"] = "gbdt"
    """Kind of the method, which has no other keys."""


@dataclass(frozen=True)
class GradientBoosting:
    """Histogram gradient boosting of scikit-learn with its defaults, on unquantized values; software only.

    References
    ----------
    Ke et al., LightGBM, NeurIPS 2017, which scikit-learn's version follows.
    """

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit on the training rows; validation rows are not used."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from dwn_asic.methods.parts.fitting_steps import short_seed

        rows = dataset.split.train
        model = HistGradientBoostingClassifier(random_state=short_seed(seed), early_stopping=False)
        # One thread, since on small tables the threads of OpenMP mostly wait for each other; on a machine
        # that is busy with other flows they wait many times as long as they work.
        with threadpool_limits(limits=1, user_api="openmp"):
            model.fit(dataset.table.values[rows], dataset.table.labels[rows], dataset.loss_weights)
        progress(f"{model.n_iter_} rounds of boosting")
        predictions: NDArray[np.int64] = model.predict(dataset.table.values).astype("int64")
        # A round grows one tree if there are two classes, otherwise one tree per class.
        return Fitted(None, predictions, {"trees": int(model.n_iter_ * model.n_trees_per_iteration_)})


def _plans(config: GbdtConfig) -> Iterator[Plan]:
    yield Plan("gbdt", "gradient boosting (software)", config.kind, GradientBoosting())


METHOD = Method(
    "gbdt",
    GbdtConfig,
    _plans,
    Look("gradient boosting", "#CC79A7", "D"),
    "Ke et al., LightGBM, NeurIPS 2017",
    rank=90,
    software=True,
    objective="fit",
    packages=("scikit-learn",),
)
