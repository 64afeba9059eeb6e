"""Delay and energy at equal accuracy: the baselines that the flows match, against our circuits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.registry import methods
from dwn_asic.study.equal_accuracy import Comparison, comparison
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Cell, Table, geometric_mean, number, ratio, text
from dwn_asic.targets.asic.signoff.metrics import DELAY, EDP, ENERGY

__all__ = ["energy_tables", "matched", "over_baselines"]


def matched(study: Study, kind: str) -> dict[str, Comparison]:
    """Compare ours with the baselines of a method that every flow matches, by the name of each.

    Our circuits of their validation score are implemented, so that delay and energy are measured. There is
    nothing to compare if no data set has a ratio for any of them.
    """
    named = [run.result.config.get("match") for run in study.runs]
    names = [
        name
        for name, method in study.methods.items()
        if method.method == kind and all(isinstance(each, list | tuple) and name in each for each in named)
    ]
    found = {name: comparison(study, name) for name in names}
    return found if any(compared.measured.matches for compared in found.values()) else {}


def over_baselines(each: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return, for each data set, the geometric mean over the baselines that have a ratio there.

    Parameters
    ----------
    each
        Data set -> ratio, for each baseline.
    """
    every: dict[str, list[float]] = {}
    for ratios in each:
        for flow, value in ratios.items():
            every.setdefault(flow, []).append(value)
    return {flow: geometric_mean(values) for flow, values in every.items()}


def energy_tables(study: Study) -> list[Table]:
    """Return how many times ours each matched baseline's area, delay, energy and energy-delay product is.

    There is no table if the flows match no baseline, or their target measures no energy.
    """
    rows: list[list[Cell]] = []
    sums: list[str] = []
    for kind, found in _of_methods(study):
        rows += [_row(study, study.methods[name].label, [compared]) for name, compared in found.items()]
        if len(found) > 1:
            rows.append(_row(study, f"{methods()[kind].look.name}, mean of these", [*found.values()]))
        energy, product = (_mean(found.values(), metric).shown for metric in (ENERGY, EDP))
        sums.append(f"{methods()[kind].look.name} {energy} and {product}")
    if not rows:
        return []
    table = Table(
        "energy",
        "Energy and delay at equal accuracy",
        (
            (
                "The baselines are those that the flow's `match` names. Our circuit is the smallest of the "
                f"front whose validation {study.score} is at least theirs; where none is, our best circuit "
                "stands. Both are implemented whole, with their encoders, in the same cells, and read the "
                "same test rows in their order."
            ),
            (
                "The delay is that of the critical path. The energy of an inference is that of the "
                "transitions from row to row, and of leakage during the delay. The energy-delay product is "
                "energy times delay."
            ),
            (
                "A ratio is the baseline's value divided by ours: the geometric mean over the seeds of each "
                "data set, then over data sets. A circuit without gates has neither delay nor energy; where "
                "either circuit is without gates on some seed, the data set has no ratio and is named in the "
                "last column."
            ),
        ),
        (
            "baseline",
            "ratio: total area",
            "ratio: delay",
            "ratio: energy",
            "ratio: energy-delay product",
            "data sets",
            "without a ratio",
        ),
        rows,
        summary=f"Energy of an inference and energy-delay product, divided by ours: {'; '.join(sums)}.",
    )
    return [table]


def _of_methods(study: Study) -> Iterator[tuple[str, dict[str, Comparison]]]:
    """Yield the kind of each method that has matched baselines, and their comparisons."""
    for kind in methods():
        if kind != OWN.kind and (found := matched(study, kind)):
            yield kind, found


def _mean(compared: Iterable[Comparison], metric: str) -> Cell:
    ratios = over_baselines(found.ratios(metric) for found in compared)
    return ratio(geometric_mean(ratios.values()))


def _row(study: Study, label: str, compared: Sequence[Comparison]) -> list[Cell]:
    """Return the means of some baselines over the data sets on which they have ratios."""
    areas = over_baselines(found.measured.mapped for found in compared)
    return [
        text(label),
        ratio(geometric_mean(areas.values())),
        *(_mean(compared, metric) for metric in (DELAY, ENERGY, EDP)),
        number(len(areas), 0),
        text(", ".join(flow for flow in study.sets if flow not in areas) or "-"),
    ]
