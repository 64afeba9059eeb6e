"""Our smallest circuits of the accuracy of published printed circuits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dwn_asic.report.choice import (
    OUR_FAMILY,
    OURS,
    Candidate,
    best_within,
    candidates,
    circuit_of,
    smallest_reaching,
)
from dwn_asic.study.equal_accuracy import circuit_cells
from dwn_asic.study.printed.published import Published, published
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import Cell, Table, area_ratio, geometric_mean, mean_spread, number, ratio, text
from dwn_asic.study.trace import Traced

__all__ = ["Reached", "in_share", "published_table", "reaching"]

_SHARE = 10.0


@dataclass(frozen=True)
class Reached:
    """Our circuit beside a published one on one run.

    Attributes
    ----------
    run
        The run.
    ours
        Our smallest circuit of the published accuracy on validation rows, else our best; the flow's own
        choice if the published accuracy is unknown.
    reached
        Whether it has that accuracy; None if it is unknown.
    """

    run: Run
    ours: Candidate
    reached: bool | None


def reaching(runs: Sequence[Run], other: Published) -> list[Reached]:
    """Return our circuit beside a published one, for each run."""
    found = []
    for run in runs:
        if other.accuracy is None:
            found.append(Reached(run, circuit_of(run.methods[OURS]), None))
        else:
            ours, reached = smallest_reaching(candidates(run.result, OUR_FAMILY), other.accuracy)
            found.append(Reached(run, ours.synthesized, reached))
    return found


def in_share(runs: Sequence[Run], other: Published, share: float = _SHARE) -> list[Candidate]:
    """Return our best circuit by validation rows within this part of the published area, for each run.

    Runs without so small a circuit are left out, and so are all if the published area is unknown.
    """
    if other.area is None:
        return []
    found = [best_within(candidates(run.result, OUR_FAMILY), other.area / share) for run in runs]
    return [circuit for circuit in found if circuit is not None]


def published_table(study: Study) -> Table:
    """Return our smallest circuit of each published circuit's accuracy, with its area."""
    rows: list[list[Cell]] = []
    circuits: dict[int, list[Traced]] = {}
    for flow, runs in study.sets.items():
        for other in published()[flow]:
            found = reaching(runs, other)
            circuits[len(rows)] = [_traced(each) for each in found]
            rows.append(
                [
                    text(flow),
                    text(other.name),
                    number(None if other.accuracy is None else 100.0 * other.accuracy, 1),
                    number(other.area, 0),
                    *circuit_cells([each.ours for each in found]),
                    ratio(_times(other, found)),
                    _reached(found),
                    mean_spread((100.0 * each.test for each in in_share(runs, other)), 2),
                ]
            )
    return Table(
        "published",
        "Printed circuits: published ones, and our smallest of their accuracy",
        (
            (
                "Published circuits are bespoke classifiers for printed electronics, from the repository "
                "garmeniakos/Ax-Printed-ML-Classifiers. Their areas are those of their Verilog in the same "
                "cells after `synth; abc -liberty` of Yosys; their accuracies are on the test vectors of "
                "that repository, which repeat rows. A dash stands for a value that is unknown."
            ),
            (
                "Ours: the smallest circuit of the front whose validation accuracy, both measured and "
                "corrected for selection bias, is at least the published accuracy; where none is, our best "
                "circuit stands. `reached` says on how many seeds one is. Where the published accuracy is "
                "unknown, it is the flow's own choice. The last column is the test accuracy of our circuit "
                "that is best on validation rows within a tenth of the published area."
            ),
            (
                f"Our test accuracies are in percent, areas in NAND2-equivalents, {study.averaging}. "
                "Features have codes of 4 bits; test rows are the 30% that scikit-learn's train_test_split "
                "draws with random_state=42, as in the papers. A seed sets validation rows and training. The "
                "area ratio is the published area divided by ours, geometric mean over seeds."
            ),
        ),
        (
            "data set",
            "published circuit",
            "published: accuracy (%)",
            "published: total (NAND2)",
            "ours: test (%)",
            "ours: core (NAND2)",
            "ours: total (NAND2)",
            "area ratio",
            "reached",
            "ours in a tenth of the area: test (%)",
        ),
        rows,
        circuits=circuits,
    )


def _times(other: Published, found: Sequence[Reached]) -> float:
    if other.area is None:
        return math.nan
    return geometric_mean(area_ratio(other.area, each.ours.total) for each in found)


def _reached(found: Sequence[Reached]) -> Cell:
    known = [each.reached for each in found if each.reached is not None]
    return Cell(f"{sum(known)} of {len(known)}", sum(known)) if known else number(None, 0)


def _traced(each: Reached) -> Traced:
    shown = {
        "validation (%)": f"{100.0 * each.ours.val:.2f}",
        "test (%)": f"{100.0 * each.ours.test:.2f}",
        "core (NAND2)": f"{each.ours.core:.2f}",
        "total (NAND2)": f"{each.ours.total:.2f}",
    }
    netlist = each.ours.netlist
    return Traced(each.run, shown, None if netlist is None else netlist.folder)
