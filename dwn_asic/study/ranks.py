"""The significant differences between methods: ranks over data sets, gains and area ratios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.metrics import TOTAL
from dwn_asic.report.choice import OURS, best_within, candidates, families
from dwn_asic.report.result import MethodResult
from dwn_asic.study.axes import INK
from dwn_asic.study.dots import Panel, Point, Series, dot_plot
from dwn_asic.study.fronts import LARGEST
from dwn_asic.study.ranking import Ranking, bootstrap_interval, ranking
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import SMALLEST, Cell, Drawing, Table, number, text

__all__ = ["Entrant", "Entrants", "alone", "best_of_family", "entrants", "rank_table"]

Measured = tuple[float, float]
"""Test score and total area; nan where there is no circuit."""


@dataclass(frozen=True)
class Entrant:
    """A circuit or classifier that takes part in a ranking.

    Attributes
    ----------
    label
        Name in the table.
    measure
        Returns its test score and area on a run; None where the run lacks it.
    """

    label: str
    measure: Callable[[Run], Measured | None]


Entrants = Mapping[str, Entrant]
"""Entrants by the name of a row, or by the kind of a method whose circuits of all sizes take part as one."""


def alone(method: MethodResult) -> Entrant:
    """Let a row of the results take part by itself."""
    return Entrant(method.label, partial(_of_row, method.name))


def best_of_family(kind: str) -> Entrant:
    """Let the best size of a method take part, as validation rows choose it up to :data:`LARGEST`."""
    return Entrant(f"{families()[kind].name}, best up to {LARGEST:.0f} NAND2", partial(_of_family, kind))


def entrants(study: Study) -> Entrants:
    """Return all methods of a study; one of several sizes takes part once, as the best of them."""
    sizes = Counter(
        kind
        for kind, family in families().items()
        for method in study.methods.values()
        if family.holds(method)
    )
    found: dict[str, Entrant] = {}
    for name, method in study.methods.items():
        if sizes[method.method] > 1:
            found[method.method] = best_of_family(method.method)
        else:
            found[name] = alone(method)
    return found


def _of_row(name: str, run: Run) -> Measured | None:
    method = run.methods.get(name)
    if method is None:
        return None
    return method.test, float(method.metrics.get(TOTAL, np.nan))


def _of_family(kind: str, run: Run) -> Measured | None:
    chosen = best_within(candidates(run.result, kind), LARGEST)
    return None if chosen is None else (chosen.test, chosen.total)


def rank_table(study: Study, taking_part: Entrants | None = None) -> Table:
    """Return the ranks of circuits by score and by area, and paired differences from our shrunk circuit.

    Parameters
    ----------
    study
        Runs that all have ``dwn-shrunk``.
    taking_part
        Methods to rank, ours among them; by default those of :func:`entrants`.
    """
    labels, measured = _measure(study, entrants(study) if taking_part is None else taking_part)
    ours = measured[OURS]
    circuits = {n: sets for n, sets in measured.items() if not all(np.isnan(s[:, 1]).all() for s in sets)}
    mapped = {n: sets for n, sets in circuits.items() if not any(np.isnan(s[:, 1]).all() for s in sets)}
    accuracy = ranking({n: np.array([s[:, 0].mean() for s in sets]) for n, sets in circuits.items()})
    area = ranking({n: -np.array([np.nanmean(s[:, 1]) for s in sets]) for n, sets in mapped.items()})

    def place(name: str) -> tuple[float, float]:
        gain = float(np.mean([s[:, 0].mean() for s in measured[name]]))
        return accuracy.ranks.get(name, np.inf), -gain

    order = sorted(labels, key=place)
    rows = [
        [
            text(labels[name]),
            *_rank_cells(accuracy, name),
            *_gain_cells(name, ours, measured[name]),
            *_rank_cells(area, name),
            *_area_cells(name, ours, mapped.get(name)),
        ]
        for name in order
    ]
    ranked = [name for name in order if name in accuracy.ranks]
    caption = (
        "Average ranks of the circuits over all data sets, 1 is best; a filled mark differs significantly "
        "from our shrunk circuit, a hollow one does not."
    )
    draw = partial(_figure, {name: labels[name] for name in ranked}, accuracy, area, study.score)
    return Table(
        "ranks",
        "Which differences are significant",
        tuple(_notes(study, accuracy, area)),
        (
            "method",
            f"{study.score}: rank",
            f"{study.score}: against ours",
            f"{study.score}: gain (points)",
            f"{study.score}: 95% interval",
            "area: rank",
            "area: against ours",
            "area: ratio",
            "area: 95% interval",
        ),
        rows,
        summary=_verdict(accuracy, area, study.score),
        figures=[Drawing("figures/ranks.svg", caption, draw)],
    )


def _notes(study: Study, accuracy: Ranking, area: Ranking) -> Iterator[str]:
    yield (
        f"Circuits are ranked on each of {len(study.sets)} data sets by mean test {study.score} and by mean "
        "total area; the table shows average ranks, and 1 is best. Software has no rank. A run on which a "
        "method's circuit was not proved in time does not count in its areas; a method without any circuit "
        "on some data set has no rank by area."
    )
    tested = [
        f"p = {found.p_value:.2g} by {what}"
        for what, found in ((study.score, accuracy), ("area", area))
        if not np.isnan(found.p_value)
    ]
    if tested:
        yield f"The Friedman test of the hypothesis that all circuits are alike has {' and '.join(tested)}."
    yield (
        "`against ours` names the ranks that differ significantly from that of our shrunk circuit, the "
        "control: at 5% over all comparisons with it, by Holm's step-down test, where Friedman's finds "
        "any difference. A dash stands for no significant difference. Between any two circuits, Nemenyi's "
        f"test finds a difference from {accuracy.difference:.2f} ranks by {study.score} and "
        f"{area.difference:.2f} by area."
    )
    yield (
        f"The gain is the test {study.score} of our flow's own shrunk circuit minus the other's, mean over "
        "data sets and seeds. The area ratio is the other's total area divided by ours, geometric mean; an "
        "area below one NAND2-equivalent counts as one. Intervals are 95%, from a paired bootstrap over "
        "data sets and over seeds within them, for each baseline by itself: an interval that holds 0 "
        "points, or a ratio of 1, is no evidence of a difference."
    )


def _figure(labels: Mapping[str, str], accuracy: Ranking, area: Ranking, score: str) -> bytes:
    """Draw a row for each circuit, in the order of the table."""
    names = list(labels)

    def panel(heading: str, axis: str, found: Ranking) -> Panel:
        differing = found.differing(OURS)
        points = {name: Point(names.index(name), found.ranks[name]) for name in names if name in found.ranks}
        others = {name: point for name, point in points.items() if name != OURS}
        unlike = [point for name, point in others.items() if name in differing]
        alike = [point for name, point in others.items() if name not in differing]
        return Panel(
            heading,
            axis,
            [
                Series("ours", OWN.look.colour, "D", [points[OURS]], size=8.0, aside=False),
                Series("significantly different from ours", INK, "o", unlike, aside=False),
                Series("no significant difference from ours", INK, "o", alike, filled=False, aside=False),
            ],
            reference=found.ranks[OURS],
        )

    axis = "average rank (1 is {})"
    panels = [
        panel(
            f"Rank by test {score}", axis.format("most accurate" if score == "accuracy" else "best"), accuracy
        ),
        panel("Rank by total area", axis.format("smallest"), area),
    ]
    return dot_plot(list(labels.values()), panels)


def _measure(
    study: Study, taking_part: Entrants
) -> tuple[dict[str, str], dict[str, list[NDArray[np.float64]]]]:
    """Measure the entrants that all runs have: labels, and (seeds, 2) accuracies and areas on each set."""
    labels, measured = {}, {}
    for name, entrant in taking_part.items():
        sets = [[entrant.measure(run) for run in runs] for runs in study.sets.values()]
        if all(found is not None for runs in sets for found in runs):
            labels[name] = entrant.label
            measured[name] = [np.array(runs, float) for runs in sets]
    return labels, measured


def _rank_cells(found: Ranking, name: str) -> list[Cell]:
    """Return the rank, and whether it differs from ours."""
    if name not in found.ranks:
        return [number(None, 2), text("")]
    verdict = "control" if name == OURS else found.differing(OURS).get(name, "-")
    return [number(found.ranks[name], 2), text(verdict)]


def _verdict(accuracy: Ranking, area: Ranking, score: str) -> str:
    """Count the circuits that differ significantly from ours, in each direction."""
    verdicts = [list(found.differing(OURS).values()) for found in (accuracy, area)]
    (more, less), (smaller, larger) = (
        (found.count("better") or "none", found.count("worse") or "none") for found in verdicts
    )
    above, below = (
        ("more accurate", "less accurate") if score == "accuracy" else (f"better by {score}", "worse")
    )
    return (
        f"Among {len(accuracy.ranks) - 1} other circuits, significantly {above} than our shrunk "
        f"circuit: {more}, {below}: {less}; significantly smaller: {smaller}, larger: {larger}."
    )


def _gain_cells(
    name: str, ours: list[NDArray[np.float64]], sets: list[NDArray[np.float64]]
) -> tuple[Cell, Cell]:
    """Return the points of accuracy, ours minus the other's, and their interval."""
    if name == OURS:
        return number(None, 2), text("")
    gains = [100.0 * (mine[:, 0] - other[:, 0]) for mine, other in zip(ours, sets, strict=True)]
    low, high = bootstrap_interval(gains)
    return number(float(np.mean([g.mean() for g in gains])), 2), text(f"{low:.2f} to {high:.2f}")


def _area_cells(
    name: str, ours: list[NDArray[np.float64]], sets: list[NDArray[np.float64]] | None
) -> tuple[Cell, Cell]:
    """Return the other's area over ours, and its interval."""
    if name == OURS or sets is None:
        return number(None, 2), text("")
    logs = [_log_ratios(other[:, 1], mine[:, 1]) for mine, other in zip(ours, sets, strict=True)]
    least, most = np.exp(bootstrap_interval(logs))
    return number(float(np.exp(np.mean([g.mean() for g in logs]))), 2), text(f"{least:.2f} to {most:.2f}")


def _log_ratios(other: NDArray[np.float64], ours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the other's area over ours, for the runs in which it has an area."""
    there = ~np.isnan(other)
    ratios: NDArray[np.float64] = np.log(np.maximum(other, SMALLEST) / np.maximum(ours, SMALLEST))[there]
    return ratios
