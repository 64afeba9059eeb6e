"""The section ``shrink`` of a flow file."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dwn_asic.configuration import Count, Growing, Positive

__all__ = ["Judge", "ShrinkConfig"]


_Pair = Annotated[tuple[Positive, Positive], Field(strict=False)]
_Votes = Annotated[tuple[Count, Positive], Field(strict=False)]


Judge = Literal["labels", "agreed", "taught"]


class ShrinkConfig(Growing):
    """Annealing of the circuit on training rows; validation rows choose a circuit on the resulting front.

    Both go by the score of ``objective``.
    """

    later: ClassVar = ("max_area", "min_score", "circuits", "committees")

    area: Literal["total", "core"] = "total"
    """Area to minimize: ``total`` for the whole circuit, or ``core`` for the core alone, with comparators at
    zero cost, as papers report it."""
    prices: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (
        2.0, 4.0, 8.0, 16.0, 32.0, 64.0,
    )  # fmt: skip
    """Area, in units of the target (NAND2-equivalents, AND nodes), that one percentage point of score (by
    default accuracy) on the training rows is worth. Each price gets a chain of its own for each temperature:
    low prices lead to small circuits, high ones to accurate ones, so the default spans a front of all
    sizes."""
    proposals: Count = 2_000_000
    """Number of proposed changes per chain. More proposals find smaller circuits, and the time grows in
    proportion."""
    temperatures: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (0.5, 1.5)
    """Starting temperatures of the chains, in units of the target. Above 1 the starting circuit soon
    dissolves; at 0.5 it is kept and improved. There is one chain for each pair of price and temperature."""
    refit: Annotated[tuple[_Pair, ...], Field(strict=False)] = (
        (50.0, 1.0), (200.0, 1.0), (200.0, 2.0), (800.0, 2.0),
    )  # fmt: skip
    """Refits of the LUTs before a popcount head, which become functions of at most three of their inputs
    before the annealing. Each entry is a pair of positive numbers: the area in units of the target that one
    nat of loss on one percent of the training rows is worth, and the temperature of the loss. An empty list
    skips the refit."""
    votes: Annotated[tuple[_Votes, ...], Field(strict=False)] = (
        (2, 25.0), (3, 50.0), (4, 25.0), (4, 100.0), (6, 50.0), (8, 25.0), (8, 100.0), (12, 50.0),
        (12, 200.0), (16, 100.0), (24, 200.0), (24, 800.0),
    )  # fmt: skip
    """Networks of cheap votes that join the front if there are more than two classes. Each vote is a function
    of at most five thresholds, and the class with the most votes wins. An entry is a pair: the number of
    votes of each class, and the area in units of the target that one nat of loss on one percent of the
    training rows is worth. They fill the range of areas between annealed circuits, which overfit where there
    are many classes, and the whole network. An empty list skips them."""
    tolerance: Annotated[float, Field(ge=0.0)] = 0.05
    """Errors that may be added for area, relative to those of the most accurate circuit on validation rows:
    the smallest circuit within them is chosen. From 100 errors on it is a share of them, and the default adds
    one error to twenty. Below, where their number is uncertain, it is ten times this share of their standard
    error, the square root of their number; the default then adds half a standard error. With another
    objective than accuracy, errors are what the score lacks to 1."""
    max_area: Annotated[float, Field(ge=0.0)] | None = None
    """Largest area of the chosen circuit, in units of the target and as ``area`` counts it. In place of the
    choice by ``tolerance``, the circuit of the best validation score within it is taken, where the score of a
    circuit is the lower of the measured one and the one that its neighbours on the front lead one to expect;
    ties go to the smallest. By default areas are not limited."""
    min_score: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    """Lowest validation score of the chosen circuit, from 0 to 1 and lower of the two as for ``max_area``. In
    place of the choice by ``tolerance``, the smallest circuit that reaches it is taken. By default scores are
    not limited."""
    judges: Annotated[tuple[Judge, ...], Field(min_length=1, strict=False)] | None = None
    """Training rows on which changes are scored: ``labels`` takes all rows, ``agreed`` only those whose label
    a gradient boosting model predicts correctly without having seen them, and ``taught`` made-up rows near
    the training rows with the labels that a random forest predicts for them. Each judge that is listed gets
    chains of its own. By default it is ``taught`` alone if there are fewer than 1,500 training rows, where it
    generalizes best, and ``labels`` and ``agreed`` if there are more."""
    rows: Count = 32_768
    """Maximum number of training rows on which changes are scored; a larger training set is sampled."""
    starts: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] = ("dwn",)
    """Circuits from which the annealing of the network starts, as a list: ``dwn`` for the flow's network,
    ``untrained`` for a network of its architecture before training, and names or kinds of the flow's
    baselines, where ``*`` stands for any characters (``tree-*``). Each start gets chains of its own, so the
    time grows in proportion; the front takes the best circuits of all. By default the network alone."""
    baselines: bool = False
    """Shrink the circuits of the baselines in the same way."""
    circuits: Count = 24
    """Maximum number of circuits that are kept of the front by total area, and of the front by core area. Of
    longer fronts circuits are left out evenly."""
    committees: Annotated[int, Field(ge=0)] = 0
    """Maximum number of committees that join the front: three of its circuits, of which the first decides
    unless the two others agree. With many classes they fill the range of areas between annealed circuits,
    which overfit, and networks of votes. By default none."""
    minimize_front: bool = False
    """Minimize every circuit of the front at low effort, not only the chosen one. This takes a second or two
    per circuit."""
    jobs: Count = 2
    """Number of threads; the result does not depend on it."""

    @property
    def unlimited(self) -> ShrinkConfig:
        """The section without the keys that only say which circuit of the front is chosen."""
        return self.model_copy(update={"max_area": None, "min_score": None})

    @property
    def limited(self) -> bool:
        """True if ``max_area`` or ``min_score`` chooses the circuit."""
        return self.max_area is not None or self.min_score is not None
