"""A Liberty library as timing and power analysis read it: pins, delays, constraints, energies and leakage.

Times are in ns, capacitances in pF, energies in pJ, leakage in nW and voltages in V, whatever the units of
the file. A pair (rise, fall) always has the value of the rising edge first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dwn_asic.errors import PdkError

__all__ = [
    "NO_TABLE",
    "Arc",
    "Conditions",
    "Constraint",
    "InternalPower",
    "Leakage",
    "Pin",
    "TableStore",
    "Tables",
    "Thresholds",
    "TimedCell",
    "TimingLibrary",
    "WireLoad",
]

Edges = tuple[float, float]
"""A value for the rising and one for the falling edge."""
TablePair = tuple[int, int]
"""Numbers of the tables for the rising and for the falling edge; :data:`NO_TABLE` stands for none."""
NO_TABLE = -1


@dataclass(frozen=True, eq=False)
class Tables:
    """Lookup tables of one or two variables, one after the other in one array.

    The first variable is the input transition (ns); in constraints, the transition of the clock. The second
    is the load (pF); in constraints, the transition of the data. A table without a variable has one value on
    that axis.

    Attributes
    ----------
    numbers
        For each table its first axis, its second axis, and its values, row by row.
    shapes
        (T, 3) start of each table in ``numbers``, and the lengths of its two axes.
    """

    numbers: NDArray[np.float64]
    shapes: NDArray[np.int64]

    def axes(self, table: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the two axes of a table."""
        start, rows, columns = self.shapes[table]
        return self.numbers[start : start + rows], self.numbers[start + rows : start + rows + columns]

    def values(self, table: int) -> NDArray[np.float64]:
        """Return the values of a table; shape (length of the first axis, length of the second)."""
        start, rows, columns = self.shapes[table]
        first = start + rows + columns
        return self.numbers[first : first + rows * columns].reshape(rows, columns)


@dataclass
class TableStore:
    """Tables while they are collected."""

    parts: list[Sequence[float]] = field(default_factory=list)
    shapes: list[tuple[int, int, int]] = field(default_factory=list)
    length: int = 0

    def add(self, first: Sequence[float], second: Sequence[float], values: Sequence[float]) -> int:
        """Keep a table (its axes, and its values row by row) and return its number."""
        self.shapes.append((self.length, len(first), len(second)))
        self.parts += [first, second, values]
        self.length += len(first) + len(second) + len(values)
        return len(self.shapes) - 1

    def tables(self) -> Tables:
        """Return all tables."""
        numbers = np.fromiter((x for part in self.parts for x in part), np.float64, self.length)
        return Tables(numbers, np.array(self.shapes, np.int64).reshape(-1, 3))


@dataclass(frozen=True)
class Pin:
    """A signal pin of a cell.

    Attributes
    ----------
    name
        Name of the pin.
    direction
        ``input``, ``output``, ``inout`` or ``internal``.
    function
        Liberty expression of an output; empty for inputs and for outputs without one.
    clock
        Whether the file marks the pin as a clock.
    capacitance
        Largest capacitances (pF) that a rising and a falling edge see.
    max_capacitance, max_transition
        Largest load (pF) and transition (ns) for which the tables hold; None if the file states none.
    """

    name: str
    direction: str
    function: str
    clock: bool
    capacitance: Edges
    max_capacitance: float | None = None
    max_transition: float | None = None


@dataclass(frozen=True)
class Arc:
    """A delay from one pin of a cell to another.

    Attributes
    ----------
    source, target
        Names of the pins: the one that causes the transition, and the one that makes it.
    sense
        ``positive`` if both edges have the same direction, ``negative`` if they have opposite ones, else
        ``both``.
    trigger
        ``any`` edge of the source starts the transition, or only the ``rising`` or the ``falling`` one (of a
        clock).
    when
        Liberty expression of the states in which the arc holds; empty for all.
    delay, transition
        Tables of the delay and of the transition at the target (ns), for its rising and falling edge.
    """

    source: str
    target: str
    sense: Literal["positive", "negative", "both"]
    trigger: Literal["any", "rising", "falling"]
    when: str
    delay: TablePair
    transition: TablePair


@dataclass(frozen=True)
class Constraint:
    """The time for which data must be stable before (``setup``) or after (``hold``) an edge of the clock.

    Attributes
    ----------
    data, clock
        Names of the pins.
    kind
        ``setup`` or ``hold``.
    edge
        Edge of the clock: ``rising`` or ``falling``.
    tables
        Tables of the time (ns) for a rising and a falling edge of the data.
    """

    data: str
    clock: str
    kind: Literal["setup", "hold"]
    edge: Literal["rising", "falling"]
    tables: TablePair


