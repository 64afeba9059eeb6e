"""The cells a circuit may be built from, small enough to ship as a table and to hand to any mapper.

A mapper that minimizes area needs one cell per function. So the mapped circuit always comes from this reduced
library, whether it was read from an installed PDK or from the table in ``pdk_configs/``: the areas agree.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.boolean_expression import parse, truth_table, verilog_identifier

__all__ = ["Cell", "CellLibrary", "FlipFlop"]

_COLUMNS = (
    "kind",
    "cell",
    "area_um2",
    "leakage_nW",
    "output",
    "function",
    "inputs",
    "capacitance_pF",
)
_TITLE = "# dwn-asic cell table 1: the smallest cell of each function, extracted from the Liberty file below"
_HEADER_KEYS = ("library", "corner", "nand2", "origin", "copyright", "licence")


@dataclass(frozen=True)
class Cell:
    """A combinational standard cell with one output.

    Attributes
    ----------
    name
        As in the Liberty file.
    area
        um2.
    inputs
        Pin names; ``inputs[0]`` is the least significant address bit of ``table``.
    output
        Pin name.
    function
        Liberty expression over ``inputs``.
    capacitance
        pF, one per input.
    leakage
        nW, the library's state-independent value.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    output: str
    function: str
    capacitance: tuple[float, ...]
    leakage: float

    @cached_property
    def table(self) -> int:
        """Truth table: bit ``a`` is the output at address ``a``."""
        return truth_table(self.function, self.inputs)


@dataclass(frozen=True)
class FlipFlop:
    """A D flip-flop that triggers on the rising edge.

    Attributes
    ----------
    name
        As in the Liberty file.
    area
        um2.
    clock, data, output
        Pin names.
    inverting
        The output is the complement of what was stored (ASAP7's ``DFFHQN``); a mapper adds the inverter.
    reset
        Pin of an asynchronous clear that must be tied off, or empty (IHP SG13G2 has none without).
    reset_active_low
        The clear acts at 0, so the pin is tied to 1.
    capacitance
        pF of clock, data and, where there is one, reset.
    leakage
        nW.
    """

    name: str
    area: float
    clock: str
    data: str
    output: str
    capacitance: tuple[float, ...]
    leakage: float
    inverting: bool = False
    reset: str = ""
    reset_active_low: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        """Clock, data and, where there is one, reset."""
        return (self.clock, self.data, *((self.reset,) if self.reset else ()))


