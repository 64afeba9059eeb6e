"""Circuits of a method on one run, and the choice among them: by validation rows alone.

A method that gives circuits of several sizes (a tree by its number of leaves, a Tiny Classifier by its gate
budget, a shrunk DWN by its front) is one family. Two questions are put to every family: which circuit within
an area, and which at a rival's accuracy? Validation rows answer both; test rows give the number reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from dwn_asic.metrics import CORE, TEST, TOTAL, TRAIN, VAL
from dwn_asic.report.result import FrontPoint, MethodResult, Netlist, Result

__all__ = [
    "FAMILIES",
    "OURS",
    "ROUNDING",
    "Area",
    "Candidate",
    "best_within",
    "by_area",
    "candidates",
    "circuit_of",
    "front_of",
    "smallest_reaching",
]

Area = Literal["core", "total"]
OURS = "dwn-shrunk"
"""Name of the method that is our shrunk circuit."""
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
        Validation accuracy without luck, which must reach a rival's. Of many circuits the smallest that does
        is a lucky one; so of a front's circuits this is the lower of ``val`` and what their neighbours lead
        one to expect. Of a single circuit it is ``val``.
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


def _is(method: str) -> Callable[[MethodResult], bool]:
    return lambda found: found.method == method and found.kind == "exact"


FAMILIES: Mapping[str, tuple[str, Callable[[MethodResult], bool]]] = MappingProxyType(
    {
        "ours": ("DWN, shrunk", lambda found: found.method == "dwn" and found.kind == "shrunk"),
        "tree": ("decision tree", _is("decision_tree")),
        "tiny": ("Tiny Classifier", _is("tiny_classifier")),
        "forest": ("random forest", _is("forest")),
    }
)
"""Key -> name, and which methods belong to it."""


def candidates(result: Result, family: str) -> list[Candidate]:
    """The circuits of a family on one run, ascending by total area."""
    belongs = FAMILIES[family][1]
    found = [c for method in result.methods if belongs(method) for c in _of_method(method)]
    return sorted(found, key=by_area)


def by_area(circuit: Candidate) -> tuple[float, float]:
    """Ascending by total area, of equals the best first."""
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
    """The best in validation within this area, of equals the best in training; None if none is so small."""
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
