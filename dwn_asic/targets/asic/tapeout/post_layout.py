"""Timing and power of a layout: the wires of each net for sign-off, and the skew of its clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.signoff.energies import CellEnergies
from dwn_asic.targets.asic.signoff.library import TimingLibrary
from dwn_asic.targets.asic.signoff.timing import FALL, RISE, table_value
from dwn_asic.targets.asic.tapeout.clock_tree import clock_sinks
from dwn_asic.targets.asic.tapeout.layout_config import BufferCell
from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
from dwn_asic.targets.asic.tapeout.parasitics import NetParasitics
from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["ClockReport", "clock_report", "net_wires", "pin_capacitances", "placed_netlist"]

Parasitics = Mapping[str, NetParasitics]


@dataclass(frozen=True)
class ClockReport:
    """The clock of a layout.

    Attributes
    ----------
    sinks, buffers
        Number of clock pins, and of buffers in front of them.
    earliest, latest
        Time in ns from the edge at the port to the first and to the last clock pin.
    energy
        Energy in pJ that the buffers, their wires and the load of the clock pins behind them take in each
        cycle. The wire at the port, which something else drives, does not count.
    leakage
        Leakage of the buffers in nW.
    """

    sinks: int
    buffers: int
    earliest: float
    latest: float
    energy: float = 0.0
    leakage: float = 0.0

    @property
    def skew(self) -> float:
        """Difference of the arrivals in ns."""
        return self.latest - self.earliest


def pin_capacitances(library: TimingLibrary, cells: Iterable[str]) -> dict[tuple[str, str], float]:
    """Return the capacitance (pF) of each pin of these cells; cells without timing, as fillers, have none."""
    found = {}
    for name in sorted(set(cells)):
        try:
            cell = library.cell(name)
        except PdkError:
            continue
        for pin in cell.pins.values():
            found[name, pin.name] = max(pin.capacitance)
    return found


def placed_netlist(netlist: FlatNetlist, design: PhysicalDesign, library: CellLibrary) -> FlatNetlist:
    """Return a netlist with the cells that were placed, where others took the place of the mapped ones."""
    cells = {each.name: each.cell for each in design.placement.netlist.instances}
    instances = []
    for each in netlist.instances:
        name = cells[each.name]
        other = each.cell if name == each.cell.name else library.cell(name)
        # Several cells in the place of one count as that one.
        if type(other) is type(each.cell) and other.inputs == each.cell.inputs:
            each = replace(each, cell=other)  # type: ignore[arg-type]
        instances.append(each)
    return replace(netlist, instances=tuple(instances))


def net_wires(
    netlist: FlatNetlist,
    design: PhysicalDesign,
    parasitics: Parasitics,
    capacitances: Mapping[tuple[str, str], float],
) -> tuple[tuple[float, float], ...]:
    """Return capacitance (pF) and resistance (kOhm) of the wire of each net for sign-off.

    Sign-off sees a net as a star: each of f sinks is behind R / f and has C / f. R is such that this star is
    as slow as the slowest sink of the layout (Elmore). The clock has the capacitance of its whole tree, with
    the inputs of its buffers, and no resistance, as its edges are ideal in sign-off.
    """
    instances = {each.name: each for each in design.placement.netlist.instances}
    after = _buffered_nets(design)
    physical: dict[int, str] = {}
    for (port, bit), net in netlist.inputs.items():
        names = {each.name for each in design.placement.netlist.ports}
        physical[net] = f"{port}[{bit}]" if f"{port}[{bit}]" in names else port
    if netlist.clock is not None:
        physical[netlist.clock] = netlist.net_names[netlist.clock]
    for each in netlist.instances:
        physical[each.output] = instances[each.name].pins.get(each.cell.output, "")
    found = []
    for number in range(len(netlist.net_names)):
        name = physical.get(number, "")
        pieces = [piece for piece in (name, *after.get(name, ())) if piece in parasitics]
        capacitance = sum(parasitics[piece].capacitance for piece in pieces)
        if number == netlist.clock:
            capacitance += _clock_buffers(design, capacitances)
            found.append((capacitance, 0.0))
        else:
            found.append((capacitance, _star_resistance(design, parasitics, name, capacitances)))
    return tuple(found)


def _star_resistance(
    design: PhysicalDesign,
    parasitics: Parasitics,
    net: str,
    capacitances: Mapping[tuple[str, str], float],
) -> float:
    if net not in parasitics or not parasitics[net].delays:
        return 0.0
    wires = parasitics[net]
    cells = {each.name: each.cell for each in design.placement.netlist.instances}
    count = len(wires.delays)
    loads = []
    for pin in wires.delays:
        name, _, terminal = pin.rpartition("/")
        loads.append(capacitances.get((cells.get(name, ""), terminal), 0.0))
    share = (wires.capacitance + sum(loads)) / count
    return count * max(wires.delays.values()) / share if share else 0.0


def _buffered_nets(design: PhysicalDesign) -> dict[str, list[str]]:
    """Return the nets behind the buffers that were added to a net, level by level."""
    config, found = design.technology.config, dict[str, list[str]]()
    for each in design.placement.netlist.instances:
        for buffer in (config.buffer, config.clock_buffer):
            if each.cell == buffer.cell and each.name.startswith(("added_", "clock_")):
                found.setdefault(each.pins[buffer.input], []).append(each.pins[buffer.output])
                break
    return {net: list(_closure(net, found)) for net in found}


def _closure(net: str, found: Mapping[str, list[str]]) -> Iterable[str]:
    for following in found.get(net, ()):
        yield following
        yield from _closure(following, found)


def _clock_buffers(design: PhysicalDesign, capacitances: Mapping[tuple[str, str], float]) -> float:
    """Return the capacitance (pF) of the inputs of all buffers of the clock."""
    buffer = design.technology.config.clock_buffer
    count = sum(
        each.cell == buffer.cell and each.name.startswith("clock_")
        for each in design.placement.netlist.instances
    )
    return count * capacitances.get((buffer.cell, buffer.input), 0.0)


def clock_report(
    design: PhysicalDesign,
    parasitics: Parasitics,
    library: TimingLibrary,
    capacitances: Mapping[tuple[str, str], float],
    transition: float,
) -> ClockReport | None:
    """Return the arrival of the clock at its pins, and the energy of its tree; None without a clock.

    Parameters
    ----------
    design, parasitics
        Layout and its wires.
    library, capacitances
        Delays of the cells, and capacitances of their pins in pF.
    transition
        Transition (ns) of the edge at the port.

    Raises
    ------
    PdkError
        The leakage of the clock buffer is unknown.
    """
    instances = {each.name: each for each in design.placement.netlist.instances}
    buffer = design.technology.config.clock_buffer
    ports = {port.net for port in design.placement.netlist.ports if port.is_input}
    sinks = clock_sinks(design.placement.netlist, design.technology)
    if not sinks:
        return None
    arrivals, driven = list[float](), list[tuple[tuple[float, float], float]]()

    def follow(net: str, arrival: float, slews: tuple[float, float]) -> None:
        if net not in parasitics:
            return
        for pin, delay in parasitics[net].delays.items():
            name, _, terminal = pin.rpartition("/")
            instance = instances.get(name)
            if instance is None:
                continue
            if instance.cell == buffer.cell and terminal == buffer.input and name.startswith("clock_"):
                output = instance.pins[buffer.output]
                load = _load(parasitics, output, instances_cells, capacitances)
                arc = next(arc for arc in library.cell(buffer.cell).arcs if arc.source == buffer.input)
                later = table_value(library, arc.delay[RISE], slews[RISE], load)
                driven.append((slews, load))
                after = [
                    table_value(library, arc.transition[edge], slews[edge], load) for edge in (RISE, FALL)
                ]
                follow(output, arrival + delay + later, (after[RISE], after[FALL]))
            elif design.technology.macro(instance.cell).pins[terminal].use == "CLOCK":
                arrivals.append(arrival + delay)

    instances_cells = {name: each.cell for name, each in instances.items()}
    for net in sorted(_roots(design, sinks, ports)):
        follow(net, 0.0, (transition, transition))
    if not arrivals:
        return None
    energy, leakage = _tree_power(library, buffer, driven)
    return ClockReport(len(arrivals), len(driven), min(arrivals), max(arrivals), energy, leakage)


def _tree_power(
    library: TimingLibrary, buffer: BufferCell, driven: Sequence[tuple[tuple[float, float], float]]
) -> tuple[float, float]:
    """Return energy per cycle (pJ) and leakage (nW) of buffers with these input slews (ns) and loads (pF).

    The leakage is the mean over the states of the cell where the library has it by state.
    """
    if not driven:
        return 0.0, 0.0
    cell = CellEnergies.of(library, buffer.cell)
    states = [power for _, power in cell.states]
    leakage = sum(states) / len(states) if states else cell.timed.leakage or 0.0
    energy = sum(_cycle_energy(library, cell, buffer.output, slews, load) for slews, load in driven)
    return energy, len(driven) * leakage


def _cycle_energy(
    library: TimingLibrary, cell: CellEnergies, output: str, slews: tuple[float, float], load: float
) -> float:
    """Return the energy (pJ) of a rising and a falling transition through a buffer, and of its load (pF)."""
    total = library.conditions.voltage**2 * load
    for pin, by_cause in cell.energies.items():
        behind = load if pin == output else 0.0
        for entries in by_cause.values():
            for edge in (RISE, FALL):
                values = [table_value(library, each.energy[edge], slews[edge], behind) for each, _ in entries]
                total += sum(values) / len(values)
    return total


def _roots(design: PhysicalDesign, sinks: Iterable[str], ports: set[str]) -> set[str]:
    """Return the nets at which clocks enter: those of ports that reach a clock pin."""
    buffer = design.technology.config.clock_buffer
    source = {
        each.pins[buffer.output]: each.pins[buffer.input]
        for each in design.placement.netlist.instances
        if each.cell == buffer.cell and each.name.startswith("clock_")
    }
    found = set()
    for net in sinks:
        while net in source:
            net = source[net]
        if net in ports:
            found.add(net)
    return found


def _load(
    parasitics: Parasitics,
    net: str,
    cells: Mapping[str, str],
    capacitances: Mapping[tuple[str, str], float],
) -> float:
    if net not in parasitics:
        return 0.0
    total = parasitics[net].capacitance
    for pin in parasitics[net].delays:
        name, _, terminal = pin.rpartition("/")
        total += capacitances.get((cells.get(name, ""), terminal), 0.0)
    return total
