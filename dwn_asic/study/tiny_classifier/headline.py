"""The headline: DWN, Tiny Classifier and tree on every data set, and the areas at equal accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from dwn_asic.methods.base import Look
from dwn_asic.methods.decision_tree import METHOD as TREE
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.tiny_classifier import METHOD as TINY
from dwn_asic.metrics import TOTAL
from dwn_asic.report.choice import EXACT, OURS, Candidate, best_within, candidates, circuit_of
from dwn_asic.report.table import following_notes
from dwn_asic.study.dots import Panel, Point, Series, areas, dot_plot
from dwn_asic.study.energy import matched, over_baselines
from dwn_asic.study.equal_accuracy import Comparison, circuit_cells, comparison, reached_cell
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import (
    Cell,
    Drawing,
    Table,
    geometric_mean,
    mean_spread,
    ratio,
    standard_error,
    text,
)
from dwn_asic.study.tiny_classifier.paper import BUDGET, budget_ratios
from dwn_asic.targets.asic.signoff.metrics import EDP, ENERGY

__all__ = ["equal", "headline_table", "method_cells"]


Ratios = Sequence[Mapping[str, float]]
"""Ratios of energy and of energy-delay product, each by data set."""


def equal(study: Study) -> str:
    """Return the name of our circuits of the Tiny Classifier's validation score."""
    return f"DWN at its {study.score}"


def headline_table(study: Study, baseline: str) -> Table:
    """Return the best circuits of each method, and what ours take at the Tiny Classifier's accuracy.

    Parameters
    ----------
    study
        Runs.
    baseline
        Name of the Tiny Classifier.
    """
    rows: list[list[Cell]] = []
    compared = comparison(study, baseline)
    mapped, budget = compared.mapped, budget_ratios(compared)
    energies = _energies([compared])
    of_trees = _energies(matched(study, TREE.kind).values())
    for flow, found in compared.matches.items():
        gates = [float(str(match.baseline.details.get("gates", "nan"))) for match in found]
        rows.append(
            [
                text(flow),
                *method_cells(study, flow, baseline),
                mean_spread(gates, 0),
                *circuit_cells([match.ours for match in found]),
                ratio(mapped[flow]),
                *(ratio(each.get(flow)) for each in energies),
                ratio(budget[flow]),
                reached_cell(found),
                *_score_and_total(method_cells(study, flow, OURS)),
                *_score_and_total(method_cells(study, flow, EXACT)),
                *_score_and_total(circuit_cells(_trees(study.sets[flow]))),
                *(ratio(each.get(flow)) for each in of_trees),
            ]
        )
    means, of_all_trees = (
        [ratio(geometric_mean(each.values())) for each in ratios]
        for ratios in ((mapped, *energies, budget), of_trees)
    )
    rows.append([text("all"), *[text("")] * 7, *means, *[text("")] * 7, *of_all_trees])
    tiny, ours = (
        (f"{name}: {study.test}", f"{name}: core (NAND2)", f"{name}: total (NAND2)")
        for name in ("Tiny Classifier", equal(study))
    )
    others = (
        (f"{name}: {study.test}", f"{name}: total (NAND2)")
        for name in ("DWN, shrunk", "DWN, exact", "decision tree")
    )
    caption = (
        f"Test {study.score} against the Tiny Classifier's, in points with standard errors over the seeds "
        f"(its own {study.score} stands beside each data set), and mean total areas."
    )
    return Table(
        "headline",
        "Headline: DWN, Tiny Classifier and decision tree",
        tuple(_notes(study, baseline, compared)),
        (
            "data set",
            *tiny,
            "Tiny Classifier: gates",
            *ours,
            f"{equal(study)}: area ratio",
            f"{equal(study)}: energy ratio",
            f"{equal(study)}: EDP ratio",
            f"{equal(study)}: budget ratio",
            f"{equal(study)}: reached",
            *chain.from_iterable(others),
            "DWN at each tree's: energy ratio",
            "DWN at each tree's: EDP ratio",
        ),
        rows,
        circuits={n: [match.traced for match in found] for n, found in enumerate(compared.matches.values())},
        summary=_summary(compared, study.score, energies, of_trees),
        figures=[Drawing("figures/headline.svg", caption, partial(_figure, study, compared))]
        if mapped
        else (),
    )


