"""The section ``shrink`` of a flow file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Count, Positive, Strict

__all__ = ["Judge", "ShrinkConfig"]


_Pair = Annotated[tuple[Positive, Positive], Field(strict=False)]


Judge = Literal["labels", "agreed"]


class ShrinkConfig(Strict):
    """Annealing of the circuit on training rows; validation rows choose a circuit on the resulting front."""

    objective: Literal["total", "core"] = "total"
    """Area to minimize: ``total`` for the whole circuit, or ``core`` for the core alone, with comparators at
    zero cost, as papers report it."""
    prices: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (
        2.0, 4.0, 8.0, 16.0, 32.0, 64.0,
    )  # fmt: skip
    """Area, in NAND2-equivalents, that one percentage point of accuracy on the training rows is worth. Each
    price gets a chain of its own for each temperature: low prices lead to small circuits, high ones to
    accurate ones, so the default spans a front of all sizes."""
    proposals: Count = 2_000_000
    """Number of proposed changes per chain. More proposals find smaller circuits, and the time grows in
    proportion."""
    temperatures: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (0.5, 1.5)
    """Starting temperatures of the chains, in NAND2-equivalents. Above 1 the starting circuit soon dissolves;
    at 0.5 it is kept and improved. There is one chain for each pair of price and temperature."""
    refit: Annotated[tuple[_Pair, ...], Field(strict=False)] = (
        (50.0, 1.0), (200.0, 1.0), (200.0, 2.0), (800.0, 2.0),
    )  # fmt: skip
    """Refits of the LUTs before a popcount head, which become functions of at most three of their inputs
    before the annealing. Each entry is a pair of positive numbers: the area in NAND2-equivalents that one nat
    of loss on one percent of the training rows is worth, and the temperature of the loss. An empty list skips
    the refit."""
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.01
    """Validation accuracy that may be given up for area, from 0 to below 1: the smallest circuit whose
    accuracy is at most this far below the front's best is chosen. The default gives up one percentage
    point."""
    judges: Annotated[tuple[Judge, ...], Field(min_length=1, strict=False)] = ("labels",)
    """Training rows on which changes are scored: ``labels`` takes all rows, ``agreed`` only those whose label
    a gradient boosting model predicts correctly without having seen them. With noisy labels ``agreed``
    generalizes better. If both are listed, each gets chains of its own."""
    rows: Count = 32_768
    """Maximum number of training rows on which changes are scored; a larger training set is sampled."""
    baselines: bool = False
    """Shrink the circuits of the baselines in the same way."""
    minimize_front: bool = False
    """Minimize every circuit of the front at low effort, not only the chosen one. This takes a second or two
    per circuit."""
    jobs: Count = 2
    """Number of threads; the result does not depend on it."""
