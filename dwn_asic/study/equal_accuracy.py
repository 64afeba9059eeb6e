"""Our smallest circuit of each baseline's score: how its area compares, over all runs of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.metrics import CORE, TEST, TOTAL
from dwn_asic.report.choice import OUR_FAMILY, ROUNDING, Area, Candidate, candidates, smallest_reaching
from dwn_asic.report.result import MethodResult
from dwn_asic.study.dots import Panel, Point, Series, dot_plot
from dwn_asic.study.runs import Run, Study
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
from dwn_asic.study.trace import Traced
from dwn_asic.targets.asic.signoff.metrics import DELAY, EDP, ENERGY, SHOWN

__all__ = [
    "Comparison",
    "Match",
    "circuit_cells",
    "comparison",
    "equal_accuracy_table",
    "matches",
    "reached_cell",
]


@dataclass(frozen=True)
class Match:
    """A baseline on one run, and our smallest circuit of its validation score.

    Attributes
    ----------
    run
        The run that holds both.
    baseline, ours
        The two circuits; ours has the areas of its netlist where the flow's ``match`` names the baseline.
    reached
        Whether one of ours has the baseline's validation score; if not, ``ours`` is our best.
    """

    run: Run
    baseline: MethodResult
    ours: Candidate
    reached: bool

    @classmethod
    def of(cls, run: Run, baseline: MethodResult) -> Match:
        """Match a baseline that has a circuit, on a run that has a front of ours."""
        ours, reached = smallest_reaching(candidates(run.result, OUR_FAMILY), baseline.val)
        return cls(run, baseline, ours.synthesized, reached)

    @property
    def gain(self) -> float:
        """Our test score minus the baseline's."""
        return self.ours.test - self.baseline.test

    def times(self, area: Area = "total") -> float:
        """Return the baseline's area divided by ours."""
        return area_ratio(
            float(self.baseline.metrics[TOTAL if area == "total" else CORE]), self.ours.area(area)
        )

    @property
    def measured(self) -> bool:
        """True if both circuits have a measured delay and energy; without gates these are 0."""
        both = (self.baseline.metrics, self.ours.measured)
        return all(found.get(metric, 0.0) > 0.0 for found in both for metric in (DELAY, ENERGY, EDP))

    def ratio(self, metric: str) -> float:
        """Return the baseline's delay, energy or energy-delay product, by its metric, divided by ours."""
        return float(self.baseline.metrics[metric] / self.ours.measured[metric])

    @property
    def traced(self) -> Traced:
        """Our circuit with its numbers and files."""
        netlist = self.ours.netlist
        shown = {
            "baseline validation (%)": f"{100.0 * self.baseline.val:.2f}",
            "baseline test (%)": f"{100.0 * self.baseline.test:.2f}",
            "validation (%)": f"{100.0 * self.ours.val:.2f}",
            "test (%)": f"{100.0 * self.ours.test:.2f}",
        }
        if self.run.result.metric != "accuracy":
            shown["baseline test accuracy (%)"] = f"{100.0 * self.baseline.metrics[TEST]:.2f}"
            shown["test accuracy (%)"] = f"{100.0 * self.ours.accuracy:.2f}"
        shown |= {
            "core (NAND2)": f"{self.ours.core:.2f}",
            "total (NAND2)": f"{self.ours.total:.2f}",
        }
        shown |= {
            column.heading: f"{self.ours.measured[column.metric]:.{column.decimals}f}"
            for column in SHOWN
            if column.metric in self.ours.measured
        }
        return Traced(self.run, shown, None if netlist is None else netlist.folder)


def matches(runs: Sequence[Run], baseline: str) -> list[Match]:
    """Return a match for each run in which the baseline has a circuit."""
    found = []
    for run in runs:
        method = run.methods.get(baseline)
        if method is not None and TOTAL in method.metrics and candidates(run.result, OUR_FAMILY):
            found.append(Match.of(run, method))
    return found