@dataclass(frozen=True)
class InternalPower:
    """The energy that a transition of a pin takes inside the cell.

    Attributes
    ----------
    pin
        Pin with the transition.
    related
        Input that caused the transition of an output; empty if the energy does not depend on it.
    when
        Liberty expression of the states in which the energy holds; empty for all.
    supply
        Power pin that delivers the energy; empty if the file does not say.
    energy
        Tables of the energy (pJ) of a rising and of a falling transition.
    """

    pin: str
    related: str
    when: str
    supply: str
    energy: TablePair


@dataclass(frozen=True)
class Leakage:
    """Leakage power (nW) in the states of the Liberty expression ``when``."""

    when: str
    power: float


@dataclass(frozen=True)
class TimedCell:
    """A cell with its timing and power.

    Attributes
    ----------
    name
        Name of the cell.
    area
        Area in um2.
    pins
        Pins by name.
    arcs, constraints, internal, leakages
        Delays, constraints, energies, and state-dependent leakage.
    leakage
        Leakage (nW) in the states that no entry of ``leakages`` covers; None if the file does not state it.
    stored
        Names of the stored value of a flip-flop and of its complement, as in ``ff (IQ, IQ_N)``; else empty.
    """

    name: str
    area: float
    pins: Mapping[str, Pin]
    arcs: tuple[Arc, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    internal: tuple[InternalPower, ...] = ()
    leakages: tuple[Leakage, ...] = ()
    leakage: float | None = None
    stored: tuple[str, ...] = ()


@dataclass(frozen=True)
class WireLoad:
    """A wire-load model: an estimate of the length of a net from its fanout.

    Attributes
    ----------
    name
        Name of the model.
    capacitance, resistance
        Capacitance (pF) and resistance (kOhm) of a unit of length.
    lengths
        Pairs of fanout and length, in the order of fanout.
    slope
        Length that each sink adds beyond the pairs.
    """

    name: str
    capacitance: float
    resistance: float
    lengths: tuple[tuple[int, float], ...]
    slope: float

    def length(self, fanout: int) -> float:
        """Return the length of a net with so many sinks."""
        if not self.lengths or fanout <= 0:
            return 0.0
        known = sorted(self.lengths)
        if fanout >= known[-1][0]:
            return known[-1][1] + (fanout - known[-1][0]) * self.slope
        if fanout < known[0][0]:
            return max(0.0, known[0][1] - (known[0][0] - fanout) * self.slope)
        return float(np.interp(fanout, [pair[0] for pair in known], [pair[1] for pair in known]))


@dataclass(frozen=True)
class Conditions:
    """Operating conditions: name of the corner, voltage (V), and temperature (degrees Celsius)."""

    name: str
    voltage: float
    temperature: float


@dataclass(frozen=True)
class Thresholds:
    """The voltages at which delays and transitions are measured, as parts of the supply voltage.

    Attributes
    ----------
    low, high
        Start and end of a transition, for the rising edge.
    middle
        Start and end of a delay.
    derate
        Measured transition over the transition in the tables.
    """

    low: float = 0.2
    high: float = 0.8
    middle: float = 0.5
    derate: float = 1.0


@dataclass(frozen=True, eq=False)
class TimingLibrary:
    """All cells of a library at one corner.

    Attributes
    ----------
    name
        Name of the library in the (first) file.
    conditions
        Operating conditions.
    cells
        Cells by name.
    tables
        Tables that the cells refer to by number.
    thresholds
        Where delays and transitions are measured.
    grounds
        Names of the power pins at 0 V: energies and leakage that the file relates to them are not counted,
        since the same charge left a supply.
    wire_loads
        Wire-load models by name.
    default_wire_load
        Name of the model that the file uses where nothing else is asked for; empty for none.
    notes
        One line for each part of the files that could not be used, with the reason.
    """

    name: str
    conditions: Conditions
    cells: Mapping[str, TimedCell]
    tables: Tables
    thresholds: Thresholds = Thresholds()
    grounds: frozenset[str] = frozenset()
    wire_loads: Mapping[str, WireLoad] = field(default_factory=dict)
    default_wire_load: str = ""
    notes: tuple[str, ...] = ()

    def cell(self, name: str) -> TimedCell:
        """Return the cell of that name; raises PdkError if there is none."""
        try:
            return self.cells[name]
        except KeyError:
            raise PdkError(f"{self.name}: no cell {name!r} with timing") from None
