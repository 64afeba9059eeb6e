"""The supply of a layout: rails along the rows, straps across them, and stacks of vias where they meet."""

from __future__ import annotations

from dataclasses import dataclass

from dwn_asic.targets.asic.tapeout.floorplan import Floorplan, rail_half
from dwn_asic.targets.asic.tapeout.geometry import Box, around
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["PowerGrid", "power_grid"]


@dataclass(frozen=True)
class PowerGrid:
    """Shapes of the supply.

    Attributes
    ----------
    rails
        Rails of the lowest layer of the router, and their nets.
    shapes
        (layer, rectangle, net) of straps and pads of the via stacks; a cut has the layer -1 - v, where v is
        the number of the via.
    """

    rails: tuple[tuple[Box, str], ...]
    shapes: tuple[tuple[int, Box, str], ...]


def power_grid(plan: Floorplan, technology: Technology) -> PowerGrid:
    """Return the supply of a planned die."""
    config, half = technology.config, rail_half(technology)
    right = plan.left + plan.sites * technology.site_width
    rails = []
    for row in range(plan.rows + 1):
        y = plan.bottom + row * technology.row_height
        net = config.ground if row % 2 == 0 else config.power
        rails.append((Box(plan.left, y - half, right, y + half), net))
    shapes = []
    top = len(technology.layers) - 1
    for strap in plan.straps:
        shapes.append((top, strap.box, strap.net))
        for rail, net in rails:
            if net == strap.net:
                y = (rail.bottom + rail.top) // 2
                shapes += _stack(strap.box, y, net, technology)
    return PowerGrid(tuple(rails), tuple(shapes))


def _stack(strap: Box, y: int, net: str, technology: Technology) -> list[tuple[int, Box, str]]:
    """Return the pads and cuts between a strap and the rail at y."""
    x = (strap.left + strap.right) // 2
    found = []
    for index in range(1, len(technology.layers) - 1):
        half = max(technology.vias[index].above.top, technology.vias[index + 1].below.top)
        found.append((index, around(x, y, strap.width // 2 - 10, half), net))
    for index in range(1, len(technology.vias)):
        via = technology.vias[index]
        room = strap.width - 20 - 2 * max(via.below.right, via.above.right)
        pitch = via.cut.width + via.cut_spacing
        count = room // pitch + 1
        for number in range(count):
            center = x - (count - 1) * pitch // 2 + number * pitch
            found.append((-1 - index, via.cut.moved(center, y), net))
    return found
