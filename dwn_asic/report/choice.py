"""Circuits of a method on one run, and the choice among them: by validation rows alone.

A method that offers circuits of several sizes (a tree by its number of leaves, a shrunk DWN by its front) is
one family. Two questions are put to every family: which circuit within an area, and which at a baseline's
accuracy? Validation rows answer both; test rows give the number reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.registry import methods
from dwn_asic.metrics import CORE, TEST, TOTAL, TRAIN, VAL
from dwn_asic.report.result import FrontPoint, Kind, MethodResult, Netlist, Result

__all__ = [
    "EXACT",
    "OURS",
    "OUR_FAMILY",
    "ROUNDING",
    "Area",
    "Candidate",
    "Family",
    "best_within",
    "by_area",
    "candidates",
    "circuit_of",
    "families",
    "front_of",
    "smallest_reaching",
]

Area = Literal["core", "total"]
OURS = "dwn-shrunk"
"""Name of the row of our shrunk circuit."""
EXACT = "dwn"
"""Name of the row of the circuit that it was shrunk from."""
OUR_FAMILY = "ours"
"""Key of the family that the front of our shrunk circuits is."""
ROUNDING = 1e-6
"""Accuracies that differ by less are equal: a front's are kept with six decimals."""


@dataclass(frozen=True)
class Candidate:
    """A circuit that may be chosen.

    Attributes
    ----------
    name
        Of its method, or ``front``.
    core, total
        NAND2-equivalents, two decimals as in a front: equal circuits of two families must compare equal.
    train
        Accuracy on training rows, which decides between equals.
    val
        Accuracy on validation rows, which the choice within an area goes by; for every family alike.
    sure
        Validation accuracy corrected for selection bias, which must reach a baseline's. Of many circuits the
        smallest that does owes that to chance; so of a front's circuits this is the lower of ``val`` and what
        their neighbours lead one to expect. Of a single circuit it is ``val``.
    test
        Accuracy on test rows.
    netlist
        Of a front's circuit that went to one.
    """

    name: str
    core: float
    total: float
    train: float
    val: float
    sure: float
    test: float
    netlist: Netlist | None = None

    @property
    def synthesized(self) -> Candidate:
        """With the netlist's areas, where there is one."""
        if self.netlist is None:
            return self
        core, total = round(self.netlist.core, 2), round(self.netlist.total, 2)
        return replace(self, core=core, total=total)

    def area(self, area: Area) -> float:
        """Core or total."""
        return self.core if area == "core" else self.total


@dataclass(frozen=True)
class Family:
    """Circuits of one method in several sizes.

    Attributes
    ----------
    name
        For people.
    method
        Kind of the method.
    kind
        Of its circuits: ours are shrunk, a baseline's are exact.
    """

    name: str
    method: str
    kind: Kind

    def holds(self, found: MethodResult) -> bool:
        """Whether this row of a result belongs to it."""
        return found.method == self.method and found.kind == self.kind


def families() -> Mapping[str, Family]:
    """Ours, then every method that offers several sizes, by its kind, in the order of tables."""
    ours = Family(f"{OWN.look.name}, shrunk", OWN.kind, "shrunk")
    sized = {kind: Family(each.look.name, kind, "exact") for kind, each in methods().items() if each.sizes}
    return {OUR_FAMILY: ours, **sized}


def candidates(result: Result, family: str) -> list[Candidate]:
    """The circuits of a family on one run, ascending by total area."""
    asked = families()[family]
    found = [c for method in result.methods if asked.holds(method) for c in _of_method(method)]
    return sorted(found, key=by_area)


def by_area(circuit: Candidate) -> tuple[float, float]:
    """Ascending by total area; of equal areas the best comes first."""
    return circuit.total, -circuit.val


def _of_method(method: MethodResult) -> list[Candidate]:
    return front_of(method.front) if method.front else [circuit_of(method)]


def circuit_of(method: MethodResult) -> Candidate:
    """The circuit that a method's row describes."""
    core, total = (round(float(method.metrics[key]), 2) for key in (CORE, TOTAL))
    train, val, test = (float(method.metrics[key]) for key in (TRAIN, VAL, TEST))
    return Candidate(method.name, core, total, train, val, val, test)


def front_of(points: Sequence[FrontPoint]) -> list[Candidate]:
    """The circuits of all sizes that shrink found, in their order."""
    return [
        Candidate(
            "front",
            p.core,
            p.total,
            p.accuracy_train,
            p.accuracy_val,
            min(p.accuracy_val, p.accuracy_expected),
            p.accuracy_test,
            p.netlist,
        )
        for p in points
    ]


def best_within(circuits: Sequence[Candidate], limit: float, area: Area = "total") -> Candidate | None:
    """The best in validation within this area, ties go to the best in training; None if none is so small."""
    fitting = [circuit for circuit in circuits if circuit.area(area) <= limit]
    return max(fitting, key=lambda circuit: (circuit.val, circuit.train, -circuit.area(area)), default=None)


def smallest_reaching(
    circuits: Sequence[Candidate], val: float, area: Area = "total"
) -> tuple[Candidate, bool]:
    """The smallest that is sure of this validation accuracy, and True; where none is, the best, and False."""
    reaching = [circuit for circuit in circuits if circuit.sure > val - ROUNDING]
    if reaching:
        return min(reaching, key=lambda circuit: (circuit.area(area), -circuit.val)), True
    return max(circuits, key=lambda circuit: (circuit.val, circuit.train, -circuit.area(area))), False
