"""The network with one thing changed: what that does to accuracy and area, exact and shrunk."""

from __future__ import annotations

import math

import numpy as np

from dwn_asic.methods.dwn_variant import METHOD as VARIANT
from dwn_asic.metrics import CORE, TEST, TOTAL, VAL
from dwn_asic.report.choice import EXACT, OURS, Candidate, front_of, smallest_reaching
from dwn_asic.report.result import MethodResult
from dwn_asic.study.runs import Run, Study, over_runs
from dwn_asic.study.tables import (
    Cell,
    Table,
    area_ratio,
    geometric_mean,
    mean_spread,
    number,
    ratio,
    standard_error,
    text,
)

__all__ = ["ablation_table"]


def ablation_table(study: Study) -> Table:
    """The flow's network first, then each variant with its difference from it."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    variants = [name for name, m in study.methods.items() if m.method == VARIANT.kind and m.kind != "shrunk"]
    for flow in study.sets:
        base = study.of(flow, EXACT)
        circuits_base, shrunk_base = (_circuits(study, flow, name) for name in (EXACT, OURS))
        wanted = _values(shrunk_base, VAL)
        equal_base = _equal(shrunk_base, wanted)
        for name in (EXACT, *variants):
            every = study.of(flow, name)
            if len(every) != len(base):
                continue
            circuits, shrunk = (_circuits(study, flow, one) for one in (name, f"{name}-shrunk"))
            equal = _equal(shrunk, wanted)
            methods[len(rows)] = (flow, name)
            points = 100.0 * (_values(every, TEST) - _values(base, TEST))
            rows.append(
                [
                    text(flow),
                    text(over_runs(every).label),
                    mean_spread(100.0 * _values(every, TEST), 2),
                    mean_spread(_values(circuits, CORE), 1),
                    mean_spread(_values(circuits, TOTAL), 1),
                    number(None if name == EXACT else float(points.mean()), 2),
                    number(None if name == EXACT else standard_error(points), 2),
                    ratio(_times(_values(circuits, TOTAL), _values(circuits_base, TOTAL))),
                    mean_spread(100.0 * _values(shrunk, TEST), 2),
                    mean_spread(_values(shrunk, TOTAL), 1),
                    *_equal_cells(equal, equal_base),
                ]
            )
    return Table(
        "ablation",
        "Ablations: one thing changed at a time",
        (
            (
                "The first row of a data set is the flow's network; below it, each network differs in what "
                "its name says. Test accuracy in percent, areas in NAND2-equivalents, mean ± standard "
                f"deviation over seeds {study.seed_list}; gain: points of test accuracy "
                "over the first row, paired by seed, and its standard error; area: total over the first "
                "row's, geometric mean. A dash for an area: some seed has no such circuit."
            ),
            (
                "Shrunk: each network through the same annealing; its choice is the smallest within a "
                "point of its front's best in validation, so that accuracy and area move together."
            ),
            (
                "Equal: the smallest circuit of each front that reaches, measured and expected, the "
                "validation accuracy of the first row's choice, or the front's best where none does (last "
                f"column: on how many seeds one does). {_minimization(study)}"
            ),
        ),
        (
            "data set",
            "network",
            "exact test",
            "exact core",
            "exact total",
            "gain",
            "standard error",
            "area",
            "shrunk test",
            "shrunk total",
            "equal test",
            "equal total",
            "equal area",
            "reached",
        ),
        rows,
        methods,
    )


def _minimization(study: Study) -> str:
    """Whether the areas of shrunk and equal circuits are of the same kind."""
    plain = [flow for flow, runs in study.sets.items() if not all(_minimizes_front(run) for run in runs)]
    if not plain:
        return "All circuits are minimized."
    where = "" if len(plain) == len(study.sets) else f" on {', '.join(plain)}"
    return (
        f"Shrunk circuits are minimized, but those of the fronts{where} are mapped as they are "
        "(`shrink.minimize_front` is not set), so compare equal totals with one another only."
    )


def _minimizes_front(run: Run) -> bool:
    shrink = run.result.config.get("shrink")
    return isinstance(shrink, dict) and bool(shrink.get("minimize_front"))


def _circuits(study: Study, flow: str, name: str) -> list[MethodResult]:
    """One for each seed; none at all if it isn't there on every seed, as pairs are compared."""
    found = [method for method in study.of(flow, name) if TOTAL in method.metrics]
    return found if len(found) == len(study.sets[flow]) else []


def _values(methods: list[MethodResult], metric: str) -> np.ndarray:
    return np.array([float(method.metrics[metric]) for method in methods])


def _times(areas: np.ndarray, others: np.ndarray) -> float:
    """Area over that of the first row; nan where either is missing."""
    if len(areas) != len(others):
        return math.nan
    return geometric_mean(area_ratio(area, other) for area, other in zip(areas, others, strict=True))


def _equal(shrunk: list[MethodResult], wanted: np.ndarray) -> list[tuple[Candidate, bool]]:
    """On each seed the smallest of the front that reaches this validation accuracy; none without fronts."""
    if len(shrunk) != len(wanted) or not all(method.front for method in shrunk):
        return []
    return [smallest_reaching(front_of(m.front), val) for m, val in zip(shrunk, wanted.tolist(), strict=True)]


def _equal_cells(found: list[tuple[Candidate, bool]], base: list[tuple[Candidate, bool]]) -> list[Cell]:
    areas, others = (np.array([circuit.total for circuit, _ in each]) for each in (found, base))
    reached = sum(reached for _, reached in found)
    return [
        mean_spread([100.0 * circuit.test for circuit, _ in found], 2),
        mean_spread(areas, 1),
        ratio(_times(areas, others)),
        Cell(f"{reached} of {len(found)}", reached) if found else text("-"),
    ]
