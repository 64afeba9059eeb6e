"""Static timing of a flat netlist with the delay tables of a Liberty library (NLDM), late edges only.

Each net has an arrival and a transition time for its rising and for its falling edge. A gate's delay and
output transition are looked up for the transition at its input and the load at its output: the capacitance of
the pins that the net drives, plus that of a wire-load model or of an output of the design. Beyond its axes a
table is extended linearly. Where several arcs end at a net, the latest arrival and the slowest transition are
kept, each on its own, as graph-based analysis in OpenSTA does. Arcs whose state (``when``) cannot occur are
not excluded.

Times are in ns and capacitances in pF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dwn_asic.compiled import kernel, leaf
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.signoff.library import (
    NO_TABLE,
    Arc,
    Constraint,
    Thresholds,
    TimedCell,
    TimingLibrary,
)
from dwn_asic.verilog.cell import Cell, FlipFlop
from dwn_asic.verilog.flat_netlist import FlatNetlist, Register

__all__ = [
    "Arcs",
    "Endpoint",
    "Environment",
    "Loads",
    "Step",
    "Timing",
    "analyze",
    "collect_arcs",
    "input_edges",
    "lookup",
    "net_loads",
    "output_arcs",
    "propagate",
    "setup_checks",
    "table_value",
    "tails_of",
]

RISE, FALL = 0, 1
_SENSES = {"positive": 0, "negative": 1, "both": 2}
_TRIGGERS = {"any": 2, "rising": RISE, "falling": FALL}
_NEVER = -np.inf


@dataclass(frozen=True)
class Environment:
    """The surroundings of a design.

    Attributes
    ----------
    input_transition
        Transition (ns) of all inputs, the clock excepted, whose edges are ideal. With a driving cell, that of
        the driving cell's inputs.
    driving_cell
        Cell that drives each input: its delay with the load of the input, beyond that without load, is the
        input's arrival. Empty for an ideal driver.
    output_load
        Capacitance (pF) at each output.
    wire_load
        Wire-load model of the library: its name, ``default`` for the one that the library uses by default (if
        any), or ``none`` for wires without capacitance.
    wires
        Capacitance (pF) and resistance (kOhm) of the wire of each net, as a layout has them; they take the
        place of the model.
    """

    input_transition: float = 0.0
    driving_cell: str = ""
    output_load: float = 0.0
    wire_load: str = "default"
    wires: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True)
class Endpoint:
    """The end of a path: an output of the design, or the data pin of a register.

    Attributes
    ----------
    name
        Port and bit, or the hierarchical name of the register with its data pin.
    net
        Net at the end.
    edge
        0 if the latest edge rises, 1 if it falls.
    arrival
        Arrival of that edge in ns.
    setup
        Setup time of a register in ns; 0 at outputs.
    """

    name: str
    net: int
    edge: int
    arrival: float
    setup: float

    @property
    def time(self) -> float:
        """Time after the clock edge, or after the inputs, at which the end is ready, setup included (ns)."""
        return self.arrival + self.setup


@dataclass(frozen=True)
class Step:
    """One point of a path: an input of the design, or the output of a cell.

    Attributes
    ----------
    name
        Hierarchical name of the instance, or of the input.
    cell, pin
        Name of the cell, and the pins that the edge passes, as in ``A -> Y``; empty at an input.
    net
        Name of the net.
    rising
        Whether the edge at the net rises.
    arrival, delay, transition, load
        Arrival, delay of this cell, transition (ns) and load (pF) at the net.
    """

    name: str
    cell: str
    pin: str
    net: str
    rising: bool
    arrival: float
    delay: float
    transition: float
    load: float


@dataclass(frozen=True, eq=False)
class Timing:
    """Arrivals, transitions and loads of all nets; the last axis of each array is (rise, fall).

    Attributes
    ----------
    netlist, library, environment
        What was analyzed.
    arrival, transition
        (N, 2) times in ns; an arrival is minus infinity where no edge arrives, as at constants.
    load
        (N, 2) capacitances in pF.
    endpoints
        Latest edge at each output and each register, in the order of the netlist.
    arcs
        Delays from the inputs to the outputs of all instances.
    """

    netlist: FlatNetlist
    library: TimingLibrary
    environment: Environment
    arrival: NDArray[np.float64]
    transition: NDArray[np.float64]
    load: NDArray[np.float64]
    endpoints: tuple[Endpoint, ...]
    _causes: NDArray[np.int64]
    arcs: Arcs

    @cached_property
    def critical(self) -> Endpoint | None:
        """Endpoint that is ready last; None if no edge reaches any, as in a constant circuit."""
        return max(self.endpoints, key=lambda end: end.time, default=None)

    @property
    def delay(self) -> float:
        """Time of the critical endpoint in ns: the shortest clock period, or without registers the delay."""
        return self.critical.time if self.critical else 0.0

    def path(self, end: Endpoint | None = None) -> tuple[Step, ...]:
        """Return the path to an endpoint, by default the critical one, from its start on."""
        end = end or self.critical
        return tuple(reversed([*self._steps(end)])) if end else ()

    def _steps(self, end: Endpoint) -> Iterator[Step]:
        net, edge = end.net, end.edge
        while True:
            cause = self._causes[net, edge]
            arrival, before = float(self.arrival[net, edge]), 0.0
            index = self.netlist.drivers[net]
            name, cell, pin, source, came = self.netlist.net_names[net], "", "", net, edge
            if cause >= 0 and index is not None:
                arc, came = divmod(int(cause), 2)
                instance, source = self.netlist.instances[index], int(self.arcs.source[arc])
                before = float(self.arrival[source, came])
                name, cell = instance.name, instance.cell.name
                pin = f"{self.arcs.pins[arc]} -> {instance.cell.output}"
            yield Step(
                name,
                cell,
                pin,
                self.netlist.net_names[net],
                edge == RISE,
                arrival,
                arrival - before,
                float(self.transition[net, edge]),
                float(self.load[net, edge]),
            )
            if cause < 0:
                return
            net, edge = source, came


@dataclass(frozen=True, eq=False)
class Arcs:
    """The arcs of a netlist in topological order, as arrays.

    Attributes
    ----------
    source, target
        (A,) nets.
    sense, trigger
        (A,) as numbers: 0 positive, 1 negative, 2 both; 0 rising, 1 falling, 2 any.
    tables
        (A, 4) tables of the delays for a rising and a falling output, then of the transitions.
    wire_delay
        (A, 2) delay from the net's driver to the pin in ns.
    pins
        Name of the input of each arc.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    sense: NDArray[np.int64]
    trigger: NDArray[np.int64]
    tables: NDArray[np.int64]
    wire_delay: NDArray[np.float64]
    pins: tuple[str, ...]

    def edges(self, arc: int) -> Iterator[tuple[int, int]]:
        """Yield the edges of an arc that have a delay: the one at its source, and the one that it causes."""
        sense, trigger = self.sense[arc], self.trigger[arc]
        for before, after in product((RISE, FALL), repeat=2):
            if trigger != _TRIGGERS["any"]:
                passes = trigger == before
            else:
                passes = sense == _SENSES["both"] or (before == after) == (sense == _SENSES["positive"])
            if passes and self.tables[arc, after] != NO_TABLE:
                yield before, after