@dataclass(frozen=True)
class CellLibrary:
    """One cell per function, at one corner. Areas in um2, capacitances in pF, leakage in nW.

    Attributes
    ----------
    name
        Library, for example ``sky130_fd_sc_hd``.
    corner
        Process, voltage and temperature, as the library names it.
    cells
        Combinational cells, sorted by name, functions distinct up to the order of inputs.
    flip_flops
        Plain D flip-flops: the smallest, and the smallest inverting one. May be empty.
    nand2, nand2_area
        The cell whose area (um2) is 1 NAND2-equivalent.
    origin, copyright, licence
        Where the numbers come from, and who allows their use.
    """

    name: str
    corner: str
    cells: tuple[Cell, ...]
    flip_flops: tuple[FlipFlop, ...]
    nand2: str
    nand2_area: float
    origin: str = ""
    copyright: str = ""
    licence: str = ""

    @cached_property
    def _by_name(self) -> dict[str, Cell | FlipFlop]:
        everything: tuple[Cell | FlipFlop, ...] = (*self.cells, *self.flip_flops)
        return {cell.name: cell for cell in everything}

    def cell(self, name: str) -> Cell | FlipFlop:
        """The cell or flip-flop of that name; raises PdkError."""
        try:
            return self._by_name[name]
        except KeyError:
            raise PdkError(f"{self.name} ({self.corner}): no cell {name!r} among those it maps to") from None

    @property
    def flip_flop(self) -> FlipFlop:
        """The smallest flip-flop; raises PdkError where the library has none."""
        if not self.flip_flops:
            raise PdkError(f"{self.name} ({self.corner}): no plain D flip-flop to map registers to")
        return min(self.flip_flops, key=lambda cell: (cell.inverting, cell.area, cell.name))

    def nand2_equivalents(self, area: float) -> float:
        """``area`` (um2) in units of the NAND2 cell's."""
        return area / self.nand2_area

    def save_table(self, path: Path) -> None:
        """Write the CSV that :meth:`load_table` reads: same library, same bytes."""
        buffer = io.StringIO()
        buffer.write(f"{_TITLE}\n")
        values = (self.name, self.corner, f"{self.nand2} {_decimal(self.nand2_area)}")
        for key, value in zip(
            _HEADER_KEYS, (*values, self.origin, self.copyright, self.licence), strict=True
        ):
            buffer.write(f"# {key}: {value}\n")
        table = csv.writer(buffer, lineterminator="\n")
        table.writerow(_COLUMNS)
        for cell in self.cells:
            table.writerow(("gate", *_row(cell, cell.function)))
        for flip_flop in self.flip_flops:
            table.writerow((_kind(flip_flop), *_row(flip_flop, "")))
        _write(path, buffer.getvalue())

    @classmethod
    def load_table(cls, path: Path) -> CellLibrary:
        """Read what :meth:`save_table` wrote; raises PdkError that names file and line."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PdkError(f"{path}: cell table cannot be read: {reason}") from error
        header = _read_header(lines, path)
        cells: list[Cell] = []
        flip_flops: list[FlipFlop] = []
        start = 1 + len(_HEADER_KEYS)
        for number, row in enumerate(csv.reader(lines[start:]), start=start + 1):
            try:
                if number == start + 1:
                    _check_columns(row)
                elif row[0] == "gate":
                    cells.append(_read_cell(row))
                else:
                    flip_flops.append(_read_flip_flop(row))
            except (ValueError, IndexError) as error:
                raise PdkError(f"{path}: line {number} is not a row of a cell table: {error}") from error
        if not cells:
            raise PdkError(f"{path}: cell table without a gate")
        nand2, _, area = header.pop("nand2").partition(" ")
        try:
            nand2_area = _number(area)
        except ValueError as error:
            raise PdkError(f"{path}: header 'nand2' needs a cell and its area: {error}") from error
        return cls(
            name=header.pop("library"),
            cells=tuple(cells),
            flip_flops=tuple(flip_flops),
            nand2=nand2,
            nand2_area=nand2_area,
            **header,
        )

    def write_liberty(self, path: Path) -> None:
        """Write :meth:`liberty` to a file."""
        _write(path, self.liberty())

    def liberty(self) -> str:
        """Text of a Liberty file without timing: Yosys and ABC accept it, area mapping needs no more."""
        lines = [
            f'library ("{self.name}") {{',
            '  delay_model : "table_lookup";',
            '  time_unit : "1ns";',
            '  voltage_unit : "1V";',
            '  current_unit : "1mA";',
            '  leakage_power_unit : "1nW";',
            "  capacitive_load_unit (1.0, pf);",
        ]
        for cell in self.cells:
            lines += _liberty_cell(cell, (), f'function : "{parse(cell.function).plain()}";')
        for flip_flop in self.flip_flops:
            group = [
                "    ff (IQ, IQ_N) {",
                f'      clocked_on : "{flip_flop.clock}";',
                f'      next_state : "{flip_flop.data}";',
            ]
            if flip_flop.reset:
                clear = f"{'!' if flip_flop.reset_active_low else ''}{flip_flop.reset}"
                group.append(f'      clear : "{clear}";')
            function = 'function : "IQ_N";' if flip_flop.inverting else 'function : "IQ";'
            lines += _liberty_cell(flip_flop, (*group, "    }"), function)
        return "\n".join((*lines, "}", ""))

    def write_genlib(self, path: Path) -> None:
        """Write the gates as a genlib file, for ABC's ``read_genlib``: the exact areas, every delay 1.

        ABC's ``read_lib`` turns Liberty into genlib with areas of two decimals, which makes an ASAP7 NAND2 of
        0.05832 um2 cost 0.06, and an inverter of 0.04374 um2 0.04.
        """
        lines = ["GATE _const0_ 0 z=CONST0;", "GATE _const1_ 0 z=CONST1;"]
        for cell in self.cells:
            function = f"{cell.output}={parse(cell.function).plain()};"
            lines.append(f"GATE {cell.name} {_decimal(cell.area)} {function} PIN * UNKNOWN 1 999 1 0 1 0")
        _write(path, "\n".join((*lines, "")))

    def verilog_models(self) -> str:
        """Verilog text with a model per cell, without delays: for RTL-against-netlist simulation."""
        modules = [_verilog_cell(cell) for cell in self.cells]
        modules += [_verilog_flip_flop(flip_flop) for flip_flop in self.flip_flops]
        title = f"// Functional models of {self.name}, from its cell functions: no delays, no power pins."
        return "\n".join((title, "`default_nettype none", *modules, "`default_nettype wire", ""))


def _decimal(value: float) -> str:
    """Shortest decimal text that reads back as ``value``, without an exponent."""
    return format(Decimal(repr(value)), "f")


def _number(text: str) -> float:
    """A finite, non-negative decimal."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite() or value < 0:
        raise ValueError(f"{text!r} is not a finite number from 0 on")
    return float(value)


