"""Event-driven simulation of a netlist with the delays of its timing, which counts glitches.

From each row to the next, inputs and outputs of registers change at their arrival times, and the changes
pass through the gates until all nets are settled. A gate has one delay for a rising and one for a falling
output: that of its fastest input. Each input adds the time by which it is slower, the mean over both edges
and over the states of the cell's arcs. Delays are inertial, as in Verilog: if a gate's function returns to
the value of its output before the delay is over, the output does not change. Changes at the same moment are
taken together.

Times are whole femtoseconds, so results do not depend on the machine.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import allocating
from dwn_asic.targets.asic.signoff.activity import Simulation
from dwn_asic.targets.asic.signoff.timing import Timing, table_value
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate

__all__ = ["GateDelays", "Glitches", "count", "gate_delays"]

_FEMTO = 1e6
"""Femtoseconds in a nanosecond."""
_NODE_BITS = 24
_IDENTITY = np.array([0, 1], np.uint8)


@dataclass(frozen=True, eq=False)
class GateDelays:
    """Delays of all gates in femtoseconds.

    Attributes
    ----------
    output
        (I, 2) delay of each instance's rising and falling output; 0 for registers.
    pins
        Further delay of each input of each instance, in the order of its cell's inputs.
    arrival
        (N, 2) arrival of the rising and falling edge of each net that no gate drives.
    """

    output: NDArray[np.int64]
    pins: Sequence[NDArray[np.int64]]
    arrival: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Glitches:
    """Transitions of all nets, with glitches and without; the last axis of each array is (rise, fall).

    Attributes
    ----------
    transitions
        (N, 2) number of transitions of each net in all steps from row to row.
    settled
        (N, 2) number of steps in which the settled value rises, and in which it falls.
    driven
        (N,) whether a cell drives the net.
    steps
        Number of steps.
    """

    transitions: NDArray[np.int64]
    settled: NDArray[np.int64]
    driven: NDArray[np.bool_]
    steps: int

    @property
    def extra(self) -> NDArray[np.int64]:
        """Number of transitions of each net that glitches add, (N, 2)."""
        return self.transitions - self.settled

    @property
    def per_inference(self) -> tuple[float, float]:
        """Transitions per inference of the nets that cells drive: with glitches, and without."""
        every, settled = (float(each[self.driven].sum()) for each in (self.transitions, self.settled))
        return every / self.steps, settled / self.steps


def gate_delays(timing: Timing) -> GateDelays:
    """Return the delays of all gates at the transitions and loads of static timing."""
    netlist = timing.netlist
    sums = [np.zeros((len(each.inputs), 2)) for each in netlist.instances]
    counts = [np.zeros((len(each.inputs), 2)) for each in netlist.instances]
    for arc, (source, target, pin) in enumerate(
        zip(timing.arcs.source, timing.arcs.target, timing.arcs.pins, strict=True)
    ):
        driver = netlist.drivers[target]
        assert driver is not None
        place = netlist.instances[driver].cell.inputs.index(pin)
        for before, after in timing.arcs.edges(arc):
            delay = table_value(
                timing.library,
                int(timing.arcs.tables[arc, after]),
                float(timing.transition[source, before]),
                float(timing.load[target, after]),
            )
            sums[driver][place, after] += delay + timing.arcs.wire_delay[arc, before]
            counts[driver][place, after] += 1.0
    output = np.zeros((len(sums), 2), np.int64)
    pins = [np.zeros(len(each.inputs), np.int64) for each in netlist.instances]
    for index, instance in enumerate(netlist.instances):
        if isinstance(instance, Gate):
            known = counts[index] > 0.0
            each = np.where(known, sums[index] / np.maximum(counts[index], 1.0), np.inf)
            fastest = each.min(axis=0)
            later = np.where(known, each - fastest, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            output[index] = np.maximum(1, np.rint(fastest * _FEMTO))
            pins[index] = np.rint(later * _FEMTO).astype(np.int64)
    arrival = np.where(np.isfinite(timing.arrival), timing.arrival, 0.0)
    return GateDelays(output, pins, np.maximum(0, np.rint(arrival * _FEMTO)).astype(np.int64))


def count(netlist: FlatNetlist, delays: GateDelays, simulation: Simulation) -> Glitches:
    """Simulate all steps from row to row, and count the transitions of every net.

    Parameters
    ----------
    netlist
        Netlist.
    delays
        Delays of its gates.
    simulation
        Settled values of its nets for all rows.
    """
    nets = len(netlist.net_names)
    nodes = _Nodes(netlist, delays)
    first = np.array([value & 1 for value in simulation.values], np.uint8)
    values = np.concatenate((first, first[nodes.copied]))
    sources = np.array([net for net in range(nets) if not nodes.gate[net]], np.int64)
    rows = np.array([_bits(simulation.values[net], simulation.rows) for net in sources], np.uint8)
    transitions = np.zeros((len(values), 2), np.int64)
    _simulate(
        sources,
        rows.reshape(len(sources), simulation.rows),
        nodes.delays,
        *nodes.readers(),
        nodes.start,
        nodes.tables,
        values,
        transitions,
    )
    driven = np.array([driver is not None for driver in netlist.drivers])
    return Glitches(transitions[:nets], _settled(simulation), driven, simulation.steps)


class _Nodes:
    """The nets, then a node for each input pin with a delay of its own, with their functions and delays."""

    def __init__(self, netlist: FlatNetlist, delays: GateDelays) -> None:
        nets = len(netlist.net_names)
        self.gate = np.zeros(nets, np.bool_)
        self.edges: list[tuple[int, int, int]] = []  # (node, node that reads it, its input)
        copied: list[int] = []
        later: list[int] = []
        places: dict[str, int] = {"": 0}
        tables = [_IDENTITY]
        start = [0] * nets
        fixed = delays.arrival.copy()
        for index, instance in enumerate(netlist.instances):
            if not isinstance(instance, Gate):
                continue
            cell, output = instance.cell, instance.output
            if cell.name not in places:
                places[cell.name] = sum(map(len, tables))
                size = 1 << len(cell.inputs)
                tables.append(_bits(cell.table, size))
            start[output], self.gate[output] = places[cell.name], True
            fixed[output] = delays.output[index]
            for place, (net, delay) in enumerate(zip(instance.inputs, delays.pins[index], strict=True)):
                if delay:
                    node = nets + len(copied)
                    copied.append(net)
                    later.append(int(delay))
                    self.edges += [(net, node, 0), (node, output, place)]
                else:
                    self.edges.append((net, output, place))
        self.copied = np.array(copied, np.int64)
        self.tables = np.concatenate(tables)
        self.start = np.array([*start, *[0] * len(copied)], np.int64)
        self.delays = np.concatenate((fixed, np.repeat(np.array(later, np.int64)[:, None], 2, axis=1)))

    def readers(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return where the readers of each node begin, the readers, and the bits of their inputs."""
        edges = np.array(self.edges, np.int64).reshape(-1, 3)
        edges = edges[np.argsort(edges[:, 0], kind="stable")]
        begin = np.searchsorted(edges[:, 0], np.arange(len(self.start) + 1))
        return begin.astype(np.int64), edges[:, 1].copy(), np.left_shift(1, edges[:, 2])


