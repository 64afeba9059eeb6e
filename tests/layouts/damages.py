"""Random damages to a layout, each of which breaks a wire, a via, a cell or a label of a signal.

Damages know shapes and nothing of the checks: a wire is cut or moved, two wires are joined, cuts of a via are
dropped, a cell is exchanged, removed or replaced, the labels of two ports are exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import klayout.db as kdb
import networkx as nx
import numpy as np

from dwn_asic.targets.asic.layout_checks.technology import Technology

METALS, CUTS = ("met1", "met2", "met3", "met4"), ("mcon", "via", "via2", "via3")
_NAMES = "VPWR", "VGND"


@dataclass(frozen=True)
class Damage:
    """A damage: its kind, and where it is."""

    kind: str
    where: str


@dataclass
class _Layout:
    """A layout to damage: its top cell, the process, and a source of random numbers."""

    cell: kdb.Cell
    technology: Technology
    rng: np.random.Generator

    def pick(self, count: int) -> int:
        return int(self.rng.integers(count))

    def shapes(self, name: str) -> kdb.Shapes:
        """Return the shapes of the top cell on a layer."""
        return self.cell.shapes(self.cell.layout().layer(*self.technology.layers[name]))

    def drawn(self, name: str) -> kdb.Region:
        """Return the polygons of the top cell on a layer, merged."""
        return kdb.Region([each.polygon for each in self.shapes(name).each() if not each.is_text()]).merged()

    def everything(self, name: str) -> kdb.Region:
        """Return the polygons of the top cell and all cells in it on a layer, merged."""
        layer = self.cell.layout().layer(*self.technology.layers[name])
        return kdb.Region(self.cell.begin_shapes_rec(layer)).merged()

    def supplies(self, name: str) -> kdb.Region:
        """Return what is wider than any signal's wire, which only supplies have."""
        shapes = self.everything(name)
        return shapes.interacting(shapes.sized(-180).sized(180))

    def signals(self, name: str) -> kdb.Region:
        """Return the polygons of signals in the top cell on a metal."""
        return self.drawn(name).not_interacting(self.supplies(name))

    def replace(self, name: str, region: kdb.Region) -> None:
        """Replace the polygons of the top cell on a layer."""
        shapes = self.shapes(name)
        for each in [*shapes.each()]:
            if not each.is_text():
                each.delete()
        shapes.insert(region.merged())

    def connected(self) -> frozenset[frozenset[str]]:
        """Return which contacts to cells, and which ports, wires and vias connect: one set for each net."""
        wires = {name: list(self.everything(name).each()) for name in METALS}
        groups = nx.Graph()
        groups.add_nodes_from((name, k) for name in METALS for k in range(len(wires[name])))

        def at(name: str, box: kdb.Box) -> list[tuple[str, int]]:
            close = kdb.Region(box)
            return [
                (name, k)
                for k, each in enumerate(wires[name])
                if each.bbox().touches(box) and not kdb.Region(each).interacting(close).is_empty()
            ]

        for cut, below, above in zip(CUTS[1:], METALS, METALS[1:], strict=False):
            for each in self.everything(cut).each():
                ends = at(below, each.bbox()) + at(above, each.bbox())
                groups.add_edges_from((ends[0], other) for other in ends[1:])
        found: dict[tuple[str, int], set[str]] = {node: set() for node in groups}
        for each in self.drawn("mcon").each():
            for node in at("met1", each.bbox()):
                found[node].add(f"contact {each.bbox().center()}")
        layout = self.cell.layout()
        for name in METALS:
            if name not in self.technology.labels:
                continue
            for shape in self.cell.shapes(layout.layer(*self.technology.labels[name])).each():
                if shape.is_text():
                    for node in at(name, shape.bbox().enlarged(1, 1)):
                        found[node].add(shape.text_string)
        nets = (
            frozenset().union(*(found[node] for node in nodes)) for nodes in nx.connected_components(groups)
        )
        return frozenset(net for net in nets if net)

    def wire(self) -> tuple[str, kdb.Box] | None:
        """Return a straight piece of a wire of a signal, longer than a pad, with its layer."""
        found = []
        for name in METALS:
            for mode in (kdb.Polygon.TD_htrapezoids, kdb.Polygon.TD_vtrapezoids):
                pieces = self.signals(name).decompose_trapezoids_to_region(mode)
                found += [(name, each.bbox()) for each in pieces.each()]
        long = [each for each in found if max(each[1].width(), each[1].height()) > _LONG]
        return long[self.pick(len(long))] if long else None


_LONG = 900  # nm


def _drop_via(layout: _Layout) -> str | None:
    """Remove all cuts of a via of a signal."""
    places = []
    for cut, below, above in (("mcon", "", "met1"), *zip(CUTS[1:], METALS, METALS[1:], strict=False)):
        power = layout.supplies(above) + (layout.supplies(below) if below else kdb.Region())
        places += [(cut, each.bbox()) for each in layout.drawn(cut).not_interacting(power).each()]
    if not places:
        return None
    name, box = places[layout.pick(len(places))]
    layout.replace(name, layout.drawn(name).not_interacting(kdb.Region(box.enlarged(250, 250))))
    return f"{name} at {box.center()}"


def _cut_wire(layout: _Layout) -> str | None:
    """Remove a piece of a wire and of everything on its layer that lies there."""
    found = layout.wire()
    if found is None:
        return None
    name, box = found
    middle = box.center()
    along = (150, 200) if box.width() > box.height() else (200, 150)
    gap = kdb.Box(middle.x - along[0], middle.y - along[1], middle.x + along[0], middle.y + along[1])
    layout.replace(name, layout.drawn(name) - kdb.Region(gap))
    return f"{name} at {middle}"