def _score_and_total(cells: Sequence[Cell]) -> list[Cell]:
    """Return a circuit's cells without its core, which the table of all methods has."""
    score, _, total = cells
    return [score, total]


def _energies(compared: Iterable[Comparison]) -> list[dict[str, float]]:
    """Return the ratios of energy and of energy-delay product on each data set that has them."""
    found = list(compared)
    return [over_baselines(each.ratios(metric) for each in found) for metric in (ENERGY, EDP)]


def _summary(compared: Comparison, score: str, energies: Ratios, of_trees: Ratios) -> str:
    sets = len(compared.matches)
    area = (
        f"At the Tiny Classifier's validation {score}, its total area is "
        f"{ratio(geometric_mean(compared.mapped.values())).shown} ours (geometric mean over {sets} data "
        f"sets), and our circuit has at least its mean test {score} on {compared.wins} of {sets}."
    )
    parts = [area]
    for whose, ratios in ("The Tiny Classifier", energies), ("The decision tree", of_trees):
        if ratios[0]:
            energy, product = (ratio(geometric_mean(each.values())).shown for each in ratios)
            parts.append(
                f"{whose} takes {energy} our energy per inference and has {product} our energy-delay "
                f"product, on the {len(ratios[0])} data sets where both circuits need gates."
            )
    return " ".join(parts)


def _notes(study: Study, baseline: str, compared: Comparison) -> Iterator[str]:
    yield (
        f"Test {study.scores} are in percent. Areas are in NAND2-equivalents: the core is without the "
        f"encoder, the total with it. Numbers are {study.averaging}. The Tiny Classifier is: "
        f"{study.methods[baseline].label}. Its gates are those of the evolved circuit before synthesis, as "
        "its paper counts them; its core also holds the gates that code its thresholds."
    )
    yield (
        f"{equal(study)}: the smallest circuit of our front whose validation {study.score}, both measured "
        "and corrected for selection bias, is at least the Tiny Classifier's; where none is, our best "
        "circuit stands. Areas that ABC alone maps decide which circuit is taken; it then goes through the "
        "same minimization, synthesis by Yosys and proof as every other. `reached` says on how many seeds "
        f"a circuit has that {study.score}."
    )
    yield (
        "The area ratio is the Tiny Classifier's total area divided by that of our circuit at its "
        f"{study.score}. The budget ratio puts {BUDGET:.0f} NAND2-equivalents in place of the Tiny "
        "Classifier's area: the gates that its paper allows, each counted as one. Both are geometric means "
        "over seeds; an area below one NAND2-equivalent counts as one."
    )
    yield (
        "DWN, shrunk, is the flow's own choice: the smallest circuit of the front whose errors on validation "
        "rows are within the flow's tolerance of the fewest. DWN, exact, computes what the trained network "
        f"computes. The decision tree is the one with the best validation {study.score} among all sizes up "
        f"to {BUDGET:.0f} NAND2-equivalents."
    )
    yield from _of_energy(study, compared)
    yield from _of_reached(compared, study.score)
    yield from _of_free(compared, study.score)
    yield from following_notes(study.methods.values())


def _of_energy(study: Study, compared: Comparison) -> Iterator[str]:
    """Yield notes on the ratios of energy and delay."""
    left_out = [flow for flow in compared.matches if flow not in compared.measured.matches]
    absent = f" No ratio: {', '.join(left_out)}." if left_out else ""
    yield (
        "The energy ratio is the Tiny Classifier's energy per inference divided by ours, the EDP ratio that "
        "of energy times delay: geometric means over seeds, on the data sets on which both circuits have "
        f"gates on every seed.{absent}"
    )
    if trees := matched(study, TREE.kind):
        yield (
            f"DWN at each tree's: these ratios for the decision trees that the flow's `match` names "
            f"({', '.join(trees)}) and our smallest circuits of their validation {study.scores}, as "
            "geometric means over the trees."
        )


def _of_reached(compared: Comparison, score: str) -> Iterator[str]:
    """Yield a note on data sets where no circuit of ours has the score."""
    fully = compared.reached
    short = [flow for flow in compared.matches if flow not in fully.matches]
    if short:
        yield (
            f"On {', '.join(short)}, some seed has no circuit of ours with the Tiny Classifier's validation "
            f"{score}. Without these data sets the geometric means are {_means(fully)}."
        )


