"""The headline: DWN, Tiny Classifier and tree on every data set, and the areas at equal accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from dwn_asic.methods.decision_tree import METHOD as TREE
from dwn_asic.metrics import TOTAL
from dwn_asic.report.choice import EXACT, OURS, Candidate, best_within, candidates, circuit_of
from dwn_asic.study.equal_accuracy import Comparison, circuit_cells, comparison, reached_cell
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Cell, Table, geometric_mean, mean_spread, ratio, text
from dwn_asic.study.tiny_classifier.paper import BUDGET, budget_ratios

__all__ = ["cells", "headline_table", "method_cells"]


def headline_table(study: Study, baseline: str) -> Table:
    """Best circuits of each method, and what ours takes at the Tiny Classifier's accuracy.

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
    for flow, found in compared.matches.items():
        gates = [float(str(match.baseline.details.get("gates", "nan"))) for match in found]
        rows.append(
            [
                text(flow),
                *method_cells(study, flow, baseline),
                mean_spread(gates, 0),
                *cells([match.ours for match in found]),
                ratio(mapped[flow]),
                ratio(budget[flow]),
                reached_cell(found),
                *method_cells(study, flow, OURS),
                *method_cells(study, flow, EXACT),
                *cells(_trees(study.sets[flow])),
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
                f"{study.seed_list}. Tiny: {study.methods[baseline].label}."
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
        circuits={n: [match.traced for match in found] for n, found in enumerate(compared.matches.values())},
    )


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
    mapped, budget = (
        geometric_mean(values.values()) for values in (compared.mapped, budget_ratios(compared))
    )
    return f"{mapped:.3g}x (mapped) and {budget:.3g}x (budget)"


def _trees(runs: Sequence[Run]) -> list[Candidate]:
    chosen = [best_within(candidates(run.result, TREE.kind), BUDGET) for run in runs]
    return [tree for tree in chosen if tree is not None]


def method_cells(study: Study, flow: str, method: str) -> list[Cell]:
    """The cells of :func:`cells` of a row of the results that is named."""
    return cells([circuit_of(found) for found in study.of(flow, method) if TOTAL in found.metrics])


def cells(chosen: Sequence[Candidate]) -> list[Cell]:
    """Test accuracy, and core and total in one cell, which sorts by the total."""
    test, core, total = circuit_cells(chosen)
    return [test, Cell(f"{core.shown} / {total.shown}", total.key)]
