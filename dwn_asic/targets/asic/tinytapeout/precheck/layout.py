"""Rules of a layout: its GDS and LEF files, and the Verilog with power pins, for a tile of SkyWater 130."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING

from dwn_asic.errors import ToolError
from dwn_asic.targets.asic.layout_checks.check import official_decks
from dwn_asic.targets.asic.layout_checks.decks import DECK_OVERRIDE
from dwn_asic.targets.asic.layout_checks.verdict import DrcVerdict
from dwn_asic.targets.asic.tinytapeout.precheck.lef import LefMacro, LefPin, Rectangle, read_macro
from dwn_asic.targets.asic.tinytapeout.precheck.repository import Repository
from dwn_asic.targets.asic.tinytapeout.precheck.rule import NotCheckedError, Rule, RuleBrokenError
from dwn_asic.targets.asic.tinytapeout.tiles import PORTS, Tile

if TYPE_CHECKING:
    from dwn_asic.targets.asic.klayout_module import db

__all__ = ["RULES", "CheckedLayout", "LayoutFiles"]

_BOUNDARY = 235, 4
_PIN_LAYER, _PIN_GDS = "met4", (71, 16)
_FORBIDDEN = {"met5.drawing": (72, 20), "met5.pin": (72, 16), "met5.label": (72, 5)}
_DRAWN = {"nwell": 64, "poly": 66, "li1": 67, "met1": 68, "met2": 69, "met3": 70, "met4": 71}
"""Layers that may have pins and labels, which must lie on their drawn shapes."""
_DRAWING, _PIN, _LABEL = 20, 16, 5
_ALLOWED = frozenset(
    {(layer, purpose) for layer in _DRAWN.values() for purpose in (_DRAWING, _PIN, _LABEL)}
    | {(64, 59), (122, 16), (65, 20), (65, 44), (66, 15), (78, 44), (93, 44), (94, 20), (95, 20), (125, 44)}
    | {(layer, 44) for layer in range(66, 71)}
    | {(81, 4), (81, 23), (83, 44), (236, 0), _BOUNDARY}
)
"""Layers of standard cells, of wires up to met4, and of the boundary: all of them are allowed there."""
_POWER_WIDTH, _POWER_REACH = 1_200, 10_000
"""Minimum width of power pins, and maximum distance of their ends from the edges, in nm."""
_POWER = {"VPWR": "POWER", "VDPWR": "POWER", "VGND": "GROUND"}
_PDK = "sky130hd"


@dataclass(frozen=True)
class LayoutFiles:
    """The files of a layout: GDS, LEF, and the netlist with power pins, empty where there is none."""

    gds: bytes
    lef: str
    verilog: str


@dataclass(frozen=True, eq=False)
class CheckedLayout:
    """A layout with the repository that it belongs to."""

    repository: Repository
    files: LayoutFiles

    @property
    def top(self) -> str:
        """Name of the top module."""
        return self.repository.known_info.project.top_module

    @property
    def tile(self) -> Tile:
        """Size of the design."""
        return self.repository.known_info.tile

    @cached_property
    def official(self) -> tuple[tuple[DrcVerdict, ...], tuple[str, ...]]:
        """Verdicts of the foundry's decks that are installed, and a line for each that is not."""
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / f"{self.top}.gds"
            path.write_bytes(self.files.gds)
            return official_decks(path, pdk=_PDK, top=self.top)

    @cached_property
    def layout(self) -> db.Layout:
        """The layout; raises RuleBrokenError if the file is damaged."""
        found = _klayout().Layout()
        try:
            found.read_bytes(self.files.gds, _klayout().LoadLayoutOptions())
        except RuntimeError as error:
            raise RuleBrokenError(f"the GDS file cannot be read: {' '.join(str(error).split())}") from error
        return found

    @cached_property
    def cell(self) -> db.Cell:
        """The top cell; raises RuleBrokenError if it is not the only one, or has another name."""
        tops = [cell.name for cell in self.layout.top_cells()]
        if tops != [self.top]:
            raise RuleBrokenError(f"the top cells are {', '.join(tops) or 'none'} instead of {self.top}")
        return self.layout.top_cell()

    @cached_property
    def macro(self) -> LefMacro:
        """The macro of the LEF file."""
        return read_macro(self.files.lef, self.top)

    def region(self, layer: tuple[int, int], *, deep: bool = True) -> db.Region:
        """Return the merged shapes of a layer, of all cells or of the top cell alone."""
        index, kdb = self.layout.find_layer(*layer), _klayout()
        if index is None:
            return kdb.Region()
        shapes = self.cell.begin_shapes_rec(index) if deep else self.cell.shapes(index)
        return kdb.Region(shapes).merged()

    def nm(self, box: db.Box) -> Rectangle:
        """Return a box of the layout in nm."""
        scale = self.layout.dbu * 1000
        left, bottom, right, top = (
            round(value * scale) for value in (box.left, box.bottom, box.right, box.top)
        )
        return left, bottom, right, top

    def box(self, rectangle: Rectangle) -> db.Box:
        """Return a rectangle in nm as a box of the layout."""
        scale = self.layout.dbu * 1000
        return _klayout().Box(*(round(value / scale) for value in rectangle))


