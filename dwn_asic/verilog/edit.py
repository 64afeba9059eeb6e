"""Changes to the text of a netlist: other cells for its instances, and buffers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dwn_asic.boolean.expression import verilog_identifier
from dwn_asic.verilog.flat_netlist import FlatNetlist, Gate, Register, plain_name
from dwn_asic.verilog.text import split_modules

__all__ = ["scopes", "with_cells"]

_INSTANCE = re.compile(r"^  (\\\S+|\w+) (\\\S+|\w+) +\(\n(.*?)^  \);\n", re.MULTILINE | re.DOTALL)
_PIN = re.compile(r"\.(\\\S+ |\w+)\(([^()]*)\)")


def scopes(texts: Mapping[str, str], top: str) -> dict[str, str]:
    """Return the hierarchical name of each instance of a module, the top module included, and its module.

    Parameters
    ----------
    texts
        Name and text of each module, as Yosys writes them.
    top
        Name of the top module, whose own hierarchical name is empty.
    """
    found, waiting = {}, [("", top)]
    while waiting:
        scope, module = waiting.pop()
        found[scope] = module
        for kind, name, _ in _INSTANCE.findall(texts[module]):
            if kind in texts:
                waiting.append((f"{scope}.{plain_name(name)}".lstrip("."), kind))
    return found


def with_cells(text: str, netlist: FlatNetlist) -> str:
    """Return the text of a netlist with the cells of a flat netlist, which was made from it.

    Parameters
    ----------
    text
        Netlist as Yosys writes it; each of its modules has one instance.
    netlist
        The same netlist without hierarchy, with other cells of the same pins, and with buffers. A buffer is
        in the module of all instances that it drives.
    """
    texts = split_modules(text)
    cells: dict[str, dict[str, Gate | Register]] = {module: {} for module in texts}
    modules = scopes(texts, netlist.top)
    for each in netlist.instances:
        scope, _, name = each.name.rpartition(".")
        cells[modules[scope]][name] = each
    return "\n".join(_changed(content, cells[module]) for module, content in texts.items())


def _changed(text: str, cells: Mapping[str, Gate | Register]) -> str:
    """Return a module with these cells; those that the text lacks are new buffers."""
    old = {plain_name(name) for _, name, _ in _INSTANCE.findall(text)}
    buffers = {each.output: each for name, each in cells.items() if name not in old}
    sources: dict[int, str] = {}  # net -> what the text calls it, for nets that a buffer reads

    def instance(found: re.Match[str]) -> str:
        _, name, pins = found.groups()
        cell = cells.get(plain_name(name))
        if cell is None:
            return found[0]  # an instance of a module

        def pin(match: re.Match[str]) -> str:
            pin_name = plain_name(match[1])
            if pin_name not in cell.cell.inputs:
                return match[0]
            net = cell.inputs[cell.cell.inputs.index(pin_name)]
            if net not in buffers:
                return match[0]
            before = net
            while before in buffers:
                before = buffers[before].inputs[0]
            sources[before] = match[2]
            return f".{match[1]}({_wire(buffers[net])})"

        return f"  {verilog_identifier(cell.cell.name)} {name} (\n{_PIN.sub(pin, pins)}  );\n"

    changed = _INSTANCE.sub(instance, text)
    return _before_end(
        changed, [line for each in buffers.values() for line in _buffer(each, buffers, sources)]
    )


def _buffer(
    buffer: Gate | Register, buffers: Mapping[int, Gate | Register], sources: Mapping[int, str]
) -> Iterator[str]:
    source, cell = buffer.inputs[0], buffer.cell
    read = _wire(buffers[source]) if source in buffers else sources[source]
    yield f"  wire {_wire(buffer)};\n"
    yield f"  {verilog_identifier(cell.name)} {buffer.name.rpartition('.')[2]} (\n"
    yield f"    .{verilog_identifier(cell.inputs[0])}({read}),\n"
    yield f"    .{verilog_identifier(cell.output)}({_wire(buffer)})\n  );\n"


def _wire(buffer: Gate | Register) -> str:
    """Return the name of the net that a buffer drives."""
    return f"{buffer.name.rpartition('.')[2]}_out"


def _before_end(text: str, lines: list[str]) -> str:
    head, end, tail = text.rpartition("endmodule")
    return f"{head}{''.join(lines)}{end}{tail}"
