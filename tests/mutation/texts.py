"""Faults of Verilog texts: each function draws one place in a design or a netlist and changes it there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.verilog.cell import Cell, FlipFlop

Mutator = Callable[[str, CellLibrary, np.random.Generator], str | None]
"""None if the text has no place for the fault."""

_NET = r"(?:[A-Za-z_]\w*)(?:\[\d+\])?"
_CONNECTION = re.compile(r"\.(\w+)\(([^()]*)\)")


# ---- designs -----------------------------------------------------------------------------------------------
def design_table_bit(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Flip a bit of a table."""
    found = _drawn(re.finditer(r"localparam \[(\d+):0\] \w+ = \d+'h([0-9a-f]+);", text), rng)
    if found is None:
        return None
    value = int(found[2], 16) ^ 1 << int(rng.integers(0, int(found[1]) + 1))
    return _replaced(text, found.span(2), f"{value:x}")


def design_operator(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Exchange an operator for another."""
    found = _drawn(re.finditer(r"(?<=[\w\])]) ([&|^]) (?=[\w~(])", text), rng)
    if found is None:
        return None
    return _replaced(text, found.span(1), str(rng.choice([each for each in "&|^" if each != found[1]])))


def design_inverted_pin(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Invert a net where it is read."""
    read = _drawn_read(text, rng)
    return None if read is None else _replaced(text, read.span, f"(~{read.net})")


def design_stuck_at(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Read a constant instead of a net."""
    read = _drawn_read(text, rng)
    return None if read is None else _replaced(text, read.span, f"1'b{rng.integers(0, 2)}")


def design_wire_swap(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Read another net of the module, which is driven before."""
    read = _drawn_read(text, rng)
    if read is None or not read.others:
        return None
    return _replaced(text, read.span, str(rng.choice(read.others)))


def design_swapped_outputs(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Exchange the drivers of two bits of a port, of the class index or of the thermometer."""
    port = str(rng.choice(["class_index", "therm"]))
    return _exchanged(text, list(re.finditer(rf"assign {port}\[\d+\] = (.*);", text)), rng)


def design_missing_register(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Read a value before a register instead of behind it."""
    found = _drawn(re.finditer(r"\((x\w+)_q\)|assign class_index = (class_index)_q;", text), rng)
    if found is None:
        return None
    if found[1]:
        return _replaced(text, found.span(), f"({found[1]})")
    return _replaced(text, found.span(), "assign class_index = class_index_d;")


def design_further_register(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Add a register behind a register."""
    found = _drawn(re.finditer(r"reg ((?:\[\d+:0\] )?)(\w+_q);", text), rng)
    if found is None:
        return None
    net, more = found[2], f"{found[2]}_more"
    reads = [each for each in re.finditer(rf"\b{net}\b", text) if _is_read_of_register(text, each)]
    for each in reversed(reads):
        text = _replaced(text, each.span(), more)
    lines = f"reg {found[1]}{more};\n    always @(posedge clk) {more} <= {net};\n    "
    return _replaced(text, (found.start(), found.start()), lines)


def _is_read_of_register(text: str, found: re.Match[str]) -> bool:
    """Return whether a name of a register stands where it is read."""
    return text[found.end()] == ")" or text[: found.start()].endswith("class_index = ")


@dataclass(frozen=True)
class _Read:
    """A place that reads a net, and the other nets that may stand there without a loop."""

    span: tuple[int, int]
    net: str
    others: list[str]


def _drawn_read(text: str, rng: np.random.Generator) -> _Read | None:
    """Draw a place in the encoder or the core where a net is read."""
    reads: list[_Read] = []
    for module in re.finditer(r"module \w+_(?:encoder|core) \((.*?)\n\);(.*?)endmodule", text, re.DOTALL):
        known = []
        for width, name in re.findall(r"input  wire (?:\[(\d+):0\] )?(\w+)", module[1]):
            known += [f"{name}[{k}]" for k in range(int(width) + 1)] if width else [name]
        for line in re.finditer(r"(?:wire (\w+)|assign \S+) = (.*);", module[2]):
            for name in re.finditer(rf"(?<![\w'])(?!T_){_NET}(?!\w*\[\{{)", line[2]):
                if name[0] in known:
                    start = module.start(2) + line.start(2) + name.start()
                    others = [each for each in known if each != name[0]]
                    reads.append(_Read((start, start + len(name[0])), name[0], others))
            if line[1]:
                known.append(line[1])
    return reads[int(rng.integers(0, len(reads)))] if reads else None


# ---- netlists ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Instance:
    """An instance of a cell in a netlist: where it stands, and where the net of each pin stands."""

    cell: Cell | FlipFlop
    module: str
    kind: tuple[int, int]
    span: tuple[int, int]
    nets: dict[str, str]
    places: dict[str, tuple[int, int]]


def netlist_cell_swap(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Exchange a cell for another one with the same pins."""
    swaps = [
        (each.kind, other.name)
        for each in _instances(text, library)
        for other in library.cells
        if isinstance(each.cell, Cell)
        and (set(other.inputs), other.output) == (set(each.cell.inputs), each.cell.output)
        and other.name != each.cell.name
    ]
    return _replaced(text, *swaps[int(rng.integers(0, len(swaps)))]) if swaps else None


def netlist_inverted_pin(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Insert an inverter before an input pin."""
    drawn = _drawn_pin(text, library, rng)
    if drawn is None:
        return None
    each, pin = drawn
    inverter = next(cell for cell in library.cells if (len(cell.inputs), cell.table) == (1, 0b01))
    lines = (
        f"  wire mutant_;\n  {inverter.name} mutant_cell_ (\n    .{inverter.inputs[0]}({each.nets[pin]}),\n"
        f"    .{inverter.output}(mutant_)\n  );\n"
    )
    return _inserted(_replaced(text, each.places[pin], "mutant_"), each, lines)


def netlist_stuck_input(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Connect an input pin to a constant."""
    drawn = _drawn_pin(text, library, rng)
    return None if drawn is None else _replaced(text, drawn[0].places[drawn[1]], f"1'h{rng.integers(0, 2)}")


def netlist_stuck_output(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Connect the net of an output pin to a constant."""
    found = [*_instances(text, library)]
    if not found:
        return None
    each = found[int(rng.integers(0, len(found)))]
    net = each.nets[each.cell.output]
    return _inserted(
        _replaced(text, each.places[each.cell.output], ""),
        each,
        f"  assign {net} = 1'h{rng.integers(0, 2)};\n",
    )


def netlist_wire_swap(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Connect an input pin to another net of the module, which does not depend on the cell."""
    drawn = _drawn_pin(text, library, rng)
    if drawn is None:
        return None
    each, pin = drawn
    siblings = [other for other in _instances(text, library) if other.module == each.module]
    behind, size = {each.nets[each.cell.output]}, 0
    while len(behind) > size:
        size = len(behind)
        behind |= {other.nets[other.cell.output] for other in siblings if behind & {*other.nets.values()}}
    nets = {net for other in siblings for net in other.nets.values()} - behind - {"clk", each.nets[pin]}
    others = sorted(net for net in nets if not net.startswith("1'"))
    return _replaced(text, each.places[pin], str(rng.choice(others))) if others else None


def netlist_exchanged_pins(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Exchange the nets at two pins of a cell."""
    found = [each for each in _instances(text, library) if len(each.cell.inputs) > 1]
    found = [each for each in found if isinstance(each.cell, Cell)]
    if not found:
        return None
    each = found[int(rng.integers(0, len(found)))]
    a, b = sorted(rng.choice(each.cell.inputs, 2, replace=False), key=lambda pin: each.places[pin])
    text = _replaced(text, each.places[b], each.nets[a])
    return _replaced(text, each.places[a], each.nets[b])


def netlist_swapped_outputs(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Exchange two bits of the class index, or of the thermometer, between the modules."""
    port = str(rng.choice(["class_index", "therm"]))
    found = re.search(rf"\.{port}\(({port}(?:_d)?)\)", text)
    width = re.search(rf"output \[(\d+):0\] {port};", text)
    if found is None or width is None:
        return None
    bits = [f"{found[1]}[{k}]" for k in reversed(range(int(width[1]) + 1))]
    a, b = rng.choice(len(bits), 2, replace=False)
    bits[a], bits[b] = bits[b], bits[a]
    return _replaced(text, found.span(1), f"{{{', '.join(bits)}}}")


def netlist_missing_register(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Replace a flip-flop by a wire."""
    each = _drawn_register(text, library, rng)
    if each is None:
        return None
    cell = each.cell
    assert isinstance(cell, FlipFlop)
    # An inverting flip-flop is followed by an inverter, so the wire must invert as well.
    if cell.inverting:
        inverter = next(other for other in library.cells if (len(other.inputs), other.table) == (1, 0b01))
        line = (
            f"  {inverter.name} mutant_cell_ (\n    .{inverter.inputs[0]}({each.nets[cell.data]}),\n"
            f"    .{inverter.output}({each.nets[cell.output]})\n  );"
        )
    else:
        line = f"  assign {each.nets[cell.output]} = {each.nets[cell.data]};"
    return _replaced(text, each.span, line)


def netlist_further_register(text: str, library: CellLibrary, rng: np.random.Generator) -> str | None:
    """Put a flip-flop of the same kind before a flip-flop."""
    each = _drawn_register(text, library, rng)
    if each is None:
        return None
    cell = each.cell
    pins = ",\n".join(
        f"    .{pin}({'mutant_' if pin == cell.output else net})" for pin, net in each.nets.items()
    )
    lines = f"  wire mutant_;\n  {cell.name} mutant_cell_ (\n{pins}\n  );\n"
    assert isinstance(cell, FlipFlop)
    return _inserted(_replaced(text, each.places[cell.data], "mutant_"), each, lines)


def _instances(text: str, library: CellLibrary) -> Iterator[_Instance]:
    cells = {cell.name: cell for cell in (*library.cells, *library.flip_flops)}
    for module in re.finditer(r"^module (\w+)\(.*?^endmodule", text, re.MULTILINE | re.DOTALL):
        for each in re.finditer(r"^  (\w+) \w+ \(\n(.*?)\n  \);", module[0], re.MULTILINE | re.DOTALL):
            if each[1] not in cells:
                continue
            base, start = module.start(), module.start() + each.start(2)
            pins = [*_CONNECTION.finditer(each[2])]
            yield _Instance(
                cells[each[1]],
                module[1],
                (base + each.start(1), base + each.end(1)),
                (base + each.start(), base + each.end()),
                {pin[1]: pin[2] for pin in pins},
                {pin[1]: (start + pin.start(2), start + pin.end(2)) for pin in pins},
            )


def _drawn_pin(text: str, library: CellLibrary, rng: np.random.Generator) -> tuple[_Instance, str] | None:
    """Draw an input pin of a gate, or the data pin of a flip-flop."""
    found = [
        (each, pin)
        for each in _instances(text, library)
        for pin in (each.cell.inputs if isinstance(each.cell, Cell) else (each.cell.data,))
    ]
    return found[int(rng.integers(0, len(found)))] if found else None


def _drawn_register(text: str, library: CellLibrary, rng: np.random.Generator) -> _Instance | None:
    found = [each for each in _instances(text, library) if isinstance(each.cell, FlipFlop)]
    return found[int(rng.integers(0, len(found)))] if found else None


# ---- both --------------------------------------------------------------------------------------------------
def _inserted(text: str, each: _Instance, lines: str) -> str:
    """Return a text with lines before an instance, which stands at the same place in it."""
    return _replaced(text, (each.span[0], each.span[0]), lines)


def _replaced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


def _drawn(found: Iterator[re.Match[str]], rng: np.random.Generator) -> re.Match[str] | None:
    every = [*found]
    return every[int(rng.integers(0, len(every)))] if every else None


def _exchanged(text: str, found: list[re.Match[str]], rng: np.random.Generator) -> str | None:
    if len(found) < 2:
        return None
    a, b = sorted(int(k) for k in rng.choice(len(found), 2, replace=False))
    text = _replaced(text, found[b].span(1), found[a][1])
    return _replaced(text, found[a].span(1), found[b][1])


def swapped_ports(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Exchange the names of two features' ports everywhere."""
    ports = sorted(set(re.findall(r"\bx\d+_[a-z]+(?:_[a-z]+)*\b", text.replace("_q", ""))))
    if len(ports) < 2:
        return None
    a, b = rng.choice(ports, 2, replace=False)
    names = {a: b, b: a}
    return re.sub(rf"\b({a}|{b})(?=_q\b|\b)", lambda found: names[found[1]], text)


def misnamed_port(text: str, _: CellLibrary, rng: np.random.Generator) -> str | None:
    """Give the port of one feature the name of another feature, or the output another name."""
    ports = sorted(set(re.findall(r"\bx\d+_[a-z]+(?:_[a-z]+)*\b", text.replace("_q", ""))))
    if rng.random() < 0.3 or len(ports) < 2:
        return re.sub(r"\bclass_index\b", "class_number", text)
    a, b = rng.choice(ports, 2, replace=False)
    return re.sub(rf"\b{a}(?=_q\b|\b)", a.split("_")[0] + "_" + b.partition("_")[2], text)


DESIGNS: dict[str, Mutator] = {
    "swapped ports": swapped_ports,
    "misnamed port": misnamed_port,
    "table bit": design_table_bit,
    "operator": design_operator,
    "wire swap": design_wire_swap,
    "inverted pin": design_inverted_pin,
    "stuck at": design_stuck_at,
    "swapped outputs": design_swapped_outputs,
    "missing register": design_missing_register,
    "further register": design_further_register,
}
NETLISTS: dict[str, Mutator] = {
    "swapped ports": swapped_ports,
    "misnamed port": misnamed_port,
    "cell swap": netlist_cell_swap,
    "wire swap": netlist_wire_swap,
    "exchanged pins": netlist_exchanged_pins,
    "inverted pin": netlist_inverted_pin,
    "stuck input": netlist_stuck_input,
    "stuck output": netlist_stuck_output,
    "swapped outputs": netlist_swapped_outputs,
    "missing register": netlist_missing_register,
    "further register": netlist_further_register,
}