@dataclass(frozen=True)
class Comparison:
    """Our smallest circuits at a baseline's accuracy, on all data sets on which the baseline has circuits.

    Attributes
    ----------
    matches
        Data set -> one match for each seed.
    """

    matches: Mapping[str, Sequence[Match]]

    @property
    def gains(self) -> dict[str, float]:
        """Our mean test score minus the baseline's, in points, on each data set."""
        return {flow: 100.0 * float(np.mean([m.gain for m in found])) for flow, found in self.matches.items()}

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of :attr:`gains` over the seeds; nan for a single seed."""
        return {flow: standard_error([100.0 * m.gain for m in found]) for flow, found in self.matches.items()}

    @property
    def mapped(self) -> dict[str, float]:
        """Geometric means over seeds of the baseline's total area divided by ours."""
        return {flow: geometric_mean(m.times() for m in found) for flow, found in self.matches.items()}

    def ratios(self, metric: str) -> dict[str, float]:
        """Return geometric means over seeds of :meth:`Match.ratio`, on the data sets of :attr:`measured`."""
        found = self.measured.matches.items()
        return {flow: geometric_mean(m.ratio(metric) for m in each) for flow, each in found}

    @property
    def reached(self) -> Comparison:
        """The data sets on which ours has the baseline's validation score on every seed."""
        return Comparison(
            {flow: found for flow, found in self.matches.items() if all(m.reached for m in found)}
        )

    @property
    def free(self) -> dict[str, int]:
        """Number of seeds, where any, on which ours needs no gate: a constant, or one bit of a code."""
        counts = {flow: sum(m.ours.total == 0.0 for m in found) for flow, found in self.matches.items()}
        return {flow: count for flow, count in counts.items() if count}

    @property
    def with_gates(self) -> Comparison:
        """The data sets on which ours needs a gate on every seed."""
        return Comparison({flow: found for flow, found in self.matches.items() if flow not in self.free})

    @property
    def measured(self) -> Comparison:
        """The data sets on which both circuits have gates, and a measured delay and energy, on every seed."""
        return Comparison(
            {flow: found for flow, found in self.matches.items() if all(m.measured for m in found)}
        )

    @property
    def wins(self) -> int:
        """Number of data sets on which ours has at least the baseline's mean test score."""
        return sum(gain > -100.0 * ROUNDING for gain in self.gains.values())


def comparison(study: Study, baseline: str) -> Comparison:
    """Compare ours with the baseline of this name."""
    found = {flow: matches(runs, baseline) for flow, runs in study.sets.items()}
    return Comparison({flow: pairs for flow, pairs in found.items() if pairs})


