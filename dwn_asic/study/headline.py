"""The headline: DWN, Tiny Classifier and tree on every data set, and the areas at equal accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from dwn_asic.metrics import CORE, TEST, TOTAL, VAL
from dwn_asic.report.choice import (
    OURS,
    ROUNDING,
    Area,
    Candidate,
    best_within,
    candidates,
    circuit_of,
    smallest_reaching,
)
from dwn_asic.report.result import MethodResult
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import (
    Cell,
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

__all__ = [
    "BUDGET",
    "HEADLINE_RIVALS",
    "Comparison",
    "Match",
    "comparison",
    "equal_accuracy_table",
    "generations_table",
    "headline_table",
    "matches",
]

HEADLINE_RIVALS = ("tiny-paper-300g", "tiny-tenfold", "tiny-accuracy-tenfold", "tiny-equal-evaluations")
"""Tiny Classifiers: the paper's limits, ten times the generations, these with accuracy instead of balanced
accuracy as fitness, as many circuits as our annealing."""
BUDGET = 300.0
"""Gates that the paper allows a Tiny Classifier, and the area that it counts for one."""


@dataclass(frozen=True)
class Match:
    """A rival on one run, and our smallest circuit of its validation accuracy.

    Attributes
    ----------
    run
        Where both are.
    rival, ours
        The circuits; ours with the areas of its netlist, where the flow's ``match`` names the rival.
    reached
        Whether one of ours has the rival's validation accuracy; if not, ``ours`` is our best.
    """

    run: Run
    rival: MethodResult
    ours: Candidate
    reached: bool

    @classmethod
    def of(cls, run: Run, rival: MethodResult) -> Match:
        """The run must have a front of ours, the rival a circuit."""
        ours, reached = smallest_reaching(candidates(run.result, "ours"), float(rival.metrics[VAL]))
        return cls(run, rival, ours.synthesized, reached)

    @property
    def gain(self) -> float:
        """Test accuracy, ours less the rival's."""
        return self.ours.test - self.rival.metrics[TEST]

    def times(self, area: Area = "total") -> float:
        """Area of the rival over ours."""
        return area_ratio(float(self.rival.metrics[TOTAL if area == "total" else CORE]), self.ours.area(area))

    @property
    def traced(self) -> Traced:
        """What is behind our circuit."""
        netlist = self.ours.netlist
        shown = {
            "rival val": f"{100.0 * self.rival.metrics[VAL]:.2f}",
            "rival test": f"{100.0 * self.rival.metrics[TEST]:.2f}",
            "val": f"{100.0 * self.ours.val:.2f}",
            "test": f"{100.0 * self.ours.test:.2f}",
            "core": f"{self.ours.core:.2f}",
            "total": f"{self.ours.total:.2f}",
        }
        return Traced(self.run, shown, None if netlist is None else self.run.folder / netlist.folder)

    @property
    def budget_times(self) -> float:
        """The budget of the paper's Tiny Classifiers over our total."""
        return area_ratio(BUDGET, self.ours.total)


def matches(runs: Sequence[Run], rival: str) -> list[Match]:
    """One for each run in which the rival has a circuit."""
    found = []
    for run in runs:
        method = run.methods.get(rival)
        if method is not None and TOTAL in method.metrics and candidates(run.result, "ours"):
            found.append(Match.of(run, method))
    return found


@dataclass(frozen=True)
class Comparison:
    """Our smallest circuits at a rival's accuracy, over all sets on which the rival has circuits.

    Attributes
    ----------
    matches
        Set -> one match for each seed.
    """

    matches: Mapping[str, Sequence[Match]]

    @property
    def gains(self) -> dict[str, float]:
        """Points of mean test accuracy, ours less the rival's."""
        return {flow: 100.0 * float(np.mean([m.gain for m in found])) for flow, found in self.matches.items()}

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of :attr:`gains` over seeds; not a number for a single one."""
        return {flow: standard_error([100.0 * m.gain for m in found]) for flow, found in self.matches.items()}

    @property
    def mapped(self) -> dict[str, float]:
        """Geometric means of the rival's total area over ours."""
        return {flow: geometric_mean(m.times() for m in found) for flow, found in self.matches.items()}

    @property
    def budget(self) -> dict[str, float]:
        """Geometric means of the paper's budget over our total area."""
        return {flow: geometric_mean(m.budget_times for m in found) for flow, found in self.matches.items()}

    @property
    def reached(self) -> Comparison:
        """Only the sets on which ours has the rival's validation accuracy on every seed."""
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
        """Sets on which ours has at least the rival's mean test accuracy."""
        return sum(gain > -100.0 * ROUNDING for gain in self.gains.values())


