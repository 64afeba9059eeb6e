"""Verilog as Yosys reads it: a second reader, which shares no code with :mod:`dwn_asic.verilog.reader`.

Yosys reads and flattens the text, reduces it to AND gates, inverters and flip-flops, and writes them as JSON.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dwn_asic.boolean.fold import FALSE, TRUE, FoldingBuilder, Literal
from dwn_asic.boolean.graph import BooleanGraph, Interface
from dwn_asic.boolean.ports import CLASS_PORT, CLOCK_PORT
from dwn_asic.errors import DataError, VerificationError
from dwn_asic.tools import find_yosys
from dwn_asic.verilog.elaborate import feature_bit

__all__ = ["read_by_yosys"]

_SCRIPT = """\
read_verilog design.v
hierarchy -check -top {top}
proc
flatten
opt_clean
techmap
aigmap
opt_clean -purge
delete t:$scopeinfo
check -assert
write_json design.json
"""
_GATES = {"$_AND_": (("A", "B"), "Y", 0b1000), "$_NOT_": (("A",), "Y", 0b01)}
_REGISTER = "$_DFF_P_"
_NO_LATENCY = frozenset[int]()


def read_by_yosys(
    text: str, source: str, top: str, interface: Interface, latency: int, *, timeout_s: float = 300.0
) -> BooleanGraph:
    """Read a top module written by this package with Yosys; check its ports and pipeline depth.

    Parameters
    ----------
    text, source
        Verilog text without library cells, and its name in messages.
    top
        Name of the top module.
    interface
        Interface of the graph.
    latency
        Number of registers on each path from an input to an output.
    timeout_s
        Time limit of Yosys in seconds.

    Raises
    ------
    VerificationError
        A port is not that of a feature or the class index, or some path crosses another number of registers.
    DataError
        There is a register with another clock, a combinational loop, or an undriven net.
    ToolError
        Yosys fails or reaches the time limit.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "design.v").write_text(text, encoding="utf-8")
        find_yosys().run_script(_SCRIPT.format(top=top), timeout_s=timeout_s, cwd=folder)
        module = json.loads((folder / "design.json").read_text())["modules"][top]
    ports = {name: (port["direction"], port["bits"]) for name, port in module["ports"].items()}
    outputs = [name for name, (direction, _) in ports.items() if direction != "input"]
    if outputs != [CLASS_PORT]:
        raise VerificationError(
            f"{source}: the outputs of {top} are {', '.join(outputs)}, expected {CLASS_PORT}"
        )
    nets = _Nets(source, FoldingBuilder(interface), module["cells"])
    for name, (_, bits) in ports.items():
        if name == CLOCK_PORT:
            (nets.clock,) = bits
        elif name != CLASS_PORT:
            for index, net in enumerate(bits):
                node = feature_bit(interface, name, index)
                if node is None:
                    raise VerificationError(f"{source}: port {name} of {top} is not a feature")
                nets.known[net] = nets.builder.input(node), frozenset({0})
    found = [nets.value(net) for net in ports[CLASS_PORT][1]]
    latencies = _NO_LATENCY.union(*(depths for _, depths in found))
    if not latencies <= {latency}:
        numbers = ", ".join(map(str, sorted(latencies)))
        raise VerificationError(f"{source}: {numbers} registers from input to output, expected {latency}")
    return nets.builder.finish([literal for literal, _ in found])


class _Nets:
    """The nets of a flat module of gates and registers, each computed when it is first needed."""

    def __init__(self, source: str, builder: FoldingBuilder, cells: Mapping[str, Any]) -> None:
        self.source, self.builder = source, builder
        self.clock: int | None = None
        # Net -> its function, and the numbers of registers on the paths to it (none for constants).
        self.known: dict[int | str, tuple[Literal, frozenset[int]]] = {
            "0": (FALSE, _NO_LATENCY),
            "1": (TRUE, _NO_LATENCY),
        }
        self._drivers: dict[int | str, tuple[str, Mapping[str, Any]]] = {}
        for name, cell in cells.items():
            kind, pins = cell["type"], {pin: bits[0] for pin, bits in cell["connections"].items()}
            if kind not in _GATES and kind != _REGISTER:
                raise DataError(source, f"Yosys reads {name} as {kind}, which is not supported")
            self._drivers[pins[_GATES[kind][1] if kind in _GATES else "Q"]] = kind, pins

    def value(self, net: int | str) -> tuple[Literal, frozenset[int]]:
        """Return the function of a net and the numbers of registers before it."""
        waiting, under_way = [net], set[int | str]()
        while waiting:
            net = waiting[-1]
            if net in self.known:
                waiting.pop()
                continue
            if net not in self._drivers:
                raise DataError(self.source, f"Yosys reads net {net} without a driver")
            kind, pins = self._drivers[net]
            fanins = [pins[pin] for pin in _GATES[kind][0]] if kind in _GATES else [pins["D"]]
            missing = [fanin for fanin in fanins if fanin not in self.known]
            if missing and net in under_way:
                raise DataError(self.source, f"Yosys reads a loop through net {net}")
            under_way.add(net)
            if missing:
                waiting += missing
                continue
            self.known[waiting.pop()] = self._driven(kind, pins, fanins)
        return self.known[net]

    def _driven(
        self, kind: str, pins: Mapping[str, Any], fanins: list[int | str]
    ) -> tuple[Literal, frozenset[int]]:
        values = [self.known[fanin] for fanin in fanins]
        if kind == _REGISTER:
            if pins["C"] != self.clock:
                raise DataError(self.source, f"a register is not clocked by the port {CLOCK_PORT}")
            ((literal, depths),) = values
            return literal, frozenset(depth + 1 for depth in depths)
        literal = self.builder.lut([literal for literal, _ in values], _GATES[kind][2])
        return literal, _NO_LATENCY.union(*(depths for _, depths in values))
