"""Which differences between methods are significant: average ranks over data sets, and paired bootstrap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, norm, rankdata, studentized_range

from dwn_asic.metrics import TEST, TOTAL
from dwn_asic.report.choice import OURS, best_within, candidates, families
from dwn_asic.report.result import MethodResult
from dwn_asic.study.fronts import LARGEST
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import SMALLEST, Cell, Table, number, text

__all__ = [
    "Entrant",
    "Entrants",
    "Ranking",
    "alone",
    "best_of_family",
    "bootstrap_interval",
    "critical_difference",
    "entrants",
    "holm",
    "rank_table",
    "ranking",
]

_RESAMPLES = 10_000
_LEVEL = 0.05

Measured = tuple[float, float]
"""Test accuracy and total area; nan where there is no circuit."""


@dataclass(frozen=True)
class Entrant:
    """What takes part in a ranking.

    Attributes
    ----------
    label
        In the table.
    measure
        Its accuracy and area on a run; None where it is not there.
    """

    label: str
    measure: Callable[[Run], Measured | None]


Entrants = Mapping[str, Entrant]
"""By key: the name of a row, or the kind of a method whose circuits of all sizes take part as one."""


@dataclass(frozen=True)
class Ranking:
    """Average ranks, 1 is best.

    Attributes
    ----------
    ranks
        Method -> average rank over data sets.
    p_value
        Of the Friedman test: that all methods are alike.
    difference
        Nemenyi's critical difference at 5%: two methods whose ranks differ by less can't be told apart when
        every pair is compared.
    error
        Standard error of the difference between two average ranks of methods that are alike.
    """

    ranks: Mapping[str, float]
    p_value: float
    difference: float
    error: float

    def differing(self, control: str, level: float = _LEVEL) -> dict[str, str]:
        """``better`` or ``worse`` of each method whose rank differs significantly from the control's.

        None does where the Friedman test finds nothing; then Holm's step-down decides, which has more power
        than Nemenyi's test where all are compared with one.

        References
        ----------
        Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006), 3.2.2.
        """
        if not self.p_value <= level:
            return {}
        z = {n: (rank - self.ranks[control]) / self.error for n, rank in self.ranks.items() if n != control}
        found = holm({name: 2.0 * float(norm.sf(abs(value))) for name, value in z.items()}, level)
        return {name: "worse" if z[name] > 0 else "better" for name in found}


def holm(p_values: Mapping[str, float], level: float = _LEVEL) -> list[str]:
    """The hypotheses that Holm's step-down rejects, the surest first."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    kept = (n for n, name in enumerate(ordered) if p_values[name] > level / (len(ordered) - n))
    return ordered[: next(kept, len(ordered))]


def _rank_error(methods: int, sets: int) -> float:
    return float(np.sqrt(methods * (methods + 1) / (6.0 * sets)))


def critical_difference(methods: int, sets: int, level: float = _LEVEL) -> float:
    """Of average ranks, by Nemenyi's test; Demsar, JMLR 7 (2006), section 3.2.2."""
    q = float(studentized_range.isf(level, methods, np.inf)) / np.sqrt(2.0)
    return float(q) * _rank_error(methods, sets)


def ranking(scores: Mapping[str, NDArray[np.float64]]) -> Ranking:
    """Rank methods by (sets,) scores, of which higher is better; equal scores share their ranks."""
    names = list(scores)
    table = np.array([scores[name] for name in names]).T
    ranks = np.array([rankdata(-row) for row in table])
    alike = len(names) < 3 or len(table) < 2 or bool(np.all(ranks == ranks[:, :1]))
    p_value = float("nan") if alike else float(friedmanchisquare(*table.T).pvalue)
    average = dict(zip(names, ranks.mean(axis=0).tolist(), strict=True))
    size = len(names), len(table)
    return Ranking(average, p_value, critical_difference(*size), _rank_error(*size))