def comparison(study: Study, rival: str) -> Comparison:
    """With the rival of this name."""
    found = {flow: matches(runs, rival) for flow, runs in study.sets.items()}
    return Comparison({flow: pairs for flow, pairs in found.items() if pairs})


def headline_table(study: Study, rival: str) -> Table:
    """Best circuits of each method, and what ours takes at the Tiny Classifier's accuracy.

    Parameters
    ----------
    study
        Runs.
    rival
        Name of the Tiny Classifier.
    """
    rows: list[list[Cell]] = []
    compared = comparison(study, rival)
    mapped, budget = compared.mapped, compared.budget
    for flow, found in compared.matches.items():
        gates = [float(str(match.rival.details.get("gates", "nan"))) for match in found]
        rows.append(
            [
                text(flow),
                *_of_method(study, flow, rival),
                mean_spread(gates, 0),
                *_cells([match.ours for match in found]),
                ratio(mapped[flow]),
                ratio(budget[flow]),
                _reached(found),
                *_of_method(study, flow, OURS),
                *_of_method(study, flow, "dwn"),
                *_cells(_trees(study.sets[flow])),
            ]
        )
    means = [ratio(geometric_mean(mapped.values())), ratio(geometric_mean(budget.values()))]
    rows.append([text("geometric mean"), *[text("")] * 5, *means, *[text("")] * 7])
    tiny, equal, *others = (
        (f"{name} test", f"{name} core / total")
        for name in ("Tiny", "Equal", "DWN shrunk", "DWN exact", "Tree")
    )
    return Table(
        "headline",
        "Headline: DWN, Tiny Classifier and decision tree",
        (
            (
                "Test accuracy in percent and areas in NAND2-equivalents (core without the encoder, "
                "total with it), mean ± standard deviation over seeds "
                f"{study.seed_list}. Tiny: {study.methods[rival].label}."
            ),
            (
                "DWN shrunk: the flow's own choice, the smallest within a point of the front's best in "
                "validation. Tree: the best in validation of all sizes up to 300 NAND2-equivalents. "
                "Equal: the smallest circuit of our front whose validation accuracy, both measured and "
                "expected of its size, is at least the Tiny Classifier's, or the best where none "
                "reaches it. The choice goes by areas mapped by ABC alone; the circuit chosen is then "
                "minimized, synthesized by Yosys and proved as every other."
            ),
            (
                "Gates: what the evolved circuit uses before synthesis, the paper's own count; Tiny "
                "core also holds the gates that make its code of the thresholds."
            ),
            (
                "Mapped: total area of the Tiny Classifier, through the same minimization and "
                f"synthesis, over that of Equal; budget: {BUDGET:.0f} gates, which is what the paper "
                "counts, over the total of Equal. Geometric means over seeds; a circuit below one "
                "NAND2-equivalent counts as one. Equal has at least the Tiny Classifier's mean test "
                f"accuracy on {compared.wins} of {len(mapped)} data sets."
            ),
            *_of_reached(compared),
            *_of_free(compared),
        ),
        (
            "data set",
            *tiny,
            "Tiny gates",
            *equal,
            "mapped",
            "budget",
            "reached",
            *chain.from_iterable(others),
        ),
        rows,
        circuits={n: _traced(found) for n, found in enumerate(compared.matches.values())},
    )


def _traced(found: Sequence[Match]) -> list[Traced]:
    return [match.traced for match in found]


def _of_reached(compared: Comparison) -> Iterator[str]:
    """A note on sets where ours is not equal."""
    fully = compared.reached
    short = [flow for flow in compared.matches if flow not in fully.matches]
    if short:
        yield (
            f"Reached: on how many seeds one of ours has the Tiny Classifier's validation accuracy. On "
            f"{', '.join(short)} not on all; where none has, Equal is our best. Without these data sets the "
            f"geometric means are {_means(fully)}."
        )


def _of_free(compared: Comparison) -> Iterator[str]:
    """A note on areas of nothing, which make ratios look good."""
    if compared.free:
        where = ", ".join(f"{flow} ({count} seeds)" for flow, count in compared.free.items())
        yield (
            "Equal is without a gate, the most frequent class or one bit of a feature's code, on "
            f"{where}: the Tiny Classifier, evolved for balanced accuracy as in its paper, has no higher "
            f"accuracy there. Without these data sets the geometric means are {_means(compared.with_gates)}; "
            "the table below has Tiny Classifiers evolved for accuracy."
        )


def _means(compared: Comparison) -> str:
    mapped, budget = (geometric_mean(values.values()) for values in (compared.mapped, compared.budget))
    return f"{mapped:.3g}x (mapped) and {budget:.3g}x (budget)"


