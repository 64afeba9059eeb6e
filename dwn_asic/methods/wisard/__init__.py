"""WiSARD: one layer of lookup tables on random bits, filled by counting rows instead of by training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Count
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "Wisard", "WisardConfig"]


class WisardConfig(MethodConfig):
    """Tables on random bits, filled by counting rows."""

    kind: Literal["wisard"] = "wisard"
    tuples: Count | None = None
    """Tables of each class; without it as many as read every thermometer bit twice."""
    inputs: Annotated[int, Field(ge=1, le=8)] = 6
    bits: Count = 8
    """Thermometer bits per feature, at most."""


@dataclass(frozen=True)
class Wisard:
    """For each class the same random tuples of thermometer bits, each tuple addressing a table of one bit.

    A table's bit is set where at least ``b`` training rows of the class have its address; the ``b`` that does
    best on validation rows is taken (bleaching). The class with most set bits wins, ties go to the first.

    Attributes
    ----------
    tuples
        Tables of each class; None for as many as read every bit twice.
    inputs
        Bits of a tuple.
    bits
        Thermometer bits of a feature, at most.

    References
    ----------
    Aleksander, Thomas and Bowden, WISARD, Sensor Review 1984. Bleaching: Grieco et al., Producing pattern
    examples from "mental" images, Neurocomputing 2010.
    """

    tuples: int | None
    inputs: int
    bits: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Draw the tuples by the seed, count, and choose the least count."""
        from dwn_asic.methods.wisard.tables import fit

        return fit(self, dataset, seed, progress)


def _plans(config: WisardConfig) -> Iterator[Plan]:
    tables, which = f"{config.tuples} tables", f"{config.tuples}x"
    if config.tuples is None:
        tables, which = "each bit in two tables", "all-"
    label = f"WiSARD, {tables} of {config.inputs} inputs per class"
    fitter = Wisard(config.tuples, config.inputs, config.bits)
    yield Plan(f"wisard-{which}{config.inputs}", label, config.kind, fitter)


METHOD = Method(
    "wisard",
    WisardConfig,
    _plans,
    Look("WiSARD", "#000000", "X"),
    "Aleksander, Thomas and Bowden, WISARD, Sensor Review 1984; Grieco et al., Neurocomputing 2010",
    rank=70,
    packages=("numpy",),
)
