"""Resistance and capacitance of a layout's wires, from the figures of the technology LEF file.

Each step of a wire has its resistance and its capacitance to the layers around it, of area and edges; wires
are not coupled to each other. Resistances are in kOhm, capacitances in pF, times in ns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx

from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign

__all__ = ["NetParasitics", "extract_parasitics", "spef_text"]


@dataclass(frozen=True)
class NetParasitics:
    """The wires of a net as a tree of resistors with capacitors at its nodes.

    Attributes
    ----------
    capacitance
        Of the whole net in pF.
    resistors
        (node, node, kOhm) of each step; nodes are those of the router.
    capacitors
        Capacitance at each node in pF.
    pins
        Node of each pin (``instance/pin``) and port.
    driver
        Pin or port that drives the net.
    delays
        Elmore delay in ns from the driver to each of the other pins, for the wires and these pins'
        capacitances.
    """

    capacitance: float
    resistors: tuple[tuple[int, int, float], ...]
    capacitors: Mapping[int, float]
    pins: Mapping[str, int]
    driver: str
    delays: Mapping[str, float]


def extract_parasitics(
    design: PhysicalDesign, pin_capacitance: Mapping[tuple[str, str], float]
) -> dict[str, NetParasitics]:
    """Return resistance and capacitance of all routed nets.

    Parameters
    ----------
    design
        Placed and routed netlist.
    pin_capacitance
        Capacitance in pF of each input (cell, pin); others count as zero.
    """
    return {net: _net(design, net, pin_capacitance) for net in design.routing.routes}


def _net(design: PhysicalDesign, net: str, pin_capacitance: Mapping[tuple[str, str], float]) -> NetParasitics:
    technology, grid = design.technology, design.routing.grid
    route, pins = design.routing.routes[net], grid.nets[net]
    nodes = {pin.name: node for pin, (node, _) in zip(pins, route.accesses, strict=True)}
    capacitors = dict.fromkeys(
        sorted({int(n) for step in route.edges for n in step} | set(nodes.values())), 0.0
    )
    resistors = []
    for a, b in sorted((int(a), int(b)) for a, b in route.edges):
        if b - a == grid.size:
            resistors.append((a, b, technology.vias[a // grid.size + 1].ohm / 1000))
            continue
        layer = technology.layers[a // grid.size].lef
        length = (technology.step_x if layer.horizontal else technology.step_y) / 1000
        width = layer.width / 1000
        resistors.append((a, b, layer.resistance * length / width / 1000))
        whole = layer.area_capacitance * length * width + 2 * layer.edge_capacitance * length
        capacitors[a] += whole / 2
        capacitors[b] += whole / 2
    driver = _driver(design, list(nodes))
    instances = {each.name: each.cell for each in design.placement.netlist.instances}
    loads = dict(capacitors)
    for pin, node in nodes.items():
        name, _, terminal = pin.rpartition("/")
        if pin != driver and name:
            loads[node] += pin_capacitance.get((instances[name], terminal), 0.0)
    delays = _elmore(resistors, loads, nodes[driver])
    return NetParasitics(
        sum(capacitors.values()),
        tuple(resistors),
        capacitors,
        nodes,
        driver,
        {pin: delays[node] for pin, node in nodes.items() if pin != driver},
    )


def _driver(design: PhysicalDesign, pins: list[str]) -> str:
    """Return the pin of a net that drives it: an output of a cell, or an input of the design."""
    inputs = {port.name for port in design.placement.netlist.ports if port.is_input}
    instances = {each.name: each.cell for each in design.placement.netlist.instances}
    for pin in pins:
        name, _, terminal = pin.rpartition("/")
        if pin in inputs or (
            name and design.technology.macro(instances[name]).pins[terminal].direction == "OUTPUT"
        ):
            return pin
    return pins[0]


def _elmore(
    resistors: list[tuple[int, int, float]], loads: Mapping[int, float], root: int
) -> dict[int, float]:
    """Return the Elmore delay from a node to all others; the tree's few loops are cut open."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(loads)
    for a, b, resistance in resistors:
        graph.add_edge(a, b, resistance=resistance)
    parents: dict[int, int] = {}
    order = [root]
    for parent, node in nx.bfs_edges(graph, root):
        parents[node] = parent
        order.append(node)
    below = dict(loads)
    for node in reversed(order[1:]):
        below[parents[node]] += below[node]
    delays = {root: 0.0}
    for node in order[1:]:
        delays[node] = delays[parents[node]] + graph[parents[node]][node]["resistance"] * below[node]
    return delays