def analyze(netlist: FlatNetlist, library: TimingLibrary, environment: Environment | None = None) -> Timing:
    """Compute the timing of a netlist.

    Raises
    ------
    PdkError
        The library lacks a cell or its arcs, the driving cell or the wire-load model.
    """
    environment = environment or Environment()
    loads = net_loads(netlist, library, environment)
    load, arcs = loads.total, collect_arcs(netlist, library, loads)
    shape = (len(netlist.net_names), 2)
    arrival, transition = np.full(shape, _NEVER), np.zeros(shape)
    causes = np.full(shape, -1, np.int64)
    inputs = list(netlist.inputs.values())
    arrival[inputs], transition[inputs] = input_edges(library, environment, load[inputs])
    if netlist.clock is not None:
        arrival[netlist.clock] = 0.0, _NEVER
    tables = library.tables
    limits = library.thresholds
    propagate(
        0,
        (limits.middle - limits.low) / (limits.high - limits.low),
        tails_of(limits),
        arcs.source,
        arcs.target,
        arcs.sense,
        arcs.trigger,
        arcs.tables,
        arcs.wire_delay,
        load,
        loads.resistance,
        tables.numbers,
        tables.shapes,
        arrival,
        transition,
        causes,
    )
    ends = _endpoints(netlist, library, arrival, transition)
    return Timing(netlist, library, environment, arrival, transition, load, tuple(ends), causes, arcs)


def table_value(library: TimingLibrary, table: int, first: float, second: float) -> float:
    """Return the value of a table; 0 for :data:`~dwn_asic.targets.asic.signoff.library.NO_TABLE`."""
    if table == NO_TABLE:
        return 0.0
    return float(lookup(library.tables.numbers, library.tables.shapes, table, first, second))


