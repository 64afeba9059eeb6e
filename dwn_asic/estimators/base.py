"""The base of both estimators: checking rows, predicting, and the way to a chip."""

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

    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.graph import BooleanGraph
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.encode.config import Scaling
    from dwn_asic.encode.quantizer import Quantizer
    from dwn_asic.targets.base import Target
    from dwn_asic.verilog.writer import Registers

__all__ = ["ChipClassifier"]

_SEEDS = 1 << 31


class ChipClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the estimators; a subclass says how a model is fitted, and which of its circuits predicts."""

    # Arguments of every subclass.
    input_bits: int
    scaling: Scaling
    features: Mapping[str, Mapping[str, float]] | None
    validation_fraction: float
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

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit on rows, some of which are held out as validation rows.

        Parameters
        ----------
        X
            (N, F) finite numbers: an array, a list, or a data frame, whose columns name the chip's inputs.
        y
            (N,) labels: numbers, texts or truth values.

        Raises
        ------
        ValueError
            The rows or an argument are wrong.
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
            self.quantizer_ = dataset.quantizer
            self._minimized = None
            self._fit_circuit(dataset, seed)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return the (N,) labels of (N, F) values, as the chip decides.

        A value that is no code gets the nearest one, also with ``scaling="codes"``.
        Where the chip answers with a class index that no class has (3 of three classes), its highest bit is
        left out.
        """
        codes = self._codes(X)
        labels: NDArray[np.generic] = self.classes_[answers(self.graph_, codes)]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the (N, C) share of each label among the rows that got the same answer in ``fit``.

        A chip answers with a class and no more, so rows of one answer have equal probabilities.
        """
        codes = self._codes(X)
        shares: NDArray[np.float64] = self._frequencies[answers(self.graph_, codes)]
        return shares

    @property
    def circuit_(self) -> Circuit:
        """The circuit, minimized for ``target`` on first use: fewer gates, the same answers, proved.

        That takes a second for a small circuit and up to some minutes for a large network.
        """
        check_is_fitted(self)
        if self._minimized is None:
            self._minimized = self._minimize(self.target)
        return self._minimized

    def to_verilog(self, name: str = "classifier", *, registers: Registers = "none") -> str:
        """Write :attr:`circuit_` as structural Verilog; as :func:`dwn_asic.to_verilog`.

        The chip's inputs are codes of the features: ``quantizer_.codes(X)``.
        """
        return api.to_verilog(self.circuit_, name, registers=registers)

    def implement(self, target: Target | None = None, *, name: str = "classifier") -> Chip:
        """Build the circuit, and prove that what was built computes what the model does.

        Parameters
        ----------
        target
            In place of the estimator's own, for which the circuit is minimized anew.
        name
            Prefix of the modules' names.

        Raises
        ------
        ToolError, VerificationError
            A tool fails, or what was built differs.
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
        """Fit a plan; where there is nothing to learn, the answer is always the most frequent class."""
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
    """Raise what is wrong with arguments or rows as the error that scikit-learn's callers expect."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise ValueError(str(error)) from error
