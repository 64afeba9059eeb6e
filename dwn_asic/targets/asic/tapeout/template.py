"""A die that is given from outside: its size, where its ports are, and its power straps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dwn_asic.errors import DataError
from dwn_asic.targets.asic.tapeout.geometry import Box, nm

__all__ = ["FixedPin", "PowerStrap", "Template", "read_def_template"]


@dataclass(frozen=True)
class FixedPin:
    """A port's rectangle on a layer, in nm; it touches an edge of the die."""

    layer: str
    box: Box


@dataclass(frozen=True)
class PowerStrap:
    """A vertical strap of the top layer: the edges in x and the ends in y in nm, and its net."""

    box: Box
    net: str


@dataclass(frozen=True)
class Template:
    """A die that a layout has to fit.

    Attributes
    ----------
    width, height
        Of the die in nm.
    pins
        Place of each port by its name, for example ``ui_in[0]``. Ports of the template that the netlist does
        not have are left out; ports of the netlist that are not here are an error.
    straps
        Power straps on the top layer of the router; without any, the layout chooses them.
    """

    width: int
    height: int
    pins: Mapping[str, FixedPin]
    straps: tuple[PowerStrap, ...] = field(default=())


def read_def_template(text: str, source: str) -> Template:
    """Read size and pins of a die from a DEF file.

    Parameters
    ----------
    text, source
        Content of the file, and its name in messages.

    Raises
    ------
    DataError
        The file has no DIEAREA or no placed pin.
    """
    units = re.search(r"UNITS\s+DISTANCE\s+MICRONS\s+(\d+)", text)
    scale = 1000 / int(units[1]) if units else 1.0
    area = re.search(r"DIEAREA((?:\s*\(\s*-?\d+\s+-?\d+\s*\))+)", text)
    if area is None:
        raise DataError(source, "has no DIEAREA")
    corners = [(int(x), int(y)) for x, y in re.findall(r"\(\s*(-?\d+)\s+(-?\d+)\s*\)", area[1])]
    right, top = (max(corner[axis] for corner in corners) for axis in (0, 1))
    pins = {}
    for match in re.finditer(r"^\s*-\s+(\S+)\s+\+\s+NET(.*?);\s*$", text, re.MULTILINE | re.DOTALL):
        shape = re.search(
            r"\+\s+LAYER\s+(\S+)\s+\(\s*(-?\d+)\s+(-?\d+)\s*\)\s+\(\s*(-?\d+)\s+(-?\d+)\s*\)", match[2]
        )
        place = re.search(r"\+\s+(?:PLACED|FIXED)\s+\(\s*(-?\d+)\s+(-?\d+)\s*\)", match[2])
        if shape is None or place is None or re.search(r"USE\s+(POWER|GROUND)", match[2]):
            continue
        box = Box(*(nm(int(shape[i]) * scale / 1000) for i in range(2, 6)))
        x, y = (nm(int(place[i]) * scale / 1000) for i in (1, 2))
        pins[match[1].replace("\\", "")] = FixedPin(shape[1], box.moved(x, y))
    if not pins:
        raise DataError(source, "has no placed pin")
    return Template(nm(right * scale / 1000), nm(top * scale / 1000), pins)
