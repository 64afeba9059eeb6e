"""A netlist as place and route sees it: named instances of cells, and nets between their pins.

Registers may feed back, and pins may be tied to constants, unlike in :mod:`dwn_asic.verilog.flat_netlist`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dwn_asic.errors import DataError
from dwn_asic.targets.asic.tapeout.layout_config import TieCell
from dwn_asic.targets.asic.tapeout.technology import Technology
from dwn_asic.tools import find_yosys

__all__ = ["CellInstance", "Netlist", "Port", "prepared", "read_netlist"]

_SCRIPT = """\
read_verilog netlist.v
hierarchy -top {top}
flatten
delete t:$scopeinfo
write_json netlist.json
"""
LOW, HIGH = "0", "1"
"""Names of the constant nets until cells drive them."""


@dataclass(frozen=True)
class CellInstance:
    """An instance of a cell; ``pins`` holds the net of each connected signal pin."""

    name: str
    cell: str
    pins: Mapping[str, str]


@dataclass(frozen=True)
class Port:
    """A bit of a port: its name, such as ``x[3]``, whether it is an input, and its net."""

    name: str
    is_input: bool
    net: str


@dataclass(frozen=True)
class Netlist:
    """A netlist without hierarchy.

    Attributes
    ----------
    top
        Name of the module.
    ports
        Bits of the ports, in the order of the module, the most significant bit of each port last.
    instances
        Instances of cells.
    """

    top: str
    ports: tuple[Port, ...]
    instances: tuple[CellInstance, ...]

    @cached_property
    def nets(self) -> tuple[str, ...]:
        """Names of all nets in the order of their first use."""
        found = [port.net for port in self.ports]
        found += [net for each in self.instances for net in each.pins.values()]
        return tuple(dict.fromkeys(found))

    def extended(self, *instances: CellInstance) -> Netlist:
        """Return the netlist with further instances at its end."""
        return replace(self, instances=(*self.instances, *instances))


def read_netlist(text: str, source: str, top: str, *, timeout_s: float = 300.0) -> Netlist:
    """Read a mapped Verilog netlist, with or without hierarchy.

    Parameters
    ----------
    text, source
        Verilog text, and its name in messages.
    top
        Name of the top module.
    timeout_s
        Time limit of Yosys in seconds.

    Raises
    ------
    DataError
        There is logic other than cells, or a pin without a driver.
    ToolError
        Yosys fails or reaches the time limit.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "netlist.v").write_text(text, encoding="utf-8")
        find_yosys().run_script(_SCRIPT.format(top=top), timeout_s=timeout_s, cwd=folder)
        module = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))["modules"][top]
    ports, names = _ports(module), dict[object, str]()
    for name, _, bit in sorted(ports, key=lambda each: not each[1]):
        names.setdefault(bit, name)
    for name, net in sorted(module["netnames"].items(), key=lambda item: (item[0].count("."), item[0])):
        low, width = net.get("offset", 0), len(net["bits"])
        for index, bit in enumerate(net["bits"]):
            if not net.get("hide_name"):
                names.setdefault(bit, name if width == 1 else f"{name}[{low + index}]")
    names |= {LOW: LOW, HIGH: HIGH}

    def net_of(bit: object) -> str:
        if bit in {"x", "z"}:
            raise DataError(source, f"{top}: a pin has no driver")
        return names.setdefault(bit, f"n{bit}")

    instances = []
    for name, cell in sorted(module["cells"].items()):
        if cell["type"].startswith("$"):
            raise DataError(source, f"{top}: {name}: {cell['type']} is logic that is not mapped to cells")
        pins = {pin: net_of(bits[0]) for pin, bits in cell["connections"].items() if bits}
        instances.append(CellInstance(name, cell["type"], pins))
    return Netlist(
        top, tuple(Port(name, is_input, net_of(bit)) for name, is_input, bit in ports), tuple(instances)
    )


def _ports(module: Mapping[str, Any]) -> list[tuple[str, bool, object]]:
    """Return name, direction and bit of all bits of all ports."""
    found = []
    for name, port in module["ports"].items():
        low, width = port.get("offset", 0), len(port["bits"])
        for index, bit in enumerate(port["bits"]):
            whole = name if width == 1 else f"{name}[{low + index}]"
            found.append((whole, port["direction"] == "input", bit))
    return found


def _split(instances: Iterable[CellInstance], technology: Technology) -> Iterator[CellInstance]:
    """Yield instances, with several cells in the place of one that the router cannot reach."""
    for each in instances:
        split = technology.config.split.get(each.cell)
        if split is None:
            yield each
            continue
        for number, part in enumerate(split.parts):
            last = number == len(split.parts) - 1
            pins = {
                pin: f"{each.name}_{net}" if net.startswith("+") else each.pins[net]
                for pin, net in part.pins.items()
                if net.startswith("+") or net in each.pins
            }
            yield CellInstance(each.name if last else f"{each.name}_part{number}", part.cell, pins)


def prepared(netlist: Netlist, technology: Technology) -> Netlist:
    """Return a netlist that can be placed: every port has a net of its own, and cells drive the constants.

    Cells that break a rule by themselves, or cannot be reached, give way to others of the same function. The
    net of a port has the name of the port. An output that shares its net with another port gets a buffer.
    Each constant output has a cell of its own, and all constant pins share one.

    Raises
    ------
    PdkError
        A cell is not in the LEF file, or breaks a rule by itself.
    DataError
        A cell has no pin of that name.
    """
    config, added = technology.config, list[CellInstance]()
    ties, buffer = {LOW: config.ties.low, HIGH: config.ties.high}, config.buffer
    used = {each.name for each in netlist.instances}

    def add(cell: str, pins: Mapping[str, str]) -> None:
        name = f"added_{len(added)}"
        while name in used:
            name = f"{name}_"
        added.append(CellInstance(name, cell, pins))

    ports, taken, renamed = list[Port](), set[str](), dict[str, str]()
    for port in netlist.ports:
        net = port.net
        if not port.is_input and net not in taken and net not in {LOW, HIGH}:
            net = renamed.setdefault(net, port.name)
        if not port.is_input and net in {LOW, HIGH}:
            net = port.name
            add(ties[port.net].cell, {ties[port.net].pin: net})
        elif net in taken:
            net = port.name
            add(buffer.cell, {buffer.input: renamed.get(port.net, port.net), buffer.output: net})
        taken.add(net)
        ports.append(Port(port.name, port.is_input, net))
    instances, tied = list[CellInstance](), dict[str, str]()
    for each in _split(netlist.instances, technology):
        cell = technology.usable(each.cell)
        known = technology.macro(cell).pins
        pins = {pin: renamed.get(net, net) for pin, net in each.pins.items() if pin not in config.supply_pins}
        unknown = sorted(pins.keys() - known.keys())
        if unknown:
            raise DataError(netlist.top, f"instance {each.name}: {cell} has no pin {unknown[0]}")
        for pin, net in pins.items():
            if net in {LOW, HIGH}:
                tied[net] = pins[pin] = "tied_low" if net == LOW else "tied_high"
        instances.append(CellInstance(each.name, cell, pins))
    for cell, outputs in _tie_cells(tied, ties).items():
        add(cell, outputs)
    return Netlist(netlist.top, tuple(ports), (*instances, *added))


def _tie_cells(tied: Mapping[str, str], ties: Mapping[str, TieCell]) -> dict[str, dict[str, str]]:
    """Return the cells that drive the nets of constants, and the nets of their outputs."""
    found: dict[str, dict[str, str]] = {}
    for value, net in tied.items():
        found.setdefault(ties[value].cell, {})[ties[value].pin] = net
    return found
