"""Design-rule checks of a layout, whoever made it, with klayout's operations on regions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from dwn_asic.targets.asic.klayout_module import db as kdb
from dwn_asic.targets.asic.layout_checks.layout_file import Regions
from dwn_asic.targets.asic.layout_checks.technology import Rule, Technology
from dwn_asic.targets.asic.layout_checks.verdict import DrcVerdict, RuleCount

__all__ = ["check_rules"]

_SHOWN = 5  # places of a rule that a verdict names
_EUCLIDIAN = kdb.Metrics.Euclidian
_CORNERS = 2  # klayout's mode of sizing that keeps right angles


def check_rules(cell: kdb.Cell, technology: Technology, source: str) -> DrcVerdict:
    """Check a cell and all below it against every rule of a process.

    Parameters
    ----------
    cell
        Top cell of the layout.
    technology
        Layers and rules.
    source
        Name of the layout in the verdict.
    """
    start = time.perf_counter()
    regions = Regions(cell, technology)
    counts = tuple(_count(rule, regions) for rule in technology.rules)
    return DrcVerdict(source, "own rules", counts, time.perf_counter() - start)


def _count(rule: Rule, regions: Regions) -> RuleCount:
    found = _CHECKS[rule.check](rule, regions)
    centers = (shape.bbox().center() for shape in found.each())
    places = sorted((round(each.x * regions.dbu, 4), round(each.y * regions.dbu, 4)) for each in centers)
    return RuleCount(rule.rule, rule.problem, len(places), tuple(places[:_SHOWN]))


def _figure(rule: Rule, regions: Regions) -> int:
    """Return the rule's figure in database units."""
    return regions.dots(rule.um or 0.0)


def _area(rule: Rule, regions: Regions) -> int:
    """Return the rule's figure in squares of database units."""
    return round((rule.um or 0.0) / regions.dbu**2)


def _layer(rule: Rule, regions: Regions) -> kdb.Region:
    return regions[rule.layer or ""]


def _other(rule: Rule, regions: Regions) -> kdb.Region:
    return regions[rule.other or ""]


def _marked(pairs: kdb.EdgePairs) -> kdb.Region:
    """Return a polygon for each pair of edges; edges that touch get a width."""
    return pairs.polygons(1)


# ---- one layer ---------------------------------------------------------------------------------------------
def _width(rule: Rule, regions: Regions) -> kdb.Region:
    return _marked(_layer(rule, regions).width_check(_figure(rule, regions), metrics=_EUCLIDIAN))


def _space(rule: Rule, regions: Regions) -> kdb.Region:
    """Find gaps between shapes, and notches of one shape."""
    return _marked(_layer(rule, regions).space_check(_figure(rule, regions), metrics=_EUCLIDIAN))


def _wide_space(rule: Rule, regions: Regions) -> kdb.Region:
    shapes, half = _layer(rule, regions), regions.dots((rule.wide or 0.0) / 2)
    wide = shapes.sized(-half).sized(half)
    owners = shapes.interacting(wide)
    distance = _figure(rule, regions)
    others = wide.separation_check(shapes - owners, distance, metrics=_EUCLIDIAN)
    return _marked(others) + _marked(owners.isolated_check(distance, metrics=_EUCLIDIAN))


def _wide_run_space(rule: Rule, regions: Regions) -> kdb.Region:
    """Find gaps and notches beside wide parts of shapes, at edges that face each other for a longer run."""
    shapes, half = _layer(rule, regions), regions.dots((rule.wide or 0.0) / 2)
    wide = shapes.sized(-half).sized(half)
    close = shapes.separation_check(
        wide,
        _figure(rule, regions),
        metrics=_EUCLIDIAN,
        min_projection=regions.dots(rule.run or 0.0) + 1,
        shielded=False,  # a notch lies between an edge of the shape and the same edge of its wide part
    )
    return _marked(close)


def _size(rule: Rule, regions: Regions) -> kdb.Region:
    cuts, side = _layer(rule, regions), _figure(rule, regions)
    squares = cuts.rectangles().with_bbox_min(side, inverse=False).with_bbox_max(side, inverse=False)
    return cuts - squares


def _small(rule: Rule, regions: Regions) -> kdb.Region:
    return _layer(rule, regions).with_area(0, _area(rule, regions), inverse=False)


def _hole(rule: Rule, regions: Regions) -> kdb.Region:
    return _layer(rule, regions).holes().with_area(0, _area(rule, regions), inverse=False)


# ---- two layers --------------------------------------------------------------------------------------------
def _separation(rule: Rule, regions: Regions) -> kdb.Region:
    return _uncrossed(rule, regions) + _overlap(rule, regions)


