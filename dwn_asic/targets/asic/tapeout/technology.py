"""A technology for layouts: layers, vias and cells of a PDK, and the figures of its rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.errors import PdkError
from dwn_asic.files import content_digest
from dwn_asic.targets.asic.pdk import Pdk, config_path
from dwn_asic.targets.asic.tapeout.geometry import Box, around
from dwn_asic.targets.asic.tapeout.layout_config import LayoutConfig, load_layout_config
from dwn_asic.targets.asic.tapeout.lef import (
    LefLayer,
    Macro,
    TechnologyLef,
    read_macros,
    read_sites,
    read_technology,
)

if TYPE_CHECKING:
    from dwn_asic.targets.asic.klayout_module import db

__all__ = ["RoutingLayer", "Technology", "Via", "load_technology"]


@dataclass(frozen=True)
class RoutingLayer:
    """A layer of the router.

    Attributes
    ----------
    lef
        Figures of the technology LEF.
    gds, pin_gds, label_gds
        GDS layer and data type of wires, pins and labels.
    hole
        Area of the smallest hole in nm2.
    end_x, end_y
        Half extents in nm that the end of a wire may have: those of the largest via pad.
    stride
        Number of grid steps between two tracks of this layer, 1 or 2.
    pins_only
        Whether the router uses the layer at pins alone.
    """

    lef: LefLayer
    gds: tuple[int, int]
    pin_gds: tuple[int, int]
    label_gds: tuple[int, int]
    hole: int
    end_x: int
    end_y: int
    stride: int
    pins_only: bool

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.lef.name

    @property
    def half_width(self) -> int:
        """Half the width of a wire in nm."""
        return self.lef.width // 2


@dataclass(frozen=True)
class Via:
    """A via: its cut, and its pads on the layer below and the layer above; all centered at (0, 0).

    ``at_pins`` are the pads on the layer below that may be used at pins.
    """

    cut_name: str
    gds: tuple[int, int]
    cut: Box
    below: Box
    above: Box
    cut_spacing: int
    ohm: float
    at_pins: tuple[Box, ...]


@dataclass(frozen=True, eq=False)
class Technology:
    """Layers, vias and cells for layouts.

    Attributes
    ----------
    name
        Name of the PDK.
    config
        Figures and cells of the layout file.
    site_width, row_height
        In nm.
    layers
        Four layers of the router, from the bottom up: horizontal, vertical, horizontal, vertical.
    vias
        From the layer of pins to the first layer of the router, and so on up.
    macros
        Cells of the LEF file by name.
    gds
        GDS file of the cells.
    """

    name: str
    config: LayoutConfig
    site_width: int
    row_height: int
    layers: tuple[RoutingLayer, ...]
    vias: tuple[Via, ...]
    macros: Mapping[str, Macro]
    gds: Path

    @property
    def step_x(self) -> int:
        """Distance of the vertical tracks, which is a site, in nm."""
        return self.site_width

    @property
    def step_y(self) -> int:
        """Distance of the horizontal tracks of the lowest layer in nm."""
        return self.layers[0].lef.pitch

    @property
    def offset_x(self) -> int:
        """Position of the first vertical track in nm."""
        return self.layers[1].lef.offset % self.step_x

    @property
    def offset_y(self) -> int:
        """Position of the first horizontal track in nm."""
        return self.layers[0].lef.offset % self.step_y

    def room(self, layer: int) -> int:
        """Return the width in nm of shapes on neighbouring tracks of a layer that keep the spacing."""
        figures = self.layers[layer]
        across = self.step_y if figures.lef.horizontal else self.step_x
        return across * figures.stride - figures.lef.spacing

    def flipped_track(self, track: int) -> int:
        """Return the track of a row that a cell's track becomes where the row is upside down."""
        return (self.row_height - 2 * self.offset_y) // self.step_y - track

    @property
    def tap_sites(self) -> int:
        """Width of a tap in sites; 0 if there are none."""
        return self.sites(self.config.tap.cell) if self.config.tap else 0

    @property
    def cap_sites(self) -> int:
        """Width of an end cap in sites; 0 if there are none."""
        return self.sites(self.config.end_cap) if self.config.end_cap else 0

    def macro(self, name: str) -> Macro:
        """Return a cell; raises PdkError if there is none of that name."""
        found = self.macros.get(name)
        if found is None:
            raise PdkError(f"{self.name}: its LEF file has no cell {name}")
        return found

    def sites(self, name: str) -> int:
        """Return the width of a cell in sites."""
        return self.macro(name).width // self.site_width

    def usable(self, name: str) -> str:
        """Return the cell to place for a cell of the netlist, which is another if that one breaks a rule.

        Raises
        ------
        PdkError
            The cell breaks a rule by itself, and no other cell takes its place.
        """
        replacement = self.config.instead.get(name)
        if replacement is not None:
            return replacement.use
        for pattern, rule in self.config.unusable.items():
            if fnmatchcase(name, pattern):
                raise PdkError(
                    f"{self.name}: cell {name} breaks rule {rule} by itself and cannot be placed: "
                    "exclude it by `dont_use` of the PDK's YAML file"
                )
        self.macro(name)
        return name

    def cells(self) -> db.Layout:
        """Return the geometry of all cells, read once per process; nobody may change it."""
        return _read_gds(str(self.gds), content_digest(self.gds))


