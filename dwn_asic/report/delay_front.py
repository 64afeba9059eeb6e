"""Area against delay of the mappings of one circuit: a table, a CSV file and a figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dwn_asic.report.figure import render_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dwn_asic.targets.asic.delay import DelayPoint

__all__ = ["front_csv", "front_lines", "front_svg"]

_COLUMNS = ("area_um2", "area_nand2", "delay_ns", "cells", "area_of_smallest", "delay_of_smallest")
_LINE, _SMALLEST = "#1F5FA8", "#C1440E"


def front_lines(points: Sequence[DelayPoint], nand2_area: float) -> Iterator[str]:
    """Yield a table of the points; the first one, marked, is the mapping for area alone.

    ``nand2_area`` is the area of the NAND2 cell in um2.
    """
    yield f"{'area':>10} {'area':>8} {'delay':>8} {'cells':>6} {'area':>7} {'delay':>7}"
    yield f"{'um2':>10} {'NAND2':>8} {'ns':>8} {'':>6} {'%':>7} {'%':>7}"
    smallest = points[0]
    for point in points:
        mark = "  smallest" if point is smallest else ""
        yield (
            f"{point.area:10.1f} {point.area / nand2_area:8.1f} {point.delay:8.3f} {_cells(point):6d} "
            f"{100.0 * _share(point.area, smallest.area):7.1f} "
            f"{100.0 * _share(point.delay, smallest.delay):7.1f}{mark}"
        )


def front_csv(points: Sequence[DelayPoint], nand2_area: float) -> str:
    """Return the points as CSV; the last two columns are relative to the first point."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    smallest = points[0]
    for point in points:
        table.writerow(
            (
                f"{point.area:.4f}",
                f"{point.area / nand2_area:.3f}",
                f"{point.delay:.4f}",
                _cells(point),
                f"{_share(point.area, smallest.area):.4f}",
                f"{_share(point.delay, smallest.delay):.4f}",
            )
        )
    return text.getvalue()


def front_svg(points: Sequence[DelayPoint], nand2_area: float, title: str) -> bytes:
    """Return the figure of area against delay as SVG; equal points return equal bytes."""
    return render_svg(lambda: _draw(points, nand2_area, title))


def _draw(points: Sequence[DelayPoint], nand2_area: float, title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), facecolor="white", layout="constrained")
    axes = figure.subplots()
    delays, areas = [p.delay for p in points], [p.area / nand2_area for p in points]
    axes.plot(delays, areas, marker="o", markersize=5.0, linewidth=1.2, color=_LINE)
    axes.plot(delays[:1], areas[:1], marker="D", markersize=8.0, color=_SMALLEST, linestyle="none")
    axes.annotate(
        "smallest: mapped for area alone",
        (delays[0], areas[0]),
        xytext=(0, -9),
        textcoords="offset points",
        ha="right",
        va="top",
        color=_SMALLEST,
    )
    axes.set_title(title, fontsize=10, loc="left", color="#222222")
    axes.set_xlabel("delay of the critical path (ns)", color="#222222")
    axes.set_ylabel("area (NAND2-equivalents)", color="#222222")
    axes.margins(0.06, 0.14)
    return figure


def _cells(point: DelayPoint) -> int:
    return sum(area.cell_count for area in point.synthesis.modules.values())


def _share(value: float, whole: float) -> float:
    """Return a value relative to another; 1 for a circuit without cells, where both are 0."""
    return value / whole if whole else 1.0
