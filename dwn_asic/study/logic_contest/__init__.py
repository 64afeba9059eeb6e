"""The tables of a logic contest: circuits learned from examples, counted in AND nodes.

A study follows the contest if its circuits are counted in AND nodes. Module ``choice`` picks one circuit for
each benchmark on validation rows, and ``published`` holds the results of the contest's teams.

References
----------
Rai et al., "Logic synthesis meets machine learning: trading exactness for generalization", DATE 2021
(arXiv:2012.02530), the IWLS 2020 programming contest.
"""

from __future__ import annotations

from dwn_asic.study.logic_contest.tables import benchmark_table, family_table, front_table
from dwn_asic.study.protocol import Protocol
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Table

__all__ = ["PROTOCOL"]


def _follows(study: Study) -> bool:
    return study.size is not None and study.size.unit == "AND"


def _tables(study: Study) -> list[Table]:
    return [front_table(study), family_table(study), benchmark_table(study)]


PROTOCOL = Protocol(_follows, _tables, draws_sets=False)
