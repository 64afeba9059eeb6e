"""The logic of a cell from its transistors, by switch-level simulation of every input pattern.

Neither names nor tables of a library are used: what a cell of a layout computes follows from what was drawn.
The simulation is that of Bryant's switch-level model without charge: a net has the value of the supplies that
conducting transistors connect it to, and is unknown if there are several, none, or one that may be cut off.

References
----------
R. E. Bryant, "A switch-level model and simulator for MOS digital systems", IEEE Trans. Computers C-33, 1984.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from dwn_asic.targets.asic.layout_checks.cell_spice import CellCircuit, SpiceDevice
from dwn_asic.targets.asic.layout_checks.technology import Technology

__all__ = ["CellLogic", "cell_logic"]

_MOST_INPUTS = 8
_Value = bool | None


@dataclass(frozen=True)
class CellLogic:
    """The functions of a cell.

    Attributes
    ----------
    inputs
        Names of the input pins; the first is the least significant bit of addresses.
    outputs
        Output pin -> truth table, whose bit ``a`` is the output at address ``a``. Empty if the cell holds a
        state.
    held
        Output pins of a cell that holds a state, such as a flip-flop.
    """

    inputs: tuple[str, ...]
    outputs: Mapping[str, int]
    held: tuple[str, ...] = ()


def cell_logic(cell: CellCircuit, technology: Technology) -> CellLogic:
    """Return the functions of a cell, which holds a state if an output is unknown for some inputs.

    Pins at gates of transistors alone are inputs, the others outputs.

    Parameters
    ----------
    cell
        The transistors.
    technology
        Kinds of devices, and supplies, the first of which is 1 and the others 0.
    """
    high, *_ = technology.supplies
    rails = {pin: name == high for name, pins in technology.supplies.items() for pin in pins}
    switches = _Switches(cell.devices, technology)
    pins = [pin for pin in cell.pins if pin not in rails]
    inputs = tuple(pin for pin in pins if pin not in switches.channels)
    outputs = tuple(pin for pin in pins if pin in switches.channels)
    holding = CellLogic(inputs, {}, outputs)
    if len(inputs) > _MOST_INPUTS:
        return holding
    tables = dict.fromkeys(outputs, 0)
    for address, pattern in enumerate(product((False, True), repeat=len(inputs))):
        values = switches.settled(rails | dict(zip(inputs, reversed(pattern), strict=True)))
        for output in outputs:
            value = values.get(output)
            if value is None:
                return holding
            tables[output] |= value << address
    return CellLogic(inputs, tables)


class _Switches:
    """Transistors as switches between nets.

    Attributes
    ----------
    channels
        Nets at a source, drain or resistor.
    """

    def __init__(self, devices: Iterable[SpiceDevice], technology: Technology) -> None:
        kinds = {each.models[0]: each.type == "nmos" for each in technology.devices.transistors}
        self._switches: list[tuple[str, str, str | None, bool]] = []
        for device in devices:
            if device.model in kinds:
                drain, gate, source, _ = device.nets
                self._switches.append((drain, source, gate, kinds[device.model]))
            else:
                one, other = device.nets
                self._switches.append((one, other, None, True))
        self.channels = {net for one, other, *_ in self._switches for net in (one, other)}

    def settled(self, fixed: Mapping[str, bool]) -> dict[str, _Value]:
        """Return the values of all nets, given those of supplies and inputs, once nothing changes."""
        values: dict[str, _Value] = dict(fixed)
        while True:
            conducting, possible = [], []
            for one, other, gate, level in self._switches:
                value = level if gate is None else values.get(gate)
                if value is None or value == level:
                    possible.append((one, other))
                if value == level:
                    conducting.append((one, other))
            sure, maybe = _sources(conducting, fixed), _sources(possible, fixed)
            found = dict(fixed) | {
                net: next(iter(sure[net])) if len(sure[net]) == 1 and sure[net] == maybe[net] else None
                for net in self.channels - fixed.keys()
            }
            if found == values:
                return found
            values = found


def _sources(switches: Sequence[tuple[str, str]], fixed: Mapping[str, bool]) -> Mapping[str, frozenset[bool]]:
    """Return the values that each net is connected to; supplies and inputs conduct nothing through."""
    neighbours: dict[str, list[str]] = {}
    for one, other in switches:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    found: dict[str, set[bool]] = {}
    for start, value in fixed.items():
        stack, seen = [start], {start}
        while stack:
            for net in neighbours.get(stack.pop(), ()):
                if net not in seen and net not in fixed:
                    seen.add(net)
                    found.setdefault(net, set()).add(value)
                    stack.append(net)
    return _Reached({net: frozenset(values) for net, values in found.items()})


class _Reached(dict[str, frozenset[bool]]):
    """Values that nets are connected to: none for the nets that are not in it."""

    def __missing__(self, _net: str) -> frozenset[bool]:
        return frozenset()