def spef_text(design: PhysicalDesign, parasitics: Mapping[str, NetParasitics]) -> str:
    """Return the parasitics in the Standard Parasitic Exchange Format (IEEE 1481)."""
    lines = ['*SPEF "IEEE 1481-1998"', f'*DESIGN "{design.top}"', '*DATE ""', '*VENDOR ""']
    lines += ['*PROGRAM "dwn-asic"', '*VERSION ""', '*DESIGN_FLOW "EXTERNAL_LOADS" "EXTERNAL_SLEWS"']
    lines += ["*DIVIDER /", "*DELIMITER :", "*BUS_DELIMITER [ ]", "*T_UNIT 1 NS", "*C_UNIT 1 PF"]
    lines += ["*R_UNIT 1 KOHM", "*L_UNIT 1 HENRY", "", "*NAME_MAP"]
    numbers = {net: number for number, net in enumerate(parasitics, 1)}
    lines += [f"*{number} {net}" for net, number in numbers.items()]
    instances = {each.name: each for each in design.placement.netlist.instances}
    cells = {name: len(numbers) + number for number, name in enumerate(instances, 1)}
    lines += [f"*{number} {name}" for name, number in cells.items()]
    lines += ["", "*PORTS"]
    ports = {port.name: port for port in design.placement.netlist.ports}
    lines += [
        f"{_port(port.net, name, numbers)} {'I' if port.is_input else 'O'}" for name, port in ports.items()
    ]
    for net, found in parasitics.items():
        number = numbers[net]
        names = {node: f"*{number}:{index}" for index, node in enumerate(found.capacitors, 1)}
        lines += ["", f"*D_NET *{number} {found.capacitance:.8f}", "*CONN"]
        joins, contacts = [], _contacts(design, net)
        for pin, node in found.pins.items():
            name, _, terminal = pin.rpartition("/")
            if name:
                word = f"*{cells[name]}:{terminal}"
                direction = "O" if pin == found.driver else "I"
                lines.append(f"*I {word} {direction} *D {instances[name].cell}")
            else:
                word = _port(net, pin, numbers)
                lines.append(f"*P {word} {'I' if ports[pin].is_input else 'O'}")
            joins.append((word, names[node], contacts.get(pin, 0.0)))
        lines.append("*CAP")
        lines += [
            f"{index} {names[node]} {value:.8f}"
            for index, (node, value) in enumerate(((n, c) for n, c in found.capacitors.items() if c), 1)
        ]
        lines.append("*RES")
        steps = [(names[a], names[b], value) for a, b, value in found.resistors]
        steps += joins
        lines += [f"{index} {a} {b} {value:.8f}" for index, (a, b, value) in enumerate(steps, 1)]
        lines.append("*END")
    return "\n".join([*lines, ""])


def _contacts(design: PhysicalDesign, net: str) -> dict[str, float]:
    """Return the resistance (kOhm) of the cut at each pin of a net that has one."""
    route, pins = design.routing.routes[net], design.routing.grid.nets[net]
    return {
        pin.name: design.technology.vias[way.layer].ohm / 1000
        for pin, (_, way) in zip(pins, route.accesses, strict=True)
        if way is not None and way.has_cut
    }


def _port(net: str, name: str, numbers: Mapping[str, int]) -> str:
    """Return a port as SPEF names it: by the number of its net where that has the same name."""
    return f"*{numbers[net]}" if net == name and net in numbers else name
