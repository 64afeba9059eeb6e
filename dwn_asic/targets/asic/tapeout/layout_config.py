"""The content of a file of layout figures, ``pdk_configs/NAME.layout.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Positive, Strict
from dwn_asic.yaml_file import load_yaml, validate

__all__ = ["LayoutConfig", "load_layout_config"]

GdsLayer = Annotated[tuple[int, int], Field(strict=False)]
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
_ROUTING_LAYERS = 4


class PinLayer(Strict):
    """The layer below those of the router, where cells have the pins that are not on the router's lowest."""

    name: str
    gds: GdsLayer


class RoutedLayer(Strict):
    """A layer of the router: GDS layers of its wires, pins and labels, and the smallest hole (um2)."""

    name: str
    gds: GdsLayer
    pin_gds: GdsLayer
    label_gds: GdsLayer
    hole_um2: Annotated[float, Field(ge=0)] = 0.0
    pins_only: bool = False
    """True if the router reaches pins on this layer, but draws no wires on it."""


class UsedVia(Strict):
    """A via of the technology LEF, its cut layer, the GDS layer of the cut and the resistance of a cut.

    A via with the name of its cut layer is a contact inside cells, which the router does not use.
    """

    name: str
    cut: str
    gds: GdsLayer
    ohm: Positive
    at_pins: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Vias of the same cut whose lower pads may be used at pins too."""


class TieCell(Strict):
    """A cell that drives a constant, and its output."""

    cell: str
    pin: str


class Ties(Strict):
    """The cells that drive the constants 0 and 1; one cell may drive both."""

    low: TieCell
    high: TieCell


class Tap(Strict):
    """The cell that ties the wells, and the distance of such cells in a row."""

    cell: str
    every_sites: Annotated[int, Field(ge=8)]


class BufferCell(Strict):
    """A buffer and its pins."""

    cell: str
    input: str
    output: str


class AntennaRule(Strict):
    """Limit of the wire that charges a gate before its driver is connected."""

    ratio: Positive
    """Largest area of a net's wires over the area of the gates that they charge."""
    area: Literal["side", "top"]
    """Area that counts: that of both sides of the wires, or that seen from the top."""
    cumulative: bool = False
    """True if the areas of a layer and of all below it count together, and not each layer alone."""


class DiodeCell(Strict):
    """The antenna diode and its pin."""

    cell: str
    pin: str


class Replacement(Strict):
    """A cell of the same function, and the rule that the replaced one breaks by itself."""

    use: str
    because: str


class Part(Strict):
    """A cell that takes the place of a part of another.

    Its pins have the pins of the replaced cell, or nets between the parts, whose names begin with ``+``.
    """

    cell: str
    pins: dict[str, str]


class Split(Strict):
    """Cells that together compute what another computes, and why that cannot be placed."""

    because: str
    parts: Annotated[tuple[Part, ...], Field(strict=False, min_length=1)]


class LayoutConfig(Strict):
    """Figures and cells that placing and routing needs beside the LEF and GDS files of a PDK."""

    lef: str
    """LEF file of the cells, relative to the folder of the Liberty files, as are the next two."""
    technology: str
    """LEF file of the layers, vias and sites."""
    gds: str
    """GDS file of the cells."""
    site: str
    """Site of the rows."""
    grid_nm: int
    """Manufacturing grid in nm."""
    pin_layer: PinLayer
    """Layer of the cells' pins."""
    layers: Annotated[
        tuple[RoutedLayer, ...],
        Field(strict=False, min_length=_ROUTING_LAYERS, max_length=_ROUTING_LAYERS),
    ]
    """Layers of the router, from the bottom up."""
    vias: Annotated[
        tuple[UsedVia, ...], Field(strict=False, min_length=_ROUTING_LAYERS, max_length=_ROUTING_LAYERS)
    ]
    """Vias between these layers, from the pin layer up."""
    outline_gds: GdsLayer
    """GDS layer of the outline of the die."""
    power: str
    """Net of the supply."""
    ground: str
    """Net of the ground."""
    supply_pins: dict[str, str]
    """Net of each supply pin of the cells."""
    strap_um: Positive
    """Width of the power straps."""
    strap_every_um: Positive
    """Distance of pairs of power straps."""
    tap: Tap | None = None
    """Cell that ties the wells; none if all cells tie them."""
    end_cap: str | None = None
    """Cell at both ends of each row, if there has to be one."""
    fillers: Names
    """Cells that fill gaps; one of them is one site wide."""
    decaps: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Decoupling capacitors, which fill the gaps that are wide enough."""
    ties: Ties
    """Cells that drive constants."""
    buffer: BufferCell
    """Buffer of a port that shares its net with another."""
    clock_buffer: BufferCell
    """Buffer of the clock tree."""
    clock_fanout: Annotated[int, Field(ge=2)]
    """Largest number of pins that a buffer of the clock tree drives."""
    diode: DiodeCell
    """Diode that discharges the wires of an antenna."""
    antenna: AntennaRule
    """Limit of the wire that charges a gate."""
    instead: dict[str, Replacement] = Field(default={})
    """Cells that break a rule by themselves, and what takes their place."""
    split: dict[str, Split] = Field(default={})
    """Cells that the router cannot reach, and the cells that take their place."""
    unusable: dict[str, str] = Field(default={})
    """Patterns of cells that break a rule by themselves, and the rule."""


def load_layout_config(path: Path) -> LayoutConfig:
    """Read and check a file of layout figures; raises ConfigError if it is wrong."""
    return validate(LayoutConfig, load_yaml(path), path)