def timed_cell(library: TimingLibrary, name: str, pins: tuple[str, ...]) -> TimedCell:
    """Return a cell that has these pins; raises PdkError if the library has no such cell."""
    cell = library.cell(name)
    missing = [pin for pin in pins if pin not in cell.pins]
    if missing:
        raise PdkError(f"{library.name}: cell {name} has no pin {missing[0]}")
    return cell


@dataclass(frozen=True, eq=False)
class Loads:
    """Loads of nets: ``total`` (N, 2) and the wire's part (N,) in pF, its resistance (N,) in kOhm."""

    total: NDArray[np.float64]
    wire: NDArray[np.float64]
    resistance: NDArray[np.float64]
    fanout: NDArray[np.int64]


def net_loads(netlist: FlatNetlist, library: TimingLibrary, environment: Environment) -> Loads:
    """Return the load of each net: its pins, its outputs, and its wire."""
    nets = len(netlist.net_names)
    load = np.zeros((nets, 2))
    fanout = np.zeros(nets, np.int64)
    known: dict[str, NDArray[np.float64]] = {}
    for instance in netlist.instances:
        kind = instance.cell
        if kind.name not in known:
            cell = timed_cell(library, kind.name, (*kind.inputs, kind.output))
            known[kind.name] = np.array([cell.pins[pin].capacitance for pin in (*kind.inputs, kind.output)])
        for net, capacitance in zip((*instance.inputs, instance.output), known[kind.name], strict=True):
            load[net] += capacitance
        for net in instance.inputs:
            fanout[net] += 1
    ends = np.array(list(netlist.outputs.values()), np.int64)
    np.add.at(load, ends, environment.output_load)
    np.add.at(fanout, ends, 1)
    wire, resistance = np.zeros(nets), np.zeros(nets)
    if environment.wires is not None:
        wire, resistance = np.array(environment.wires).reshape(-1, 2).T
        return Loads(load + wire[:, None], wire, resistance, fanout)
    wanted = library.default_wire_load if environment.wire_load == "default" else environment.wire_load
    if wanted not in {"", "none"}:
        model = library.wire_loads.get(wanted)
        if model is None:
            names = ", ".join(["default", "none", *library.wire_loads])
            raise PdkError(f"{library.name}: no wire-load model {wanted!r} (choose from {names})")
        length = np.array([model.length(n) for n in range(int(fanout.max(initial=0)) + 1)])[fanout]
        wire, resistance = length * model.capacitance, length * model.resistance
    return Loads(load + wire[:, None], wire, resistance, fanout)


