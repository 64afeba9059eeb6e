"""The interface of a protocol: one paper's way of comparing, for the studies that follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Table

__all__ = ["Protocol"]


@dataclass(frozen=True)
class Protocol:
    """A choice of tables, general ones and its own, that replaces those of every study.

    Attributes
    ----------
    follows
        Returns whether a study follows this protocol.
    tables
        Returns its comparisons with our shrunk circuit, which every run has; the most important come first.
    draws_sets
        Whether each data set gets a figure of all methods.
    """

    follows: Callable[[Study], bool]
    tables: Callable[[Study], list[Table]]
    draws_sets: bool = True
