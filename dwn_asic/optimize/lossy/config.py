"""The section ``shrink`` of a flow file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Count, Positive, Strict

__all__ = ["Judge", "ShrinkConfig"]


_Pair = Annotated[tuple[Positive, Positive], Field(strict=False)]


Judge = Literal["labels", "agreed"]


class ShrinkConfig(Strict):
    """Annealing of the circuit, judged on training rows; validation rows choose on its front."""

    objective: Literal["total", "core"] = "total"
    """Area that counts: of the whole circuit, or of the core with comparators for nothing."""
    prices: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (
        2.0, 4.0, 8.0, 16.0, 32.0, 64.0,
    )  # fmt: skip
    """NAND2-equivalents that a percentage point of accuracy on training rows is worth."""
    proposals: Count = 2_000_000
    """Of each chain."""
    temperatures: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (0.5, 1.5)
    """Of the chains at their start, in NAND2-equivalents: above 1 the start circuit soon dissolves, at 0.5
    it is kept and improved. One chain for each price and temperature."""
    refit: Annotated[tuple[_Pair, ...], Field(strict=False)] = (
        (50.0, 1.0), (200.0, 1.0), (200.0, 2.0), (800.0, 2.0),
    )  # fmt: skip
    """LUTs before a popcount become functions of few inputs first. Of each refit: the NAND2-equivalents that
    a nat of loss on one percent of the training rows is worth, and the temperature of the loss."""
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.01
    """The smallest circuit whose validation accuracy is at most this below the front's best is chosen."""
    judges: Annotated[tuple[Judge, ...], Field(min_length=1, strict=False)] = ("labels",)
    """Training rows to judge moves on: all, or those to which gradient boosting that has not seen them gives
    their label. On noisy labels the latter generalizes better. Of both, chains for each."""
    rows: Count = 32_768
    """Training rows to judge on, at most; of more these are drawn."""
    baselines: bool = False
    """Do the same to the circuits of the baselines."""
    minimize_front: bool = False
    """Minimize every circuit of the front as the chosen one is, at low effort. Takes a second or two each."""
    jobs: Count = 2
    """Threads; the result does not depend on it."""
