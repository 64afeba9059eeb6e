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
    """Lookup tables on random thermometer bits, filled by counting training rows."""

    kind: Literal["wisard"] = "wisard"
    """Kind of the method; selects these keys."""
    tuples: Count | None = None
    """Number of tables per class. By default there are enough tables to read every thermometer bit twice."""
    inputs: Annotated[int, Field(ge=1, le=8)] = 6
    """Number of bits that address a table, from 1 to 8."""
    bits: Count = 8
    """Maximum number of thermometer bits per feature. More bits resolve features more finely and add
    inputs."""


@dataclass(frozen=True)
class Wisard:
    """The same random tuples of thermometer bits for each class; each tuple addresses a table of bits.

    A table's bit is set if at least ``b`` training rows of the class have its address; validation rows choose
    ``b`` (bleaching). By an objective with weights, rows count by the weight of their class. The class with
    most set bits wins, ties go to the first class.

    Attributes
    ----------
    tuples
        Number of tables per class; None for as many as read every bit twice.
    inputs
        Number of bits of a tuple.
    bits
        Maximum number of thermometer bits per feature.

    References
    ----------
    Aleksander, Thomas and Bowden, WISARD, Sensor Review 1984. Bleaching: Grieco et al., Producing pattern
    examples from "mental" images, Neurocomputing 2010.
    """

    tuples: int | None
    inputs: int
    bits: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Draw the tuples by the seed, count rows, and choose the least count that sets a bit."""
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
    objective="fit",
    packages=("numpy",),
)