def _row(cell: Cell | FlipFlop, function: str) -> tuple[str, ...]:
    capacitance = " ".join(map(_decimal, cell.capacitance))
    leakage = _decimal(cell.leakage)
    return (
        cell.name,
        _decimal(cell.area),
        leakage,
        cell.output,
        function,
        " ".join(cell.inputs),
        capacitance,
    )


def _kind(flip_flop: FlipFlop) -> str:
    """``dff``, with the words that the pins don't tell."""
    words = ["dff"]
    if flip_flop.inverting:
        words.append("inverting")
    if flip_flop.reset:
        words.append("reset_low" if flip_flop.reset_active_low else "reset_high")
    return " ".join(words)


def _read_header(lines: Sequence[str], path: Path) -> dict[str, str]:
    if lines[:1] != [_TITLE]:
        raise PdkError(f"{path}: not a cell table: its first line is not {_TITLE!r}")
    header = {}
    for key, line in itertools.zip_longest(_HEADER_KEYS, lines[1 : 1 + len(_HEADER_KEYS)], fillvalue=""):
        name, _, value = line.removeprefix("# ").partition(":")
        if name != key:
            raise PdkError(f"{path}: not a cell table: the comment '# {key}: ...' is missing")
        header[key] = value.strip()
    return header


def _check_columns(row: Sequence[str]) -> None:
    if tuple(row) != _COLUMNS:
        raise ValueError(f"columns must be {','.join(_COLUMNS)}")


def _read_numbers(row: Sequence[str]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Inputs and their capacitances."""
    inputs, capacitance = tuple(row[6].split()), tuple(map(_number, row[7].split()))
    if len(row) != len(_COLUMNS) or len(inputs) != len(capacitance) or not inputs:
        raise ValueError("needs 8 fields and one capacitance per input")
    return inputs, capacitance


def _read_cell(row: Sequence[str]) -> Cell:
    _, name, area, leakage, output, function, *_ = row
    inputs, capacitance = _read_numbers(row)
    truth_table(function, inputs)
    return Cell(name, _number(area), inputs, output, function, capacitance, _number(leakage))


def _read_flip_flop(row: Sequence[str]) -> FlipFlop:
    kind, name, area, leakage, output, *_ = row
    inputs, capacitance = _read_numbers(row)
    words = kind.split()
    reset = {"reset_low", "reset_high"} & set(words)
    if words[:1] != ["dff"] or len(inputs) != 2 + len(reset):
        raise ValueError(f"kind {kind!r} with {len(inputs)} inputs")
    return FlipFlop(
        name,
        _number(area),
        inputs[0],
        inputs[1],
        output,
        capacitance,
        _number(leakage),
        inverting="inverting" in words,
        reset=inputs[2] if reset else "",
        reset_active_low="reset_high" not in words,
    )


def _liberty_cell(cell: Cell | FlipFlop, groups: Sequence[str], function: str) -> Iterator[str]:
    yield f'  cell ("{cell.name}") {{'
    yield f"    area : {_decimal(cell.area)};"
    yield f"    cell_leakage_power : {_decimal(cell.leakage)};"
    yield from groups
    for pin, capacitance in zip(cell.inputs, cell.capacitance, strict=True):
        clock = " clock : true;" if isinstance(cell, FlipFlop) and pin == cell.clock else ""
        yield f'    pin ("{pin}") {{ direction : input;{clock} capacitance : {_decimal(capacitance)}; }}'
    yield f'    pin ("{cell.output}") {{ direction : output; {function} }}'
    yield "  }"


def _verilog_ports(cell: Cell | FlipFlop, output: str) -> str:
    inputs = ", ".join(f"input wire {verilog_identifier(pin)}" for pin in cell.inputs)
    return f"{inputs}, output {output} {verilog_identifier(cell.output)}"


def _verilog_cell(cell: Cell) -> str:
    return (
        f"module {verilog_identifier(cell.name)} ({_verilog_ports(cell, 'wire')});\n"
        f"  assign {verilog_identifier(cell.output)} = {parse(cell.function).verilog()};\n"
        "endmodule"
    )


def _verilog_flip_flop(cell: FlipFlop) -> str:
    clock, data = verilog_identifier(cell.clock), verilog_identifier(cell.data)
    edge, clear = f"posedge {clock}", ""
    if cell.reset:
        reset = verilog_identifier(cell.reset)
        edge += f" or {'negedge' if cell.reset_active_low else 'posedge'} {reset}"
        clear = f"if ({'~' if cell.reset_active_low else ''}{reset}) stored <= 1'b0; else "
    return (
        f"module {verilog_identifier(cell.name)} ({_verilog_ports(cell, 'wire')});\n"
        "  reg stored;\n"
        f"  always @({edge}) {clear}stored <= {data};\n"
        f"  assign {verilog_identifier(cell.output)} = {'~' if cell.inverting else ''}stored;\n"
        "endmodule"
    )


def _write(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
