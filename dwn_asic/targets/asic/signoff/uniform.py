"""Power with the same activity on every net, by the rules of OpenSTA, so that the two can be compared.

Nothing is known of the data, so all input states of a cell are equally likely and independent of transitions.
An output's transition takes from the energy of each input's table the share of the states in which, by the
table's condition or by the form of the function, that input decides; half of it where neither says. For
complex cells these shares add up to more than one, so the result is an upper estimate;
:mod:`dwn_asic.targets.asic.signoff.power` shares each transition among the inputs that did change.
"""

from __future__ import annotations

from dwn_asic.boolean.expression import Expression
from dwn_asic.targets.asic.signoff.energies import CellEnergies
from dwn_asic.targets.asic.signoff.power import Power, by_instance
from dwn_asic.targets.asic.signoff.timing import FALL, RISE, Timing, table_value
from dwn_asic.verilog.flat_netlist import Gate, Register

__all__ = ["estimate_uniform"]


def estimate_uniform(timing: Timing, activity: float) -> Power:
    """Estimate the power with ``activity`` transitions per inference on every net, the clock excepted.

    Raises
    ------
    PdkError
        The library lacks a cell, or the leakage of one that is used.
    """
    half = 0.5 * timing.library.conditions.voltage**2
    states: dict[str, _States] = {}

    def of_instance(instance: Gate | Register, cell: CellEnergies) -> tuple[float, float, float, float]:
        known = states.get(instance.cell.name)
        if known is None:
            known = states[instance.cell.name] = _States(instance, cell)
        load = float(timing.load[instance.output].max())
        internal, clock = _internal(timing, instance, cell, known, activity)
        return half * activity * load, internal, clock, known.leakage

    return by_instance(timing, of_instance)


class _States:
    """All states of a cell's inputs and its stored value, one bit per state."""

    def __init__(self, instance: Gate | Register, cell: CellEnergies) -> None:
        inputs = [pin.name for pin in cell.timed.pins.values() if pin.direction == "input"]
        free = [*inputs, *cell.timed.stored[:1]]
        self._size = 1 << len(free)
        self._ones = (1 << self._size) - 1
        self._values = {name: self._ones // ((1 << (1 << i)) + 1) << (1 << i) for i, name in enumerate(free)}
        for complement in cell.timed.stored[1:]:
            self._values[complement] = self._ones ^ self._values[cell.timed.stored[0]]
        for pin, function in cell.functions.items():
            self._values[pin] = function.evaluate(self._values, self._ones)
        self.clock = instance.cell.clock if isinstance(instance, Register) else ""
        covered = sum(self.share(condition) for condition, _ in cell.states)
        self.leakage = sum(self.share(condition) * power for condition, power in cell.states)
        self.leakage += max(0.0, 1.0 - covered) * (cell.timed.leakage or 0.0)

    def share(self, condition: Expression) -> float:
        """Return the part of all states in which a condition holds."""
        return condition.evaluate(self._values, self._ones).bit_count() / self._size

    def deciding(self, function: Expression, pin: str) -> float | None:
        """Return the part of all states in which a pin decides, if it is an operand of the outermost one."""
        if function.operator == "pin":
            return 1.0 if function.text == pin else None
        if function.operator == "not":
            return self.deciding(function.operands[0], pin)
        if function.operator == "constant":
            return None
        for one, other in (function.operands, function.operands[::-1]):
            literal = one.operands[0] if one.operator == "not" else one
            if literal.operator == "pin" and literal.text == pin:
                holds = self.share(other)
                return holds if function.operator == "and" else 1.0 - holds
        return None


def _internal(
    timing: Timing,
    instance: Gate | Register,
    cell: CellEnergies,
    states: _States,
    activity: float,
) -> tuple[float, float]:
    """Return the internal energy of an instance in pJ per inference, and the clock's part of it."""
    kind = instance.cell
    nets = dict(zip((*kind.inputs, kind.output), (*instance.inputs, instance.output), strict=True))
    total = clocked = 0.0
    for pin, by_cause in cell.energies.items():
        transitions = 2.0 if pin == states.clock else activity
        output = cell.timed.pins[pin].direction == "output"
        net = nets.get(pin)
        load = float(timing.load[net].max()) if output and net is not None else 0.0
        for cause, entries in by_cause.items():
            source = cause or pin
            for entry, condition in entries:
                if entry.when and condition is not None:
                    share = states.share(condition)
                elif source == states.clock:
                    share = 1.0
                else:
                    found = (
                        states.deciding(cell.functions[pin], cause)
                        if cause and pin in cell.functions
                        else None
                    )
                    share = 0.5 if found is None else found
                slews = (
                    (0.0, 0.0)
                    if source == states.clock or source not in nets
                    else timing.transition[nets[source]]
                )
                energy = sum(
                    0.5 * table_value(timing.library, entry.energy[edge], float(slews[edge]), load)
                    for edge in (RISE, FALL)
                )
                total += share * energy * transitions
                if pin == states.clock:
                    clocked += share * energy * transitions
    return total, clocked
