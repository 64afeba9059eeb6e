"""Cell libraries reduced to one cell per function, small enough to be shipped as a table.

A mapper that minimizes area needs only one cell per function. Circuits are always mapped to such a reduced
library, whether it comes from an installed PDK or from a table in ``pdk_configs/``, so the areas are the
same. Sizing for a clock period replaces cells by others of a library that holds all drive strengths too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from dwn_asic.boolean.expression import parse, verilog_identifier
from dwn_asic.errors import PdkError
from dwn_asic.files import write_text
from dwn_asic.targets.asic.cell_table import read_table, table_text
from dwn_asic.targets.asic.quantities import decimal_text
from dwn_asic.verilog.cell import INVERTER, Cell, FlipFlop

__all__ = ["Cell", "CellLibrary", "FlipFlop"]


_NO_TIMING: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True)
class CellLibrary:
    """A library of few cells at one corner; areas in um2, capacitances in pF, leakage in nW.

    Attributes
    ----------
    name
        Name of the library, for example ``sky130_fd_sc_hd``.
    corner
        Process, voltage and temperature, as the library names them.
    cells
        Combinational cells, sorted by name. No two have the same function up to the order of inputs, but if
        the library has drive strengths: then the cells of a function have the same pins in the same order.
    flip_flops
        Plain D flip-flops: the smallest one, and the smallest inverting one, or all their drive strengths;
        may be empty.
    nand2, nand2_area
        Name and area (um2) of the cell whose area is 1 NAND2-equivalent.
    origin, copyright, licence
        Source of the data, its copyright line, and its licence.
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
        """Return the cell or flip-flop of that name; raises PdkError if there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            raise PdkError(f"{self.name} ({self.corner}): no cell {name!r} in the reduced library") from None

    @property
    def flip_flop(self) -> FlipFlop:
        """Smallest flip-flop; raises PdkError if the library has none."""
        self.require_flip_flop()
        return min(self.flip_flops, key=lambda cell: (cell.inverting, cell.area, cell.name))

    def require_flip_flop(self) -> None:
        """Raise PdkError, which says what to set, if there is no flip-flop to map registers to."""
        if not self.flip_flops:
            raise PdkError(
                f"{self.name} ({self.corner}): no plain D flip-flop to map registers to: set "
                "`tie_reset: true` in the PDK's YAML file (if the library has flip-flops with a clear) or "
                "`hardware.registers: none` in the flow file"
            )

    @property
    def register_area(self) -> float:
        """Area in um2 of a register: the flip-flop, and an inverter if its output is inverted.

        Raises PdkError if the library has no flip-flop.
        """
        flip_flop = self.flip_flop
        inverters = (cell.area for cell in self.cells if (len(cell.inputs), cell.table) == INVERTER)
        return flip_flop.area + min(inverters) if flip_flop.inverting else flip_flop.area

    @cached_property
    def sizes(self) -> Mapping[str, tuple[Cell | FlipFlop, ...]]:
        """Name of each cell, and all cells of its function and pins, the smallest first."""
        groups: dict[Hashable, list[Cell | FlipFlop]] = defaultdict(list)
        for cell in self._by_name.values():
            kind = cell.table if isinstance(cell, Cell) else (cell.inverting, cell.reset_active_low)
            groups[type(cell), cell.inputs, cell.output, kind].append(cell)
        ordered = [tuple(sorted(cells, key=lambda each: (each.area, each.name))) for cells in groups.values()]
        return {cell.name: cells for cells in ordered for cell in cells}

    def nand2_equivalents(self, area: float) -> float:
        """Convert an area from um2 to NAND2-equivalents."""
        return area / self.nand2_area

    def save_table(self, path: Path) -> None:
        """Write the CSV file that :meth:`load_table` reads; equal libraries have equal files."""
        header = {
            "library": self.name,
            "corner": self.corner,
            "nand2": f"{self.nand2} {decimal_text(self.nand2_area)}",
            "origin": self.origin,
            "copyright": self.copyright,
            "licence": self.licence,
        }
        sizes = any(len(cells) > 1 for cells in self.sizes.values())
        write_text(path, table_text(header, self.cells, self.flip_flops, sizes=sizes))

    @classmethod
    def load_table(cls, path: Path) -> CellLibrary:
        """Read a file of :meth:`save_table`; if it is wrong, the PdkError names the file and the line."""
        table = read_table(path)
        return cls(
            name=table.header["library"],
            corner=table.header["corner"],
            cells=table.cells,
            flip_flops=table.flip_flops,
            nand2=table.nand2,
            nand2_area=table.nand2_area,
            origin=table.header["origin"],
            copyright=table.header["copyright"],
            licence=table.header["licence"],
        )

    def write_liberty(self, path: Path) -> None:
        """Write the text of :meth:`liberty` to a file."""
        write_text(path, self.liberty())

    def liberty(self, header: Sequence[str] = (), timing: Mapping[str, Sequence[str]] = _NO_TIMING) -> str:
        """Return the text of a Liberty file, by default without timing, which is all that area mapping needs.

        Parameters
        ----------
        header
            Further lines of the library.
        timing
            Name of a gate, and the lines of the timing of its output.
        """
        lines = [
            f'library ("{self.name}") {{',
            '  delay_model : "table_lookup";',
            '  time_unit : "1ns";',
            '  voltage_unit : "1V";',
            '  current_unit : "1mA";',
            '  leakage_power_unit : "1nW";',
            "  capacitive_load_unit (1.0, pf);",
            *header,
        ]
        for cell in self.cells:
            function = f'function : "{parse(cell.function).plain()}";'
            lines += _liberty_cell(cell, (), function, timing.get(cell.name, ()))
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
        """Write the gates as a genlib file for ABC's ``read_genlib``, with exact areas and all delays 1.

        ABC's ``read_lib`` converts Liberty to genlib and rounds areas to two decimals: an ASAP7 NAND2 of
        0.05832 um2 would cost 0.06, and an inverter of 0.04374 um2 would cost 0.04.
        """
        lines = ["GATE _const0_ 0 z=CONST0;", "GATE _const1_ 0 z=CONST1;"]
        for cell in self.cells:
            function = f"{cell.output}={parse(cell.function).plain()};"
            lines.append(f"GATE {cell.name} {decimal_text(cell.area)} {function} PIN * UNKNOWN 1 999 1 0 1 0")
        write_text(path, "\n".join((*lines, "")))

    def verilog_models(self) -> str:
        """Return Verilog with a model of each cell without delays, for simulating netlists."""
        modules = [_verilog_cell(cell) for cell in self.cells]
        modules += [_verilog_flip_flop(flip_flop) for flip_flop in self.flip_flops]
        title = f"// Functional models of {self.name}, from its cell functions: no delays, no power pins."
        return "\n".join((title, "`default_nettype none", *modules, "`default_nettype wire", ""))


def _liberty_cell(
    cell: Cell | FlipFlop, groups: Sequence[str], function: str, timing: Sequence[str] = ()
) -> Iterator[str]:
    yield f'  cell ("{cell.name}") {{'
    yield f"    area : {decimal_text(cell.area)};"
    if cell.leakage is not None:
        yield f"    cell_leakage_power : {decimal_text(cell.leakage)};"
    yield from groups
    for pin, capacitance in zip(cell.inputs, cell.capacitance, strict=True):
        clock = " clock : true;" if isinstance(cell, FlipFlop) and pin == cell.clock else ""
        load = "" if capacitance is None else f" capacitance : {decimal_text(capacitance)};"
        yield f'    pin ("{pin}") {{ direction : input;{clock}{load} }}'
    output = f'    pin ("{cell.output}") {{ direction : output; {function}'
    yield from (output, *timing, "    }") if timing else (f"{output} }}",)
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
