"""Power and energy of a netlist for given rows, from the energies and leakage of a Liberty library.

Three parts are added up for every instance:

* switching: each transition of a net that a cell drives takes half of C V**2, where C is the load of the net;
* internal: each transition of a pin takes the energy of its table, at the transition time and load of timing
  analysis. A transition of an output is shared among the inputs that changed in the same step, and the
  conditions (``when``) of the tables apply to the state after the step;
* leakage: the mean over the states of the rows.

A register's clock pin has two transitions in each cycle. The nets of the inputs and of the clock, which
something else drives, do not count; the pins that they drive do. Each net changes at most once per row,
unless transitions of glitches are given. These take half of C V**2 too; their internal energy is the mean
over the inputs that may have caused them, where each state has the weight of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.expression import Expression
from dwn_asic.targets.asic.signoff.activity import Simulation
from dwn_asic.targets.asic.signoff.energies import CellEnergies, Entries
from dwn_asic.targets.asic.signoff.timing import FALL, RISE, Timing, table_value
from dwn_asic.verilog.flat_netlist import Gate, Register

__all__ = ["Power", "by_instance", "estimate"]

_MICRO = 1e-6
"""Factor from nW ns to pJ."""


@dataclass(frozen=True, eq=False)
class Power:
    """Energy per inference and leakage of every instance, in the order of the netlist.

    Attributes
    ----------
    switching, internal
        (I,) energies in pJ per inference.
    clock
        (I,) part of ``internal`` in pJ per inference that transitions of the clock take.
    leakage
        (I,) leakage in nW.
    delay
        Delay of the critical path, or shortest clock period, in ns.
    tree, tree_leakage
        Energy in pJ per inference, and leakage in nW, of the buffers and wires of a clock tree, which a
        layout has beside the instances of the netlist.
    """

    switching: NDArray[np.float64]
    internal: NDArray[np.float64]
    clock: NDArray[np.float64]
    leakage: NDArray[np.float64]
    delay: float
    tree: float = 0.0
    tree_leakage: float = 0.0

    @property
    def dynamic(self) -> float:
        """Energy per inference without leakage, in pJ."""
        return float(self.switching.sum() + self.internal.sum()) + self.tree

    @property
    def leakage_power(self) -> float:
        """Leakage in nW."""
        return float(self.leakage.sum()) + self.tree_leakage

    def energy(self, period: float) -> float:
        """Return the energy in pJ of an inference that takes ``period`` ns, leakage included."""
        return self.dynamic + self.leakage_power * period * _MICRO

    def power(self, megahertz: float) -> float:
        """Return the power in uW at so many million inferences a second."""
        return self.dynamic * megahertz + self.leakage_power * 1e-3

    @property
    def energy_delay(self) -> float:
        """Energy-delay product in pJ ns, at one inference per critical delay."""
        return self.energy(self.delay) * self.delay


def estimate(timing: Timing, simulation: Simulation, glitches: NDArray[np.int64] | None = None) -> Power:
    """Estimate the power of a netlist for the rows of a simulation of it.

    Parameters
    ----------
    timing
        Timing of the netlist.
    simulation
        Settled values of its nets.
    glitches
        (N, 2) rising and falling transitions of each net beyond those of the simulation; None for none.

    Raises
    ------
    PdkError
        The library lacks a cell, or the leakage of one that is used.
    """
    half = 0.5 * timing.library.conditions.voltage**2

    def of_instance(instance: Gate | Register, cell: CellEnergies) -> tuple[float, float, float, float]:
        events = _Events(instance, cell, simulation)
        load = timing.load[instance.output]
        rises, falls = (events.edges(instance.cell.output, edge).bit_count() for edge in (RISE, FALL))
        switching = half * float(load[RISE] * rises + load[FALL] * falls) / simulation.steps
        internal, clock = _internal(events, timing)
        if glitches is not None:
            switching += half * float(load @ glitches[instance.output]) / simulation.steps
            internal += _of_glitches(events, timing, glitches) / simulation.steps
        return switching, internal, clock, events.leakage()

    return by_instance(timing, of_instance)


def by_instance(
    timing: Timing,
    of_instance: Callable[[Gate | Register, CellEnergies], tuple[float, float, float, float]],
) -> Power:
    """Collect switching, internal and clock energy (pJ) and leakage (nW) of all instances of a netlist."""
    cells: dict[str, CellEnergies] = {}
    found = np.zeros((4, len(timing.netlist.instances)))
    for index, instance in enumerate(timing.netlist.instances):
        name = instance.cell.name
        if name not in cells:
            cells[name] = CellEnergies.of(timing.library, name)
        found[:, index] = of_instance(instance, cells[name])
    switching, internal, clock, leakage = found
    return Power(switching, internal, clock, leakage, timing.delay)


class _Events:
    """The transitions and states of the pins of one instance."""

    def __init__(self, instance: Gate | Register, cell: CellEnergies, simulation: Simulation) -> None:
        self.instance, self.cell, self._simulation = instance, cell, simulation
        kind = instance.cell
        self._mask = simulation.ones >> 1
        self.nets = dict(zip((*kind.inputs, kind.output), (*instance.inputs, instance.output), strict=True))
        values = {pin: simulation.values[net] for pin, net in self.nets.items()}
        self.clock = instance.cell.clock if isinstance(instance, Register) else ""
        if isinstance(instance, Register):
            held = simulation.values[instance.data]
            values |= dict(zip(cell.timed.stored, (held, held ^ simulation.ones), strict=False))
        for pin, function in cell.functions.items():
            if pin not in values:
                values[pin] = function.evaluate(values, simulation.ones)
        self._values = values
        self._after = {pin: value >> 1 for pin, value in values.items()}

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self._simulation.steps

    def edges(self, pin: str, edge: int) -> int:
        """Return the steps in which a pin rises or falls, one bit per step."""
        value = self._values.get(pin, 0)
        before, after = value & self._mask, value >> 1
        return after & ~before if edge == RISE else before & ~after & self._mask

    def state(self, condition: Expression | None, *, at_clock: bool = False) -> int:
        """Return the steps after which a condition holds.

        At an edge of the clock a register's data is that of the next row, its output still that of the last
        one.
        """
        if condition is None:
            return self._mask
        after = self._after
        if at_clock:
            after = dict(after)
            kept = {self.instance.cell.output, *self.cell.timed.stored, *self.cell.functions}
            after |= {pin: self._values[pin] & self._mask for pin in kept if pin in self._values}
            after[self.clock] = self._mask
        return condition.evaluate(after, self._mask)

    def leakage(self) -> float:
        """Return the mean leakage over all rows in nW."""
        rows = self._simulation.rows
        values = dict(self._values)
        total, covered = 0.0, 0
        for condition, power in self.cell.states:
            if self.clock:  # half of the time the clock is high
                for level in (0, self._simulation.ones):
                    values[self.clock] = level
                    holds = condition.evaluate(values, self._simulation.ones).bit_count()
                    total, covered = total + 0.5 * power * holds, covered + holds
            else:
                holds = condition.evaluate(values, self._simulation.ones).bit_count()
                total, covered = total + power * holds, covered + 2 * holds
        if self.cell.timed.leakage is not None:
            total += self.cell.timed.leakage * max(0.0, rows - 0.5 * covered)
        return total / rows


def _internal(events: _Events, timing: Timing) -> tuple[float, float]:
    """Return the internal energy of an instance in pJ per inference, and the clock's part of it."""
    total = clocked = 0.0
    for pin, by_cause in events.cell.energies.items():
        if pin == events.clock:
            clocked += _clock_energy(events, timing, by_cause.get("", ()))
        elif events.cell.timed.pins[pin].direction == "input":
            total += sum(_shared(events, timing, pin, {"": by_cause.get("", ())}))
        else:
            total += sum(_shared(events, timing, pin, by_cause))
    return total / events.steps + clocked, clocked


