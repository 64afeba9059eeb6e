"""XGBoost on the raw values, software only, from an optional package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "Xgboost", "XgboostConfig"]


class XgboostConfig(MethodConfig):
    """XGBoost (optional package) on the raw values: an upper reference for accuracy, without a circuit."""

    kind: Literal["xgboost"] = "xgboost"
    """Kind of the method, which has no other keys."""


@dataclass(frozen=True)
class Xgboost:
    """XGBClassifier with its defaults.

    References
    ----------
    Chen and Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016.
    """

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit on the training rows; validation rows are not used.

        Raises
        ------
        ToolError
            The package is not installed.
        """
        import numpy as np

        from dwn_asic.methods.parts.fitting_steps import not_installed

        try:
            from xgboost import XGBClassifier
        except ImportError as error:
            raise not_installed("xgboost", "xgboost") from error
        rows, table = dataset.split.train, dataset.table
        classes, places = np.unique(table.labels[rows], return_inverse=True)  # labels must be 0, 1, 2, ...
        model = XGBClassifier(random_state=seed % (1 << 31), n_jobs=1)
        model.fit(table.values[rows], places, sample_weight=dataset.loss_weights)
        predictions: NDArray[np.int64] = classes[model.predict(table.values).astype(np.int64)]
        rounds = int(model.get_booster().num_boosted_rounds())
        progress(f"{rounds} rounds of boosting")
        return Fitted(None, predictions, {"trees": rounds * (1 if len(classes) == 2 else len(classes))})


def _plans(config: XgboostConfig) -> Iterator[Plan]:
    yield Plan("xgboost", "XGBoost (software)", config.kind, Xgboost())


METHOD = Method(
    "xgboost",
    XgboostConfig,
    _plans,
    Look("XGBoost", "#8A5A83", "D"),
    "Chen and Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016",
    rank=100,
    software=True,
    objective="fit",
    packages=("xgboost-cpu", "xgboost"),
)