def generations_table(study: Study, rivals: Sequence[str]) -> Table:
    """The Tiny Classifier with more and more generations, and our smallest circuit of its accuracy.

    Parameters
    ----------
    study
        Runs.
    rivals
        Names of the Tiny Classifiers.
    """
    rows: list[list[Cell]] = []
    circuits: dict[int, list[Traced]] = {}
    for rival in rivals:
        label = study.methods[rival].label
        compared = comparison(study, rival)
        gains, errors, mapped, budget = compared.gains, compared.errors, compared.mapped, compared.budget
        for flow, found in compared.matches.items():
            circuits[len(rows)] = _traced(found)
            generations = [float(str(match.rival.details["generations_of_all"])) / 1000.0 for match in found]
            rows.append(
                [
                    text(label),
                    text(flow),
                    mean_spread(generations, 0),
                    *_of_method(study, flow, rival),
                    *_cells([match.ours for match in found]),
                    number(gains[flow], 2),
                    number(errors[flow], 2),
                    ratio(mapped[flow]),
                    ratio(budget[flow]),
                    _reached(found),
                ]
            )
        means = geometric_mean(mapped.values()), geometric_mean(budget.values())
        ends = [number(float(np.mean([*gains.values()])), 2), text(""), *map(ratio, means), text("")]
        rows.append([text(label), text("all"), *[text("")] * 5, *ends])
    return Table(
        "generations",
        "No starved rival: Tiny Classifiers with more generations, or accuracy as fitness",
        (
            (
                "Thousands of generations of four children, all encodings together; then as in the "
                "headline, and the gain of Equal in points of test accuracy with its standard error. "
                "Evolution may end earlier, when validation rows see no progress. Reached: on how many seeds "
                "one of ours has the rival's validation accuracy. The paper's fitness is balanced accuracy; "
                "accuracy as fitness is what these tables compare."
            ),
        ),
        (
            "Tiny Classifier",
            "data set",
            "1000 generations",
            "test",
            "core / total",
            "Equal test",
            "Equal core / total",
            "gain",
            "error",
            "mapped",
            "budget",
            "reached",
        ),
        rows,
        circuits=circuits,
    )


def _reached(found: Sequence[Match]) -> Cell:
    """On how many seeds one of ours has the rival's validation accuracy."""
    count = sum(match.reached for match in found)
    return Cell(f"{count} of {len(found)}", count)


def _trees(runs: Sequence[Run]) -> list[Candidate]:
    chosen = [best_within(candidates(run.result, "tree"), BUDGET) for run in runs]
    return [tree for tree in chosen if tree is not None]


def _of_method(study: Study, flow: str, method: str) -> list[Cell]:
    return _cells([circuit_of(found) for found in study.of(flow, method) if TOTAL in found.metrics])


def _cells(chosen: Sequence[Candidate]) -> list[Cell]:
    """Test accuracy, and core and total in one cell, which sorts by the total."""
    test, core, total = _apart(chosen)
    return [test, Cell(f"{core.shown} / {total.shown}", total.key)]


def _apart(chosen: Sequence[Candidate]) -> list[Cell]:
    """Test accuracy, core and total."""
    return [
        mean_spread([100.0 * circuit.test for circuit in chosen], 2),
        mean_spread([circuit.core for circuit in chosen], 1),
        mean_spread([circuit.total for circuit in chosen], 1),
    ]


def equal_accuracy_table(study: Study) -> Table:
    """Every rival with a circuit: its area, and that of our smallest circuit of its validation accuracy."""
    rows: list[list[Cell]] = []
    methods: dict[int, tuple[str, str]] = {}
    rivals = [name for name, m in study.methods.items() if m.method != "dwn" and TOTAL in m.metrics]
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
                    mean_spread([100.0 * m.rival.metrics[TEST] for m in found], 2),
                    mean_spread([m.rival.metrics[CORE] for m in found], 1),
                    mean_spread([m.rival.metrics[TOTAL] for m in found], 1),
                    *_apart([m.ours for m in found]),
                    mean_spread([100.0 * m.gain for m in found], 2),
                    ratio(geometric_mean(m.times("core") for m in found)),
                    ratio(geometric_mean(m.times() for m in found)),
                    _reached(found),
                ]
            )
    return Table(
        "equal_accuracy",
        "Equal accuracy: our smallest circuit that reaches each rival",
        (
            (
                "Of each seed, the smallest total on our shrunk front whose validation accuracy, both "
                "measured and expected of its size, is at least the rival's; where none is, the best "
                "one (last column: on how many seeds one was). Then test accuracy in percent and areas "
                "in NAND2-equivalents, mean ± standard deviation over seeds; ratios are geometric "
                "means, rival over ours, a circuit below one NAND2-equivalent counting as one. Gain: "
                "points of test accuracy."
            ),
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
