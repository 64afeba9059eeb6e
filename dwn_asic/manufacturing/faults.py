"""Single stuck-at faults of a netlist, collapsed into classes of equivalent faults.

Faults are at the ports and at the pins of cells: a stuck output pin affects all readers of its net, a stuck
input pin only its own cell. The clock and reset pins of flip-flops are not among them, since a fault there
stops the whole pipeline.

References
----------
.. [1] M. L. Bushnell and V. D. Agrawal, Essentials of Electronic Testing, Kluwer, 2000, section 4.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean import truth_table as tt
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate, Register

__all__ = ["STEM", "Fault", "FaultList", "function_of", "stuck_at_faults"]

STEM = -1
"""The reader of a fault at the driver of a net, which all readers see."""


@dataclass(frozen=True)
class Fault:
    """A pin that is stuck at a value.

    Attributes
    ----------
    pin
        Name below the top module: ``core._12_.A`` for a pin of a cell, ``x0_V1[3]`` for a bit of a port.
    value
        Value that the pin is stuck at.
    net
        Net of the pin.
    reader
        The reader that alone sees the fault: the index of an instance, or for a fault at an output port the
        number of instances plus the index of the bit among the outputs. It is :data:`STEM` if all readers of
        the net see the fault.
    position
        Index of the pin among the data inputs of the instance, see :func:`function_of`; 0 for other faults.
    """

    pin: str
    value: bool
    net: int
    reader: int
    position: int

    def __str__(self) -> str:
        return f"{self.pin} stuck at {int(self.value)}"


@dataclass(frozen=True, eq=False)
class FaultList:
    """All faults of a netlist.

    Attributes
    ----------
    faults
        The faults: of each pin first stuck at 0, then stuck at 1.
    classes
        (len(faults),) index of each fault's class. Faults of one class are detected by the same patterns.
    """

    faults: tuple[Fault, ...]
    classes: NDArray[np.int64]

    @cached_property
    def collapsed(self) -> tuple[Fault, ...]:
        """One fault of each class, the one closest to the outputs."""
        last = np.zeros(self.n_classes, np.int64)
        last[self.classes] = np.arange(len(self.faults))  # of equal indices the last assignment stays
        return tuple(self.faults[index] for index in last)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.classes.max(initial=-1)) + 1


def function_of(instance: Gate | Register) -> tuple[tuple[int, ...], int]:
    """Return the nets at the data inputs of an instance, and its truth table over them.

    A flip-flop is a wire from its data pin, or an inverter.
    """
    if isinstance(instance, Gate):
        return instance.inputs, instance.cell.table
    return (instance.data,), 0b01 if instance.cell.inverting else 0b10


def stuck_at_faults(netlist: FlatNetlist) -> FaultList:
    """Return all single stuck-at faults of a netlist, with their classes.

    Two faults are equivalent if one of these rules, or several in a row, say so:

    - The driver of a net and its only reader are stuck at the same value.
    - Two faults of one cell turn its function into the same function. For example, a NAND with an input stuck
      at 0 always outputs 1, like one whose output is stuck at 1.
    """
    faults = list(_faults(netlist))
    place = {(fault.net, fault.reader, fault.position, fault.value): k for k, fault in enumerate(faults)}
    parents = list(range(len(faults)))
    for net, readers in enumerate(_readers(netlist)):
        if len(readers) == 1 and (net, STEM, 0, False) in place:
            for value in (False, True):
                _join(parents, place[net, STEM, 0, value], place[net, *readers[0], value])
    for index, instance in enumerate(netlist.instances):
        nets, table = function_of(instance)
        for group in _equivalent(table, len(nets)):
            found = [
                place[(instance.output, STEM, 0, value) if k == len(nets) else (nets[k], index, k, value)]
                for k, value in group
            ]
            for other in found[1:]:
                _join(parents, found[0], other)
    roots = [_root(parents, index) for index in range(len(faults))]
    return FaultList(tuple(faults), np.unique(roots, return_inverse=True)[1].astype(np.int64))


def _faults(netlist: FlatNetlist) -> Iterator[Fault]:
    for net in netlist.inputs.values():
        yield from _both(netlist.net_names[net], net, STEM)
    for index, instance in enumerate(netlist.instances):
        cell = instance.cell
        pins = cell.inputs if isinstance(instance, Gate) else (instance.cell.data,)
        for k, (pin, net) in enumerate(zip(pins, function_of(instance)[0], strict=True)):
            yield from _both(f"{instance.name}.{pin}", net, index, k)
        yield from _both(f"{instance.name}.{cell.output}", instance.output, STEM)
    widths: dict[str, int] = {}
    for port, _ in netlist.outputs:
        widths[port] = widths.get(port, 0) + 1
    for index, ((port, bit), net) in enumerate(netlist.outputs.items(), len(netlist.instances)):
        yield from _both(f"{port}[{bit}]" if widths[port] > 1 else port, net, index)


def _both(pin: str, net: int, reader: int, position: int = 0) -> Iterator[Fault]:
    return (Fault(pin, value, net, reader, position) for value in (False, True))


def _readers(netlist: FlatNetlist) -> list[list[tuple[int, int]]]:
    """Return reader and position of each data pin and output port that a net drives."""
    found: list[list[tuple[int, int]]] = [[] for _ in netlist.net_names]
    for index, instance in enumerate(netlist.instances):
        for k, net in enumerate(function_of(instance)[0]):
            found[net].append((index, k))
    for index, net in enumerate(netlist.outputs.values(), len(netlist.instances)):
        found[net].append((index, 0))
    return found


@cache
def _equivalent(table: int, n: int) -> tuple[tuple[tuple[int, bool], ...], ...]:
    """Return the groups of equivalent faults of a function: (input, or n for the output; value)."""
    groups: dict[int, list[tuple[int, bool]]] = {}
    for value in (False, True):
        groups.setdefault(tt.full(n) * value, []).append((n, value))
        for k in range(n):
            addresses = [a | 1 << k if value else a & ~(1 << k) for a in range(1 << n)]
            groups.setdefault(tt.project(table, n, addresses), []).append((k, value))
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _join(parents: list[int], a: int, b: int) -> None:
    a, b = sorted((_root(parents, a), _root(parents, b)))
    parents[b] = a
