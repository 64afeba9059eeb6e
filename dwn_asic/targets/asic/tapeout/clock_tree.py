"""A small buffered clock tree: neighbouring flip-flops share a buffer, neighbouring buffers the next one.

All flip-flops are behind the same number of buffers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dwn_asic.targets.asic.tapeout.floorplan import Floorplan
from dwn_asic.targets.asic.tapeout.netlist import CellInstance, Netlist
from dwn_asic.targets.asic.tapeout.placement import Placement, place
from dwn_asic.targets.asic.tapeout.technology import Technology

__all__ = ["ClockSink", "clock_sinks", "with_clock_tree"]

_EFFORT = 0.2
"""Effort of the placement that only shows which flip-flops are neighbours."""


@dataclass(frozen=True)
class ClockSink:
    """A pin that a clock drives: its instance and its name."""

    instance: str
    pin: str


def clock_sinks(netlist: Netlist, technology: Technology) -> dict[str, list[ClockSink]]:
    """Return the nets that drive clock pins, and these pins."""
    found: dict[str, list[ClockSink]] = {}
    for each in netlist.instances:
        macro = technology.macro(each.cell)
        for pin, net in each.pins.items():
            if macro.pins[pin].use == "CLOCK":
                found.setdefault(net, []).append(ClockSink(each.name, pin))
    return found


def with_clock_tree(netlist: Netlist, technology: Technology, plan: Floorplan, seed: int) -> Netlist:
    """Return a netlist whose clocks drive at most ``clock_fanout`` pins, by buffers where there are more.

    Parameters
    ----------
    netlist
        Prepared netlist.
    technology, plan
        Technology, and the plan of a die that has room for the buffers.
    seed
        Seed of the placement that shows which flip-flops are neighbours.
    """
    most = technology.config.clock_fanout
    clocks = {net: sinks for net, sinks in clock_sinks(netlist, technology).items() if len(sinks) > most}
    if not clocks:
        return netlist
    placement = place(netlist, technology, plan, seed=seed, effort=_EFFORT)
    points = _positions(placement, technology)
    for net, sinks in clocks.items():
        netlist = _buffered(netlist, technology, net, sinks, points)
    return netlist


def _positions(placement: Placement, technology: Technology) -> dict[str, tuple[int, int]]:
    return {
        cell.name: (cell.site * technology.site_width, cell.row * technology.row_height)
        for cell in placement.cells
    }


def _buffered(
    netlist: Netlist,
    technology: Technology,
    net: str,
    sinks: Sequence[ClockSink],
    points: Mapping[str, tuple[int, int]],
) -> Netlist:
    """Insert levels of buffers into a clock net until its driver has few enough pins."""
    buffer, most = technology.config.clock_buffer, technology.config.clock_fanout
    points = dict(points)
    level, added, moved = list(sinks), list[CellInstance](), dict[ClockSink, str]()
    while len(level) > most:
        above = []
        for group in _groups(level, points, most):
            name = f"clock_{len(added)}" if net == "clk" else f"clock_{net}_{len(added)}"
            points[name] = _middle([points[sink.instance] for sink in group])
            output = f"{name}_{buffer.output}"
            added.append(CellInstance(name, buffer.cell, {buffer.input: net, buffer.output: output}))
            moved |= dict.fromkeys(group, output)
            above.append(ClockSink(name, buffer.input))
        level = above
    instances = []
    for each in (*netlist.instances, *added):
        pins = {pin: moved.get(ClockSink(each.name, pin), other) for pin, other in each.pins.items()}
        instances.append(replace(each, pins=pins))
    return replace(netlist, instances=tuple(instances))


def _groups(
    sinks: list[ClockSink], points: Mapping[str, tuple[int, int]], most: int
) -> list[list[ClockSink]]:
    """Split sinks at the middle of the longer side of their area until the groups are small enough."""
    if len(sinks) <= most:
        return [sinks]
    extents = [
        max(points[sink.instance][axis] for sink in sinks)
        - min(points[sink.instance][axis] for sink in sinks)
        for axis in (0, 1)
    ]
    axis = 0 if extents[0] >= extents[1] else 1
    ordered = sorted(sinks, key=lambda sink: (points[sink.instance][axis], sink.instance))
    half = len(ordered) // 2
    return [*_groups(ordered[:half], points, most), *_groups(ordered[half:], points, most)]


def _middle(points: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return sum(x for x, _ in points) // len(points), sum(y for _, y in points) // len(points)