def _klayout() -> ModuleType:
    try:
        from dwn_asic.targets.asic.klayout_module import db
    except ToolError as error:
        raise NotCheckedError(str(error)) from error
    return db


def _um(value: int) -> str:
    return f"{value / 1000:g} um"


# ---- the GDS file ------------------------------------------------------------------------------------------
def _top_cell(layout: CheckedLayout) -> str:
    return str(layout.cell.name)


def _boundary(layout: CheckedLayout) -> str:
    tile, region = layout.tile, layout.region(_BOUNDARY)
    if region.is_empty():
        raise RuleBrokenError(f"there is no shape on prBoundary {_BOUNDARY[0]}/{_BOUNDARY[1]}")
    found, wanted = layout.nm(region.bbox()), (0, 0, tile.width, tile.height)
    if found != wanted:
        raise RuleBrokenError(f"prBoundary is {found} instead of {wanted} nm")
    return f"{_um(tile.width)} x {_um(tile.height)}"


def _inside(layout: CheckedLayout) -> str:
    found, wanted = layout.cell.bbox(), layout.region(_BOUNDARY).bbox()
    if not found.inside(wanted):
        raise RuleBrokenError(
            f"shapes reach {layout.nm(found)} nm, outside prBoundary {layout.nm(wanted)} nm"
        )
    return "no shape is outside"


def _no_met5(layout: CheckedLayout) -> str:
    for name, layer in _FORBIDDEN.items():
        if layout.layout.find_layer(*layer) is not None:
            raise RuleBrokenError(f"there is a layer {name}, {layer[0]}/{layer[1]}")
    return "met4 is the highest layer"


def _layers(layout: CheckedLayout) -> str:
    found = {(info.layer, info.datatype) for info in layout.layout.layer_infos()}
    other = sorted(found - _ALLOWED - set(_FORBIDDEN.values()))
    if other:
        raise RuleBrokenError(f"other layers than those of cells and wires: {other}")
    return f"{len(found)} layers"


def _cell_names(layout: CheckedLayout) -> str:
    names = [cell.name for cell in layout.layout.each_cell()]
    wrong = [name for name in names if "#" in name or "/" in name]
    if wrong:
        raise RuleBrokenError(f"cell names have # or /: {', '.join(wrong)}")
    return f"{len(names)} cells"


def _zero_area(layout: CheckedLayout) -> str:
    count = 0
    for cell in layout.layout.each_cell():
        for index in layout.layout.layer_indexes():
            for shape in cell.shapes(index).each():
                count += 1
                if not shape.is_text() and shape.area() == 0:
                    raise RuleBrokenError(f"{cell.name}: a shape without area at {shape.bbox()}")
    return f"{count} shapes"


def _labels(layout: CheckedLayout) -> str:
    kdb, count = _klayout(), 0
    for name, number in _DRAWN.items():
        drawn = layout.region((number, _DRAWING))
        outside = layout.region((number, _PIN)) - drawn
        if not outside.is_empty():
            raise RuleBrokenError(f"a pin on {name} is not on its drawing, at {layout.nm(outside.bbox())} nm")
        index = layout.layout.find_layer(number, _LABEL)
        if index is None or name == "nwell":
            continue
        texts = kdb.Texts(layout.cell.begin_shapes_rec(index))
        count += texts.count()
        beside = texts.not_interacting(drawn)
        for text in beside.each():
            raise RuleBrokenError(f"label {text.string} on {name} is not on its drawing")
    return f"{count} labels"


# ---- pins --------------------------------------------------------------------------------------------------
def _size(layout: CheckedLayout) -> str:
    tile, macro = layout.tile, layout.macro
    if macro.origin != (0, 0):
        raise RuleBrokenError(f"the origin of the LEF macro is {macro.origin} instead of (0, 0)")
    if macro.size != (tile.width, tile.height):
        raise RuleBrokenError(
            f"the size of the LEF macro is {macro.size} instead of {tile.width, tile.height} nm"
        )
    return f"{_um(tile.width)} x {_um(tile.height)}"


def _signal_pins(layout: CheckedLayout) -> str:
    pins, wanted = layout.macro.pins, layout.tile.pins
    for name, place in wanted.items():
        if name not in pins:
            raise RuleBrokenError(f"the LEF macro has no pin {name}")
        if pins[name].shapes != ((_PIN_LAYER, place),):
            raise RuleBrokenError(f"pin {name} is {pins[name].shapes} instead of {_PIN_LAYER} {place} nm")
    other = [name for name in pins if name not in wanted and name not in _POWER]
    if other:
        raise RuleBrokenError(f"the LEF macro has other pins: {', '.join(other)}")
    return f"{len(wanted)} pins on {_PIN_LAYER} at the places of the template"


