"""Dot plots: one row for each data set or method, panels side by side that share the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.report.figure import render_svg
from dwn_asic.study.axes import INK, canvas, legend_below, log_axis
from dwn_asic.study.tables import SMALLEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "Point", "Series", "areas", "dot_plot"]

_ROW, _EDGES = 0.30, 1.35
"""Inches: the least height of a row, and of what stands above and below the rows."""
_MANY = 300.0
"""Ratio between the ends of an axis from which on only powers of ten are marked."""


@dataclass(frozen=True)
class Point:
    """Place of one dot on a panel.

    Attributes
    ----------
    row
        Number of its row.
    value
        Place on the panel's axis.
    error
        Half the length of its error bar; 0 or nan draws none.
    """

    row: int
    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Series:
    """Dots that look alike and have one entry in the legend.

    Attributes
    ----------
    label
        Entry of the legend; series of one label share it across panels.
    colour, marker
        As matplotlib takes them.
    points
        The dots.
    filled
        Whether the dots are filled rather than hollow.
    size
        Diameter in points.
    aside
        Whether dots of one row keep a distance from those of other series, so that none hides another.
    """

    label: str
    colour: str
    marker: str
    points: Sequence[Point]
    filled: bool = True
    size: float = 6.5
    aside: bool = True


@dataclass(frozen=True)
class Panel:
    """One axis over all rows.

    Attributes
    ----------
    heading
        Title above the panel.
    axis
        Label of the axis, with its unit.
    series
        What is drawn.
    log
        Whether the axis is logarithmic.
    reference
        Where a line marks "no difference"; None for no line.
    """

    heading: str
    axis: str
    series: Sequence[Series]
    log: bool = False
    reference: float | None = None


def areas(values: Sequence[float | None]) -> list[Point]:
    """Return a dot for each area that is known; areas below one NAND2-equivalent stand at one."""
    return [
        Point(row, max(value, SMALLEST))
        for row, value in enumerate(values)
        if value is not None and math.isfinite(value)
    ]


def dot_plot(rows: Sequence[str], panels: Sequence[Panel]) -> bytes:
    """Return the figure as SVG; equal values return equal bytes."""
    return render_svg(lambda: _draw(rows, panels))


def _draw(rows: Sequence[str], panels: Sequence[Panel]) -> Figure:
    tallest = max(sum(series.aside for series in panel.series) for panel in panels)
    height = _EDGES + len(rows) * max(_ROW, 0.13 * tallest)
    figure = canvas(height)
    for axes, panel in zip(
        figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True
    ):
        _panel(axes, panel, len(rows))
    first = figure.axes[0]
    first.set_yticks(range(len(rows)), rows)
    first.set_ylim(len(rows) - 0.5, -0.5)
    legend_below(figure)
    return figure


def _panel(axes: Axes, panel: Panel, rows: int) -> None:
    axes.set_title(panel.heading, fontsize=10.5, loc="left", color=INK)
    axes.set_xlabel(panel.axis, color=INK)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#F6F6F4", linewidth=0, zorder=0)
    if panel.reference is not None:
        axes.axvline(panel.reference, color="#888888", linewidth=1.0, zorder=1)
    apart = [series for series in panel.series if series.aside]
    for series in panel.series:
        place = apart.index(series) - (len(apart) - 1) / 2.0 if series.aside else 0.0
        _dots(axes, series, place * 0.72 / max(len(apart), 3))
    if panel.log:
        _log_areas(axes, [panel.reference or 1.0, *(p.value for s in panel.series for p in s.points)])


def _dots(axes: Axes, series: Series, shift: float) -> None:
    errors = [0.0 if math.isnan(point.error) else point.error for point in series.points]
    axes.errorbar(
        [point.value for point in series.points],
        [point.row + shift for point in series.points],
        xerr=errors if any(errors) else None,
        fmt=series.marker,
        markersize=series.size,
        color=series.colour,
        markerfacecolor=series.colour if series.filled else "white",
        markeredgecolor="white" if series.filled else series.colour,
        markeredgewidth=0.5 if series.filled else 1.4,
        ecolor=series.colour,
        elinewidth=1.0,
        label=series.label,
        zorder=4 if series.aside else 3,
    )


def _log_areas(axes: Axes, values: Sequence[float]) -> None:
    """Set ticks at 1, 2 and 5 of each decade, or only at 1 where there are many decades."""
    low, high = min(values) / 1.35, max(values) * 1.35
    steps = (1, 2, 5) if high / low < _MANY else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    log_axis(axes, low, high, [step * 10.0**decade for decade in decades for step in steps])
