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
    """Kind of the method; selects these keys."""
    bits: Annotated[int, Field(ge=1, le=8)] = 4
    """Bits per feature, from 1 to 8: each feature is divided into ``2**bits`` levels of equal width. More
    bits need more comparators."""
    weight_bits: Annotated[int, Field(ge=2, le=12)] = 4
    """Bits per weight including the sign, from 2 to 12. More bits follow the real-valued weights more closely
    and need wider adders."""


@dataclass(frozen=True)
class Linear:
    """Scores that are linear, with integer weights, in the levels (2**bits of equal width) of the features.

    The weights are those of scikit-learn's multinomial logistic regression on the levels (L2 penalty, with
    the strength chosen on validation rows). They are scaled so that the largest becomes ``2**(weight_bits -
    1) - 1``, and rounded. The intercepts are then fitted again, because the rounding errors of many weights
    add up. Two classes need only one score and one comparison.

    Attributes
    ----------
    bits
        Bits of a level.
    weight_bits
        Bits of a weight, including the sign.

    References
    ----------
    Bespoke linear classifiers: Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020.
    """

    bits: int
    weight_bits: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:  # noqa: ARG002
        """Fit the weights; the result does not depend on the seed."""
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
    objective="fit",
    packages=("scikit-learn", "scipy"),
)