def _uncrossed(rule: Rule, regions: Regions) -> kdb.Region:
    one, other = _layer(rule, regions), _other(rule, regions)
    return _marked(one.separation_check(other, _figure(rule, regions), metrics=_EUCLIDIAN))


def _enclosure(rule: Rule, regions: Regions) -> kdb.Region:
    inner, outer = _layer(rule, regions), _other(rule, regions)
    close = inner.enclosed_check(outer, _figure(rule, regions), metrics=_EUCLIDIAN)
    return _marked(close) + inner.not_inside(outer)


def _extension(rule: Rule, regions: Regions) -> kdb.Region:
    """Find edges of the layer that lie too close outside edges of the other, which it may leave uncovered."""
    shapes, other = _layer(rule, regions), _other(rule, regions)
    close = other.enclosed_check(shapes, _figure(rule, regions), metrics=kdb.Metrics.Projection)
    return _marked(close) + shapes.inside(other)


def _adjacent(rule: Rule, regions: Regions) -> kdb.Region:
    """Find shapes with a corner at which both sides lack the enclosure."""
    inner, outer = _layer(rule, regions), _other(rule, regions)
    close = inner.enclosed_check(outer, _figure(rule, regions), metrics=kdb.Metrics.Projection).first_edges()
    across, along = (
        close.with_angle(angle, inverse=False).extended(1, 1, 1, 1, join=False) for angle in (0, 90)
    )
    return inner.interacting(across & along) + inner.not_inside(outer)


def _one_direction(rule: Rule, regions: Regions) -> kdb.Region:
    """Find shapes that lack the enclosure on one of two opposite sides both in x and in y."""
    inner, outer, margin = _layer(rule, regions), _other(rule, regions), _figure(rule, regions)
    enclosed = kdb.Region()
    for dx, dy in ((margin, 0), (0, margin)):
        widened = inner.sized(dx, dy, _CORNERS)
        widened.merged_semantics = False
        enclosed += widened.inside(outer)
    return inner.not_inside(enclosed)


def _inside(rule: Rule, regions: Regions) -> kdb.Region:
    return _layer(rule, regions).not_inside(_other(rule, regions))


def _overlap(rule: Rule, regions: Regions) -> kdb.Region:
    return _layer(rule, regions) & _other(rule, regions)


def _holds(rule: Rule, regions: Regions) -> kdb.Region:
    return _layer(rule, regions).not_covering(_other(rule, regions))


def _reach(rule: Rule, regions: Regions) -> kdb.Region:
    """Find shapes with a part that is too far from the other layer in the same polygon of ``within``."""
    shapes, other, distance = _layer(rule, regions), _other(rule, regions), _figure(rule, regions)
    found = kdb.Region()
    for polygon in regions[rule.within or ""].each():
        well = kdb.Region(polygon)
        found += (shapes & well) - (other & well).sized(distance, _CORNERS)
    return found.merged()


# ---- all layers --------------------------------------------------------------------------------------------
def _grid(rule: Rule, regions: Regions) -> kdb.Region:
    grid = _figure(rule, regions)
    found = kdb.Region()
    for region in regions.drawn(rule.layers):
        found += _marked(region.grid_check(grid, grid))
    return found


def _right_angles(rule: Rule, regions: Regions) -> kdb.Region:
    return _edges(rule, regions, kdb.Edges.OrthoEdges)


def _half_right_angles(rule: Rule, regions: Regions) -> kdb.Region:
    return _edges(rule, regions, kdb.Edges.OrthoDiagonalEdges)


def _edges(rule: Rule, regions: Regions, allowed: kdb.Edges.EdgeType) -> kdb.Region:
    """Find edges with other directions than those allowed."""
    found = kdb.Region()
    for region in regions.drawn(rule.layers):
        found += region.edges().with_angle(allowed, inverse=True).extended(1, 1, 1, 1, join=False)
    return found


_CHECKS: Mapping[str, Callable[[Rule, Regions], kdb.Region]] = {
    "width": _width,
    "space": _space,
    "wide space": _wide_space,
    "wide space along a run": _wide_run_space,
    "separation": _separation,
    "separation beside crossings": _uncrossed,
    "enclosure": _enclosure,
    "extension": _extension,
    "adjacent sides": _adjacent,
    "one direction": _one_direction,
    "inside": _inside,
    "overlap": _overlap,
    "holds": _holds,
    "reach": _reach,
    "size": _size,
    "area": _small,
    "hole": _hole,
    "grid": _grid,
    "right angles": _right_angles,
    "half right angles": _half_right_angles,
}
"""Kind of rule -> function that returns one polygon for each violation."""
