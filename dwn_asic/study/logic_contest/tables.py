"""The contest's tables: the front over all benchmarks, the families, and each benchmark by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dwn_asic.study.logic_contest.choice import (
    LIMIT,
    PRICES,
    Chosen,
    Mean,
    cheapest_price,
    chosen,
    mean,
)
from dwn_asic.study.logic_contest.figure import front_figure
from dwn_asic.study.logic_contest.published import Published, best_published, family, published
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Cell, Drawing, Table, number, text
from dwn_asic.study.trace import Traced

__all__ = ["BUDGETS", "benchmark_table", "family_table", "front_table", "within"]

BUDGETS = (200.0, 60.0)
"""Limits to the mean number of AND nodes for which tables show the circuits by family and by benchmark."""
_BEST = "best published, benchmark by benchmark"
_SIZES = ("test (%)", "size (AND)", "levels")


def within(study: Study, ands: float) -> Mapping[str, Sequence[Chosen]] | None:
    """Return the circuits chosen at the lowest price at which they have at most ``ands`` nodes on average."""
    price = cheapest_price(study, ands)
    return None if price is None else chosen(study, price)


def front_table(study: Study) -> Table:
    """Return mean accuracy against mean size, for a choice at each price, beside the published circuits."""
    means = {price: mean(chosen(study, price)) for price in PRICES}
    teams = _teams(study)
    rows = [[text("ours"), number(price, 1), *_mean_cells(found)] for price, found in means.items()]
    rows += [[text(team), number(None, 1), *_published_cells(found)] for team, found in teams.items()]
    points = {team: _published_mean(found) for team, found in teams.items()}
    draw = partial(front_figure, list(means.values()), points)
    caption = (
        "Mean test accuracy against the mean number of AND nodes, ours at each price and published ones."
    )
    return Table(
        "front",
        "The front: mean accuracy against mean size",
        tuple(_front_notes(study)),
        ("circuits", "price (points)", "test (%)", "validation (%)", "size (AND)", "levels"),
        rows,
        summary=_summary(study),
        figures=[Drawing("figures/front.svg", caption, draw)],
    )


def _front_notes(study: Study) -> Iterator[str]:
    yield (
        f"Means over {len(study.sets)} benchmarks, {study.seed_words}. For each benchmark, validation rows "
        "choose from the shrunk fronts the circuit with the highest accuracy less the price of its AND "
        f"nodes; the price is in points of accuracy for 100 AND nodes. Circuits above {LIMIT:,} AND nodes, "
        f"the limit of the contest, are left out. {_minimization(study)}"
    )
    known = [name for name in study.sets if name in published()]
    if known:
        yield (
            "The other circuits are those that teams of the contest published, on the same test rows"
            + (f", of {len(known)} of the benchmarks" if len(known) < len(study.sets) else "")
            + f". `{_BEST}` takes on each benchmark the one with the best test accuracy."
        )


def _minimization(study: Study) -> str:
    configs = [run.result.config.get("shrink") for run in study.runs]
    if all(isinstance(config, dict) and config.get("minimize_front") for config in configs):
        return "All circuits are minimized exactly."
    return "Circuits of some fronts are not minimized (`shrink.minimize_front` is not set)."


def _summary(study: Study) -> str:
    parts = []
    for budget in BUDGETS:
        found = within(study, budget)
        if found is not None:
            one = mean(found)
            parts.append(f"{100.0 * one.test:.2f}% with {one.ands:.0f} (limit {budget:.0f})")
    return (
        f"Mean test accuracy with a limit to the mean number of AND nodes: {', '.join(parts)}."
        if parts
        else ""
    )


@dataclass(frozen=True)
class _Column:
    """Circuits in the tables by family and by benchmark, known for some benchmarks."""

    heading: str
    found: Mapping[str, Mean]

    def cells(self, benchmarks: Sequence[str]) -> list[Cell]:
        known = [self.found[name] for name in benchmarks if name in self.found]
        if not known:
            return [number(None, decimals) for decimals in (2, 1, 1)]
        return [
            number(100.0 * float(np.mean([each.test for each in known])), 2),
            number(float(np.mean([each.ands for each in known])), 1),
            number(float(np.mean([each.levels for each in known])), 1),
        ]


def _columns(study: Study) -> list[_Column]:
    """Return ours within each budget, then the best published circuits."""
    columns = []
    for budget in BUDGETS:
        found = within(study, budget)
        if found is not None:
            own = {name: mean({name: circuits}) for name, circuits in found.items()}
            columns.append(_Column(f"ours, mean up to {budget:.0f}", own))
    best = {each.benchmark: _published_mean([each]) for each in best_published(study.sets)}
    return [*columns, _Column("best published", best)] if best else columns


def family_table(study: Study) -> Table:
    """Return the means of each family of benchmarks."""
    families: dict[str, list[str]] = {}
    for benchmark in study.sets:
        families.setdefault(family(benchmark), []).append(benchmark)
    columns = _columns(study)
    every = {**families, "all": list(study.sets)}
    return Table(
        "families",
        "Families of benchmarks",
        (
            (
                "Ours are chosen as in the front, at the lowest price at which the mean size over all "
                "benchmarks is within the limit that the heading names. Of the published circuits, the one "
                "with the best test accuracy stands for each benchmark; a dash says that there is none."
            ),
        ),
        ("family", "benchmarks", *_headings(columns)),
        [
            [
                text(name),
                number(len(benchmarks), 0),
                *(cell for column in columns for cell in column.cells(benchmarks)),
            ]
            for name, benchmarks in every.items()
        ],
    )


def benchmark_table(study: Study) -> Table:
    """Return the circuits chosen for each benchmark, beside the published ones."""
    columns = _columns(study)
    shown = within(study, BUDGETS[0])
    return Table(
        "benchmarks",
        "Benchmarks",
        (
            (
                "As in the table of families. Each row unfolds, on the page, to the circuit within the "
                f"limit of {BUDGETS[0]:.0f}."
            ),
        ),
        ("benchmark", "family", *_headings(columns)),
        [
            [
                text(benchmark),
                text(family(benchmark)),
                *(cell for column in columns for cell in column.cells([benchmark])),
            ]
            for benchmark in study.sets
        ],
        circuits={}
        if shown is None
        else {place: [_traced(each) for each in found] for place, found in enumerate(shown.values())},
    )


def _headings(columns: Sequence[_Column]) -> list[str]:
    return [f"{column.heading}: {size}" for column in columns for size in _SIZES]


def _traced(one: Chosen) -> Traced:
    circuit = one.circuit
    shown = {
        "validation (%)": f"{100.0 * circuit.val:.2f}",
        "test (%)": f"{100.0 * circuit.test:.2f}",
        "size (AND)": f"{circuit.total:.0f}",
        "levels": "-" if circuit.levels is None else str(circuit.levels),
    }
    return Traced(one.run, shown, None)


# ---- published circuits ------------------------------------------------------------------------------------
def _teams(study: Study) -> dict[str, list[Published]]:
    """Return the published circuits of each team on the study's benchmarks, then the best of all teams."""
    teams: dict[str, list[Published]] = {}
    for benchmark in study.sets:
        for each in published().get(benchmark, ()):
            teams.setdefault(each.team, []).append(each)
    return {**teams, _BEST: best_published(study.sets)} if teams else {}


def _published_mean(found: Sequence[Published]) -> Mean:
    values = np.array([(each.test, each.ands, each.levels) for each in found])
    test, ands, levels = values.mean(axis=0).tolist()
    return Mean(test, math.nan, ands, levels)


def _published_cells(found: Sequence[Published]) -> list[Cell]:
    return _mean_cells(_published_mean(found))


def _mean_cells(found: Mean) -> list[Cell]:
    return [
        number(100.0 * found.test, 2),
        number(100.0 * found.val, 2),
        number(found.ands, 1),
        number(found.levels, 1),
    ]
