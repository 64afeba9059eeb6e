"""Gradient-boosted trees on the raw values: what accuracy the data allow, at no price in gates."""

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
    """Gradient-boosted trees: a software ceiling, accuracy only."""

    kind: Literal["gbdt"] = "gbdt"


@dataclass(frozen=True)
class GradientBoosting:
    """scikit-learn's histogram gradient boosting with its defaults, on unquantized values. Software only.

    References
    ----------
    Ke et al., LightGBM, NeurIPS 2017, which scikit-learn's version follows.
    """

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit on the training rows; validation rows take no part."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from dwn_asic.methods.parts.fitting_steps import short_seed

        rows = dataset.split.train
        model = HistGradientBoostingClassifier(random_state=short_seed(seed), early_stopping=False)
        # One thread: on small tables OpenMP's threads mostly wait for each other, on a machine that is busy
        # with other flows for many times as long as the work takes.
        with threadpool_limits(limits=1, user_api="openmp"):
            model.fit(dataset.table.values[rows], dataset.table.labels[rows])
        progress(f"{model.n_iter_} rounds of boosting")
        predictions: NDArray[np.int64] = model.predict(dataset.table.values).astype("int64")
        # A round grows one tree for two classes, else one per class.
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
    packages=("scikit-learn",),
)
