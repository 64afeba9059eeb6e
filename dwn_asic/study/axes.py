"""Canvas, logarithmic axes and legend, alike in all figures of a study's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["INK", "canvas", "legend_below", "log_axis"]

INK = "#222222"
"""Colour of words."""
_WIDTH = 11.5
_ENTRY, _LETTER = 0.5, 0.072
"""Inches that an entry of the legend takes beside its label, and a letter of it."""


def canvas(height: float) -> Figure:
    """Return an empty white figure of the reports' width; height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)  # measures texts, for SVG too
    return figure


def log_axis(axes: Axes, low: float, high: float, ticks: Sequence[float]) -> None:
    """Make x logarithmic from low to high, with plain numbers at those ticks that lie within."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def legend_below(figure: Figure, handles: Sequence[Artist] = ()) -> None:
    """Put a legend below the panels: of these handles, or with every label of the panels once."""
    known = {str(handle.get_label()): handle for handle in handles}
    if not handles:
        for axes in figure.axes:
            known |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    width = _ENTRY + _LETTER * max(map(len, known))
    figure.legend(
        list(known.values()),
        list(known),
        loc="outside lower center",
        ncols=max(1, min(len(known), int(_WIDTH / width))),
        frameon=False,
        fontsize=9.5,
    )
