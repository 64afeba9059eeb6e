"""What a protocol is: one paper's way of comparing, for the studies that follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Table

__all__ = ["Protocol"]


@dataclass(frozen=True)
class Protocol:
    """A choice of tables, general ones and its own, in place of those that every study has.

    Attributes
    ----------
    follows
        Whether a study is of this protocol.
    tables
        Its comparisons with our shrunk circuit, the most important first; every run of the study has one.
    """

    follows: Callable[[Study], bool]
    tables: Callable[[Study], list[Table]]