def input_edges(
    library: TimingLibrary, environment: Environment, load: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return arrival and transition at inputs with these loads; shape (inputs, 2)."""
    given = environment.input_transition
    if not environment.driving_cell:
        return np.zeros_like(load), np.full_like(load, given)
    cell = library.cell(environment.driving_cell)
    arrival, transition = np.full_like(load, _NEVER), np.zeros_like(load)
    for arc in cell.arcs:
        if arc.trigger != "any":
            continue
        for edge in (RISE, FALL):
            if arc.delay[edge] == NO_TABLE:
                continue
            unloaded = table_value(library, arc.delay[edge], given, 0.0)
            for i, loads in enumerate(load):
                late = table_value(library, arc.delay[edge], given, loads[edge]) - unloaded
                slow = table_value(library, arc.transition[edge], given, loads[edge])
                arrival[i, edge] = max(arrival[i, edge], late)
                transition[i, edge] = max(transition[i, edge], slow)
    if np.isinf(arrival).any():
        raise PdkError(f"{library.name}: cell {cell.name} cannot drive an input: it has no combinational arc")
    return arrival, transition


def collect_arcs(netlist: FlatNetlist, library: TimingLibrary, loads: Loads) -> Arcs:
    """Return the arcs of a netlist; raises PdkError if the library lacks a cell or its arcs."""
    cells: dict[str, TimedCell] = {}
    arcs_of: dict[str, list[tuple[int, Arc]]] = {}
    source, target, found = list[int](), list[int](), list[Arc]()
    capacitance: list[tuple[float, float]] = []
    for instance in netlist.instances:
        kind = instance.cell
        if kind.name not in arcs_of:
            cell = cells[kind.name] = timed_cell(library, kind.name, (*kind.inputs, kind.output))
            arcs_of[kind.name] = [(kind.inputs.index(arc.source), arc) for arc in output_arcs(cell, kind)]
            if not arcs_of[kind.name]:
                raise PdkError(f"{library.name}: cell {kind.name} has no timing to its output {kind.output}")
        for pin, arc in arcs_of[kind.name]:
            source.append(instance.inputs[pin])
            target.append(instance.output)
            found.append(arc)
            capacitance.append(cells[kind.name].pins[arc.source].capacitance)
    nets, pins = np.array(source, np.int64), np.array(capacitance).reshape(-1, 2)
    # Each sink has its share of the wire, behind its share of the resistance (the balanced tree of Liberty).
    fanout = np.maximum(loads.fanout, 1)
    share, resistance = (loads.wire / fanout)[nets], (loads.resistance / fanout)[nets]
    return Arcs(
        nets,
        np.array(target, np.int64),
        np.array([_SENSES[arc.sense] for arc in found], np.int64),
        np.array([_TRIGGERS[arc.trigger] for arc in found], np.int64),
        np.array([(*arc.delay, *arc.transition) for arc in found], np.int64).reshape(-1, 4),
        resistance[:, None] * (pins + share[:, None]),
        tuple(arc.source for arc in found),
    )


def _endpoints(
    netlist: FlatNetlist,
    library: TimingLibrary,
    arrival: NDArray[np.float64],
    transition: NDArray[np.float64],
) -> Iterator[Endpoint]:
    for (port, bit), net in netlist.outputs.items():
        edge = int(np.argmax(arrival[net]))
        if arrival[net, edge] > _NEVER:
            yield Endpoint(f"{port}[{bit}]", net, edge, float(arrival[net, edge]), 0.0)
    for register in netlist.registers:
        ends = [
            Endpoint(
                f"{register.name}/{register.cell.data}",
                register.data,
                edge,
                float(arrival[register.data, edge]),
                setup_time(library, register, edge, float(transition[register.data, edge])),
            )
            for edge in (RISE, FALL)
            if arrival[register.data, edge] > _NEVER
        ]
        if ends:
            yield max(ends, key=lambda end: end.time)


def setup_time(library: TimingLibrary, register: Register, edge: int, transition: float) -> float:
    """Return the setup time (ns) of a register for an edge of its data; the clock's edge is ideal."""
    cell = library.cell(register.cell.name)
    checks = setup_checks(cell, register.cell)
    return max((table_value(library, each.tables[edge], 0.0, transition) for each in checks), default=0.0)


def setup_checks(timed: TimedCell, flip_flop: FlipFlop) -> list[Constraint]:
    """Return the setup times of a flip-flop's data before the rising edge of its clock."""
    wanted = "setup", flip_flop.data, "rising"
    return [each for each in timed.constraints if (each.kind, each.data, each.edge) == wanted]


def output_arcs(timed: TimedCell, cell: Cell | FlipFlop) -> list[Arc]:
    """Return the arcs of a cell from the inputs to the output that a netlist connects."""
    return [arc for arc in timed.arcs if arc.target == cell.output and arc.source in cell.inputs]


@leaf
def _place(numbers, start, length, value):  # type: ignore[no-untyped-def]
    """Return the interval of an axis that holds ``value``; beyond its ends, the first or last one."""
    low, high = 0, length - 2
    while low < high:
        middle = (low + high + 1) // 2
        if numbers[start + middle] <= value:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def lookup(numbers, shapes, table, first, second):  # type: ignore[no-untyped-def]
    """Return the value of a table at two variables, interpolated or extended linearly."""
    start, rows, columns = shapes[table, 0], shapes[table, 1], shapes[table, 2]
    values = start + rows + columns
    row, column, u, v = 0, 0, 0.0, 0.0
    if rows > 1:
        row = _place(numbers, start, rows, first)
        low, high = numbers[start + row], numbers[start + row + 1]
        u = (first - low) / (high - low)
    if columns > 1:
        column = _place(numbers, start + rows, columns, second)
        low, high = numbers[start + rows + column], numbers[start + rows + column + 1]
        v = (second - low) / (high - low)
    here = values + row * columns + column
    right = here + (1 if columns > 1 else 0)
    step = columns if rows > 1 else 0
    upper = (1.0 - v) * numbers[here] + v * numbers[right]
    lower = (1.0 - v) * numbers[here + step] + v * numbers[right + step]
    return (1.0 - u) * upper + u * lower


@leaf
def _response(time, ramp):  # type: ignore[no-untyped-def]
    """Return the voltage of a capacitance that a ramp from 0 to 1 charges; the time constant is 1."""
    value = time - (1.0 - np.exp(-time))
    if time > ramp:
        value -= time - ramp - (1.0 - np.exp(ramp - time))
    return value / ramp


@kernel
def _crossing(level, ramp):  # type: ignore[no-untyped-def]
    """Return the time at which :func:`_response` reaches a level."""
    low, high = 0.0, ramp + 10.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _response(middle, ramp) < level:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


_TAILS, _LONGEST, _CLOSEST = 512, 50.0, 1e-3


@lru_cache(maxsize=8)
def tails_of(thresholds: Thresholds) -> NDArray[np.float64]:
    """Return how a ramp behind a resistance goes on after the middle, for :func:`_behind_resistance`.

    The driver of a wire with resistance is a ramp behind a resistance (Dartu, Menezes and Pileggi, 1996). It
    is as long as the table's transition asks for between its start and the middle; the rest of the edge is
    the exponential tail. Entry k is the time from start to end over that from start to middle, where the
    latter is ``shortest + _CLOSEST * (_LONGEST / _CLOSEST) ** (k / (_TAILS - 1))`` time constants of
    resistance and load. The first element of the result is ``shortest``, which belongs to a step.
    """
    low, middle, high = thresholds.low, thresholds.middle, thresholds.high
    shortest = float(np.log((1.0 - low) / (1.0 - middle)))
    found = [shortest]
    for wanted in shortest + np.geomspace(_CLOSEST, _LONGEST, _TAILS):
        least, most = 0.0, wanted / (middle - low) + 1.0
        for _ in range(40):
            ramp = 0.5 * (least + most)
            if _crossing(middle, ramp) - _crossing(low, ramp) < wanted:
                least = ramp
            else:
                most = ramp
        found.append((_crossing(high, ramp) - _crossing(low, ramp)) / wanted)
    return np.array(found)


@leaf
def _behind_resistance(slow, constant, half, tails):  # type: ignore[no-untyped-def]
    """Return the transition at the driver of a wire with resistance.

    ``slow`` is the table's transition, ``half`` the part of it before the middle. Where no ramp fits, the
    table's transition holds.
    """
    beyond = slow * half / constant - tails[0]
    if beyond <= 0.0:
        return slow
    place = np.log(beyond / _CLOSEST) / np.log(_LONGEST / _CLOSEST) * (_TAILS - 1)
    place = min(max(place, 0.0), _TAILS - 1.0)
    index = min(int(place), _TAILS - 2)
    part = place - index
    return slow * half * ((1.0 - part) * tails[1 + index] + part * tails[2 + index])


@kernel
def propagate(  # type: ignore[no-untyped-def]
    first,
    half,
    tails,
    sources,
    targets,
    senses,
    triggers,
    tables,
    wire_delay,
    load,
    resistance,
    numbers,
    shapes,
    arrival,
    transition,
    causes,
):
    """Fill in arrivals, transitions and causes, arc by arc from the first one; before it they are known.

    A cause is 2 * arc + edge at its source.
    """
    for arc in range(first, len(sources)):
        source, target = sources[arc], targets[arc]
        for before in range(2):
            if arrival[source, before] == -np.inf or (triggers[arc] < 2 and triggers[arc] != before):
                continue
            for after in range(2):
                if senses[arc] == 0 and after != before and triggers[arc] == 2:
                    continue
                if senses[arc] == 1 and after == before and triggers[arc] == 2:
                    continue
                delay_table, slow_table = tables[arc, after], tables[arc, 2 + after]
                if delay_table < 0:
                    continue
                slew = transition[source, before]
                late = lookup(numbers, shapes, delay_table, slew, load[target, after])
                late += arrival[source, before] + wire_delay[arc, before]
                slow = 0.0
                if slow_table >= 0:
                    slow = max(0.0, lookup(numbers, shapes, slow_table, slew, load[target, after]))
                    if resistance[target] > 0.0:
                        near, far = 0.75 * load[target, after], 0.825 * load[target, after]
                        drive = abs(
                            lookup(numbers, shapes, delay_table, slew, far)
                            - lookup(numbers, shapes, delay_table, slew, near)
                        ) / (far - near)
                        if resistance[target] >= 1e-3 * drive and drive > 1e-5:
                            slow = _behind_resistance(slow, drive * load[target, after], half, tails)
                if late > arrival[target, after]:
                    arrival[target, after] = late
                    causes[target, after] = 2 * arc + before
                transition[target, after] = max(transition[target, after], slow)
