"""Tables over sums of words: symmetric functions, adders and comparators, recognized in binary features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "SumTable", "SumTableConfig"]


class SumTableConfig(MethodConfig):
    """A table over the sum of two words, or over the number of set bits, of binary features."""

    kind: Literal["sum_table"] = "sum_table"
    """Kind of the method; selects these keys."""
    bits: Annotated[int, Field(ge=1, le=10)] = 8
    """Maximum number of adjacent bits of each word that are summed, from 1 to 10. More bits resolve sums more
    finely, and their table needs more training rows."""


@dataclass(frozen=True)
class SumTable:
    """The class as a function of a weighted sum of binary features, tabulated on training rows.

    The sums that are tried: the number of set features; and, for up to ``bits`` adjacent features in either
    order of significance, the number that they form, the sum and the difference of the numbers that they form
    in two words. The words are the first and the second half of the features, or every other feature.
    Validation rows choose. Features of several bits are left out.

    Attributes
    ----------
    bits
        Maximum number of adjacent bits of each word.

    References
    ----------
    Rai et al., Logic synthesis meets machine learning: trading exactness for generalization, DATE 2021
    (arXiv:2012.02530), where teams matched data with standard functions before they trained a model.
    """

    bits: int

    def __call__(self, dataset: Dataset, _seed: int, progress: Progress) -> Fitted:
        """Try all sums and keep the best; nothing is random, so the seed has no effect."""
        from dwn_asic.methods.sum_table.search import fit

        return fit(self, dataset, progress)


def _plans(config: SumTableConfig) -> Iterator[Plan]:
    label = f"table over a sum of words of up to {config.bits} bits"
    yield Plan(f"sum-{config.bits}", label, config.kind, SumTable(config.bits))


METHOD = Method(
    "sum_table",
    SumTableConfig,
    _plans,
    Look("table over a sum", "#999999", "P"),
    "Rai et al., Logic synthesis meets machine learning, DATE 2021, arXiv:2012.02530",
    rank=45,
    objective="fit",
    packages=("numpy",),
)
