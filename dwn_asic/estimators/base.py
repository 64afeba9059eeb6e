"""The base class of the estimators: it checks rows, predicts, and implements the circuit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from dwn_asic import api
from dwn_asic.arguments import validated
from dwn_asic.encode.config import QuantizerConfig
from dwn_asic.encode.quantizer import MAX_INPUT_BITS
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.estimators.chip import Chip
from dwn_asic.estimators.rows import answers, dataset_of, holds_nothing
from dwn_asic.methods.base import Classifier, Plan
from dwn_asic.methods.parts.fitting_steps import most_frequent

if TYPE_CHECKING:
    from typing import Self

    from dwn_asic.api import Goal
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.data.objective import Objective
    from dwn_asic.encode.config import Scaling
    from dwn_asic.encode.quantizer import Quantizer
    from dwn_asic.targets.base import Target
    from dwn_asic.verilog.writer import Registers

__all__ = ["ChipClassifier"]

_SEEDS = 1 << 31


class ChipClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the estimators; a subclass defines how a model is fitted and which of its circuits predicts."""

    # Arguments of every subclass.
    input_bits: int
    scaling: Scaling
    features: Mapping[str, Mapping[str, float]] | None
    validation_fraction: float
    objective: Goal | None
    effort: str
    target: Target | None
    random_state: int | np.random.RandomState | None

    # Set by fit.
    classes_: NDArray[np.generic]
    n_features_in_: int
    quantizer_: Quantizer
    classifier_: Classifier
    graph_: BooleanGraph
    _frequencies: NDArray[np.float64]
    _minimized: Circuit | None
    _objective: Objective

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the model; part of the rows are held out and used for validation.

        Parameters
        ----------
        X
            (N, F) finite numbers: an array, a list, or a data frame, whose column names become the names of
            the chip's inputs.
        y
            (N,) labels: numbers, strings or booleans.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            The rows or an argument of the estimator are wrong.
        """
        values: NDArray[np.float64]
        values, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        seed = int(check_random_state(self.random_state).randint(_SEEDS))
        if not 1 <= self.input_bits <= MAX_INPUT_BITS:
            raise ValueError(f"input_bits is {self.input_bits}, allowed: 1 to {MAX_INPUT_BITS}")
        with _as_value_error():
            codes = {"input_bits": self.input_bits, "scaling": self.scaling, "features": self.features or {}}
            dataset = dataset_of(
                values,
                labels.astype(np.int64),
                [str(name) for name in getattr(self, "feature_names_in_", self._numbered())],
                [str(label) for label in self.classes_.tolist()],
                validation_fraction=self.validation_fraction,
                quantizer=validated(QuantizerConfig, type(self).__name__, codes),
                seed=seed,
            )
            if self.objective is not None:
                dataset = dataset.with_objective(self.objective)
            self._objective = dataset.objective
            self.quantizer_ = dataset.quantizer
            self._minimized = None
            self._fit_circuit(dataset, seed)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return the (N,) labels that the chip predicts for (N, F) values.

        If the chip outputs an index without a class (3 with three classes), the index is used without its
        highest bit.

        A value that is no code is replaced by the nearest one, also with ``scaling="codes"``.
        """
        codes = self._codes(X)
        labels: NDArray[np.generic] = self.classes_[answers(self.graph_, codes)]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return (N, C) probabilities of the labels for (N, F) values.

        A chip outputs only a class index. The probabilities are the frequencies of the labels among the rows
        of ``fit`` with the same predicted class, so they depend on that class alone.
        """
        codes = self._codes(X)
        shares: NDArray[np.float64] = self._frequencies[answers(self.graph_, codes)]
        return shares

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the score of the predictions for (N, F) values with (N,) labels.

        It is the accuracy, as for every classifier of scikit-learn, unless the estimator has an
        ``objective``: then it is the score of that.

        Parameters
        ----------
        X, y
            Rows and their labels.
        sample_weight
            (N,) weights of the rows, for the accuracy only.

        Raises
        ------
        ValueError
            A label is unknown, or there are weights and an objective.
        """
        if self.objective is None:
            return float(super().score(X, y, sample_weight))
        if sample_weight is not None:
            raise ValueError("sample_weight is not supported with an objective")
        known, given = np.searchsorted(self.classes_, y), np.asarray(y)
        known = np.minimum(known, len(self.classes_) - 1)
        if (self.classes_[known] != given).any():
            raise ValueError("y has a label that fit has not seen")
        predicted = np.searchsorted(self.classes_, self.predict(X))
        return self._objective.score(known.astype(np.int64), predicted.astype(np.int64))

    @property
    def _score_key(self) -> str:
        return self._objective.key

    @property
    def circuit_(self) -> Circuit:
        """The circuit after exact minimization for ``target``, which is proved to preserve all predictions.

        The circuit is minimized on first use, which takes about a second for a small circuit and up to
        several minutes for a large network.
        """
        check_is_fitted(self)
        if self._minimized is None:
            self._minimized = self._minimize(self.target)
        return self._minimized

    def to_verilog(
        self, name: str = "classifier", *, registers: Registers = "none", pipeline: bool = False
    ) -> str:
        """Return structural Verilog of :attr:`circuit_`.

        Parameters and errors are those of :func:`dwn_asic.to_verilog`. The chip's inputs are the features'
        codes, ``quantizer_.codes(X)``.
        """
        return api.to_verilog(self.circuit_, name, registers=registers, pipeline=pipeline)

    def implement(self, target: Target | None = None, *, name: str = "classifier") -> Chip:
        """Implement the circuit on a target, and prove that the result computes what the model computes.

        Parameters
        ----------
        target
            Target to use instead of the estimator's own; the circuit is then minimized for it.
        name
            Prefix of the module names.

        Raises
        ------
        ToolError
            A tool fails.
        VerificationError
            The implementation differs from the model.
        """
        own = target is None or target is self.target
        circuit = self.circuit_ if own else self._minimize(target)
        built_for = self.target if own else target
        built = api.implement(circuit, built_for, name=name)
        return Chip(
            circuit,
            built,
            api.verify(built, self.graph_, circuit, built_for),
            self.graph_,
            self.quantizer_,
            api.target_or_default(built_for).technology,
            self.classifier_.label,
        )

    def _fit_circuit(self, dataset: Dataset, seed: int) -> None:
        """Set ``classifier_``, ``graph_`` and ``_frequencies``."""
        raise NotImplementedError

    def _fitted(self, plan: Plan, dataset: Dataset, seed: int) -> Classifier:
        """Fit the classifier of a plan, or a constant one if the rows have nothing to learn from."""
        if holds_nothing(dataset):
            constant = Plan(plan.name, plan.label, plan.kind, lambda rows, *_: most_frequent(rows))
            return constant.fit(dataset, seed)
        return plan.fit(dataset, seed)

    def _minimize(self, target: Target | None) -> Circuit:
        return api.minimize(self.graph_, target, effort=self.effort)

    def _codes(self, X: ArrayLike) -> NDArray[np.int64]:
        check_is_fitted(self)
        return self.quantizer_.codes(validate_data(self, X, dtype=np.float64, reset=False))

    def _numbered(self) -> list[str]:
        return [f"x{f}" for f in range(self.n_features_in_)]


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Raise errors in arguments or rows as ValueError, which callers of scikit-learn expect."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise ValueError(str(error)) from error