def equal_accuracy_table(study: Study) -> Table:
    """Return every baseline with a circuit, and our smallest circuit of its validation score."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    baselines = [name for name, m in study.methods.items() if m.method != OWN.kind and TOTAL in m.metrics]
    compared = {baseline: comparison(study, baseline) for baseline in baselines}
    compared = {baseline: found for baseline, found in compared.items() if found.matches}
    for flow in study.sets:
        for baseline in compared:
            found = compared[baseline].matches.get(flow)
            if found is None:
                continue
            methods[len(rows)] = (flow, baseline)
            rows.append(
                [
                    text(flow),
                    text(study.methods[baseline].label),
                    mean_spread([100.0 * m.baseline.test for m in found], 2),
                    mean_spread([m.baseline.metrics[CORE] for m in found], 1),
                    mean_spread([m.baseline.metrics[TOTAL] for m in found], 1),
                    *_measured_cells([m.baseline.metrics for m in found]),
                    *circuit_cells([m.ours for m in found]),
                    *_measured_cells([m.ours.measured for m in found]),
                    mean_spread([100.0 * m.gain for m in found], 2),
                    ratio(geometric_mean(m.times("core") for m in found)),
                    ratio(geometric_mean(m.times() for m in found)),
                    *(ratio(compared[baseline].ratios(metric).get(flow)) for metric in (ENERGY, EDP)),
                    reached_cell(found),
                ]
            )
    labels = {baseline: study.methods[baseline].label for baseline in compared}
    caption = (
        f"Our smallest circuit of each baseline's validation {study.score}: test {study.score} gained, and "
        "how many times larger the baseline is."
    )
    draw = partial(_figure, labels, compared, study.score)
    return Table(
        "equal_accuracy",
        "Equal accuracy: our smallest circuit that reaches each baseline",
        (
            (
                "On each seed we take the smallest total area on our shrunk front whose validation "
                f"{study.score}, both measured and corrected for selection bias, is at least the "
                "baseline's. Where none is, our best circuit stands; `reached` says on how many seeds one "
                "is."
            ),
            (
                f"Test {study.scores} are in percent, areas in NAND2-equivalents: {study.averaging}. The "
                f"gain is our test {study.score} minus the baseline's, in points. Area ratios are the "
                "baseline's area divided by ours, as geometric means over seeds; an area below one "
                "NAND2-equivalent counts as one."
            ),
            (
                "Delays and energies of an inference are those of the netlists; circuits of the front have "
                "one if they match a baseline that the flow's `match` names. Their ratios need gates in both "
                "circuits on every seed."
            ),
        ),
        (
            "data set",
            "baseline",
            f"baseline: {study.test}",
            "baseline: core (NAND2)",
            "baseline: total (NAND2)",
            *(f"baseline: {column.heading}" for column in SHOWN),
            f"ours: {study.test}",
            "ours: core (NAND2)",
            "ours: total (NAND2)",
            *(f"ours: {column.heading}" for column in SHOWN),
            "ours: gain (points)",
            "ratio: core",
            "ratio: total",
            "ratio: energy",
            "ratio: energy-delay product",
            "reached",
        ),
        rows,
        methods,
        figures=[Drawing("figures/equal_accuracy.svg", caption, draw)] if rows else (),
    )


def _figure(labels: Mapping[str, str], compared: Mapping[str, Comparison], score: str) -> bytes:
    """Draw a row for each baseline: small dots are data sets, large ones their means."""
    places = list(enumerate(compared.values()))
    panels = [
        Panel(
            f"Test {score} gained",
            "points, ours minus the baseline's",
            _sets_and_means(
                [
                    (row, list(found.gains.values()), float(np.mean([*found.gains.values()])))
                    for row, found in places
                ]
            ),
            reference=0.0,
        ),
        Panel(
            "Area of the baseline",
            "its total area over ours",
            _sets_and_means(
                [
                    (row, list(found.mapped.values()), geometric_mean(found.mapped.values()))
                    for row, found in places
                ]
            ),
            log=True,
            reference=1.0,
        ),
    ]
    return dot_plot([labels[baseline] for baseline in compared], panels)


def _sets_and_means(rows: Sequence[tuple[int, Sequence[float], float]]) -> list[Series]:
    sets = [Point(row, value) for row, values, _ in rows for value in values]
    means = [Point(row, mean) for row, _, mean in rows]
    colour = OWN.look.colour
    mean = Series("mean over data sets (geometric for areas)", colour, "o", means, size=7.5)
    return [Series("one data set", "#777777", "o", sets, filled=False, size=3.5, aside=False), mean]


def reached_cell(found: Sequence[Match]) -> Cell:
    """Return on how many seeds one of ours has the baseline's validation score."""
    count = sum(match.reached for match in found)
    return Cell(f"{count} of {len(found)}", count)


def _measured_cells(found: Sequence[Mapping[str, float]]) -> list[Cell]:
    """Return delay and energy, each as mean and spread; a dash where they were not measured on every seed."""
    return [
        mean_spread([each[column.metric] for each in found], column.decimals)
        if all(column.metric in each for each in found)
        else number(None, 0)
        for column in SHOWN
    ]


def circuit_cells(chosen: Sequence[Candidate]) -> list[Cell]:
    """Return test score, core and total, each as mean and spread."""
    return [
        mean_spread([100.0 * circuit.test for circuit in chosen], 2),
        mean_spread([circuit.core for circuit in chosen], 1),
        mean_spread([circuit.total for circuit in chosen], 1),
    ]