def _short(layout: _Layout) -> str | None:
    """Join a wire with a neighbour of another net on its layer."""
    found = layout.wire()
    if found is None:
        return None
    name, box = found
    merged = layout.everything(name)
    own = merged.interacting(kdb.Region(box))
    others = (merged - own).interacting(kdb.Region(box.enlarged(1500, 1500)))
    pieces = [each.bbox() for each in others.decompose_trapezoids_to_region().each()]
    near = [each for each in pieces if each.touches(box.enlarged(1500, 1500))]
    if not near:
        return None
    other = near[layout.pick(len(near))]
    one = kdb.Point(
        _nearest(box.left, box.right, other.center().x), _nearest(box.bottom, box.top, other.center().y)
    )
    two = kdb.Point(_nearest(other.left, other.right, one.x), _nearest(other.bottom, other.top, one.y))
    bridge = kdb.Path([one, kdb.Point(two.x, one.y), two], 300, 150, 150)
    layout.replace(name, layout.drawn(name) + kdb.Region(bridge.polygon()))
    return f"{name} from {one} to {two}"


def _nearest(low: int, high: int, wanted: int) -> int:
    return min(max(low, wanted), high)


def _move_wire(layout: _Layout) -> str | None:
    """Move a piece of a wire sideways by more than its width."""
    found = layout.wire()
    if found is None:
        return None
    name, box = found
    step = 400 if layout.pick(2) else -400
    move = kdb.Vector(0, step) if box.width() > box.height() else kdb.Vector(step, 0)
    rest = layout.drawn(name) - kdb.Region(box)
    layout.replace(name, rest + kdb.Region(box.moved(move)))
    return f"{name} at {box.center()} by {move}"


def _signal_cells(layout: _Layout) -> list[kdb.Instance]:
    passive = ("tap", "fill", "decap", "diode")
    return [
        each
        for each in layout.cell.each_inst()
        if not each.cell.name.rpartition("__")[2].startswith(passive) and "__" in each.cell.name
    ]


def _swap_cell(layout: _Layout) -> str | None:
    """Replace a cell by another kind of cell."""
    instances = _signal_cells(layout)
    kinds = sorted({each.cell.name for each in instances})
    chosen = instances[layout.pick(len(instances))]
    others = [kind for kind in kinds if kind != chosen.cell.name]
    if not others:
        return None
    old, new = chosen.cell.name, others[layout.pick(len(others))]
    chosen.cell_index = layout.cell.layout().cell(new).cell_index()
    _remove_unused(layout)
    return f"{old} by {new} at {chosen.trans.disp}"


def _remove_cell(layout: _Layout) -> str | None:
    instances = _signal_cells(layout)
    chosen = instances[layout.pick(len(instances))]
    where = f"{chosen.cell.name} at {chosen.trans.disp}"
    chosen.delete()
    _remove_unused(layout)
    return where


def _remove_unused(layout: _Layout) -> None:
    """Remove the cells that the top cell does not use any more."""
    for each in layout.cell.layout().top_cells():
        if each.name != layout.cell.name:
            each.prune_cell()


def _exchange_labels(layout: _Layout) -> str | None:
    """Exchange the labels of two ports."""
    texts = [
        shape
        for name, number in layout.technology.labels.items()
        if name in METALS
        for shape in layout.cell.shapes(layout.cell.layout().layer(*number)).each()
        if shape.is_text() and shape.text_string not in _NAMES
    ]
    names = sorted({each.text_string for each in texts})
    if len(names) < 2:
        return None
    one, two = (names[int(k)] for k in layout.rng.choice(len(names), 2, replace=False))
    for shape in texts:
        if shape.text_string in {one, two}:
            shape.text_string = two if shape.text_string == one else one
    return f"{one} and {two}"


def _split_supply(layout: _Layout) -> str | None:
    """Drop the label of a supply, or give it the name of the other one."""
    texts = [
        shape
        for number in layout.technology.labels.values()
        for shape in layout.cell.shapes(layout.cell.layout().layer(*number)).each()
        if shape.is_text() and shape.text_string in _NAMES
    ]
    if not texts:
        return None
    chosen = texts[layout.pick(len(texts))]
    old = chosen.text_string
    chosen.text_string = _NAMES[1 - _NAMES.index(old)]
    return f"{old} at {chosen.bbox().center()}"


KINDS: Mapping[str, Callable[[_Layout], str | None]] = {
    "dropped via": _drop_via,
    "open": _cut_wire,
    "short": _short,
    "moved wire": _move_wire,
    "swapped cell": _swap_cell,
    "removed cell": _remove_cell,
    "exchanged labels": _exchange_labels,
    "wrong supply": _split_supply,
}


_WIRES = {"dropped via", "open", "short", "moved wire"}
_CONNECTING = {*_WIRES, "exchanged labels"}


def damage(cell: kdb.Cell, technology: Technology, kind: str, rng: np.random.Generator) -> Damage | None:
    """Change the layout of a cell in place for the worse; None if it has no place for a damage of this kind.

    A damage to wires or ports counts only if it changes which contacts and ports are connected, which two
    ports that reach no cell do not; otherwise another one is tried, after wires are put back. This is found
    here from the polygons alone.
    """
    layout = _Layout(cell, technology, rng)
    before = layout.connected() if kind in _CONNECTING else frozenset()
    for _ in range(20):
        kept = {name: layout.drawn(name) for name in (*METALS, *CUTS)} if kind in _WIRES else {}
        where = KINDS[kind](layout)
        if where is not None and (kind not in _CONNECTING or layout.connected() != before):
            return Damage(kind, where)
        for name, region in kept.items():
            layout.replace(name, region)
    return None
