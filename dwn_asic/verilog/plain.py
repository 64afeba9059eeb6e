"""A fast reader of plain modules: library cells, two-input expressions and aliases on single nets.

Parts of a large design are such modules, hundreds of them, for which a general parser takes minutes. What
this reader does not understand it leaves to :mod:`dwn_asic.verilog.reader`, which also says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dwn_asic.boolean.fold import FALSE, TRUE, FoldingBuilder, Literal
from dwn_asic.boolean.graph import BooleanGraph, Input, Interface
from dwn_asic.errors import PdkError
from dwn_asic.verilog.cell import Cell
from dwn_asic.verilog.elaborate import Cells

__all__ = ["plain_graph"]

_NET = r"[A-Za-z_]\w*(?:\[\d+\])?|1'[bh][01]"
_RANGE = r"(?:\[(\d+):0\]\s+)?"
_PORT = re.compile(rf"(input|output)\s+(?:wire\s+)?{_RANGE}(\w+)")
_HEADER = re.compile(r"module\s+\w+\s*\(([^;]*)\)")
_WIRE = re.compile(rf"wire\s+{_RANGE}(\w+)")
_DEFINITION = re.compile(r"(?:wire|assign)\s+([A-Za-z_]\w*(?:\[\d+\])?)\s*=\s*(.*)", re.DOTALL)
_ALIAS = re.compile(rf"(~?)({_NET})")
_BINARY = re.compile(rf"(~\()?(~?)({_NET}) ([&|^]) (~?)({_NET})(\))?")
_INSTANCE = re.compile(r"(\w+)\s+\w+\s*\(\s*(\..*)\)", re.DOTALL)
_PIN = re.compile(rf"\.(\w+)\(({_NET})\)\s*(?:,\s*|$)")
_TABLES = {"&": 0b1000, "|": 0b1110, "^": 0b0110}


@dataclass(frozen=True)
class _Definition:
    """A net as a function of others: a table over nets, each of which may be complemented."""

    table: int
    operands: tuple[tuple[str, bool], ...]
    complemented: bool = False


@dataclass
class _Plain:
    """A module as its ports, with their widths, and the definitions of its nets."""

    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    nets: dict[str, _Definition] = field(default_factory=dict)


class _NotPlainError(Exception):
    """The module has something that this reader does not understand."""


def plain_graph(
    text: str, given: Callable[[str, int], Input], interface: Interface, cells: Cells | None
) -> BooleanGraph | None:
    """Return the logic of a plain module, None if it is not plain.

    Parameters
    ----------
    text
        Text of the module.
    given
        Function (port, index) -> graph input.
    interface
        Interface of the graph.
    cells
        Functions of library cells.
    """
    try:
        return _evaluated(_read(text, cells), given, interface)
    except _NotPlainError:
        return None


def _read(text: str, cells: Cells | None) -> _Plain:
    module = _Plain()
    text = re.sub(r"//[^\n]*", "", text)
    head, _, body = text.partition(";")
    header = _HEADER.fullmatch(head.strip())
    *statements, last = body.split(";")
    if header is None or last.strip() != "endmodule":
        raise _NotPlainError
    _declare(module, header[1])
    for statement in map(str.strip, statements):
        if found := _DEFINITION.fullmatch(statement):
            _define(module, found[1], _expression(found[2]))
        elif _PORT.fullmatch(statement):
            _declare(module, statement)
        elif not _WIRE.fullmatch(statement):
            _define(module, *_instance(statement, cells))
    return module


def _declare(module: _Plain, text: str) -> None:
    for direction, high, name in _PORT.findall(text):
        ports = module.inputs if direction == "input" else module.outputs
        ports[name] = int(high or 0) + 1


def _define(module: _Plain, net: str, definition: _Definition) -> None:
    if net in module.nets:
        raise _NotPlainError
    module.nets[net] = definition


def _expression(text: str) -> _Definition:
    if alias := _ALIAS.fullmatch(text):
        return _Definition(0b10, ((alias[2], bool(alias[1])),))
    found = _BINARY.fullmatch(text)
    if found is None or (found[1] is None) != (found[7] is None):
        raise _NotPlainError
    operands = ((found[3], bool(found[2])), (found[6], bool(found[5])))
    return _Definition(_TABLES[found[4]], operands, found[1] is not None)


def _instance(text: str, cells: Cells | None) -> tuple[str, _Definition]:
    found = _INSTANCE.fullmatch(text)
    if found is None or cells is None:
        raise _NotPlainError
    try:
        cell = cells.cell(found[1])
    except PdkError:
        raise _NotPlainError from None
    pins = dict(_PIN.findall(found[2]))
    whole = sum(len(pin.group()) for pin in _PIN.finditer(found[2]))
    if not isinstance(cell, Cell) or pins.keys() != {*cell.inputs, cell.output} or whole != len(found[2]):
        raise _NotPlainError
    return pins[cell.output], _Definition(cell.table, tuple((pins[pin], False) for pin in cell.inputs))


def _bits(name: str, width: int) -> Iterator[str]:
    yield from ([name] if width == 1 else (f"{name}[{index}]" for index in range(width)))


def _evaluated(module: _Plain, given: Callable[[str, int], Input], interface: Interface) -> BooleanGraph:
    builder = FoldingBuilder(interface)
    known: dict[str, Literal] = {
        "1'b0": FALSE,
        "1'h0": FALSE,
        "1'b1": TRUE,
        "1'h1": TRUE,
    }
    for port, width in module.inputs.items():
        for index, net in enumerate(_bits(port, width)):
            known[net] = builder.input(given(port, index))
    if known.keys() & module.nets.keys():
        raise _NotPlainError
    outputs = [net for port, width in module.outputs.items() for net in _bits(port, width)]
    for output in outputs:
        waiting, open_nets = [output], set[str]()
        while waiting:
            net = waiting[-1]
            if net in known:
                waiting.pop()
                continue
            if net not in module.nets:
                raise _NotPlainError
            definition = module.nets[net]
            missing = [operand for operand, _ in definition.operands if operand not in known]
            if missing:
                if net in open_nets:
                    raise _NotPlainError  # a loop
                open_nets.add(net)
                waiting += missing
                continue
            waiting.pop()
            index, phase = builder.lut(
                [(known[operand][0], known[operand][1] ^ flip) for operand, flip in definition.operands],
                definition.table,
            )
            known[net] = index, phase ^ definition.complemented
    return builder.finish([known[output] for output in outputs])
