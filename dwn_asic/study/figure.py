"""Test score against area of all methods on a data set: means and spreads over seeds, core and total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dwn_asic.methods import registry
from dwn_asic.report.choice import OUR_FAMILY, Area, Family, families
from dwn_asic.report.figure import render_svg
from dwn_asic.report.result import MethodResult
from dwn_asic.study.fronts import LARGEST, curve
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import SMALLEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["set_figure"]

_AREAS: tuple[Area, ...] = ("core", "total")
_LEAST_SIZES = 3
"""Number of sizes of a baseline from which on a line says more than their marks."""


def set_figure(study: Study, flow: str) -> bytes:
    """Return the figure as SVG; equal results return equal bytes."""
    return render_svg(lambda: _draw(study, flow))


def _draw(study: Study, flow: str) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(11.5, 5.0), facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.065, right=0.80, top=0.86, bottom=0.12, wspace=0.06)
    axes = figure.subplots(1, 2, sharey=True)
    methods = {name: study.of(flow, name) for name in study.methods if study.of(flow, name)}
    for panel, area in zip(axes, _AREAS, strict=True):
        panel.set_title(_heading(study, area), fontsize=10, loc="left", color="#222222")
        axis = "no size" if study.size is None else study.size.axis
        panel.set_xlabel(f"{axis} (below 1: drawn at 1)", color="#222222")
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
        _ceilings(panel, methods)
        _fronts(panel, study, flow, area)
        _points(panel, methods, area)
    axes[0].set_ylabel(f"test {study.score}, percent", color="#222222")
    seeds = len(study.sets[flow])
    over = f"mean and standard deviation of {seeds} seeds" if seeds > 1 else "one seed"
    figure.text(0.012, 0.94, flow, fontsize=14, weight="bold", color="#111111")
    about = f"{over}; lines: the best circuit within an area, chosen on validation rows"
    figure.text(0.20, 0.945, about, fontsize=9.5, color="#444444")
    handles, labels = axes[1].get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    figure.legend(
        list(known.values()),
        list(known),
        loc="center left",
        bbox_to_anchor=(0.805, 0.5),
        frameon=False,
        fontsize=8,
    )
    _limits(axes[0], methods)
    return figure


def _heading(study: Study, area: Area) -> str:
    if area == "core":
        return "Core alone, without encoder"
    return "Total" if study.size is None else f"Total: {study.size.parts}"


def _spread(values: Iterable[float]) -> tuple[float, float]:
    """Return mean and standard deviation; the latter is 0 for a single value."""
    known = np.array([float(value) for value in values])
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else 0.0


def _tests(methods: Iterable[MethodResult]) -> list[float]:
    return [method.test for method in methods]


def _fronts(axes: Axes, study: Study, flow: str, area: Area) -> None:
    """Draw mean fronts as lines, each with a band of a standard deviation."""
    for key, family in families().items():
        if key != OUR_FAMILY and _sizes(study, flow, family) < _LEAST_SIZES:
            continue
        found = curve(study.sets[flow], key, area)
        if found is None:
            continue
        look = registry.method(family.method).look
        # With more area than the largest circuit takes, the best is still the best.
        areas = np.maximum([*found.areas, max(LARGEST, found.areas[-1])], SMALLEST)
        tests = 100.0 * np.concatenate([found.tests, found.tests[-1:]])
        mean = tests.mean(axis=1)
        spread = tests.std(axis=1, ddof=1) if tests.shape[1] > 1 else np.zeros_like(mean)
        axes.fill_between(
            areas, mean - spread, mean + spread, step="post", color=look.colour, alpha=0.12, linewidth=0
        )
        label = f"{look.name}, shrunk: front" if key == OUR_FAMILY else f"{look.name}: front"
        axes.step(areas, mean, where="post", color=look.colour, linewidth=1.5, label=label, zorder=3)


def _sizes(study: Study, flow: str, family: Family) -> int:
    return len({m.name for run in study.sets[flow] for m in run.result.methods if family.holds(m)})


def _points(axes: Axes, methods: Mapping[str, list[MethodResult]], area: Area) -> None:
    """Draw a mark for each method with circuits, over the seeds that have one."""
    for found in methods.values():
        circuits = [method for method in found if method.size is not None]
        if not circuits:
            continue
        sizes = [method.core if area == "core" else method.total for method in circuits]
        look, kind = registry.method(circuits[0].method).look, circuits[0].kind
        x, x_spread = _spread(size for size in sizes if size is not None)
        y, y_spread = _spread(_tests(circuits))
        options: dict[str, Any] = {
            "fmt": look.marker,
            "markersize": 5,
            "color": look.colour,
            "elinewidth": 0.6,
            "alpha": 0.85,
            "markerfacecolor": "white" if kind == "shrunk" else look.colour,
            "label": look.name + (", shrunk" if kind == "shrunk" else ""),
        }
        x = max(x, SMALLEST)
        low = min(x_spread, x - 0.7 * SMALLEST)
        axes.errorbar(x, 100.0 * y, xerr=[[low], [x_spread]], yerr=100.0 * y_spread, **options)


def _ceilings(axes: Axes, methods: Mapping[str, list[MethodResult]]) -> None:
    """Draw a line for each method that has no circuit on any seed."""
    for found in methods.values():
        if any(method.kind != "software" for method in found):
            continue
        look = registry.method(found[0].method).look
        label = found[0].label
        axes.axhline(
            100.0 * _spread(_tests(found))[0], color=look.colour, linewidth=0.9, linestyle="--", label=label
        )


def _limits(axes: Axes, methods: Mapping[str, list[MethodResult]]) -> None:
    """Make room for the better half: what is far below would press all others into a line."""
    means = np.sort([100.0 * _spread(_tests(found))[0] for found in methods.values()])
    top, middle = float(means[-1]), float(np.median(means))
    low = max(float(means[0]), middle - 3.0 * max(top - middle, 0.5))
    margin = 0.06 * max(top - low, 0.5)
    axes.set_ylim(low - margin, top + 2 * margin)