@lru_cache(maxsize=2)
def _read_gds(path: str, _content: str) -> db.Layout:
    from dwn_asic.targets.asic.klayout_module import db as klayout

    layout = klayout.Layout()
    layout.read(path)
    if abs(layout.dbu - 0.001) > 1e-9:
        raise PdkError(f"{path}: its unit is {layout.dbu} um, expected 0.001 um")
    return layout


def load_technology(pdk: Pdk) -> Technology:
    """Load what placing and routing needs of a PDK.

    Raises
    ------
    PdkError
        The PDK has no layout file, is not installed, lacks a file, or its tracks do not suit the router.
    ConfigError
        The layout file is wrong.
    """
    name = pdk.config.name
    yaml = config_path(name).with_name(f"{name}.layout.yaml")
    if not yaml.is_file():
        raise PdkError(f"PDK {name}: cannot be laid out: there is no {yaml}")
    if not pdk.liberty:
        raise PdkError(
            f"PDK {name}: a layout needs its LEF and GDS files, which are not installed: set PDK_ROOT. "
            f"{pdk.config.get}"
        )
    config, folder = load_layout_config(yaml), pdk.liberty[0].parent
    files = [folder / file for file in (config.lef, config.technology, config.gds)]
    for file in files:
        if not file.is_file():
            raise PdkError(f"PDK {name}: {file} is missing. {pdk.config.get}")
    clocks = tuple((each.name, each.clock) for each in pdk.library.flip_flops)
    return _load(name, config.model_dump_json(), *files, clocks, tuple(map(content_digest, files)))


@lru_cache(maxsize=2)
def _load(
    name: str,
    content: str,
    cells: Path,
    layers: Path,
    gds: Path,
    clocks: tuple[tuple[str, str], ...],
    _contents: object,
) -> Technology:
    config = LayoutConfig.model_validate_json(content)
    lef, macros = read_technology(layers), _with_clocks(read_macros(cells), clocks)
    sites = {**read_sites(cells), **lef.sites}
    size = sites.get(config.site)
    if size is None:
        raise PdkError(f"{layers}: has no site {config.site} (sites: {', '.join(sites)})")
    vias = _vias(config, lef)
    routing = tuple(
        RoutingLayer(
            lef.layers[layer.name],
            layer.gds,
            layer.pin_gds,
            layer.label_gds,
            round(layer.hole_um2 * 1_000_000),
            *_ends(vias, index),
            stride=_stride(lef.layers[layer.name], size[0], lef.layers[config.layers[0].name].pitch),
            pins_only=layer.pins_only,
        )
        for index, layer in enumerate(config.layers)
    )
    found = Technology(name, config, *size, routing, vias, macros, gds)
    _check_tracks(found, layers)
    return found


