"""Figures of fronts: intervals in which another is above ours, and accuracies within equal areas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dwn_asic.methods import registry
from dwn_asic.report.choice import Area, Family, families
from dwn_asic.report.figure import render_svg
from dwn_asic.study.axes import INK, canvas, legend_below, log_axis
from dwn_asic.study.fronts import LARGEST, Curve, Domination
from dwn_asic.study.tables import SMALLEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

__all__ = ["Above", "domination_figure", "equal_area_figure"]

_FAINT, _HATCH = "#666666", "#BBBBBB"
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 300)
_COLUMNS = 3
_CLEAR = 2.0
"""Standard errors that a lead must exceed to be drawn in full colour."""

Above = Mapping[Area, Mapping[str, Sequence[Domination]]]
"""Intervals in which another family is above ours, by kind of area and data set."""


def domination_figure(above: Above, other: Family) -> bytes:
    """Return bars over the areas at which the other family is above ours, as SVG."""
    return render_svg(lambda: _draw_dominations(above, registry.method(other.method).look.colour, other.name))


def _draw_dominations(above: Above, colour: str, whose: str) -> Figure:
    flows = list(dict.fromkeys(flow for sets in above.values() for flow in sets))
    figure = canvas(1.35 + 0.34 * len(flows))
    panels = figure.subplots(1, len(above), sharey=True, squeeze=False)[0]
    for axes, (area, sets) in zip(panels, above.items(), strict=True):
        axes.set_title(f"By {area} area", fontsize=10.5, loc="left", color=INK)
        axes.set_title("largest lead, points", fontsize=8.5, loc="right", color=_FAINT)
        axes.set_xlabel(f"{area} area in NAND2-equivalents", color=INK)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        for row, flow in enumerate(flows):
            _bars(axes, row, sets.get(flow, ()), colour)
        log_axis(axes, SMALLEST * 0.93, LARGEST * 1.07, _TICKS)
    panels[0].set_yticks(range(len(flows)), flows)
    panels[0].set_ylim(len(flows) - 0.5, -0.5)
    legend_below(figure, list(_domination_legend(above, colour, whose)))
    return figure


def _clear(lead: Domination) -> bool:
    return lead.most > _CLEAR * lead.error


def _bars(axes: Axes, row: int, found: Sequence[Domination], colour: str) -> None:
    """Draw one row: a thin rule, a bar for each interval, and the largest lead at the right edge."""
    axes.axhline(row, color="#E6E6E6", linewidth=0.8, zorder=1)
    for lead in found:
        low, high = (max(end, SMALLEST) for end in (lead.low, lead.high))
        axes.barh(
            row,
            high - low,
            left=low,
            height=0.5,
            color="white" if lead.alone else colour,
            edgecolor=_HATCH if lead.alone else colour,
            hatch="////" if lead.alone else "",
            alpha=1.0 if lead.alone or _clear(lead) else 0.35,
            linewidth=0.8,
            zorder=3,
        )
    leads = [lead for lead in found if not lead.alone]
    if leads:
        most = max(leads, key=lambda lead: lead.most)
        error = "" if np.isnan(most.error) else f" ± {most.error:.1f}"
        shown = f"{most.most:.1f}{error}"
    else:
        shown = "-" if found else "never"
    axes.text(1.01, row, shown, transform=axes.get_yaxis_transform(), fontsize=8.5, va="center", color=_FAINT)


def _domination_legend(above: Above, colour: str, whose: str) -> Iterator[Patch]:
    """Yield an entry for each kind of bar that occurs."""
    from matplotlib.patches import Patch

    every = [lead for sets in above.values() for found in sets.values() for lead in found]
    leads = [lead for lead in every if not lead.alone]
    if any(_clear(lead) for lead in leads):
        yield Patch(color=colour, label=f"{whose} above ours by more than two standard errors")
    if not all(_clear(lead) for lead in leads):
        single = all(np.isnan(lead.error) for lead in leads)
        much = "" if single else " within two standard errors"
        yield Patch(color=colour, alpha=0.35, label=f"{whose} above ours{much}")
    if len(leads) < len(every):
        yield Patch(facecolor="white", edgecolor=_HATCH, hatch="////", label="below our smallest circuit")


def equal_area_figure(
    curves: Mapping[str, Mapping[str, Curve]], budgets: Sequence[float], score: str
) -> bytes:
    """Return a small panel for each data set as SVG: mean test score within each budget.

    Parameters
    ----------
    curves
        Data set -> key of a family -> its mean front.
    budgets
        Total areas in NAND2-equivalents.
    score
        Name of the score.
    """
    shown = {flow: found for flow, found in curves.items() if found}
    return render_svg(lambda: _draw_equal_areas(shown, budgets, score))


def _draw_equal_areas(
    curves: Mapping[str, Mapping[str, Curve]], budgets: Sequence[float], score: str
) -> Figure:
    columns = min(_COLUMNS, len(curves))
    lines = -(-len(curves) // columns)
    figure = canvas(0.9 + 2.2 * lines)
    every = figure.subplots(lines, columns, squeeze=False).ravel()
    for place, (axes, (flow, found)) in enumerate(zip(every, curves.items(), strict=False)):
        axes.set_title(flow, fontsize=10.5, loc="left", color=INK)
        if place % columns == 0:
            axes.set_ylabel(f"test {score}, percent", fontsize=9, color=INK)
        if place + columns >= len(curves):
            axes.set_xlabel("total area at most, NAND2-equivalents", fontsize=9, color=INK)
        for key, curve in found.items():
            _budget_line(axes, key, curve, budgets)
        log_axis(axes, budgets[0] / 1.15, budgets[-1] * 1.15, budgets)
        axes.tick_params(labelsize=8.5)
    for axes in every[len(curves) :]:
        axes.set_visible(False)
    legend_below(figure)
    return figure


def _budget_line(axes: Axes, key: str, curve: Curve, budgets: Sequence[float]) -> None:
    """Draw the mean over seeds with a band of a standard deviation."""
    within = [(budget, curve.at(budget)) for budget in budgets]
    known = [(budget, 100.0 * tests) for budget, tests in within if tests is not None]
    if not known:
        return
    family = families()[key]
    look = registry.method(family.method).look
    areas = [budget for budget, _ in known]
    mean = np.array([tests.mean() for _, tests in known])
    spread = np.array([tests.std(ddof=1) if len(tests) > 1 else 0.0 for _, tests in known])
    axes.fill_between(areas, mean - spread, mean + spread, color=look.colour, alpha=0.12, linewidth=0)
    axes.plot(
        areas, mean, color=look.colour, marker=look.marker, markersize=4.5, linewidth=1.4, label=family.name
    )
