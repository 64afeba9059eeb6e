"""Published circuits of printed-electronics classifiers, measured through one synthesis.

``published.csv`` holds test accuracy and area in NAND2-equivalents of bespoke circuits from the repository
garmeniakos/Ax-Printed-ML-Classifiers: Verilog mapped by ``synth; abc -liberty`` of Yosys with the embedded
sky130 cell table, accuracies on the test vectors of that repository, which repeat rows. Either may be
unknown.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["Published", "published"]


@dataclass(frozen=True)
class Published:
    """A published circuit.

    Attributes
    ----------
    name
        Kind of the classifier.
    accuracy
        Accuracy on its own test vectors; None if unknown.
    area
        Total area in NAND2-equivalents; None if unknown.
    """

    name: str
    accuracy: float | None
    area: float | None


@cache
def published() -> Mapping[str, Sequence[Published]]:
    """Return the published circuits of each data set."""
    text = resources.files(__package__).joinpath("published.csv").read_text(encoding="utf-8")
    found: dict[str, list[Published]] = {}
    for row in csv.DictReader(text.splitlines()):
        accuracy, area = (float(row[key]) if row[key] else None for key in ("accuracy", "area"))
        found.setdefault(row["set"], []).append(Published(row["circuit"], accuracy, area))
    return found