def _bits(value: int, size: int) -> NDArray[np.uint8]:
    """Return the bits of an integer, the least significant first."""
    content = np.frombuffer(value.to_bytes(size // 8 + 1, "little"), np.uint8)
    return np.unpackbits(content, count=size, bitorder="little")


def _settled(simulation: Simulation) -> NDArray[np.int64]:
    mask = simulation.ones >> 1
    pairs = ((value & mask, value >> 1) for value in simulation.values)
    counted = [((after & ~before).bit_count(), (before & ~after).bit_count()) for before, after in pairs]
    return np.fromiter(chain.from_iterable(counted), np.int64).reshape(-1, 2)


@allocating
def _simulate(sources, rows, delays, begin, readers, bits, start, tables, value, transitions):  # type: ignore[no-untyped-def]
    """Count the transitions of all nodes; ``value`` holds the first row's values and is changed.

    The heap holds time and node of each transition to come, as one number. An entry was cancelled if its time
    is not that of ``pending``.
    """
    nodes = len(start)
    pending = np.full(nodes, -1, np.int64)
    address = np.zeros(nodes, np.int64)
    for node in range(nodes):
        for place in range(begin[node], begin[node + 1]):
            address[readers[place]] |= value[node] * bits[place]
    changed = np.empty(nodes, np.int64)
    heap = [np.int64(0)]
    heap.pop()
    for row in range(1, rows.shape[1]):
        for i in range(len(sources)):
            node = sources[i]
            if rows[i, row] != value[node]:
                pending[node] = delays[node, value[node]]
                heapq.heappush(heap, pending[node] << _NODE_BITS | node)
        while len(heap) > 0:
            now = heap[0] >> _NODE_BITS
            found = _change(now, heap, pending, value, transitions, changed)
            for i in range(found):
                for place in range(begin[changed[i]], begin[changed[i] + 1]):
                    address[readers[place]] ^= bits[place]
            for i in range(found):
                for place in range(begin[changed[i]], begin[changed[i] + 1]):
                    node = readers[place]
                    wanted = tables[start[node] + address[node]]
                    _plan(now, node, wanted, delays, value, pending, heap)


@allocating
def _change(now, heap, pending, value, transitions, changed):  # type: ignore[no-untyped-def]
    """Make all transitions of this moment, list their nodes in ``changed``, and return how many there are."""
    found = 0
    while len(heap) > 0 and heap[0] >> _NODE_BITS == now:
        node = heapq.heappop(heap) & ((1 << _NODE_BITS) - 1)
        if pending[node] == now:
            pending[node] = -1
            transitions[node, value[node]] += 1
            value[node] ^= 1
            changed[found] = node
            found += 1
    return found


@allocating
def _plan(now, node, wanted, delays, value, pending, heap):  # type: ignore[no-untyped-def]
    """Set the next transition of a node whose function has the value ``wanted``, or cancel it."""
    if wanted == value[node]:
        pending[node] = -1
    elif pending[node] < 0:
        pending[node] = now + delays[node, value[node]]
        heapq.heappush(heap, pending[node] << _NODE_BITS | node)
