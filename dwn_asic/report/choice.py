"""Circuits of a method on one run, and the choice among them: by validation rows alone.

A method that offers circuits of several sizes (a tree by its number of leaves, a shrunk DWN by its front) is
one family. Two questions are put to every family: which circuit within an area, and which at a baseline's
accuracy? Validation rows answer both; the number reported is that of the test rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.registry import methods
from dwn_asic.metrics import TEST
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
"""Name of our shrunk circuit's row."""
EXACT = "dwn"
"""Name of the row of the exact circuit that it was shrunk from."""
OUR_FAMILY = "ours"
"""Key of the family of our shrunk circuits, the front."""
ROUNDING = 1e-6
"""Scores that differ by less are equal: fronts keep them with six decimals."""


@dataclass(frozen=True)
class Candidate:
    """A circuit that may be chosen.

    Attributes
    ----------
    name
        Name of its method, or ``front``.
    core, total
        Units of the target, two decimals as in a front: equal circuits of two families must compare equal.
    train
        Score by the objective on training rows, which decides ties.
    val
        Score on validation rows, which decides the choice within an area, for every family alike.
    sure
        Validation score corrected for selection bias, which must reach a baseline's. Among many circuits,
        the smallest that reaches it owes that to chance; so for circuits of a front this is the lower of
        ``val`` and what their neighbours lead one to expect. For a single circuit it is ``val``.
    test
        Score on test rows.
    accuracy
        Accuracy on test rows, which is the same if the objective is accuracy.
    netlist
        Netlist of a front's circuit that was synthesized; None for others.
    measured
        All metrics of the implemented circuit; empty for a front's circuit that was not synthesized.
    """

    name: str
    core: float
    total: float
    train: float
    val: float
    sure: float
    test: float
    accuracy: float
    netlist: Netlist | None = None
    measured: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def synthesized(self) -> Candidate:
        """The circuit with the netlist's areas, where there is one."""
        if self.netlist is None:
            return self
        core, total = round(self.netlist.core, 2), round(self.netlist.total, 2)
        return replace(self, core=core, total=total)

    def area(self, area: Area) -> float:
        """Return the core or the total area."""
        return self.core if area == "core" else self.total


@dataclass(frozen=True)
class Family:
    """Circuits of one method in several sizes.

    Attributes
    ----------
    name
        Name in tables and figures.
    method
        Kind of the method.
    kind
        Kind of its circuits: ours are shrunk, a baseline's are exact.
    """

    name: str
    method: str
    kind: Kind

    def holds(self, found: MethodResult) -> bool:
        """Return whether this row of a result belongs to the family."""
        return found.method == self.method and found.kind == self.kind


def families() -> Mapping[str, Family]:
    """Return our family, then that of every method that offers several sizes, in the order of tables."""
    ours = Family(f"{OWN.look.name}, shrunk", OWN.kind, "shrunk")
    sized = {kind: Family(each.look.name, kind, "exact") for kind, each in methods().items() if each.sizes}
    return {OUR_FAMILY: ours, **sized}


def candidates(result: Result, family: str) -> list[Candidate]:
    """Return the circuits of a family on one run, ascending by total area."""
    asked = families()[family]
    found = [c for method in result.methods if asked.holds(method) for c in _of_method(method)]
    return sorted(found, key=by_area)


def by_area(circuit: Candidate) -> tuple[float, float]:
    """Return the key that sorts by total area; among equal areas the most accurate comes first."""
    return circuit.total, -circuit.val


def _of_method(method: MethodResult) -> list[Candidate]:
    return front_of(method.front) if method.front else [circuit_of(method)]


def circuit_of(method: MethodResult) -> Candidate:
    """Return the circuit that a method's row describes; raises ValueError for software."""
    core, total = method.core, method.total
    if core is None or total is None:
        raise ValueError(f"method {method.name} has no circuit")
    core, total, val = round(float(core), 2), round(float(total), 2), method.val
    accuracy = float(method.metrics[TEST])
    scores = (method.train, val, val, method.test, accuracy)
    return Candidate(method.name, core, total, *scores, measured=method.metrics)


def front_of(points: Sequence[FrontPoint]) -> list[Candidate]:
    """Return the circuits of all sizes that shrink found, in their order."""
    return [
        Candidate(
            "front",
            p.core,
            p.total,
            p.train,
            p.val,
            min(p.val, p.expected),
            p.test,
            p.accuracy,
            p.netlist,
            p.netlist.metrics if p.netlist else {},
        )
        for p in points
    ]


def best_within(circuits: Sequence[Candidate], limit: float, area: Area = "total") -> Candidate | None:
    """Return the best in validation within this area, or None; ties go to the best in training."""
    fitting = [circuit for circuit in circuits if circuit.area(area) <= limit]
    return max(fitting, key=lambda circuit: (circuit.val, circuit.train, -circuit.area(area)), default=None)


def smallest_reaching(
    circuits: Sequence[Candidate], val: float, area: Area = "total"
) -> tuple[Candidate, bool]:
    """Return the smallest that is sure of this validation score, and True; else the best, and False."""
    reaching = [circuit for circuit in circuits if circuit.sure > val - ROUNDING]
    if reaching:
        return min(reaching, key=lambda circuit: (circuit.area(area), -circuit.val)), True
    return max(circuits, key=lambda circuit: (circuit.val, circuit.train, -circuit.area(area))), False
