"""Tiny Classifiers that evolve for longer than their paper lets them, or for another fitness."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from dwn_asic.study.dots import Panel, Point, Series, dot_plot
from dwn_asic.study.equal_accuracy import Comparison, circuit_cells, comparison, reached_cell
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Cell, Drawing, Table, geometric_mean, mean_spread, number, ratio, text
from dwn_asic.study.tiny_classifier.headline import equal, method_cells
from dwn_asic.study.tiny_classifier.paper import budget_ratios
from dwn_asic.study.trace import Traced

__all__ = ["generations_table"]

_LOOKS = (("#009E73", "^"), ("#56B4E9", "s"), ("#CC79A7", "D"), ("#E69F00", "v"))
"""Colour and marker of each Tiny Classifier, the paper's own first."""


def generations_table(study: Study, baselines: Sequence[str]) -> Table:
    """Return the Tiny Classifier with more and more generations, and our smallest circuit of its accuracy.

    Parameters
    ----------
    study
        Runs.
    baselines
        Names of the Tiny Classifiers.
    """
    rows: list[list[Cell]] = []
    circuits: dict[int, list[Traced]] = {}
    shared, names = _names([study.methods[baseline].label for baseline in baselines])
    compared = {name: comparison(study, each) for name, each in zip(names, baselines, strict=True)}
    for (label, found), baseline in zip(compared.items(), baselines, strict=True):
        for flow, matches in found.matches.items():
            circuits[len(rows)] = [match.traced for match in matches]
            generations = [float(str(m.baseline.details["generations_of_all"])) / 1000.0 for m in matches]
            rows.append(
                [
                    text(label),
                    text(flow),
                    mean_spread(generations, 0),
                    *method_cells(study, flow, baseline),
                    *circuit_cells([match.ours for match in matches]),
                    number(found.gains[flow], 2),
                    number(found.errors[flow], 2),
                    ratio(found.mapped[flow]),
                    ratio(budget_ratios(found)[flow]),
                    reached_cell(matches),
                ]
            )
        means = geometric_mean(found.mapped.values()), geometric_mean(budget_ratios(found).values())
        ends = [number(_mean_gain(found), 2), text(""), *map(ratio, means), text("")]
        rows.append([text(label), text("all"), *[text("")] * 7, *ends])
    caption = (
        f"Our smallest circuit of each Tiny Classifier's validation {study.score}: test {study.score} "
        "gained, with standard errors over the seeds, and how many times larger the Tiny Classifier is."
    )
    drawn = any(found.matches for found in compared.values())
    return Table(
        "generations",
        _title(study),
        (
            (
                f"{shared}Generations, of four children each, are in thousands and over all encodings "
                "together. Evolution may end earlier, when validation rows see no progress. The paper's "
                f"fitness is balanced accuracy; these tables compare {study.score}."
            ),
            (
                f"All other columns are as in the headline. The gain is our test {study.score} minus the "
                "Tiny Classifier's, in points, with its standard error over the seeds; rows for all data "
                "sets have the mean gain and the geometric means of the ratios."
            ),
        ),
        (
            "Tiny Classifier",
            "data set",
            "evolved: generations (1000s)",
            f"evolved: {study.test}",
            "evolved: core (NAND2)",
            "evolved: total (NAND2)",
            f"{equal(study)}: {study.test}",
            f"{equal(study)}: core (NAND2)",
            f"{equal(study)}: total (NAND2)",
            f"{equal(study)}: gain (points)",
            f"{equal(study)}: standard error",
            f"{equal(study)}: area ratio",
            f"{equal(study)}: budget ratio",
            f"{equal(study)}: reached",
        ),
        rows,
        circuits=circuits,
        figures=[Drawing("figures/generations.svg", caption, partial(_figure, compared, study.score))]
        if drawn
        else (),
    )


def _title(study: Study) -> str:
    others = ", or with accuracy as fitness" if study.score == "accuracy" else ""
    return f"Tiny Classifiers with more generations{others}"


def _names(labels: Sequence[str]) -> tuple[str, list[str]]:
    """Return a sentence with the words, up to a comma, that all labels begin with, and their other words."""
    parts = [label.split(", ") for label in labels]
    alike = itertools.takewhile(
        lambda same: len(set(same)) == 1, zip(*(each[:-1] for each in parts), strict=False)
    )
    shared = [words[0] for words in alike] if len(labels) > 1 else []
    said = f"Every row is a {', '.join(shared)}. " if shared else ""
    return said, [", ".join(each[len(shared) :]) for each in parts]


def _mean_gain(found: Comparison) -> float:
    return float(np.mean([*found.gains.values()])) if found.matches else float("nan")


def _figure(compared: Mapping[str, Comparison], score: str) -> bytes:
    """Draw a row for each data set and one for all of them, with a mark for each Tiny Classifier."""
    flows = list(dict.fromkeys(flow for found in compared.values() for flow in found.matches))
    gains, ratios = [], []
    for (label, found), (colour, marker) in zip(compared.items(), _LOOKS, strict=False):
        if not found.matches:
            continue
        row = {flow: place for place, flow in enumerate(flows)}
        points = [Point(row[flow], gain, found.errors[flow]) for flow, gain in found.gains.items()]
        gains.append(Series(label, colour, marker, [*points, Point(len(flows), _mean_gain(found))]))
        times = [Point(row[flow], value) for flow, value in found.mapped.items()]
        mean = Point(len(flows), geometric_mean(found.mapped.values()))
        ratios.append(Series(label, colour, marker, [*times, mean]))
    panels = [
        Panel(f"Test {score} gained", f"points of test {score}, ours minus theirs", gains, reference=0.0),
        Panel("Area of the Tiny Classifier", "total area over ours", ratios, log=True, reference=1.0),
    ]
    return dot_plot([*flows, "all (mean)"], panels)
