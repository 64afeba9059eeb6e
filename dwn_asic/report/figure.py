"""Test score against area: one panel for the core alone, one for the whole circuit."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from dwn_asic.methods import registry
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.metrics import SCORES
from dwn_asic.report.result import MethodResult, Result
from dwn_asic.report.table import sorted_methods

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["accuracy_area_png", "accuracy_area_svg", "render_svg"]

_PANELS = ("core", "total")
_CEILING_LINE: Mapping[str, Any] = MappingProxyType({"color": "#555555", "linewidth": 1.2, "linestyle": "--"})
_FRONT_LINE: Mapping[str, Any] = MappingProxyType(
    {"marker": ".", "markersize": 4.0, "linewidth": 1.0, "linestyle": ":", "alpha": 0.7, "zorder": 2}
)
_LABEL_SIZE = 9.0
_MARKER_RADIUS = 7.0
"""Radius of the room around a marker, in pixels."""
_STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "svg.hashsalt": "dwn-asic",
        "svg.fonttype": "path",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib
        "font.size": 10.0,
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": "#888888",
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.8,
        "xtick.color": "#444444",
        "ytick.color": "#444444",
        "figure.dpi": 100.0,
        "savefig.dpi": 200.0,
    }
)


def accuracy_area_svg(result: Result) -> bytes:
    """Return the figure as SVG; equal results return equal bytes."""
    return render_svg(lambda: _draw(result))


def accuracy_area_png(result: Result) -> bytes:
    """Return the figure as PNG, 1900 pixels wide; equal results return equal bytes."""
    return _render(lambda: _draw(result), "png", {"Software": None})


def render_svg(draw: Callable[[], Figure]) -> bytes:
    """Return a figure in the style of all reports as SVG; equal figures return equal bytes."""
    return _render(draw, "svg", {"Date": None, "Creator": None})


def _render(draw: Callable[[], Figure], kind: str, metadata: dict[str, None]) -> bytes:
    from matplotlib import style

    # The user's matplotlibrc must not show in a committed figure.
    with style.context(["default", dict(_STYLE)], after_reset=True):
        image = io.BytesIO()
        draw().savefig(image, format=kind, metadata=metadata)
        return image.getvalue()


def _draw(result: Result) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 4.9), facecolor="white")
    FigureCanvasAgg(figure)  # measures labels, for SVG too
    figure.subplots_adjust(left=0.08, right=0.985, top=0.8, bottom=0.2, wspace=0.06)
    left, right = figure.subplots(1, 2, sharey=True)
    methods = [m for m in sorted_methods(result) if f"{result.metric}__test" in m.metrics]
    size = result.size
    whole = "Total" if size is None else f"Total: {size.parts}"
    for axes, area, heading in zip(
        (left, right), _PANELS, ("Core alone, without encoder", whole), strict=True
    ):
        axes.set_title(heading, fontsize=10, loc="left", color="#222222")
        axes.set_xlabel("no size" if size is None else size.axis, color="#222222")
        _limit_x(axes, list(_areas(methods, area).values()))
    left.set_ylabel(f"test {SCORES[result.metric]}", color="#222222")
    _limit_y(left, [method.test for method in methods])
    for axes, area in zip((left, right), _PANELS, strict=True):
        _fronts(axes, methods, area)
        _panel(axes, methods, area)
    _headings(figure, result)
    _legend(figure, methods)
    return figure


def _areas(methods: Sequence[MethodResult], area: str) -> dict[str, float]:
    """Return the area, ``core`` or ``total``, of each method that has a circuit, by name."""
    found = {method.name: method.core if area == "core" else method.total for method in methods}
    return {name: value for name, value in found.items() if value is not None}


def _headings(figure: Figure, result: Result) -> None:
    split, pdk = result.split, result.pdk
    figure.text(0.012, 0.94, _shorten(result.source, 80), fontsize=14, weight="bold", color="#111111")
    subtitle = (
        f"{pdk.names}; "
        f"rows: {split.train} training, {split.val} validation, {split.test} test; seed {result.seed}"
    )
    figure.text(0.012, 0.89, _shorten(subtitle, 130), fontsize=9.5, color="#444444")


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length // 2 - 1]}…{text[-(length // 2) :]}"


def _limit_x(axes: Axes, areas: Sequence[float]) -> None:
    """Make a log axis with ticks at 1, 2, 5; linear below 1 where a circuit is mere wires and has no area."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    positive = [area for area in areas if area > 0.0] or [1.0, 10.0]
    low, high = min(positive) / 1.7, max(positive) * 1.7
    if high / low < 10.0:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(10.0), middle * math.sqrt(10.0)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 300.0 else (1, 10)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    if len(positive) < len(areas):
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.5)
        low = -0.3
        ticks = [0.0, *(tick for tick in ticks if tick >= 1.0)]
    else:
        axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted({tick for tick in ticks if low <= tick <= high})))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(low, high)