def _of_free(compared: Comparison, score: str) -> Iterator[str]:
    """Yield a note on areas of zero, which make ratios look good."""
    if compared.free:
        where = ", ".join(
            f"{flow} ({count} seed{'s' * (count > 1)})" for flow, count in compared.free.items()
        )
        evolved, others = "", ""
        if score == "accuracy":
            evolved = ", evolved for balanced accuracy as in its paper,"
            others = "; the next table has Tiny Classifiers evolved for accuracy"
        yield (
            f"Our circuit at the Tiny Classifier's {score} needs no gate (it is the most frequent class, "
            f"or one bit of a feature's code) on {where}: the Tiny Classifier{evolved} has no higher {score} "
            f"there. Without these data sets the geometric means are {_means(compared.with_gates)}{others}."
        )


def _means(compared: Comparison) -> str:
    mapped, budget = (
        geometric_mean(values.values()) for values in (compared.mapped, budget_ratios(compared))
    )
    return f"{mapped:.3g}x (area ratio) and {budget:.3g}x (budget ratio)"


def _trees(runs: Sequence[Run]) -> list[Candidate]:
    return [tree for tree in map(_tree, runs) if tree is not None]


def _tree(run: Run) -> Candidate | None:
    return best_within(candidates(run.result, TREE.kind), BUDGET)


def method_cells(study: Study, flow: str, method: str) -> list[Cell]:
    """Return test score, core and total of the row of the results that has this name."""
    return circuit_cells([circuit_of(found) for found in study.of(flow, method) if TOTAL in found.metrics])


@dataclass(frozen=True)
class _Shown:
    """A method in the figure: on each data set, a circuit for each seed that has one."""

    label: str
    look: Look
    circuits: Sequence[Mapping[int, Candidate]]
    filled: bool = True

    def series(self, points: Sequence[Point]) -> Series:
        return Series(self.label, self.look.colour, self.look.marker, points, filled=self.filled)

    @property
    def areas(self) -> Series:
        means = [
            float(np.mean([c.total for c in found.values()])) if found else None for found in self.circuits
        ]
        return self.series(areas(means))

    def gains(self, theirs: Sequence[Mapping[int, Candidate]]) -> Series:
        """Return points of the test score gained over another method, paired by seed."""
        found = []
        for row, (mine, other) in enumerate(zip(self.circuits, theirs, strict=True)):
            points = [100.0 * (mine[seed].test - other[seed].test) for seed in mine if seed in other]
            if points:
                found.append(Point(row, float(np.mean(points)), standard_error(points)))
        return self.series(found)


def _figure(study: Study, compared: Comparison) -> bytes:
    """Draw a row for each data set: accuracies against the Tiny Classifier's, and areas."""
    matches = compared.matches.values()
    sets = [{run.result.seed: run for run in study.sets[flow]} for flow in compared.matches]
    tiny = [{m.run.result.seed: circuit_of(m.baseline) for m in found} for found in matches]
    matched = [{m.run.result.seed: m.ours for m in found} for found in matches]
    shrunk = [{seed: circuit_of(run.methods[OURS]) for seed, run in runs.items()} for runs in sets]
    trees = [{seed: tree for seed, run in runs.items() if (tree := _tree(run))} for runs in sets]
    evolved = _Shown("Tiny Classifier", TINY.look, tiny)
    others = [
        _Shown(equal(study), OWN.look, matched),
        _Shown("DWN, shrunk: the flow's choice", OWN.look, shrunk, filled=False),
        _Shown("decision tree", TREE.look, trees),
    ]
    panels = [
        Panel(
            f"Test {study.score} against the Tiny Classifier's",
            f"points of test {study.score}",
            [each.gains(tiny) for each in others],
            reference=0.0,
        ),
        Panel(
            "Total area",
            "NAND2-equivalents (below 1: drawn at 1)",
            [each.areas for each in (evolved, *others)],
            log=True,
        ),
    ]
    accuracies = [100.0 * float(np.mean([c.test for c in found.values()])) for found in tiny]
    rows = [f"{flow} ({accuracy:.1f}%)" for flow, accuracy in zip(compared.matches, accuracies, strict=True)]
    return dot_plot(rows, panels)
