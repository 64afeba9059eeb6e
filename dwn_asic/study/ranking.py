"""Average ranks over data sets with Friedman's, Nemenyi's and Holm's tests, and a paired bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, norm, rankdata, studentized_range

__all__ = ["Ranking", "bootstrap_interval", "critical_difference", "holm", "ranking"]

_RESAMPLES = 10_000
_LEVEL = 0.05


@dataclass(frozen=True)
class Ranking:
    """Average ranks over data sets; 1 is best.

    Attributes
    ----------
    ranks
        Method -> average rank over data sets.
    p_value
        Friedman test of the hypothesis that all methods are alike.
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
        """Return ``better`` or ``worse`` for each method whose rank differs significantly from the control's.

        There is none unless the Friedman test finds a difference. Holm's step-down test then decides; where
        all are compared with one, it has more power than Nemenyi's test.

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
    """Return the hypotheses that Holm's step-down test rejects, the surest first."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    kept = (n for n, name in enumerate(ordered) if p_values[name] > level / (len(ordered) - n))
    return ordered[: next(kept, len(ordered))]


def _rank_error(methods: int, sets: int) -> float:
    return float(np.sqrt(methods * (methods + 1) / (6.0 * sets)))


def critical_difference(methods: int, sets: int, level: float = _LEVEL) -> float:
    """Return Nemenyi's critical difference of average ranks; Demsar, JMLR 7 (2006), section 3.2.2."""
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
    """Return a 95% interval for the mean over sets of means over seeds.

    Sets are drawn with replacement, then seeds within each.

    Parameters
    ----------
    differences
        Paired differences, an array (seeds,) for each set.
    seed
        Seed of the resampling.
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
