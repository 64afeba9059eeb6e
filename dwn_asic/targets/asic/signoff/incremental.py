"""Static timing of a netlist whose cells are exchanged one at a time, for other drive strengths.

An exchange changes the cell's tables and the loads of the nets that it reads. Everything before the drivers
of these nets keeps its timing, so only the rest is computed again; the result is that of
:func:`~dwn_asic.targets.asic.signoff.timing.analyze` on the changed netlist.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import kernel
from dwn_asic.targets.asic.signoff.library import NO_TABLE, TimingLibrary
from dwn_asic.targets.asic.signoff.timing import (
    RISE,
    Environment,
    collect_arcs,
    input_edges,
    lookup,
    net_loads,
    output_arcs,
    propagate,
    setup_checks,
    tails_of,
)
from dwn_asic.verilog.cell import Cell, FlipFlop
from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["IncrementalTiming"]


@dataclass(frozen=True, eq=False)
class _Kind:
    """A cell in the timing of a netlist.

    Attributes
    ----------
    arcs
        For each of its A arcs the source pin, sense and trigger, which all its drive strengths share.
    tables
        (A, 4) tables of its arcs: delays, then transitions.
    capacitance
        (P + 1, 2) capacitances in pF of its input pins and its output.
    setup
        (2,) tables of its setup time; :data:`NO_TABLE` for a gate.
    """

    arcs: tuple[tuple[str, str, str], ...]
    tables: NDArray[np.int64]
    capacitance: NDArray[np.float64]
    setup: NDArray[np.int64]


def _kind(library: TimingLibrary, cell: Cell | FlipFlop) -> _Kind:
    timed = library.cell(cell.name)
    arcs = output_arcs(timed, cell)
    checks = setup_checks(timed, cell) if isinstance(cell, FlipFlop) else []
    return _Kind(
        tuple((arc.source, arc.sense, arc.trigger) for arc in arcs),
        np.array([(*arc.delay, *arc.transition) for arc in arcs], np.int64).reshape(-1, 4),
        np.array([timed.pins[pin].capacitance for pin in (*cell.inputs, cell.output)]),
        np.array(checks[0].tables if checks else (NO_TABLE, NO_TABLE), np.int64),
    )


class IncrementalTiming:
    """The timing of a netlist, and of the same netlist with other drive strengths.

    Parameters
    ----------
    netlist, library, environment
        As for :func:`~dwn_asic.targets.asic.signoff.timing.analyze`, whose errors are raised.
    """

    def __init__(self, netlist: FlatNetlist, library: TimingLibrary, environment: Environment) -> None:
        self.netlist, self.library, self.environment = netlist, library, environment
        self.cells: list[Cell | FlipFlop] = [each.cell for each in netlist.instances]
        """Cell of each instance; :meth:`exchange` changes it."""
        self._kinds: dict[str, _Kind] = {}
        loads = net_loads(netlist, library, environment)
        self._arcs = collect_arcs(netlist, library, loads)
        self._load, self._resistance = loads.total, loads.resistance
        share = loads.resistance / np.maximum(loads.fanout, 1)
        self._share = share[self._arcs.source]
        counts = [len(self._of(cell).arcs) for cell in self.cells]
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        self._base = len(netlist.net_names) - len(netlist.instances)
        self._ends = np.array(list(netlist.outputs.values()), np.int64)
        registers = [i for i, cell in enumerate(self.cells) if isinstance(cell, FlipFlop)]
        self._register = {index: row for row, index in enumerate(registers)}
        self._data = np.array([netlist.instances[i].inputs[1] for i in registers], np.int64)
        self._setup = np.array([self._of(self.cells[i]).setup for i in registers], np.int64).reshape(-1, 2)
        limits = library.thresholds
        self._half = (limits.middle - limits.low) / (limits.high - limits.low)
        self._tails = tails_of(limits)
        shape = (len(netlist.net_names), 2)
        self._arrival, self._transition = np.full(shape, -np.inf), np.zeros(shape)
        self._causes = np.full(shape, -1, np.int64)
        if netlist.clock is not None:
            self._arrival[netlist.clock] = 0.0, -np.inf
        self._critical = -np.inf, -1, RISE
        self._compute(0)

    @property
    def delay(self) -> float:
        """Time of the critical endpoint in ns; 0 for a circuit without paths."""
        return max(0.0, self._critical[0])

    def path(self) -> list[int]:
        """Return the instances on the critical path, in order."""
        time, net, edge = self._critical
        found: list[int] = []
        while time > -np.inf and self._causes[net, edge] >= 0:
            found.append(net - self._base)
            arc, edge = divmod(int(self._causes[net, edge]), 2)
            net = int(self._arcs.source[arc])
        return found[::-1]

    def is_size(self, index: int, cell: Cell | FlipFlop) -> bool:
        """Return whether a drive strength can take the place of an instance's cell: it has the same arcs."""
        return self._of(cell).arcs == self._of(self.cells[index]).arcs

    def exchange(self, index: int, cell: Cell | FlipFlop) -> None:
        """Give an instance another drive strength of its cell."""
        self._patch(index, cell)
        self._compute(self._first(index))

    def delay_with(self, index: int, cell: Cell | FlipFlop) -> float:
        """Return the delay (ns) with another drive strength of one instance, which stays as it is."""
        first, before = self._first(index), self.cells[index]
        wires = self._arcs.wire_delay[self._start[index] : self._start[index + 1]]
        with self._restored(first, wires):
            self._patch(index, cell)
            self._compute(first)
            delay = self.delay
            self._patch(index, before)
        return delay

    def delay_with_load(self, net: int, change: NDArray[np.float64]) -> float:
        """Return the delay (ns) with more load (pF, when rising and falling) on a net, which stays as it is.

        The resistance of its wire stays the same too.
        """
        first = 0 if self.environment.driving_cell else max(0, net - self._base)
        with self._restored(first):
            self._load[net] += change
            self._compute(first)
            return self.delay

    def capacitance(self, cell: Cell | FlipFlop, pin: int) -> NDArray[np.float64]:
        """Return the (2,) capacitances in pF of an input pin of a cell, when rising and falling."""
        return self._of(cell).capacitance[pin]

    def result(self) -> FlatNetlist:
        """Return the netlist with the present cells."""
        instances = tuple(
            each if each.cell is cell else replace(each, cell=cell)  # type: ignore[arg-type]
            for each, cell in zip(self.netlist.instances, self.cells, strict=True)
        )
        return replace(self.netlist, instances=instances)

    # ---- inside --------------------------------------------------------------------------------------------
    def _of(self, cell: Cell | FlipFlop) -> _Kind:
        found = self._kinds.get(cell.name)
        if found is None:
            found = self._kinds[cell.name] = _kind(self.library, cell)
        return found

    @contextmanager
    def _restored(self, first: int, *more: NDArray[Any]) -> Iterator[None]:
        """Give all timing from an instance on, loads and more arrays their present values back at the end."""
        start = self._base + first
        changed = [self._arrival[start:], self._transition[start:], self._causes[start:], self._load, *more]
        if first == 0:
            changed += [self._arrival[: self._base], self._transition[: self._base]]
        kept, critical = [values.copy() for values in changed], self._critical
        try:
            yield
        finally:
            for values, old in zip(changed, kept, strict=True):
                values[:] = old
            self._critical = critical

    def _first(self, index: int) -> int:
        """Return the first instance whose timing depends on the cell of an instance."""
        if self.environment.driving_cell:
            return 0  # the cell may load an input, whose driving cell is then slower
        drivers = [net - self._base for net in self.netlist.instances[index].inputs if net >= self._base]
        return min([index, *drivers])

    def _patch(self, index: int, cell: Cell | FlipFlop) -> None:
        old, new = self._of(self.cells[index]), self._of(cell)
        instance = self.netlist.instances[index]
        change = new.capacitance - old.capacitance
        for net, more in zip((*instance.inputs, instance.output), change, strict=True):
            self._load[net] += more
        start, end = self._start[index], self._start[index + 1]
        self._arcs.tables[start:end] = new.tables
        pins = [self.cells[index].inputs.index(pin) for pin in self._arcs.pins[start:end]]
        self._arcs.wire_delay[start:end] += self._share[start:end, None] * change[pins]
        if index in self._register:
            self._setup[self._register[index]] = new.setup
        self.cells[index] = cell

    def _compute(self, first: int) -> None:
        """Compute the timing from an instance on."""
        start = self._base + first
        self._arrival[start:], self._transition[start:], self._causes[start:] = -np.inf, 0.0, -1
        inputs = list(self.netlist.inputs.values())
        if first == 0:
            edges = input_edges(self.library, self.environment, self._load[inputs])
            self._arrival[inputs], self._transition[inputs] = edges
        tables, arcs = self.library.tables, self._arcs
        propagate(
            self._start[first],
            self._half,
            self._tails,
            arcs.source,
            arcs.target,
            arcs.sense,
            arcs.trigger,
            arcs.tables,
            arcs.wire_delay,
            self._load,
            self._resistance,
            tables.numbers,
            tables.shapes,
            self._arrival,
            self._transition,
            self._causes,
        )
        net, edge, time = _latest(
            self._ends,
            self._data,
            self._setup,
            tables.numbers,
            tables.shapes,
            self._arrival,
            self._transition,
        )
        self._critical = float(time), int(net), int(edge)


@kernel
def _latest(ends, data, setup, numbers, shapes, arrival, transition):  # type: ignore[no-untyped-def]
    """Return net, edge and time of the endpoint that is ready last; the time is minus infinity for none."""
    net, edge, time = -1, 0, -np.inf
    for end in ends:
        for way in range(2):
            if arrival[end, way] > time:
                net, edge, time = end, way, arrival[end, way]
    for register in range(len(data)):
        end = data[register]
        for way in range(2):
            late = arrival[end, way]
            if late > -np.inf and setup[register, way] >= 0:
                late += lookup(numbers, shapes, setup[register, way], 0.0, transition[end, way])
            if late > time:
                net, edge, time = end, way, late
    return net, edge, time
