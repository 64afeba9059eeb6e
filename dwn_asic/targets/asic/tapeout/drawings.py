"""Figures of a layout: SVG with one group for each layer, and PNG of the whole and of each layer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dwn_asic.targets.asic.klayout_module import db
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["layout_png", "layout_svg"]

_COLORS = ("#9aa3ad", "#3f7fbf", "#d9822b", "#3a9d5d", "#b5485d")
"""Pin layer, then the layers of the router."""
_PIXELS = 900


def _layers(design: PhysicalDesign) -> Iterator[tuple[str, str, db.Region]]:
    """Yield name, colour and merged shapes of the pin layer and of each layer of the router."""
    config, layout = design.technology.config, design.layout
    figures = [(config.pin_layer.name, config.pin_layer.gds)]
    figures += [(layer.name, layer.gds) for layer in design.technology.layers]
    top = layout.cell(design.top)
    for (name, gds), color in zip(figures, _COLORS, strict=True):
        shapes = top.begin_shapes_rec(layout.layer(*gds))
        yield name, color, db.Region(shapes).merged()


def _corners(region: db.Region) -> Iterator[list[tuple[float, float]]]:
    """Yield the corners of each polygon in um, without holes: they are cut open."""
    for polygon in region.each():
        for part in (polygon.resolved_holes(),):
            yield [(point.x / 1000, point.y / 1000) for point in part.each_point_hull()]


def layout_svg(design: PhysicalDesign, only: Sequence[str] = ()) -> str:
    """Return an SVG of a layout, of all layers or of some; one unit is 1 um."""
    plan = design.placement.plan
    width, height = plan.width / 1000, plan.height / 1000
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{_PIXELS}">',
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for name, color, region in _layers(design):
        if only and name not in only:
            continue
        path = "".join(
            "M" + "L".join(f"{x:g} {height - y:g}" for x, y in corners) + "Z" for corners in _corners(region)
        )
        lines.append(f'<g id="{name}" fill="{color}" fill-opacity="0.6"><path d="{path}"/></g>')
    return "\n".join([*lines, "</svg>", ""])


def layout_png(design: PhysicalDesign, only: Sequence[str] = ()) -> bytes:
    """Return a PNG of a layout, of all layers or of some."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    plan = design.placement.plan
    width, height = plan.width / 1000, plan.height / 1000
    figure = Figure(figsize=(9, 9 * height / width), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    for name, color, region in _layers(design):
        if not only or name in only:
            axes.add_collection(PolyCollection(list(_corners(region)), facecolors=color, alpha=0.6))
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