def _shared(events: _Events, timing: Timing, pin: str, by_cause: Mapping[str, Entries]) -> Iterator[float]:
    """Yield energies (pJ) of all transitions of a pin, shared among the inputs that changed with it."""
    net = events.nets.get(pin)
    for edge in (RISE, FALL):
        edges = events.edges(pin, edge)
        if not edges:
            continue
        load = float(timing.load[net, edge]) if net is not None else 0.0
        changed = {
            cause: edges & (events.edges(cause, RISE) | events.edges(cause, FALL))
            for cause in by_cause
            if cause and cause != events.clock
        }
        together = sum(steps.bit_count() for steps in changed.values())
        share = edges.bit_count() / together if together else 0.0
        for cause, entries in by_cause.items():
            steps, part = (changed[cause], share) if cause in changed else (edges, 1.0)
            for entry, condition in entries:
                count = (steps & events.state(condition)).bit_count()
                if count:
                    slew = _slew(events, timing, cause or pin, pin, edge)
                    yield part * count * table_value(timing.library, entry.energy[edge], slew, load)


def _of_glitches(events: _Events, timing: Timing, glitches: NDArray[np.int64]) -> float:
    """Return the internal energy in pJ of further transitions of an instance's pins in all steps."""
    total = 0.0
    for pin, by_cause in events.cell.energies.items():
        net = events.nets.get(pin)
        if net is None or pin == events.clock or not glitches[net].any():
            continue
        output = events.cell.timed.pins[pin].direction == "output"
        causes = [cause for cause in by_cause if cause != events.clock and (output or not cause)]
        share = 1.0 / max(1, sum(map(bool, causes)))
        for edge in (RISE, FALL):
            load = float(timing.load[net, edge])
            for cause in causes:
                slew = _slew(events, timing, cause or pin, pin, edge)
                for entry, condition in by_cause[cause]:
                    holds = events.state(condition).bit_count() / events.steps
                    energy = table_value(timing.library, entry.energy[edge], slew, load)
                    total += int(glitches[net, edge]) * (share if cause else 1.0) * holds * energy
    return total


def _slew(events: _Events, timing: Timing, source: str, target: str, edge: int) -> float:
    """Return the transition time (ns) at a pin that causes an edge of another, or at the pin itself."""
    net = events.nets.get(source)
    if net is None or source == events.clock:
        return 0.0
    sense = events.cell.senses.get((source, target), "positive")
    if sense == "both":
        return float(timing.transition[net].mean())
    return float(timing.transition[net, edge if sense == "positive" else 1 - edge])


def _clock_energy(events: _Events, timing: Timing, entries: Entries) -> float:
    """Return the energy in pJ that a register takes per cycle for the two transitions of its clock."""
    total = 0.0
    for entry, condition in entries:
        share = events.state(condition, at_clock=True).bit_count() / events.steps
        if share:
            total += share * sum(
                table_value(timing.library, entry.energy[edge], 0.0, 0.0) for edge in (RISE, FALL)
            )
    return total
