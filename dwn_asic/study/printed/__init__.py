"""The tables of a study on the data sets of printed-electronics classifiers.

A study follows this protocol if published circuits are known for all of its data sets. Printed circuits are
bespoke, with the trained model in the wiring, as ours are.
"""

from __future__ import annotations

from dwn_asic.study.equal_accuracy import equal_accuracy_table
from dwn_asic.study.front_tables import equal_area_table
from dwn_asic.study.printed.published import published
from dwn_asic.study.printed.tables import published_table
from dwn_asic.study.protocol import Protocol
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Table

__all__ = ["PROTOCOL"]


def _follows(study: Study) -> bool:
    cells = study.size is not None and study.size.unit == "NAND2"
    return cells and all(flow in published() for flow in study.sets)


def _tables(study: Study) -> list[Table]:
    return [published_table(study), equal_area_table(study), equal_accuracy_table(study)]


PROTOCOL = Protocol(_follows, _tables)
