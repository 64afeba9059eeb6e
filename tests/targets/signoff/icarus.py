"""A netlist with delays for Icarus Verilog, and the transitions in its record of all nets."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dwn_asic.boolean.expression import truth_table
from dwn_asic.targets.asic.signoff.activity import Simulation
from dwn_asic.targets.asic.signoff.glitches import GateDelays
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate

PERIOD = 100_000_000
"""Femtoseconds between rows, longer than any circuit of these tests takes."""


def transitions(
    netlist: FlatNetlist, delays: GateDelays, simulation: Simulation, folder: Path
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the number of rising and falling transitions of each net, as Icarus Verilog simulates it."""
    (folder / "t.v").write_text("\n".join(_verilog(netlist, delays, simulation)))
    for command in (["iverilog", "-g2005", "-o", "t.vvp", "t.v"], ["vvp", "-n", "t.vvp"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return _counted((folder / "t.vcd").read_text(), len(netlist.net_names))


def _verilog(netlist: FlatNetlist, delays: GateDelays, simulation: Simulation) -> Iterator[str]:
    yield "`timescale 1fs/1fs"
    cells = {each.cell.name: each.cell for each in netlist.instances if isinstance(each, Gate)}
    for cell in cells.values():
        yield f"module {cell.name} ({', '.join((*cell.inputs, cell.output))});"
        yield f"  parameter RISE = 1, FALL = 1; input {', '.join(cell.inputs)}; output {cell.output};"
        # A table, since the parts of an expression would make pulses of no length that start a delay again.
        size = 1 << len(cell.inputs)
        yield f"  wire [{size - 1}:0] table_ = {size}'d{truth_table(cell.function, cell.inputs)};"
        address = ", ".join(reversed(cell.inputs))
        yield f"  assign #(RISE, FALL) {cell.output} = table_[{{{address}}}];"
        yield "endmodule"
    nets = len(netlist.net_names)
    yield "module t;"
    yield "  integer row;"
    driven = {each.output for each in netlist.instances if isinstance(each, Gate)}
    for net in range(nets):
        yield f"  wire n{net};"
        if net not in driven:
            rows = simulation.values[net]
            bits = "".join(str(rows >> row & 1) for row in reversed(range(simulation.rows)))
            yield f"  reg [{simulation.rows - 1}:0] v{net} = {simulation.rows}'b{bits};"
            rise, fall = delays.arrival[net]
            yield f"  assign #({rise}, {fall}) n{net} = v{net}[row];"
    for index, instance in enumerate(netlist.instances):
        if not isinstance(instance, Gate):
            continue
        pins = []
        for place, (pin, net) in enumerate(zip(instance.cell.inputs, instance.inputs, strict=True)):
            yield f"  wire p{index}_{place};"
            yield f"  assign #({delays.pins[index][place]}) p{index}_{place} = n{net};"
            pins.append(f".{pin}(p{index}_{place})")
        rise, fall = delays.output[index]
        connected = f"{', '.join(pins)}, .{instance.cell.output}(n{instance.output})"
        yield f"  {instance.cell.name} #({rise}, {fall}) u{index} ({connected});"
    yield '  initial begin $dumpfile("t.vcd"); $dumpvars(1, t); row = 0;'
    yield f"    repeat ({simulation.steps}) #{PERIOD} row = row + 1;"
    yield f"    #{PERIOD} $finish; end"
    yield "endmodule"


def _counted(text: str, nets: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Count the changes in a value change dump after the first period, in which the nets settle."""
    head, _, changes = text.partition("$enddefinitions $end")
    codes = {code: int(net) for code, net in re.findall(r"\$var wire 1 (\S+) n(\d+) \$end", head)}
    assert len(set(codes.values())) == nets
    found: Counter[tuple[int, int]] = Counter()
    now = 0
    for line in changes.splitlines():
        if line.startswith("#"):
            now = int(line[1:])
        elif now >= PERIOD and line[:1] in {"0", "1"} and line[1:] in codes:
            found[codes[line[1:]], 1 - int(line[0])] += 1
    return np.array([[found[net, edge] for edge in range(2)] for net in range(nets)], np.int64)