def _with_clocks(macros: Mapping[str, Macro], clocks: Iterable[tuple[str, str]]) -> dict[str, Macro]:
    """Mark the clock pins of flip-flops, which not every LEF file does."""
    found = dict(macros)
    for cell, clock in clocks:
        if cell in macros and clock in macros[cell].pins:
            pin = replace(macros[cell].pins[clock], use="CLOCK")
            found[cell] = replace(macros[cell], pins={**macros[cell].pins, clock: pin})
    return found


def _vias(config: LayoutConfig, lef: TechnologyLef) -> tuple[Via, ...]:
    names = [config.pin_layer.name, *(layer.name for layer in config.layers)]
    found = []
    for used, below, above in zip(config.vias, names[:-1], names[1:], strict=True):
        shapes = [_via_shapes(lef, name, used.cut, (below, above)) for name in (used.name, *used.at_pins)]
        cut, first = shapes[0][used.cut], shapes[0]
        spacing, pads = lef.layers[used.cut].spacing, tuple(each[below] for each in shapes)
        found.append(Via(used.cut, used.gds, cut, first[below], first[above], spacing, used.ohm, pads))
    return tuple(found)


def _via_shapes(lef: TechnologyLef, name: str, cut: str, metals: tuple[str, str]) -> Mapping[str, Box]:
    """Return the rectangle of a via on its cut layer and on both layers of metal."""
    if name == cut and cut in lef.layers:
        half = lef.layers[cut].width // 2
        return dict.fromkeys((*metals, cut), around(0, 0, half, half))
    shapes = lef.vias.get(name, {})
    missing = [layer for layer in (metals[0], cut, metals[1]) if layer not in shapes]
    if missing:
        raise PdkError(f"{lef.source}: via {name} has no shape on {missing[0]}")
    return shapes


def _ends(vias: tuple[Via, ...], layer: int) -> tuple[int, int]:
    """Return the largest half extents of the pads of a layer's vias; pins of cells do not count."""
    pads = [vias[layer].above] if layer else []
    pads += [vias[layer + 1].below] if layer + 1 < len(vias) else []
    return max(pad.right for pad in pads), max(pad.top for pad in pads)


def _stride(layer: LefLayer, step_x: int, step_y: int) -> int:
    return -(-layer.pitch // (step_y if layer.horizontal else step_x))


def _check_tracks(technology: Technology, source: Path) -> None:
    """Raise PdkError where the router's resources would not keep the spacing rules.

    Wires on neighbouring tracks, and pads at neighbouring points, have to keep the spacing where no resource
    of the router keeps them apart.
    """
    step = technology.step_x, technology.step_y
    rest = technology.row_height % step[1], (technology.row_height - 2 * technology.offset_y) % step[1]
    if any(rest):
        raise PdkError(
            f"{source}: {technology.layers[0].name}: tracks {step[1]} nm apart from "
            f"{technology.offset_y} nm on do not suit rows of {technology.row_height} nm, turned over"
        )
    for via in technology.vias:
        if any(box != Box(-box.right, -box.top, -box.left, -box.bottom) for box in (*via.at_pins, via.above)):
            raise PdkError(f"{source}: via of {via.cut_name} is not symmetric")
    for index, layer in enumerate(technology.layers):
        along, across = (0, 1) if layer.lef.horizontal else (1, 0)
        end = layer.end_x, layer.end_y
        needed = {
            "tracks": (step[across] * layer.stride, layer.half_width + end[across]),
            "wire ends": (step[along] * (2 if index else 1), 2 * end[along]),
        }
        if index:
            needed["pads"] = (step[across] * layer.stride, 2 * end[across])
        if layer.lef.horizontal != (index % 2 == 0) or layer.stride not in {1, 2}:
            raise PdkError(f"{source}: {layer.name}: its direction or pitch does not suit the router")
        for what, (distance, extents) in needed.items():
            if distance - extents < layer.lef.spacing:
                raise PdkError(
                    f"{source}: {layer.name}: {what} {distance} nm apart do not keep "
                    f"the spacing of {layer.lef.spacing} nm"
                )
