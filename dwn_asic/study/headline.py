"""The headline: DWN, Tiny Classifier and tree on every data set, and the areas at equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dwn_asic.report.result import MethodResult
from dwn_asic.study.choice import Area, Candidate, best_within, candidates, smallest_reaching
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Cell, Table, area_ratio, geometric_mean, mean_spread, ratio, text

__all__ = ["BUDGET", "Match", "equal_accuracy_table", "headline_table", "matches"]

BUDGET = 300.0
"""Gates that the paper allows a Tiny Classifier, and the area that it counts for one."""
_TOTAL, _CORE, _TEST, _VAL = (
    "area__nand2_equivalent",
    "area__core__nand2_equivalent",
    "accuracy__test",
    "accuracy__val",
)


@dataclass(frozen=True)
class Match:
    """A rival on one run, and our smallest circuit of its validation accuracy.

    Attributes
    ----------
    rival, ours
        The circuits.
    reached
        Whether one of ours has the rival's validation accuracy; if not, ``ours`` is our best.
    """

    rival: MethodResult
    ours: Candidate
    reached: bool

    @property
    def gain(self) -> float:
        """Test accuracy, ours less the rival's."""
        return self.ours.test - self.rival.metrics[_TEST]

    def times(self, area: Area = "total") -> float:
        """Area of the rival over ours."""
        return area_ratio(float(self.rival.metrics[_TOTAL if area == "total" else _CORE]), self.ours.area(area))

    @property
    def budget_times(self) -> float:
        """The budget of the paper's Tiny Classifiers over our total."""
        return area_ratio(BUDGET, self.ours.total)


def matches(runs: Sequence[Run], rival: str) -> list[Match]:
    """One for each run that has the rival."""
    found = []
    for run in runs:
        method = run.methods.get(rival)
        ours = candidates(run.result, "ours")
        if method is not None and ours:
            found.append(Match(method, *smallest_reaching(ours, float(method.metrics[_VAL]))))
    return found


def headline_table(study: Study, rival: str) -> Table:
    """Best circuits of each method, and what ours takes at the Tiny Classifier's accuracy.

    Parameters
    ----------
    study
        Runs.
    rival
        Name of the Tiny Classifier.
    """
    rows, times, budget, wins = [], [], [], 0
    for flow, runs in study.sets.items():
        found = matches(runs, rival)
        if not found:
            continue
        set_times = geometric_mean(match.times() for match in found)
        set_budget = geometric_mean(match.budget_times for match in found)
        times.append(set_times)
        budget.append(set_budget)
        wins += bool(np.mean([match.gain for match in found]) >= 0.0)
        rows.append(
            [
                text(flow),
                *_three(study, flow, "dwn"),
                *_three(study, flow, "dwn-shrunk"),
                *_three(study, flow, rival),
                mean_spread([float(match.rival.details.get("gates", 0)) for match in found], 0),  # type: ignore[arg-type]
                *_circuits(_trees(runs)),
                *_circuits([match.ours for match in found]),
                ratio(set_times),
                ratio(set_budget),
            ]
        )
    blank = [Cell("", "")] * 16
    rows.append([text("geometric mean"), *blank, ratio(geometric_mean(times)), ratio(geometric_mean(budget))])
    parts = ("test", "core", "total")
    heads = [f"{who} {part}" for who in ("DWN exact", "DWN shrunk", "Tiny") for part in parts]
    return Table(
        f"headline_{rival}",
        f"Headline: DWN against {study.methods[rival].label} and decision trees",
        (
            "Test accuracy in percent, areas in NAND2-equivalents (core: without the encoder; total: with it); mean "
            f"± standard deviation over seeds {', '.join(map(str, study.seeds))}.",
            "DWN shrunk: the flow's own choice, the smallest within a point of the front's best in validation. Tree: "
            "the best in validation of all sizes up to 300 NAND2-equivalents. Equal: the smallest circuit of our front "
            "whose validation accuracy is at least the Tiny Classifier's, or the best where none reaches it.",
            "Gates: what the evolved circuit uses before synthesis, the paper's own count; Tiny core also holds the "
            "gates that make its code of the thresholds.",
            "Mapped: total area of the Tiny Classifier, through the same minimization and synthesis, over that of "
            f"Equal; budget: {BUDGET:.0f} gates, which is what the paper counts, over the total of Equal. Geometric "
            f"means over seeds; a circuit below one NAND2-equivalent counts as one. Equal has at least the Tiny "
            f"Classifier's mean test accuracy on {wins} of {len(times)} data sets.",
        ),
        (
            "data set",
            *heads,
            "Tiny gates",
            *(f"Tree {p}" for p in parts),
            *(f"Equal {p}" for p in parts),
            "mapped",
            "budget",
        ),
        rows,
    )


def _trees(runs: Sequence[Run]) -> list[Candidate]:
    chosen = [best_within(candidates(run.result, "tree"), BUDGET) for run in runs]
    return [tree for tree in chosen if tree is not None]


def _three(study: Study, flow: str, method: str) -> list[Cell]:
    found = study.of(flow, method)
    return [
        mean_spread([100.0 * result.metrics[_TEST] for result in found], 2),
        mean_spread([result.metrics[_CORE] for result in found], 1),
        mean_spread([result.metrics[_TOTAL] for result in found], 1),
    ]


def _circuits(chosen: Sequence[Candidate]) -> list[Cell]:
    return [
        mean_spread([100.0 * circuit.test for circuit in chosen], 2),
        mean_spread([circuit.core for circuit in chosen], 1),
        mean_spread([circuit.total for circuit in chosen], 1),
    ]


def equal_accuracy_table(study: Study) -> Table:
    """Every rival with a circuit: its area, and that of our smallest circuit of its validation accuracy."""
    rows, methods = [], {}
    rivals = [name for name, m in study.methods.items() if m.method != "dwn" and _TOTAL in m.metrics]
    for flow, runs in study.sets.items():
        for rival in rivals:
            found = matches(runs, rival)
            if not found:
                continue
            methods[len(rows)] = (flow, rival)
            rows.append(
                [
                    text(flow),
                    text(study.methods[rival].label),
                    mean_spread([100.0 * m.rival.metrics[_TEST] for m in found], 2),
                    mean_spread([m.rival.metrics[_CORE] for m in found], 1),
                    mean_spread([m.rival.metrics[_TOTAL] for m in found], 1),
                    *_circuits([m.ours for m in found]),
                    mean_spread([100.0 * m.gain for m in found], 2),
                    ratio(geometric_mean(m.times("core") for m in found)),
                    ratio(geometric_mean(m.times() for m in found)),
                    Cell(f"{sum(m.reached for m in found)} of {len(found)}", sum(m.reached for m in found)),
                ]
            )
    return Table(
        "equal_accuracy",
        "Equal accuracy: our smallest circuit that reaches each rival",
        (
            "Of each seed, the smallest total on our shrunk front whose validation accuracy is at least the rival's; "
            "where none is, the best one (last column: on how many seeds one was). Then test accuracy in percent and "
            "areas in NAND2-equivalents, mean ± standard deviation over seeds; ratios are geometric means, rival over "
            "ours, a circuit below one NAND2-equivalent counting as one. Gain: points of test accuracy.",
        ),
        (
            "data set",
            "rival",
            "rival test",
            "rival core",
            "rival total",
            "our test",
            "our core",
            "our total",
            "gain",
            "core ratio",
            "total ratio",
            "reached",
        ),
        rows,
        methods,
    )