def _limit_y(axes: Axes, accuracies: Sequence[float]) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = min(accuracies, default=0.5), max(accuracies, default=1.0)
    margin = max(0.12 * (high - low), 0.005)
    axes.set_ylim(low - margin, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axes.ticklabel_format(axis="y", useOffset=False)


def _fronts(axes: Axes, methods: Sequence[MethodResult], area: str) -> None:
    """Draw the front of shrink as small dots on a line, cut off at the panel's edges.

    The front holds the circuits that no smaller one, by the panel's area, beats on validation rows.
    """
    for method in methods:
        points: list[tuple[float, float]] = []
        best = -math.inf
        for point in sorted(method.front, key=lambda each: (getattr(each, area), -each.val)):
            if point.val > best:
                best = point.val
                points.append((getattr(point, area), point.test))
        if points:
            colour = registry.method(method.method).look.colour
            axes.plot(*zip(*points, strict=True), color=colour, **_FRONT_LINE)


def _panel(axes: Axes, methods: Sequence[MethodResult], area: str) -> None:
    """Draw markers, a thin line through each family of circuits, ceilings, and their labels."""
    areas = _areas(methods, area)
    circuits = [method for method in methods if method.name in areas]
    ceilings = [method for method in methods if method.kind == "software"]
    points = {method.name: (areas[method.name], method.test) for method in circuits}
    lines: list[list[tuple[float, float]]] = []
    for name, kind in dict.fromkeys((method.method, method.kind) for method in circuits):
        family = [method for method in circuits if (method.method, method.kind) == (name, kind)]
        lines.append(sorted(points[method.name] for method in family))
        colour = registry.method(name).look.colour
        axes.plot(*zip(*lines[-1], strict=True), color=colour, linewidth=1.0, alpha=0.35, zorder=2)
    for method in circuits:
        axes.plot(*([value] for value in points[method.name]), **_marker_style(method))
    low, high = axes.get_xlim()
    for method in ceilings:
        accuracy = method.test
        axes.axhline(accuracy, zorder=1, **_CEILING_LINE)
        lines.append([(low, accuracy), (high, accuracy)])
    if not circuits:
        axes.text(0.5, 0.1, "no circuit", transform=axes.transAxes, ha="center", color="#444444")
    _place(axes, [_label(axes, method, areas) for method in circuits + ceilings], lines)


def _marker_style(method: MethodResult) -> dict[str, Any]:
    """Fill the marker of an exact circuit, leave that of a shrunk one hollow."""
    look = registry.method(method.method).look
    return {
        "marker": look.marker,
        "markersize": 9.0 if method.method == OWN.kind else 8.0,
        "markerfacecolor": look.colour if method.kind == "exact" else "none",
        # White rims keep markers apart that lie on each other.
        "markeredgecolor": "white" if method.kind == "exact" else look.colour,
        "markeredgewidth": 0.7 if method.kind == "exact" else 1.8,
        "zorder": 4 if method.method == OWN.kind else 3,
        "linestyle": "none",
    }


def _legend(figure: Figure, methods: Sequence[MethodResult]) -> None:
    """Say below the panels what those colours, fillings and lines mean that occur."""
    from matplotlib.lines import Line2D

    circuits = [method for method in methods if method.kind != "software"]
    looks = [registry.method(name).look for name in dict.fromkeys(method.method for method in circuits)]
    handles = [
        Line2D([], [], label=look.name, marker=look.marker, markersize=7, color=look.colour, ls="none")
        for look in looks
    ]
    fillings = {"exact": "#444444", "shrunk": "white"}
    handles += [
        Line2D([], [], label=kind, marker="o", markersize=7, color="#444444", markerfacecolor=face, ls="none")
        for kind, face in fillings.items()
        if any(method.kind == kind for method in circuits)
    ]
    fronts = [method for method in circuits if method.front]
    if fronts:
        colours = {registry.method(method.method).look.colour for method in fronts}
        colour = colours.pop() if len(colours) == 1 else "#444444"
        handles.append(Line2D([], [], label="front of shrink", color=colour, **_FRONT_LINE))
    if len(circuits) < len(methods):
        handles.append(Line2D([], [], label="software ceiling", **_CEILING_LINE))
    figure.legend(
        handles=handles, loc="lower center", ncols=max(1, len(handles)), frameon=False, fontsize=9.5
    )


@dataclass(frozen=True)
class _Box:
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> _Box:
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def outside(self, other: _Box) -> float:
        """Return how far this box sticks out of the other, in pixels."""
        left, bottom = other.left - self.left, other.bottom - self.bottom
        return sum(max(way, 0.0) for way in (left, bottom, self.right - other.right, self.top - other.top))

    def count(self, points: np.ndarray) -> int:
        """Return how many of (N, 2) points the box holds."""
        inside = (points >= (self.left, self.bottom)) & (points <= (self.right, self.top))
        return int(inside.all(axis=1).sum())

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the box that is nearest to (x, y)."""
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)


@dataclass(frozen=True)
class _Label:
    """A text and the places that it may stand at, each with the price of standing there."""

    text: str
    colour: str
    anchor: tuple[float, float]
    """Place of the marker, or a point of the ceiling, in pixels."""
    is_ceiling: bool
    places: tuple[tuple[_Box, float], ...]


def _label(axes: Axes, method: MethodResult, areas: Mapping[str, float]) -> _Label:
    accuracy = method.test
    if method.kind == "software":
        text, colour = f"software ceiling: {method.name} {accuracy:.4f}", str(_CEILING_LINE["color"])
        x, y = axes.transData.transform((axes.get_xlim()[0], accuracy))
        places = _places_along(axes, float(y), *_measure(axes, text))
    else:
        text, colour = method.name, registry.method(method.method).look.colour
        x, y = axes.transData.transform((areas[method.name], accuracy))
        places = _places_around(float(x), float(y), *_measure(axes, text))
    return _Label(text, colour, (float(x), float(y)), method.kind == "software", tuple(places))


def _measure(axes: Axes, text: str) -> tuple[float, float]:
    """Measure width and height in pixels, with a little air."""
    drawn = axes.text(0.5, 0.5, text, fontsize=_LABEL_SIZE, transform=axes.transAxes)
    box = drawn.get_window_extent()
    drawn.remove()
    return box.width + 3.0, box.height + 2.0


def _places_around(x: float, y: float, width: float, height: float) -> Iterator[tuple[_Box, float]]:
    """Offer places right, left, above, below and between, the nearest first."""
    ways = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
    for radius in (_MARKER_RADIUS, 12.0, 20.0, 30.0, 44.0):
        for rank, (right, up) in enumerate(ways):
            reach = radius * (0.6 if right and up else 1.0)
            box = _Box.around(x + right * (reach + width / 2), y + up * (reach + height / 2), width, height)
            yield box, 2.0 * (radius - _MARKER_RADIUS) + rank


def _places_along(axes: Axes, y: float, width: float, height: float) -> Iterator[tuple[_Box, float]]:
    """Offer places above or below the line at the panel's left, middle and right."""
    frame = axes.get_window_extent()
    for rank, (share, up) in enumerate(itertools.product((0.0, 0.5, 1.0), (1, -1))):
        x = frame.x0 + width / 2 + share * (frame.width - width)
        yield _Box.around(x, y + up * (height / 2 + 2.0), width, height), float(rank)


def _place(axes: Axes, labels: Sequence[_Label], lines: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Write each label where it costs least, given all others; a far one gets a thin leader."""
    extent = axes.get_window_extent()
    frame = _Box(extent.x0, extent.y0, extent.x1, extent.y1)
    markers = np.array(
        [astuple(_Box.around(*label.anchor, 12.0, 12.0)) for label in labels if not label.is_ceiling]
    ).reshape(-1, 4)
    dots = np.array([dot for line in lines for dot in _dots(axes, line)]).reshape(-1, 2)

    boxes = [np.array([astuple(box) for box, _ in label.places]) for label in labels]
    # The price of each place, other labels aside.
    alone = [
        np.array([price + 20.0 * box.outside(frame) + 2.0 * box.count(dots) for box, price in label.places])
        + _covered(places, markers)
        for label, places in zip(labels, boxes, strict=True)
    ]
    chosen = np.array([places[0] for places in boxes]).reshape(-1, 4)
    for _ in range(4):
        for index, places in enumerate(boxes):
            others = np.delete(chosen, index, axis=0)
            chosen[index] = places[(alone[index] + _covered(places, others)).argmin()]
    for label, box in zip(labels, chosen.tolist(), strict=True):
        _write(axes, label, _Box(*box))


def _covered(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the (P,) square pixels of (P, 4) boxes that the (K, 4) others cover, each by itself."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common: np.ndarray = np.maximum(high - low, 0.0).prod(axis=2).sum(axis=1)
    return common


def _dots(axes: Axes, line: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Set points about every 4 pixels on a line of data coordinates."""
    corners = [axes.transData.transform(point) for point in line]
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        steps = max(1, round(math.hypot(x1 - x0, y1 - y0) / 4.0))
        for step in range(steps + 1):
            yield x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps


def _write(axes: Axes, label: _Label, box: _Box) -> None:
    # In shares of the panel: pixels change with the resolution that the figure is saved at.
    to_share = axes.transAxes.inverted().transform
    x, y = to_share(((box.left + box.right) / 2, (box.bottom + box.top) / 2))
    axes.text(
        x,
        y,
        label.text,
        color=label.colour,
        fontsize=_LABEL_SIZE,
        ha="center",
        va="center_baseline",
        transform=axes.transAxes,
        zorder=5,
    )
    end = box.nearest(*label.anchor)
    if not label.is_ceiling and math.dist(end, label.anchor) > 16.0:
        (x0, y0), (x1, y1) = to_share(label.anchor), to_share(end)
        axes.plot([x0, x1], [y0, y1], color=label.colour, linewidth=0.7, transform=axes.transAxes, zorder=2)
