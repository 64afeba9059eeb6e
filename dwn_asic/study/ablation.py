"""The network with one thing changed: what that does to accuracy and area, exact and shrunk."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dwn_asic.methods.dwn_variant import METHOD as VARIANT
from dwn_asic.metrics import CORE, TOTAL
from dwn_asic.report.choice import EXACT, OURS, Candidate, front_of, smallest_reaching
from dwn_asic.report.result import MethodResult
from dwn_asic.study.dots import Panel, Point, Series, dot_plot
from dwn_asic.study.runs import Run, Study, over_runs
from dwn_asic.study.tables import (
    Cell,
    Drawing,
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

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which colour-blind readers can tell apart: a colour for each data set."""
_MARKERS = "osD^vPX"


@dataclass(frozen=True)
class _Effect:
    """Effect of one changed network on a data set; nan where a circuit is missing."""

    flow: str
    network: str
    gain: float
    error: float
    exact_ratio: float
    equal_ratio: float


def ablation_table(study: Study) -> Table:
    """Return the flow's network first, then each variant with its difference from it."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    effects: list[_Effect] = []
    variants = [name for name, m in study.methods.items() if m.method == VARIANT.kind and m.kind != "shrunk"]
    for flow in study.sets:
        base = study.of(flow, EXACT)
        circuits_base, shrunk_base = (_circuits(study, flow, name) for name in (EXACT, OURS))
        wanted = np.array([method.val for method in shrunk_base])
        equal_base = _equal(shrunk_base, wanted)
        for name in (EXACT, *variants):
            every = study.of(flow, name)
            if len(every) != len(base):
                continue
            circuits, shrunk = (_circuits(study, flow, one) for one in (name, f"{name}-shrunk"))
            equal = _equal(shrunk, wanted)
            methods[len(rows)] = (flow, name)
            points = 100.0 * (_tests(every) - _tests(base))
            effect = _Effect(
                flow,
                over_runs(every).label,
                math.nan if name == EXACT else float(points.mean()),
                math.nan if name == EXACT else standard_error(points),
                _times(_values(circuits, TOTAL), _values(circuits_base, TOTAL)),
                _times(_totals(equal), _totals(equal_base)),
            )
            if name != EXACT:
                effects.append(effect)
            reached = sum(reached for _, reached in equal)
            rows.append(
                [
                    text(flow),
                    text(effect.network),
                    mean_spread(100.0 * _tests(every), 2),
                    mean_spread(_values(circuits, CORE), 1),
                    mean_spread(_values(circuits, TOTAL), 1),
                    number(effect.gain, 2),
                    number(effect.error, 2),
                    ratio(effect.exact_ratio),
                    mean_spread(100.0 * _tests(shrunk), 2),
                    mean_spread(_values(shrunk, TOTAL), 1),
                    mean_spread([100.0 * circuit.test for circuit, _ in equal], 2),
                    mean_spread(_totals(equal), 1),
                    ratio(effect.equal_ratio),
                    Cell(f"{reached} of {len(equal)}", reached) if equal else text("-"),
                ]
            )
    caption = (
        f"Each network against the flow's own (line): test {study.score} gained and area of the exact "
        f"circuits, and area of the shrunk circuits at equal validation {study.score}."
    )
    return Table(
        "ablation",
        "Ablations: one thing changed at a time",
        (
            (
                "The first row of a data set is the flow's own network; every other network differs from "
                f"it in what its name says. Test {study.scores} are in percent, areas in NAND2-equivalents: "
                f"{study.averaging}. The gain is the test {study.score} minus the first row's, paired by "
                "seed, with its standard error. Area ratios are totals divided by the first row's, as "
                "geometric means. A dash in place of an area means that some seed has no such circuit."
            ),
            (
                "Shrunk: every network goes through the same annealing. The choice is the smallest circuit "
                "of the front whose errors on validation rows are within the flow's tolerance of the fewest, "
                f"so {study.score} and area move together."
            ),
            (
                f"Equal accuracy: the smallest circuit of each front whose validation {study.score}, both "
                "measured and corrected for selection bias, is at least that of the first row's choice; "
                "where none is, the front's best stands. `reached` says on how many seeds one is. "
                f"{_minimization(study)}"
            ),
        ),
        (
            "data set",
            "network",
            f"exact: {study.test}",
            "exact: core (NAND2)",
            "exact: total (NAND2)",
            "exact: gain (points)",
            "exact: standard error",
            "exact: area ratio",
            f"shrunk: {study.test}",
            "shrunk: total (NAND2)",
            f"equal accuracy: {study.test}",
            "equal accuracy: total (NAND2)",
            "equal accuracy: area ratio",
            "reached",
        ),
        rows,
        methods,
        figures=[Drawing("figures/ablation.svg", caption, partial(_figure, effects, study.score))]
        if effects
        else (),
    )


def _figure(effects: Sequence[_Effect], score: str) -> bytes:
    """Draw a row for each network and a colour for each data set."""
    networks = list(dict.fromkeys(effect.network for effect in effects))
    flows = list(dict.fromkeys(effect.flow for effect in effects))

    def series(of: Callable[[_Effect], tuple[float, float]]) -> list[Series]:
        found = []
        for flow, colour, marker in zip(
            flows, itertools.cycle(_COLOURS), itertools.cycle(_MARKERS), strict=False
        ):
            points = [Point(networks.index(e.network), *of(e)) for e in effects if e.flow == flow]
            known = [point for point in points if math.isfinite(point.value)]
            found.append(Series(flow, colour, marker, known))
        return found

    points = f"points of test {score} gained"
    times = "times the total area of the flow's own"
    panels = [
        Panel(f"Exact: {score}", points, series(lambda e: (e.gain, e.error)), reference=0.0),
        Panel("Exact: area", times, series(lambda e: (e.exact_ratio, 0.0)), log=True, reference=1.0),
        Panel("Equal accuracy: area", times, series(lambda e: (e.equal_ratio, 0.0)), log=True, reference=1.0),
    ]
    return dot_plot(networks, [panel for panel in panels if any(each.points for each in panel.series)])


def _minimization(study: Study) -> str:
    """Say whether areas of shrunk circuits and of those at equal accuracy can be compared."""
    plain = [flow for flow, runs in study.sets.items() if not all(_minimizes_front(run) for run in runs)]
    if not plain:
        return "All circuits are minimized."
    where = "" if len(plain) == len(study.sets) else f" on {', '.join(plain)}"
    return (
        f"Shrunk circuits are minimized, but those of the fronts{where} are mapped as they are "
        "(`shrink.minimize_front` is not set), so compare totals at equal accuracy only with one another."
    )


def _minimizes_front(run: Run) -> bool:
    shrink = run.result.config.get("shrink")
    return isinstance(shrink, dict) and bool(shrink.get("minimize_front"))


def _circuits(study: Study, flow: str, name: str) -> list[MethodResult]:
    """Return a result for each seed; none at all where a seed lacks it, as pairs are compared."""
    found = [method for method in study.of(flow, name) if TOTAL in method.metrics]
    return found if len(found) == len(study.sets[flow]) else []


def _tests(methods: list[MethodResult]) -> np.ndarray:
    return np.array([method.test for method in methods])


def _values(methods: list[MethodResult], metric: str) -> np.ndarray:
    return np.array([float(method.metrics[metric]) for method in methods])


def _times(areas: np.ndarray, others: np.ndarray) -> float:
    """Return the geometric mean of the areas over the first row's; nan where either is missing."""
    if len(areas) != len(others):
        return math.nan
    return geometric_mean(area_ratio(area, other) for area, other in zip(areas, others, strict=True))


def _equal(shrunk: list[MethodResult], wanted: np.ndarray) -> list[tuple[Candidate, bool]]:
    """Return each seed's smallest circuit that reaches its validation accuracy; none without fronts."""
    if len(shrunk) != len(wanted) or not all(method.front for method in shrunk):
        return []
    return [smallest_reaching(front_of(m.front), val) for m, val in zip(shrunk, wanted.tolist(), strict=True)]


def _totals(equal: list[tuple[Candidate, bool]]) -> np.ndarray:
    return np.array([circuit.total for circuit, _ in equal])
