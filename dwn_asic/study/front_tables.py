"""Fronts as tables: where another method's front is above ours, and every front within equal areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from dwn_asic.report.choice import OUR_FAMILY, OURS, Area, families
from dwn_asic.study.front_figures import Above, domination_figure, equal_area_figure
from dwn_asic.study.fronts import LARGEST, Domination, curve, dominations
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import Cell, Drawing, Table, mean_spread, number, text

__all__ = ["domination_table", "equal_area_table"]

BUDGETS = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0)
"""Total areas within which methods are compared, in NAND2-equivalents."""

_AREAS: tuple[Area, ...] = ("total", "core")


def domination_table(study: Study, family: str, name: str = "") -> Table:
    """Return where a family's front is above ours.

    Parameters
    ----------
    study
        Runs.
    family
        Key of :func:`dwn_asic.report.choice.families`.
    name
        Stem of the table's file names; by default it names the family.
    """
    above: Above = {area: _above(study, family, area) for area in _AREAS}
    rows = [
        row
        for area, sets in above.items()
        for flow, found in sets.items()
        for row in _rows(area, flow, found)
    ]
    other, name = families()[family], name or f"above_{family}"
    figures = []
    if any(found for sets in above.values() for found in sets.values()):
        caption = (
            f"Areas at which the mean test {study.score} of the {other.name} is above that of our front."
        )
        draw = partial(domination_figure, above, other)
        figures.append(Drawing(f"figures/{name}.svg", caption, draw))
    return Table(
        name,
        f"Where the {other.name} is above our front",
        (
            (
                "At each area, validation rows choose the best circuit within it on each seed: for us from "
                f"the shrunk front, for the {other.name} from its sizes. Test {study.scores} are means over "
                f"{study.seed_words}; areas go up to {LARGEST:.0f} NAND2-equivalents."
            ),
            (
                f"The lead is the largest difference of mean test {study.score} within the interval, in "
                "points, with the standard error of that difference over the seeds. `no circuit` marks "
                "areas below our smallest circuit."
            ),
        ),
        ("area", "data set", "from (NAND2)", "to (NAND2)", "lead (points)", "standard error (points)"),
        rows,
        {n: (str(row[1].key), OURS) for n, row in enumerate(rows)},
        summary=_summary(above, other.name),
        figures=figures,
    )


def _above(study: Study, family: str, area: Area) -> dict[str, list[Domination]]:
    """Return where the family is above ours, on each data set that has both fronts."""
    found = {}
    for flow, runs in study.sets.items():
        ours, theirs = curve(runs, OUR_FAMILY, area), curve(runs, family, area)
        if ours is not None and theirs is not None:
            found[flow] = dominations(ours, theirs)
    return found


def _rows(area: str, flow: str, found: Sequence[Domination]) -> list[list[Cell]]:
    if not found:
        return [[text(area), text(flow), *[Cell("never", math.inf)] * 2, number(None, 2), number(None, 2)]]
    return [
        [
            text(area),
            text(flow),
            number(d.low, 1),
            number(d.high, 1),
            Cell("no circuit", math.inf) if d.alone else number(d.most, 2),
            number(d.error, 2),
        ]
        for d in found
    ]


def _summary(above: Above, whose: str) -> str:
    sets = {area: [flow for flow, found in each.items() if found] for area, each in above.items()}
    where = {area: f" ({', '.join(flows)})" if flows else "" for area, flows in sets.items()}
    return (
        f"By total area, the {whose} is above our front somewhere on {len(sets['total'])} of "
        f"{len(above['total'])} data sets{where['total']}; by core area on "
        f"{len(sets['core'])}{where['core']}."
    )


def equal_area_table(study: Study) -> Table:
    """Return the test score of every family within equal total areas."""
    rows: list[list[Cell]] = []
    curves = {
        flow: {family: found for family in families() if (found := curve(runs, family)) is not None}
        for flow, runs in study.sets.items()
    }
    present = [family for family in families() if any(family in of_flow for of_flow in curves.values())]
    for flow, of_flow in curves.items():
        for budget in BUDGETS:
            row = [text(flow), number(budget, 0)]
            for family in present:
                tests = of_flow[family].at(budget) if family in of_flow else None
                row.append(mean_spread([] if tests is None else 100.0 * tests, 2))
            rows.append(row)
    figures = []
    if any(curves.values()):
        caption = (
            f"Test {study.score} of the best circuit within a total area, for every method of several sizes."
        )
        draw = partial(equal_area_figure, curves, BUDGETS, study.score)
        figures.append(Drawing("figures/equal_area.svg", caption, draw))
    return Table(
        "equal_area",
        f"Equal area: test {study.score} within a total area",
        (
            (
                "Validation rows choose each method's best circuit whose total area, encoder included, is "
                f"within the limit. Test {study.scores} are in percent, {study.averaging}. A dash means "
                "that on some seed the method has no circuit so small."
            ),
        ),
        (
            "data set",
            "total at most (NAND2)",
            *(f"{study.test}: {families()[family].name}" for family in present),
        ),
        rows,
        {n: (str(row[0].key), OURS) for n, row in enumerate(rows) if study.of(str(row[0].key), OURS)},
        figures=figures,
    )
