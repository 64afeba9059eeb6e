"""Logistic regression with small integer weights: adders and comparators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "Linear", "LinearConfig"]


class LinearConfig(MethodConfig):
    """Logistic regression with small integer weights."""

    kind: Literal["linear"] = "linear"
    bits: Annotated[int, Field(ge=1, le=8)] = 4
    """Of a feature's level."""
    weight_bits: Annotated[int, Field(ge=2, le=12)] = 4
    """Sign included."""


@dataclass(frozen=True)
class Linear:
    """Scores linear in each feature's level of 2**bits of equal width, with integer weights.

    The weights are those of scikit-learn's multinomial logistic regression on the levels (L2, its strength
    chosen on validation rows), scaled so that the largest becomes ``2**(weight_bits - 1) - 1``, and rounded;
    then the intercepts are fitted again, for roundings of many weights add up. For two classes there is one
    score and one comparison.

    Attributes
    ----------
    bits
        Of a level.
    weight_bits
        Of a weight, sign included.

    References
    ----------
    Bespoke linear classifiers: Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020.
    """

    bits: int
    weight_bits: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:  # noqa: ARG002
        """Fit; the seed has nothing to decide."""
        from dwn_asic.methods.linear.scores import fit

        return fit(dataset, self.bits, self.weight_bits, progress)


def _plans(config: LinearConfig) -> Iterator[Plan]:
    label = f"linear, {config.weight_bits}-bit weights of {config.bits}-bit levels"
    fitter = Linear(config.bits, config.weight_bits)
    yield Plan(f"linear-{config.weight_bits}bit", label, config.kind, fitter)


METHOD = Method(
    "linear",
    LinearConfig,
    _plans,
    Look("linear, integer weights", "#8C6D31", "v"),
    "Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020",
    rank=40,
    packages=("scikit-learn", "scipy"),
)