def bootstrap_interval(differences: list[NDArray[np.float64]], seed: int = 0) -> tuple[float, float]:
    """95% interval of the mean over sets of means over seeds; sets are drawn anew, then seeds within each.

    Parameters
    ----------
    differences
        Of each set, (seeds,) paired differences.
    seed
        Of the resampling.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        values[rng.integers(0, len(values), (_RESAMPLES, len(differences), len(values)))].mean(axis=2)
        for values in differences
    ]
    means = np.stack(drawn)  # [set, resample, place in the resample]
    sets = rng.integers(0, len(differences), (_RESAMPLES, len(differences)))
    rows, places = np.arange(_RESAMPLES)[:, None], np.arange(len(differences))[None, :]
    found = means[sets, rows, places].mean(axis=1)
    low, high = np.quantile(found, [_LEVEL / 2, 1 - _LEVEL / 2])
    return float(low), float(high)


def alone(method: MethodResult) -> Entrant:
    """A row of the results by itself."""
    return Entrant(method.label, partial(_of_row, method.name))


def best_of_family(kind: str) -> Entrant:
    """Of all sizes of a method the one that validation rows choose, up to :data:`LARGEST`."""
    return Entrant(f"{families()[kind].name}, best up to {LARGEST:.0f} NAND2", partial(_of_family, kind))


def entrants(study: Study) -> Entrants:
    """All that a study has; a method of several sizes takes part once, as the best of them."""
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
    metrics = method.metrics
    return float(metrics[TEST]), float(metrics.get(TOTAL, np.nan))


def _of_family(kind: str, run: Run) -> Measured | None:
    chosen = best_within(candidates(run.result, kind), LARGEST)
    return None if chosen is None else (chosen.test, chosen.total)


def rank_table(study: Study, taking_part: Entrants | None = None) -> Table:
    """Ranks of circuits by accuracy and by area, and the paired differences from our shrunk circuit.

    Parameters
    ----------
    study
        Runs that all have ``dwn-shrunk``.
    taking_part
        Ours among them; without it those of :func:`entrants`.
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

    rows = [
        [
            text(labels[name]),
            *_rank_cells(accuracy, name),
            *_rank_cells(area, name),
            *_gain_cells(name, ours, measured[name]),
            *_area_cells(name, ours, mapped.get(name)),
        ]
        for name in sorted(labels, key=place)
    ]
    return Table(
        "ranks",
        "Which differences are significant",
        (
            (
                f"Average ranks of circuits over {len(study.sets)} data sets, of mean test accuracy and of "
                "mean total area; 1 is best. Software has no rank. Runs in which a method's circuit was not "
                "proved in time don't count in its areas; a method without any on some data set has no rank "
                f"of area. Friedman test, p: accuracy {accuracy.p_value:.2g}, area {area.p_value:.2g}."
            ),
            (
                "Vs ours: ranks that differ significantly from our shrunk circuit's, the control, at 5% over "
                "all comparisons with it, by Holm's step-down test where Friedman's finds any difference; a "
                "dash is no significant difference. "
                f"{_verdict('accuracy', accuracy, labels)} {_verdict('area', area, labels)} Between any two "
                "methods, Nemenyi's test finds a difference from "
                f"{accuracy.difference:.2f} ranks of accuracy and {area.difference:.2f} of area."
            ),
            (
                "Gain: points of test accuracy, the flow's own shrunk circuit less the other, mean over "
                "data sets and seeds; times: area of the other over ours, geometric mean, circuits below "
                "one NAND2-equivalent counting as one. Intervals: 95%, paired bootstrap over data sets and "
                "seeds within them, each baseline by itself; one that holds 0 points, or 1 times, is no "
                "evidence of a difference."
            ),
        ),
        (
            "method",
            "rank accuracy",
            "accuracy vs ours",
            "rank area",
            "area vs ours",
            "gain",
            "gain interval",
            "times",
            "times interval",
        ),
        rows,
    )


def _measure(
    study: Study, taking_part: Entrants
) -> tuple[dict[str, str], dict[str, list[NDArray[np.float64]]]]:
    """Of each entrant that all runs have its label, and of each set (seeds, 2) accuracies and areas."""
    labels, measured = {}, {}
    for name, entrant in taking_part.items():
        sets = [[entrant.measure(run) for run in runs] for runs in study.sets.values()]
        if all(found is not None for runs in sets for found in runs):
            labels[name] = entrant.label
            measured[name] = [np.array(runs, float) for runs in sets]
    return labels, measured


def _rank_cells(found: Ranking, name: str) -> list[Cell]:
    """Rank, and whether it differs from ours."""
    if name not in found.ranks:
        return [number(None, 2), text("")]
    verdict = "control" if name == OURS else found.differing(OURS).get(name, "-")
    return [number(found.ranks[name], 2), text(verdict)]


def _verdict(what: str, found: Ranking, labels: Mapping[str, str]) -> str:
    """What is significant, and whether anything is not."""
    differing = found.differing(OURS)
    better, worse = (
        "; ".join(labels[name] for name in found.ranks if differing.get(name) == verdict) or "none"
        for verdict in ("better", "worse")
    )
    rest = " The others can't be told apart from ours." if len(differing) < len(found.ranks) - 1 else ""
    return f"In {what}, significantly better than ours: {better}. Significantly worse: {worse}.{rest}"


def _gain_cells(
    name: str, ours: list[NDArray[np.float64]], sets: list[NDArray[np.float64]]
) -> tuple[Cell, Cell]:
    """Points of accuracy, ours less the other's, and their interval."""
    if name == OURS:
        return number(None, 2), text("")
    gains = [100.0 * (mine[:, 0] - other[:, 0]) for mine, other in zip(ours, sets, strict=True)]
    low, high = bootstrap_interval(gains)
    return number(float(np.mean([g.mean() for g in gains])), 2), text(f"{low:.2f} to {high:.2f}")


def _area_cells(
    name: str, ours: list[NDArray[np.float64]], sets: list[NDArray[np.float64]] | None
) -> tuple[Cell, Cell]:
    """Area of the other over ours, and its interval."""
    if name == OURS or sets is None:
        return number(None, 2), text("")
    logs = [_log_ratios(other[:, 1], mine[:, 1]) for mine, other in zip(ours, sets, strict=True)]
    least, most = np.exp(bootstrap_interval(logs))
    return number(float(np.exp(np.mean([g.mean() for g in logs]))), 2), text(f"{least:.2f} to {most:.2f}")


def _log_ratios(other: NDArray[np.float64], ours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of areas, for the runs in which the other has one."""
    there = ~np.isnan(other)
    ratios: NDArray[np.float64] = np.log(np.maximum(other, SMALLEST) / np.maximum(ours, SMALLEST))[there]
    return ratios
