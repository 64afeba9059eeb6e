"""Stuck pins written into the text of a netlist, as an oracle that shares no code with fault simulation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.elaborate import elaborate_top
from dwn_asic.verilog.flat_netlist import FlatNetlist, flat_netlist
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.writer import Registers, design_verilog, latency


@dataclass(frozen=True, eq=False)
class Mapped:
    """A small circuit mapped to cells.

    Attributes
    ----------
    circuit
        Encoder and core.
    registers
        Where the netlist has flip-flops.
    text
        Netlist of demo_top.
    library
        Cells.
    """

    circuit: Circuit
    registers: Registers
    text: str
    library: CellLibrary

    @cached_property
    def netlist(self) -> FlatNetlist:
        """The netlist without hierarchy."""
        return flat_netlist(parse_verilog(self.text, "netlist.v"), "demo_top", self.library)

    @cached_property
    def codes(self) -> np.ndarray:
        """Return all codes of all features."""
        grid = np.indices([1 << width for width in self.circuit.core.interface.widths])
        return grid.reshape(len(grid), -1).T.astype(np.int64)

    def classes(self, text: str) -> np.ndarray:
        """Return the class that a netlist computes for each of :attr:`codes`."""
        interface = self.circuit.core.interface
        design = parse_verilog(text, "netlist.v")
        graph = elaborate_top(design, "demo_top", interface, self.library, latency(self.registers)).graph
        return graph.predict(self.codes)


def mapped(graph: BooleanGraph, registers: Registers, library: CellLibrary) -> Mapped:
    """Map a graph over thresholds as it is, without minimization before."""
    thresholds = [node for _, node in graph.inputs if isinstance(node, Threshold)]
    circuit = Circuit(encoder_graph(thresholds, graph.interface), graph)
    design = design_verilog("demo", circuit.encoder, circuit.core, registers)
    return Mapped(circuit, registers, synthesize(design, "demo", library).netlist, library)


def random_graph(
    seed: int, widths: tuple[int, ...] = (4, 3), luts: int = 10, outputs: int = 2
) -> BooleanGraph:
    """Draw a graph of LUTs over thresholds of features of these widths."""
    rng = np.random.default_rng(seed)
    names = tuple(f"f{k}" for k in range(len(widths)))
    builder = GraphBuilder(Interface(names, widths, tuple(f"c{k}" for k in range(1 << outputs))))
    nodes = [
        builder.add(Threshold(feature, int(constant)))
        for feature, width in enumerate(widths)
        for constant in sorted(rng.choice(np.arange(1, 1 << width), 4, replace=False))
    ]
    for _ in range(luts):
        fanins = tuple(int(k) for k in rng.choice(nodes, 3, replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(1, 255)))))
    return builder.finish(nodes[-outputs:])


def stuck(text: str, pin: str, value: bool) -> str:
    """Return a netlist whose pin is stuck at a value.

    Parameters
    ----------
    text
        Netlist of demo_top.
    pin
        Name of the pin: ``core._12_.A`` for a pin of a cell, ``x0_f0[3]`` or ``class_index`` for a port.
    value
        Value of the pin.
    """
    constant = f"1'b{int(value)}"
    if "." not in pin:
        return _stuck_port(text, pin, constant)
    *path, instance, name = pin.split(".")
    module = "_".join(["demo", *(path or ["top"])])
    start = text.index(f"module {module}(")
    end = text.index("endmodule", start)
    body = text[start:end]
    at = re.search(rf"^  \w+ {re.escape(instance)} \(", body, re.MULTILINE)
    assert at is not None
    place = re.compile(rf"\.{name}\(([^()]*)\)").search(body, at.end())
    assert place is not None
    assert ";" not in body[at.end() : place.start()]
    if name in {"X", "Y", "Q", "Q_N"}:
        body = f"{body[: place.start()]}.{name}(){body[place.end() :]}  assign {place[1]} = {constant};\n"
    else:
        body = f"{body[: place.start()]}.{name}({constant}){body[place.end() :]}"
    return text[:start] + body + text[end:]


def _stuck_port(text: str, pin: str, constant: str) -> str:
    """Return a netlist around demo_top, which becomes demo_inside, with a bit of a port replaced."""
    port, bit = [*pin.rstrip("]").split("["), "0"][:2]
    header = re.search(r"module demo_top\(([^)]*)\);(.*?)endmodule", text, re.DOTALL)
    assert header is not None
    ports, lines, pins = header[1].split(", "), [], []
    for each in ports:
        found = re.search(rf"(input|output) (?:\[(\d+):0\] )?{each};", header[2])
        assert found is not None
        width = int(found[2] or 0) + 1
        span = f"[{width - 1}:0] " if width > 1 else ""
        lines.append(f"  {found[1]} {span}{each};")
        if each != port:
            pins.append(f".{each}({each})")
            continue
        bits = [f"{each}[{k}]" if width > 1 else each for k in reversed(range(width))]
        if found[1] == "input":
            bits[width - 1 - int(bit)] = constant
        else:
            lines.append(f"  assign {bits[width - 1 - int(bit)]} = {constant};")
            lines.append("  wire unread;")
            bits[width - 1 - int(bit)] = "unread"
        pins.append(f".{each}({{{', '.join(bits)}}})")
    top = f"module demo_top({header[1]});\n" + "\n".join(lines)
    return (
        text.replace("module demo_top(", "module demo_inside(")
        + f"{top}\n  demo_inside inside ({', '.join(pins)});\nendmodule\n"
    )
