"""Random netlists of library cells for place and route, which need not compute anything sensible."""

from __future__ import annotations

import numpy as np

from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.tapeout.netlist import CellInstance, Netlist, Port

_NEAR = 40
"""Nets from which a cell takes most of its inputs: those of the cells before it."""


def random_netlist(library: CellLibrary, cells: int, seed: int, registers: float = 0.1) -> Netlist:
    """Return a netlist of random cells, each of them read by a later one or by a port.

    The cells of the library are used evenly; ``registers`` is the share of flip-flops.
    """
    generator = np.random.default_rng(seed)
    inputs = [f"x[{i}]" for i in range(max(4, int(cells**0.5)))]
    flops = [library.flip_flop] * round(cells * registers)
    kinds = [library.cells[i % len(library.cells)] for i in range(cells - len(flops))]
    order = generator.permutation(cells)
    nets, unread, instances = list(inputs), list(inputs), list[CellInstance]()
    for number, index in enumerate(order):
        cell = [*kinds, *flops][index]
        pins = {}
        for pin in cell.inputs:
            if pin == "CLK":
                pins[pin] = "clk"
                continue
            pool = unread if len(unread) > 6 and generator.random() < 0.7 else nets[-_NEAR:]
            net = pool[int(generator.integers(len(pool)))]
            if net in unread:
                unread.remove(net)
            pins[pin] = net
        output = f"n{number}"
        pins[cell.output] = output
        nets.append(output)
        unread.append(output)
        instances.append(CellInstance(f"u{number}", cell.name, pins))
    ports = [Port(name, is_input=True, net=name) for name in inputs]
    if flops:
        ports.insert(0, Port("clk", is_input=True, net="clk"))
    ends = [net for net in unread if net not in inputs]
    ports += [Port(f"y[{i}]", is_input=False, net=net) for i, net in enumerate(ends)]
    return Netlist("random_top", tuple(ports), tuple(instances))
