"""Our smallest circuit of each baseline's accuracy: how its area compares, over all runs of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.metrics import CORE, TEST, TOTAL, VAL
from dwn_asic.report.choice import OUR_FAMILY, ROUNDING, Area, Candidate, candidates, smallest_reaching
from dwn_asic.report.result import MethodResult
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import (
    Cell,
    Table,
    area_ratio,
    geometric_mean,
    mean_spread,
    ratio,
    standard_error,
    text,
)
from dwn_asic.study.trace import Traced

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
    """A baseline on one run, and our smallest circuit of its validation accuracy.

    Attributes
    ----------
    run
        Where both are.
    baseline, ours
        The circuits; ours with the areas of its netlist, where the flow's ``match`` names the baseline.
    reached
        Whether one of ours has the baseline's validation accuracy; if not, ``ours`` is our best.
    """

    run: Run
    baseline: MethodResult
    ours: Candidate
    reached: bool

    @classmethod
    def of(cls, run: Run, baseline: MethodResult) -> Match:
        """The run must have a front of ours, the baseline a circuit."""
        ours, reached = smallest_reaching(candidates(run.result, OUR_FAMILY), float(baseline.metrics[VAL]))
        return cls(run, baseline, ours.synthesized, reached)

    @property
    def gain(self) -> float:
        """Test accuracy, ours less the baseline's."""
        return self.ours.test - self.baseline.metrics[TEST]

    def times(self, area: Area = "total") -> float:
        """Area of the baseline over ours."""
        return area_ratio(
            float(self.baseline.metrics[TOTAL if area == "total" else CORE]), self.ours.area(area)
        )

    @property
    def traced(self) -> Traced:
        """What is behind our circuit."""
        netlist = self.ours.netlist
        shown = {
            "baseline val": f"{100.0 * self.baseline.metrics[VAL]:.2f}",
            "baseline test": f"{100.0 * self.baseline.metrics[TEST]:.2f}",
            "val": f"{100.0 * self.ours.val:.2f}",
            "test": f"{100.0 * self.ours.test:.2f}",
            "core": f"{self.ours.core:.2f}",
            "total": f"{self.ours.total:.2f}",
        }
        return Traced(self.run, shown, None if netlist is None else netlist.folder)


def matches(runs: Sequence[Run], baseline: str) -> list[Match]:
    """One for each run in which the baseline has a circuit."""
    found = []
    for run in runs:
        method = run.methods.get(baseline)
        if method is not None and TOTAL in method.metrics and candidates(run.result, OUR_FAMILY):
            found.append(Match.of(run, method))
    return found


@dataclass(frozen=True)
class Comparison:
    """Our smallest circuits at a baseline's accuracy, over all sets on which the baseline has circuits.

    Attributes
    ----------
    matches
        Set -> one match for each seed.
    """

    matches: Mapping[str, Sequence[Match]]

    @property
    def gains(self) -> dict[str, float]:
        """Points of mean test accuracy, ours less the baseline's."""
        return {flow: 100.0 * float(np.mean([m.gain for m in found])) for flow, found in self.matches.items()}

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of :attr:`gains` over seeds; not a number for a single one."""
        return {flow: standard_error([100.0 * m.gain for m in found]) for flow, found in self.matches.items()}

    @property
    def mapped(self) -> dict[str, float]:
        """Geometric means of the baseline's total area over ours."""
        return {flow: geometric_mean(m.times() for m in found) for flow, found in self.matches.items()}

    @property
    def reached(self) -> Comparison:
        """Only the sets on which ours has the baseline's validation accuracy on every seed."""
        return Comparison(
            {flow: found for flow, found in self.matches.items() if all(m.reached for m in found)}
        )

    @property
    def free(self) -> dict[str, int]:
        """Sets on which ours is without a gate, and on how many seeds: a constant, or a bit of a code."""
        counts = {flow: sum(m.ours.total == 0.0 for m in found) for flow, found in self.matches.items()}
        return {flow: count for flow, count in counts.items() if count}

    @property
    def with_gates(self) -> Comparison:
        """Without the sets of :attr:`free`."""
        return Comparison({flow: found for flow, found in self.matches.items() if flow not in self.free})

    @property
    def wins(self) -> int:
        """Sets on which ours has at least the baseline's mean test accuracy."""
        return sum(gain > -100.0 * ROUNDING for gain in self.gains.values())


def comparison(study: Study, baseline: str) -> Comparison:
    """With the baseline of this name."""
    found = {flow: matches(runs, baseline) for flow, runs in study.sets.items()}
    return Comparison({flow: pairs for flow, pairs in found.items() if pairs})


def equal_accuracy_table(study: Study) -> Table:
    """Every baseline with a circuit: its area, and that of our smallest of its validation accuracy."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    baselines = [name for name, m in study.methods.items() if m.method != OWN.kind and TOTAL in m.metrics]
    for flow, runs in study.sets.items():
        for baseline in baselines:
            found = matches(runs, baseline)
            if not found:
                continue
            methods[len(rows)] = (flow, baseline)
            rows.append(
                [
                    text(flow),
                    text(study.methods[baseline].label),
                    mean_spread([100.0 * m.baseline.metrics[TEST] for m in found], 2),
                    mean_spread([m.baseline.metrics[CORE] for m in found], 1),
                    mean_spread([m.baseline.metrics[TOTAL] for m in found], 1),
                    *circuit_cells([m.ours for m in found]),
                    mean_spread([100.0 * m.gain for m in found], 2),
                    ratio(geometric_mean(m.times("core") for m in found)),
                    ratio(geometric_mean(m.times() for m in found)),
                    reached_cell(found),
                ]
            )
    return Table(
        "equal_accuracy",
        "Equal accuracy: our smallest circuit that reaches each baseline",
        (
            (
                "Of each seed, the smallest total on our shrunk front whose validation accuracy, both "
                "measured and expected of its size, is at least the baseline's; where none is, the best "
                "one (last column: on how many seeds one was). Then test accuracy in percent and areas "
                "in NAND2-equivalents, mean ± standard deviation over seeds; ratios are geometric "
                "means, baseline over ours, a circuit below one NAND2-equivalent counting as one. Gain: "
                "points of test accuracy."
            ),
        ),
        (
            "data set",
            "baseline",
            "baseline test",
            "baseline core",
            "baseline total",
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


def reached_cell(found: Sequence[Match]) -> Cell:
    """On how many seeds one of ours has the baseline's validation accuracy."""
    count = sum(match.reached for match in found)
    return Cell(f"{count} of {len(found)}", count)


def circuit_cells(chosen: Sequence[Candidate]) -> list[Cell]:
    """Test accuracy, core and total."""
    return [
        mean_spread([100.0 * circuit.test for circuit in chosen], 2),
        mean_spread([circuit.core for circuit in chosen], 1),
        mean_spread([circuit.total for circuit in chosen], 1),
    ]
