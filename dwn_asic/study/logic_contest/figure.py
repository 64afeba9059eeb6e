"""The contest's figure: mean test accuracy against the mean number of AND nodes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.report.figure import render_svg
from dwn_asic.study.axes import INK, canvas, legend_below, log_axis
from dwn_asic.study.logic_contest.choice import Mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["front_figure"]

_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_COLOURS = ("#009E73", "#0072B2", "#CC79A7", "#777777", "#222222")
_MARKERS = "s^vDP"
_SMALLEST = 1.0
"""Number of AND nodes at which smaller circuits, which may be mere wires, are drawn."""


def front_figure(ours: Sequence[Mean], published: Mapping[str, Mean]) -> bytes:
    """Return our means at each price as a line, and the means of published circuits as marks, as SVG."""
    return render_svg(lambda: _draw(ours, published))


def _draw(ours: Sequence[Mean], published: Mapping[str, Mean]) -> Figure:
    figure = canvas(4.6)
    axes = figure.subplots()
    ordered = sorted(ours, key=lambda each: each.ands)
    sizes = [max(each.ands, _SMALLEST) for each in ordered]
    tests = [100.0 * each.test for each in ordered]
    axes.plot(sizes, tests, color=OWN.look.colour, marker=OWN.look.marker, label="ours, at each price")
    looks = zip(itertools.cycle(_COLOURS), itertools.cycle(_MARKERS), strict=True)
    for (team, found), (colour, marker) in zip(published.items(), looks, strict=False):
        axes.plot(
            [max(found.ands, _SMALLEST)],
            [100.0 * found.test],
            color=colour,
            marker=marker,
            markersize=8,
            linestyle="none",
            label=team,
        )
    every = [*sizes, *(max(found.ands, _SMALLEST) for found in published.values())]
    log_axis(axes, min(every) / 1.3, max(every) * 1.3, _TICKS)
    axes.set_xlabel("AND nodes, mean over benchmarks", color=INK)
    axes.set_ylabel("test accuracy, percent, mean over benchmarks", color=INK)
    legend_below(figure)
    return figure