def _power_pins(layout: CheckedLayout) -> str:
    pins, tile = layout.macro.pins, layout.tile
    supplies = [name for name in ("VPWR", "VDPWR") if name in pins]
    if len(supplies) != 1 or "VGND" not in pins:
        raise RuleBrokenError("the LEF macro must have the pins VGND and VPWR")
    straps = 0
    for name in (*supplies, "VGND"):
        if pins[name].use != _POWER[name]:
            raise RuleBrokenError(f"pin {name} has USE {pins[name].use} instead of {_POWER[name]}")
        for layer, place in pins[name].shapes:
            _check_strap(tile, name, layer, place)
            straps += 1
        if not pins[name].shapes:
            raise RuleBrokenError(f"pin {name} has no shape")
    return f"{straps} straps on {_PIN_LAYER}"


def _check_strap(tile: Tile, name: str, layer: str, place: Rectangle) -> None:
    left, bottom, right, top = place
    if layer != _PIN_LAYER:
        raise RuleBrokenError(f"pin {name} is on {layer} instead of {_PIN_LAYER}")
    if right - left < _POWER_WIDTH:
        raise RuleBrokenError(f"pin {name} is {_um(right - left)} wide, less than {_um(_POWER_WIDTH)}")
    if bottom > _POWER_REACH or tile.height - top > _POWER_REACH:
        raise RuleBrokenError(f"pin {name} ends more than {_um(_POWER_REACH)} from an edge: {place} nm")
    if left < 0 or bottom < 0 or right > tile.width or top > tile.height:
        raise RuleBrokenError(f"pin {name} is not inside the tile: {place} nm")


def _apart(layout: CheckedLayout) -> str:
    pins = layout.macro.pins.values()
    for first, second in combinations(pins, 2):
        for (layer, one), (other, two) in _pairs(first, second):
            if layer == other and _touch(one, two):
                raise RuleBrokenError(f"pins {first.name} and {second.name} touch or overlap")
    return f"{len(pins)} pins do not touch each other"


def _pairs(first: LefPin, second: LefPin) -> Iterator[tuple[tuple[str, Rectangle], tuple[str, Rectangle]]]:
    return ((one, two) for one in first.shapes for two in second.shapes)


def _touch(one: Rectangle, two: Rectangle) -> bool:
    return one[0] <= two[2] and two[0] <= one[2] and one[1] <= two[3] and two[1] <= one[3]


def _pins_drawn(layout: CheckedLayout) -> str:
    kdb, count = _klayout(), 0
    region = layout.region(_PIN_GDS, deep=False)
    for pin in layout.macro.pins.values():
        for _, place in pin.shapes:
            if not (kdb.Region(layout.box(place)) - region).is_empty():
                raise RuleBrokenError(
                    f"pin {pin.name} of the LEF is not on {_PIN_LAYER}.pin of the top cell: {place}"
                )
            count += 1
    return f"{count} rectangles"


def _verilog(layout: CheckedLayout) -> str:
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", layout.files.verilog, flags=re.DOTALL)
    if not text.strip():
        raise RuleBrokenError("there is no netlist with power pins")
    header = re.search(rf"\bmodule\s+{re.escape(layout.top)}\s*\((.*?)\)\s*;", text, re.DOTALL)
    if header is None:
        raise RuleBrokenError(f"the netlist has no module {layout.top}")
    names = set(re.findall(r"\w+", re.sub(r"\[[^]]*\]", " ", header[1])))
    if not names & {"VPWR", "VDPWR"} or "VGND" not in names:
        raise RuleBrokenError("the top module of the netlist has no power pins VPWR and VGND")
    missing = [port.name for port in PORTS if port.name not in names]
    if missing:
        raise RuleBrokenError(f"the top module of the netlist lacks {', '.join(missing)}")
    return f"{len(PORTS)} ports and power pins"


def _by_deck(tool: str) -> Callable[[CheckedLayout], str]:
    """Return the check by the foundry's deck for a tool, where both are installed."""

    def check(checked: CheckedLayout) -> str:
        if os.environ.get(DECK_OVERRIDE):
            raise NotCheckedError(f"{DECK_OVERRIDE} names another deck")
        verdicts, missing = checked.official
        for verdict in verdicts:
            if verdict.tool.startswith(tool):
                if not verdict.clean:
                    raise RuleBrokenError("; ".join(line.strip() for line in verdict.lines()))
                return next(verdict.lines())
        raise NotCheckedError(next(line for line in missing if line.startswith(tool.lower())))

    return check


RULES = (
    Rule("layout: top cell", _top_cell),
    Rule("layout: prBoundary", _boundary),
    Rule("layout: inside the boundary", _inside),
    Rule("layout: no met5", _no_met5),
    Rule("layout: layers", _layers),
    Rule("layout: cell names", _cell_names),
    Rule("layout: zero area", _zero_area),
    Rule("layout: pins and labels on drawings", _labels),
    Rule("layout: size of the LEF", _size),
    Rule("layout: signal pins", _signal_pins),
    Rule("layout: power pins", _power_pins),
    Rule("layout: pins apart", _apart),
    Rule("layout: pins of the LEF in the GDS", _pins_drawn),
    Rule("layout: netlist", _verilog),
    Rule("layout: KLayout FEOL, BEOL, offgrid", _by_deck("KLayout")),
    Rule("layout: Magic DRC", _by_deck("Magic")),
)
"""Rules of the layout, in the order in which they are checked."""
