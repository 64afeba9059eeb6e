"""Tiny Classifiers that evolve for longer than their paper lets them, or for another fitness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dwn_asic.study.equal_accuracy import comparison, reached_cell
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Cell, Table, geometric_mean, mean_spread, number, ratio, text
from dwn_asic.study.tiny_classifier.headline import cells, method_cells
from dwn_asic.study.tiny_classifier.paper import budget_ratios
from dwn_asic.study.trace import Traced

__all__ = ["generations_table"]


def generations_table(study: Study, baselines: Sequence[str]) -> Table:
    """The Tiny Classifier with more and more generations, and our smallest circuit of its accuracy.

    Parameters
    ----------
    study
        Runs.
    baselines
        Names of the Tiny Classifiers.
    """
    rows: list[list[Cell]] = []
    circuits: dict[int, list[Traced]] = {}
    for baseline in baselines:
        label = study.methods[baseline].label
        compared = comparison(study, baseline)
        gains, errors, mapped, budget = (
            compared.gains,
            compared.errors,
            compared.mapped,
            budget_ratios(compared),
        )
        for flow, found in compared.matches.items():
            circuits[len(rows)] = [match.traced for match in found]
            generations = [
                float(str(match.baseline.details["generations_of_all"])) / 1000.0 for match in found
            ]
            rows.append(
                [
                    text(label),
                    text(flow),
                    mean_spread(generations, 0),
                    *method_cells(study, flow, baseline),
                    *cells([match.ours for match in found]),
                    number(gains[flow], 2),
                    number(errors[flow], 2),
                    ratio(mapped[flow]),
                    ratio(budget[flow]),
                    reached_cell(found),
                ]
            )
        means = geometric_mean(mapped.values()), geometric_mean(budget.values())
        ends = [number(float(np.mean([*gains.values()])), 2), text(""), *map(ratio, means), text("")]
        rows.append([text(label), text("all"), *[text("")] * 5, *ends])
    return Table(
        "generations",
        "Tiny Classifiers with more generations, or with accuracy as fitness",
        (
            (
                "Thousands of generations of four children, all encodings together; then as in the "
                "headline, and the gain of Equal in points of test accuracy with its standard error. "
                "Evolution may end earlier, when validation rows see no progress. Reached: on how many seeds "
                "one of ours has the baseline's validation accuracy. The paper's fitness is balanced "
                "accuracy; accuracy as fitness is what these tables compare."
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
