"""Reading of LEF files: the layers, vias and sites of a technology, and the pins of cells.

Only what placing and routing standard cells needs is read. Lengths are in nm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.tapeout.geometry import Box, nm

__all__ = ["LefLayer", "Macro", "MacroPin", "TechnologyLef", "read_macros", "read_sites", "read_technology"]

_NUMBER = r"(-?[\d.]+(?:[eE][-+]?\d+)?)"


@dataclass(frozen=True)
class MacroPin:
    """A pin of a cell.

    Attributes
    ----------
    name
        Name of the pin.
    direction, use
        For example ``INPUT`` and ``SIGNAL``; ``use`` is ``POWER`` or ``GROUND`` for supplies.
    shapes
        (layer, rectangle) of the pin, in the coordinates of the cell.
    gate_area
        Area of the gates that the pin drives, in um2; 0 for an output.
    diffusion_area
        Area of the diffusions at the pin, in um2.
    """

    name: str
    direction: str
    use: str
    shapes: tuple[tuple[str, Box], ...]
    gate_area: float = 0.0
    diffusion_area: float = 0.0

    @property
    def is_supply(self) -> bool:
        """Return whether the pin belongs to a supply or to a well."""
        return self.use in {"POWER", "GROUND"}


@dataclass(frozen=True)
class Macro:
    """A cell: its size in nm and its pins."""

    name: str
    width: int
    height: int
    pins: Mapping[str, MacroPin]

    @property
    def signals(self) -> tuple[MacroPin, ...]:
        """The pins that are not supplies."""
        return tuple(pin for pin in self.pins.values() if not pin.is_supply)


@dataclass(frozen=True)
class LefLayer:
    """A layer of a technology.

    Attributes
    ----------
    name, kind
        Name, and ``ROUTING`` or ``CUT`` (or another kind).
    horizontal
        Whether wires run horizontally.
    pitch, offset
        Distance of tracks, and position of the first one, in nm.
    width, spacing
        Minimum width and spacing (of cuts, their size and spacing) in nm.
    area
        Minimum area in nm2; 0 if there is none.
    thickness
        Thickness in um.
    area_capacitance, edge_capacitance
        In pF per um2, and in pF per um of edge.
    resistance
        Sheet resistance in ohm.
    """

    name: str
    kind: str
    horizontal: bool
    pitch: int
    offset: int
    width: int
    spacing: int
    area: int
    thickness: float
    area_capacitance: float
    edge_capacitance: float
    resistance: float


@dataclass(frozen=True)
class TechnologyLef:
    """The layers, the default vias and the sites of a technology.

    Attributes
    ----------
    source
        File that was read.
    layers
        Layer of each name.
    vias
        Rectangle on each layer, for each default via; centered at (0, 0).
    sites
        (width, height) of each site in nm.
    """

    source: Path
    layers: Mapping[str, LefLayer]
    vias: Mapping[str, Mapping[str, Box]]
    sites: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def read_technology(path: Path) -> TechnologyLef:
    """Read a technology LEF file; raises PdkError if it is unreadable or has no routing layer."""
    text = _text(path)
    layers = {name: _layer(name, body) for name, body in _blocks("LAYER", text)}
    if not any(layer.kind == "ROUTING" for layer in layers.values()):
        raise PdkError(f"{path}: has no routing layer")
    vias = {name: dict(_shapes(body)) for name, body in _blocks("VIA", text)}
    return TechnologyLef(path, layers, vias, _sites(text))


def read_sites(path: Path) -> dict[str, tuple[int, int]]:
    """Read width and height in nm of the sites of a LEF file; raises PdkError if it is unreadable."""
    return _sites(_text(path))


def read_macros(path: Path) -> dict[str, Macro]:
    """Read the cells of a LEF file; raises PdkError if it is unreadable or has no cell."""
    found = {}
    for name, body in _blocks("MACRO", _text(path)):
        size = _size(body)
        if size is None:
            raise PdkError(f"{path}: cell {name} has no SIZE")
        pins = {pin: _pin(pin, text) for pin, text in _blocks("PIN", body)}
        found[name] = Macro(name, *size, pins)
    if not found:
        raise PdkError(f"{path}: has no cell")
    return found


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise PdkError(f"{path}: cannot be read: {error.strerror}") from error
    return re.sub(r"#.*", "", text)


def _blocks(keyword: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield name and body of each block ``KEYWORD name ... END name``; keywords may be in small letters."""
    pattern = rf"^[ \t]*{keyword}[ \t]+(\S+)([^\n;]*\n.*?)^[ \t]*END[ \t]+\1[ \t]*$"
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL | re.IGNORECASE):
        yield match[1], match[2]


def _sites(text: str) -> dict[str, tuple[int, int]]:
    return {name: size for name, body in _blocks("SITE", text) if (size := _size(body))}


def _size(body: str) -> tuple[int, int] | None:
    match = re.search(rf"\bSIZE\s+{_NUMBER}\s+BY\s+{_NUMBER}", body)
    return (nm(match[1]), nm(match[2])) if match else None


def _shapes(body: str) -> Iterator[tuple[str, Box]]:
    """Yield layer and rectangle of each RECT."""
    layer = ""
    for match in re.finditer(rf"\bLAYER\s+(\S+)|\bRECT\s+(?:MASK\s+\d+\s+)?{' '.join([_NUMBER] * 4)}", body):
        if match[1]:
            layer = match[1]
        else:
            yield layer, Box(*(nm(match[i]) for i in range(2, 6)))


def _pin(name: str, body: str) -> MacroPin:
    return MacroPin(
        name,
        _word(body, "DIRECTION", "INOUT"),
        _word(body, "USE", "SIGNAL"),
        tuple(_shapes(re.sub(r"[ \t]+", " ", body))),
        _figure(body, "ANTENNAGATEAREA"),
        _figure(body, "ANTENNADIFFAREA"),
    )


def _layer(name: str, text: str) -> LefLayer:
    body = re.sub(r"[ \t]+", " ", text)
    spacing = re.search(rf"\bPARALLELRUNLENGTH[^;]*?\bWIDTH\s+{_NUMBER}\s+{_NUMBER}", body)
    return LefLayer(
        name=name,
        kind=_word(body, "TYPE", ""),
        horizontal=_word(body, "DIRECTION", "") == "HORIZONTAL",
        pitch=nm(_figure(body, "PITCH")),
        offset=nm(_figure(body, "OFFSET")),
        width=nm(_figure(body, "WIDTH")),
        spacing=nm(spacing[2]) if spacing else nm(_figure(body, "SPACING")),
        area=round(_figure(body, "AREA") * 1_000_000),
        thickness=_figure(body, "THICKNESS"),
        area_capacitance=_figure(body, "CAPACITANCE CPERSQDIST"),
        edge_capacitance=_figure(body, "EDGECAPACITANCE"),
        resistance=_figure(body, "RESISTANCE RPERSQ"),
    )


def _word(body: str, keyword: str, default: str) -> str:
    match = re.search(rf"\b{keyword}\s+(\w+)", body)
    return match[1] if match else default


def _figure(body: str, keyword: str) -> float:
    """Return the first number after a keyword at the beginning of a statement; 0.0 if there is none."""
    match = re.search(rf"^\s*{keyword}\s+{_NUMBER}", body, re.MULTILINE)
    return float(match[1]) if match else 0.0
