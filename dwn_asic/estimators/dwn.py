"""The estimator of a differentiable weightless neural network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from dwn_asic import api
from dwn_asic.api import Goal
from dwn_asic.arguments import graph_of
from dwn_asic.estimators.base import ChipClassifier
from dwn_asic.estimators.rows import batch_rows, label_frequencies

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.encode.config import Scaling
    from dwn_asic.encode.thermometer import ThermometerKind
    from dwn_asic.targets.base import Target

__all__ = ["DwnClassifier", "counting"]

_TEMPERATURE = 2.0
"""Divisor of the counts before the softmax; it suits ten to thirty LUTs per class."""


def counting(luts: int, inputs: int) -> dict[str, object]:
    """Return the section ``model`` of a network with one layer of LUTs and a popcount head."""
    layer = {"luts": luts, "inputs": inputs}
    return {"layers": [layer], "head": "popcount", "temperature": _TEMPERATURE}


class DwnClassifier(ChipClassifier):
    """A differentiable weightless neural network (DWN), which predicts exactly as it does on a chip.

    The default network has one layer of LUTs, several for each class, and a popcount: the class with the most
    ones is predicted. It is accurate and trains in seconds, but its circuit is large. For small chips see
    :class:`~dwn_asic.estimators.CircuitClassifier`.

    Parameters
    ----------
    luts_per_class
        Number of LUTs per class.
    inputs
        Number of inputs of each LUT, 1 to 8.
    pyramid
        Number of inputs of the LUTs, layer by layer, of a network without popcount: the outputs of its last
        layer are the bits of the class index. ``(6, 6, 4)`` has 24, 4 and 1 LUTs for two classes. Such a
        network is smaller, but has no scores. It replaces ``luts_per_class`` and ``inputs``.
    input_bits, scaling, features
        Width of the codes, 1 to 16; ``"codes"`` if values are codes already, as an ADC delivers them; and
        ``lo``, ``step`` and ``bits`` of single features by name. As in the section ``encoder`` of a flow
        file.
    thermometer, thermometer_bits
        Placement of the thresholds (``distributive``, ``uniform`` or ``gaussian``) and their maximum number
        per feature.
    epochs, learning_rate
        Number of passes over the training rows, and the learning rate of the optimizer.
    batch_size
        Number of rows in a training step; by default an eighth of all training rows, but at least 16 and at
        most 128.
    restarts
        Number of independent training runs; the network that is best on validation rows is kept.
    training
        Further keys of the section ``training`` of a flow file, for example
        ``{"spectral": {"weight": 0.01}}``; they take precedence over the arguments above.
    objective
        Score that the network is trained for and chosen by: None for accuracy, the name of a metric
        (``balanced_accuracy``, ``f1``), or the keys of the section ``objective`` of a flow file as a mapping.
        :meth:`score` returns it.
    effort
        Effort of exact minimization: ``low``, ``medium`` or ``high``.
    target
        Target of the circuit, from :func:`dwn_asic.target`; by default sky130 cells without registers.
    validation_fraction
        Fraction of the rows of each class that is held out to choose the epoch and the training run.
    random_state
        Seed or generator that draws the validation rows, the initial networks and the order of rows.

    Attributes
    ----------
    classes_
        (C,) labels in ascending order.
    n_features_in_, feature_names_in_
        Number F of features, and their names if X had column names.
    classifier_
        The fitted :class:`~dwn_asic.methods.base.Classifier`, with its ``network`` and its ``graph``.
    graph_
        Boolean graph of the circuit before exact minimization.
    quantizer_
        Quantizer that converts values to the codes that the chip reads.

    References
    ----------
    Bacellar, Susskind et al., Differentiable Weightless Neural Networks, ICML 2024, arXiv:2410.11112.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DwnClassifier(luts_per_class=4, inputs=4, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    >>> model.predict_proba(X[:1]).argmax()
    np.int64(0)
    >>> model.classifier_.label
    'DWN 12 (4-input LUTs)'
    """

    def __init__(
        self,
        luts_per_class: int = 10,
        inputs: int = 6,
        *,
        pyramid: tuple[int, ...] | None = None,
        input_bits: int = 8,
        scaling: Scaling = "fitted",
        features: Mapping[str, Mapping[str, float]] | None = None,
        thermometer: ThermometerKind = "distributive",
        thermometer_bits: int = 32,
        epochs: int = 60,
        batch_size: int | None = None,
        learning_rate: float = 0.02,
        restarts: int = 1,
        training: Mapping[str, object] | None = None,
        objective: Goal | None = None,
        effort: str = "low",
        target: Target | None = None,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.luts_per_class = luts_per_class
        self.inputs = inputs
        self.pyramid = pyramid
        self.input_bits = input_bits
        self.scaling = scaling
        self.features = features
        self.thermometer = thermometer
        self.thermometer_bits = thermometer_bits
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.restarts = restarts
        self.training = training
        self.objective = objective
        self.effort = effort
        self.target = target
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return (N, C) probabilities of the labels for (N, F) values.

        With a popcount, they are the softmax of the counts that training optimizes. A pyramid outputs only a
        class index: then they are the frequencies of the labels among the rows of ``fit`` with the same
        predicted class.
        """
        codes = self._codes(X)
        network = self.classifier_.network
        if network is None or network.head.kind == "direct":
            return super().predict_proba(X)
        shares: NDArray[np.float64] = softmax(
            network.head.scores(network.outputs(codes)) / _TEMPERATURE, axis=1
        )
        return shares

    def _fit_circuit(self, dataset: Dataset, seed: int) -> None:
        plan = api.plans("dwn", **self._sections(dataset))[0]
        self.classifier_ = self._fitted(plan, dataset, seed)
        self.graph_ = graph_of(self.classifier_)
        self._frequencies = label_frequencies(self.graph_, dataset)

    def _sections(self, dataset: Dataset) -> dict[str, object]:
        """Return the sections that configure the method ``dwn``."""
        n_classes = dataset.table.n_classes
        model: dict[str, object] = {"pyramid": self.pyramid}
        if self.pyramid is None:
            model = counting(self.luts_per_class * n_classes, self.inputs)
        training = {
            "epochs": self.epochs,
            "batch_size": batch_rows(dataset, 128) if self.batch_size is None else self.batch_size,
            "learning_rate": self.learning_rate,
            "restarts": self.restarts,
            **(self.training or {}),
        }
        encoder = {"thermometer": self.thermometer, "bits": self.thermometer_bits}
        return {"encoder": encoder, "model": model, "training": training}
