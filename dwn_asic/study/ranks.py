"""Which differences between methods are significant: average ranks over data sets, and paired bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from dwn_asic.study.choice import best_within, candidates
from dwn_asic.study.fronts import LARGEST
from dwn_asic.study.headline import HEADLINE_RIVALS
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import SMALLEST, Cell, Table, number, text
from dwn_asic.synth.metrics import TEST, TOTAL

__all__ = ["Ranking", "bootstrap_interval", "critical_difference", "rank_table", "ranking"]

_RESAMPLES = 10_000
_LEVEL = 0.05
_OURS = "dwn-shrunk"

Measured = tuple[float, float]
"""Test accuracy and total area; nan where there is no circuit."""


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
        Nemenyi's critical difference at 5%: two methods whose ranks differ by less can't be told apart.
    """

    ranks: Mapping[str, float]
    p_value: float
    difference: float


def critical_difference(methods: int, sets: int, level: float = _LEVEL) -> float:
    """Of average ranks, by Nemenyi's test; Demsar, JMLR 7 (2006), section 3.2.2."""
    q = float(studentized_range.isf(level, methods, np.inf)) / np.sqrt(2.0)
    return q * float(np.sqrt(methods * (methods + 1) / (6.0 * sets)))


def ranking(scores: Mapping[str, NDArray[np.float64]]) -> Ranking:
    """Rank methods by (sets,) scores, of which higher is better; equal scores share their ranks."""
    names = list(scores)
    table = np.array([scores[name] for name in names]).T
    ranks = np.array([rankdata(-row) for row in table])
    alike = len(names) < 3 or len(table) < 2 or bool(np.all(ranks == ranks[:, :1]))
    p_value = float("nan") if alike else float(friedmanchisquare(*table.T).pvalue)
    average = dict(zip(names, ranks.mean(axis=0).tolist(), strict=True))
    return Ranking(average, p_value, critical_difference(len(names), len(table)))


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


def _entries(study: Study) -> dict[str, tuple[str, Callable[[Run], Measured | None]]]:
    """What takes part: methods that give one circuit, and trees by their validation accuracy."""
    found: dict[str, tuple[str, Callable[[Run], Measured | None]]] = {}
    for name, method in study.methods.items():
        if method.method not in {"decision_tree", "tiny_classifier"} or name in HEADLINE_RIVALS:
            found[name] = (method.label, partial(_of_method, name))
        elif method.method == "decision_tree":
            found["tree"] = (f"decision tree, best up to {LARGEST:.0f} NAND2", _tree)
    return found


def _of_method(name: str, run: Run) -> Measured | None:
    method = run.methods.get(name)
    if method is None:
        return None
    metrics = method.metrics
    return float(metrics[TEST]), float(metrics.get(TOTAL, np.nan))


def _tree(run: Run) -> Measured | None:
    chosen = best_within(candidates(run.result, "tree"), LARGEST)
    return None if chosen is None else (chosen.test, chosen.total)


def rank_table(study: Study) -> Table:
    """Ranks by accuracy and by area, and the paired differences from our shrunk circuit."""
    measured: dict[str, list[NDArray[np.float64]]] = {}
    labels = {}
    for name, (label, measure) in _entries(study).items():
        sets = [[measure(run) for run in runs] for runs in study.sets.values()]
        if all(found is not None for runs in sets for found in runs):
            labels[name] = label
            measured[name] = [np.array(runs, float) for runs in sets]
    accuracy = ranking({n: np.array([s[:, 0].mean() for s in sets]) for n, sets in measured.items()})
    mapped = {n: sets for n, sets in measured.items() if not any(np.isnan(s[:, 1]).all() for s in sets)}
    area = ranking({n: -np.array([np.nanmean(s[:, 1]) for s in sets]) for n, sets in mapped.items()})
    rows: list[list[Cell]] = []
    for name in sorted(labels, key=lambda name: accuracy.ranks[name]):
        pairs = list(zip(measured[_OURS], measured[name], strict=True))
        gains = [100.0 * (ours[:, 0] - rival[:, 0]) for ours, rival in pairs]
        row = [text(labels[name]), number(accuracy.ranks[name], 2), number(area.ranks.get(name), 2)]
        if name == _OURS:
            rows.append([*row, *[text("")] * 4])
            continue
        low, high = bootstrap_interval(gains)
        row += [number(float(np.mean([g.mean() for g in gains])), 2), text(f"{low:.2f} to {high:.2f}")]
        if name in mapped:
            logs = [_log_ratios(rival[:, 1], ours[:, 1]) for ours, rival in pairs]
            least, most = np.exp(bootstrap_interval(logs))
            row += [
                number(float(np.exp(np.mean([g.mean() for g in logs]))), 2),
                text(f"{least:.2f} to {most:.2f}"),
            ]
        else:
            row += [text("-"), text("-")]
        rows.append(row)
    return Table(
        "ranks",
        "Which differences are significant",
        (
            (
                f"Average ranks over {len(study.sets)} data sets of mean test accuracy, and of mean total "
                "area; 1 is best. Runs in which a method's circuit was not proved in time don't count in its "
                "areas; a method without any on some data set has no rank. Friedman test, p: accuracy "
                f"{accuracy.p_value:.2g}, area {area.p_value:.2g}. By Nemenyi's test at 5%, ranks of "
                f"accuracy tell two methods apart from a difference of {accuracy.difference:.2f}, ranks of "
                f"area from {area.difference:.2f}."
            ),
            (
                "Gain: points of test accuracy, the flow's own shrunk circuit less the other, mean over "
                "data sets and seeds; times: area of the other over ours, geometric mean, circuits below "
                "one NAND2-equivalent counting as one. Intervals: 95%, paired bootstrap over data sets and "
                "seeds within them; one that holds 0 points, or 1 times, is no evidence of a difference."
            ),
        ),
        ("method", "rank accuracy", "rank area", "gain", "gain interval", "times", "times interval"),
        rows,
    )


def _log_ratios(rival: NDArray[np.float64], ours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of areas, for the runs in which the rival has one."""
    there = ~np.isnan(rival)
    ratios: NDArray[np.float64] = np.log(np.maximum(rival, SMALLEST) / np.maximum(ours, SMALLEST))[there]
    return ratios
