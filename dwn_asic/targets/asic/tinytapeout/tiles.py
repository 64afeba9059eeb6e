"""Facts of the Tiny Tapeout template for SkyWater 130: ports, tile sizes and the places of pins.

References
----------
.. [1] https://github.com/TinyTapeout/tt-support-tools, tech/sky130A: tile_sizes.yaml and the DEF templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from dwn_asic.errors import DwnAsicError

__all__ = ["PORTS", "TILES", "Port", "Tile", "bit_names", "chosen_tile"]

Direction = Literal["input", "output"]


@dataclass(frozen=True)
class Port:
    """A port of every Tiny Tapeout design."""

    name: str
    direction: Direction
    width: int


PORTS = (
    Port("ui_in", "input", 8),
    Port("uo_out", "output", 8),
    Port("uio_in", "input", 8),
    Port("uio_out", "output", 8),
    Port("uio_oe", "output", 8),
    Port("ena", "input", 1),
    Port("clk", "input", 1),
    Port("rst_n", "input", 1),
)
"""Ports of the top module, in the order of the template."""

_FROM_THE_RIGHT = ("ena", "clk", "rst_n", "ui_in", "uio_in", "uo_out", "uio_out", "uio_oe")
"""Ports in the order of their pins along the top edge; bit 0 of each comes first."""
_FIRST, _PITCH = 146_740, 2_760
"""Place of the rightmost pin, and distance between pins, in nm."""
_PIN = 300, 1_000
"""Width and height of a pin in nm."""
_MARGIN = 2_760, 2_720
"""Margin in nm between the edge of a tile and its rows, horizontally and vertically."""
_UTILIZATION = 0.6
"""Density that the template asks of placement, as a share of the rows."""
_GROWTH = 1.15
"""Factor by which clock tree, buffers and taps enlarge the mapped cells."""


@dataclass(frozen=True)
class Tile:
    """A size of designs.

    Attributes
    ----------
    name
        Number of tiles in both directions, as ``tiles`` in info.yaml.
    width, height
        Size in nm.
    """

    name: str
    width: int
    height: int

    @property
    def core_area(self) -> float:
        """Area of the placement rows in um2."""
        return (self.width - 2 * _MARGIN[0]) * (self.height - 2 * _MARGIN[1]) / 1e6

    @property
    def tiles(self) -> int:
        """Number of tiles that it counts as."""
        columns, rows = self.name.split("x")
        return int(columns) * int(rows)

    @cached_property
    def pins(self) -> dict[str, tuple[int, int, int, int]]:
        """Name of each signal pin, and its rectangle on met4 in nm: left, bottom, right, top."""
        found = {}
        names = [bit for name in _FROM_THE_RIGHT for bit in bit_names(name)]
        for place, name in enumerate(names):
            center = _FIRST - place * _PITCH
            found[name] = center - _PIN[0] // 2, self.height - _PIN[1], center + _PIN[0] // 2, self.height
        return found


def bit_names(port: str) -> tuple[str, ...]:
    """Return the names of the bits of a port, ascending."""
    width = next(each.width for each in PORTS if each.name == port)
    return tuple(f"{port}[{bit}]" for bit in range(width)) if width > 1 else (port,)


TILES = tuple(
    Tile(name, width, height)
    for name, width, height in (
        ("1x1", 161_000, 111_520),
        ("1x2", 161_000, 225_760),
        ("2x2", 334_880, 225_760),
        ("3x2", 508_760, 225_760),
        ("4x2", 682_640, 225_760),
        ("6x2", 1_030_400, 225_760),
        ("8x2", 1_378_160, 225_760),
    )
)
"""Sizes for digital designs, from the smallest to the largest."""


def chosen_tile(area: float) -> Tile:
    """Return the smallest tile for cells of a mapped area.

    The clock tree, buffers and taps are expected to add 15% to the cells, which then fill at most 60% of the
    rows.

    Parameters
    ----------
    area
        Mapped area of all cells in um2.

    Raises
    ------
    DwnAsicError
        No tile is large enough.
    """
    for tile in TILES:
        if area * _GROWTH <= _UTILIZATION * tile.core_area:
            return tile
    largest = TILES[-1]
    most = _UTILIZATION * largest.core_area / _GROWTH
    raise DwnAsicError(
        f"Tiny Tapeout: {area:.0f} um2 of cells are too large for the largest design, "
        f"{largest.name} tiles (at most {most:.0f} um2)"
    )
