"""Liberty files in, reduced CellLibrary out: one cell per function, the smallest, and plain flip-flops.

What a cell is good for is decided here. A cell that can't be understood is left out, and a note says so.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dwn_asic.boolean.expression import depends_on, parse, permutation_class, truth_table
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary, FlipFlop
from dwn_asic.targets.asic.liberty_file import (
    Group,
    LibertyFile,
    argument,
    attribute,
    groups,
    parse_cell,
    read_file,
    unquote,
)
from dwn_asic.targets.asic.liberty_quantities import Units, area, capacitance, leakage, read_units
from dwn_asic.verilog.cell import NAND2, missing_functions

__all__ = ["LibertyReading", "read_liberty"]

_MOST_INPUTS = 10
"""A gate with more is a macro: its table would be large and no mapper would match it."""
_MOST_NOTES = 3
"""An error quotes no more of them."""

_SPECIAL_GROUPS = {"latch", "statetable", "bus", "bundle", "test_cell", "latch_bank", "ff_bank"}
_SPECIAL_MARKS = {
    "dont_use",
    "is_isolation_cell",
    "is_level_shifter",
    "is_macro_cell",
    "is_filler_cell",
    "is_decap_cell",
    "is_tap_cell",
    "pad_cell",
    "always_on",
    "switch_cell_type",
    "retention_cell",
    "clock_gating_integrated_cell",
}


@dataclass(frozen=True)
class LibertyReading:
    """What came of reading Liberty files.

    Attributes
    ----------
    library
        The reduced library.
    notes
        What could not be used, and why: one line each, in the order of the files.
    """

    library: CellLibrary
    notes: tuple[str, ...]


def read_liberty(
    paths: Sequence[Path],
    *,
    library: str = "",
    corner: str = "",
    nand2: str = "",
    dont_use: Iterable[str] = (),
    tie_reset: bool = False,
    copyright_line: str = "",
    licence: str = "",
) -> LibertyReading:
    """Read the Liberty files of one library and corner, and keep what area mapping needs.

    Kept are combinational cells with one output that depends on every input: for each function up to the
    order of inputs the one with the smallest area, then the smallest total input capacitance, then the first
    name. Left out are tie, fill, tristate, isolation and other special cells, and those that ``dont_use`` or
    the file's own ``dont_use`` excludes. Of the D flip-flops without clear and preset, the smallest is kept,
    and the smallest with inverted output if that is all there is or if it is smaller still.

    A cell that can't be understood is left out with a note. A capacitance or leakage whose value or unit the
    file doesn't tell is None.

    Parameters
    ----------
    paths
        ``.lib`` or ``.lib.gz`` files that together are the library.
    library, corner
        Names to give it; by default those in the first file.
    nand2
        Cell whose area counts as 1; by default the smallest NAND2.
    dont_use
        Glob patterns of cell names.
    tie_reset
        Where no flip-flop is without clear, take one with an asynchronous clear, to be tied off.
    copyright_line, licence
        Of the files; they go into the saved table.

    Raises
    ------
    PdkError
        A file is unreadable, truncated or not Liberty; there is no inverter, no buffer or no NAND2; or the
        cell ``nand2`` is missing or has no area above 0.
    """
    files = [read_file(path) for path in paths]
    patterns = tuple(dont_use)
    gates: list[Cell] = []
    flip_flops: list[FlipFlop] = []
    notes: list[str] = []
    for file in files:
        found, problems = _usable_cells(file, patterns)
        gates += [cell for cell in found if isinstance(cell, Cell)]
        flip_flops += [cell for cell in found if isinstance(cell, FlipFlop)]
        notes += problems
    cells = _smallest_per_function(gates)
    named = _named_nand2(files, nand2) if nand2 else None
    missing = missing_functions(cells)
    if missing:
        where = ", ".join(map(str, paths)) or "no file"
        kinds = " and no ".join(missing)
        raise PdkError(f"{where}: no {kinds} among the cells that logic may be mapped to{_quoted(notes)}")
    nand2, nand2_area = named or _smallest_nand2(cells)
    return LibertyReading(
        CellLibrary(
            name=library or _first(file.name for file in files),
            corner=corner or _first(attribute(f.header, "default_operating_conditions") for f in files),
            cells=cells,
            flip_flops=_smallest_flip_flops(flip_flops, tie_reset=tie_reset),
            nand2=nand2,
            nand2_area=nand2_area,
            origin=" ".join(path.name for path in paths),
            copyright=copyright_line,
            licence=licence,
        ),
        tuple(notes),
    )


def _usable_cells(file: LibertyFile, dont_use: Sequence[str]) -> tuple[list[Cell | FlipFlop], list[str]]:
    """The gates and flip-flops of one file, and notes on what of it could not be used."""
    units, problems = read_units(file.header)
    notes = [*file.notes, *(f"{file.path.name}: {problem}" for problem in problems)]
    found: list[Cell | FlipFlop] = []
    for cell in file.cells:
        if any(fnmatchcase(cell.name, pattern) for pattern in dont_use):
            continue
        try:
            usable = _usable(parse_cell(cell), units)
        except ValueError as error:
            notes.append(f"{file.path.name}: cell {cell.name or '()'} is left out: {error}")
            continue
        if usable is not None:
            found.append(usable)
    return found, notes


def _usable(group: Group, units: Units) -> Cell | FlipFlop | None:
    """The cell as a gate or flip-flop; None where it is neither.

    Raises ValueError where that can't be told.
    """
    if not argument(group):
        raise ValueError("it has no name")
    if _is_special(group):
        return None
    return _flip_flop(group, units) if groups(group, "ff") else _gate(group, units)


def _named_nand2(files: Iterable[LibertyFile], nand2: str) -> tuple[str, float]:
    """The cell of that name and its area, um2, above 0."""
    for file in files:
        for cell in file.cells:
            if cell.name == nand2:
                try:
                    return nand2, area(parse_cell(cell))
                except ValueError as error:
                    raise PdkError(
                        f"{file.path}: cell {nand2!r}, `nand2` of the PDK configuration, can't be what areas "
                        f"are counted in: {error}"
                    ) from error
    where = ", ".join(f"{file.path}: {file.name}" for file in files)
    raise PdkError(f"{where}: no cell {nand2!r} to count areas in; `nand2` of the PDK configuration names it")


def _smallest_nand2(cells: Iterable[Cell]) -> tuple[str, float]:
    """Name and area, um2, of the NAND2 among ``cells``."""
    return next((cell.name, cell.area) for cell in cells if (len(cell.inputs), cell.table) == NAND2)


def _first(texts: Iterable[str]) -> str:
    """The first that isn't empty; empty where all are."""
    return next(filter(None, texts), "")


def _quoted(notes: Sequence[str]) -> str:
    more = len(notes) - _MOST_NOTES
    return "".join(f"; {note}" for note in notes[:_MOST_NOTES]) + (f"; and {more} more" if more > 0 else "")


def _smallest_per_function(gates: Iterable[Cell]) -> tuple[Cell, ...]:
    by_function: dict[tuple[int, int], list[Cell]] = defaultdict(list)
    for gate in gates:
        by_function[permutation_class(gate.table, len(gate.inputs))].append(gate)
    return tuple(
        sorted((min(cells, key=_size) for cells in by_function.values()), key=lambda cell: cell.name)
    )


def _smallest_flip_flops(candidates: Iterable[FlipFlop], *, tie_reset: bool) -> tuple[FlipFlop, ...]:
    """The smallest true one and, if it is smaller or the only one, the smallest inverting one."""
    flip_flops = list(candidates)
    usable = [cell for cell in flip_flops if not cell.reset]
    if not usable and tie_reset:
        usable = flip_flops
    best: list[FlipFlop] = []
    for inverting in (False, True):
        kind = [cell for cell in usable if cell.inverting is inverting]
        if kind:
            smallest = min(kind, key=_size)
            if not best or smallest.area < best[0].area:
                best.append(smallest)
    return tuple(best)


def _size(cell: Cell | FlipFlop) -> tuple[float, float, str]:
    """Area, total input capacitance (what isn't known comes last), name."""
    return cell.area, sum(math.inf if c is None else c for c in cell.capacitance), cell.name


def _gate(group: Group, units: Units) -> Cell | None:
    """The cell as a gate; None where it isn't one. Raises ValueError where that can't be told."""
    inputs, outputs, others = _pins(group)
    if len(outputs) != 1 or others or not 0 < len(inputs) <= _MOST_INPUTS:
        return None
    output = outputs[0]
    function = attribute(output, "function")
    if not function or attribute(output, "three_state") or groups(output, "three_state"):
        return None
    names = tuple(argument(pin) for pin in inputs)
    table = truth_table(function, names)
    if not all(depends_on(table, i, len(names)) for i in range(len(names))):
        return None
    return Cell(
        argument(group),
        area(group),
        names,
        argument(output),
        " ".join(function.split()),
        tuple(capacitance(pin, units) for pin in inputs),
        leakage(group, units),
    )


def _flip_flop(group: Group, units: Units) -> FlipFlop | None:
    """The cell as a rising-edge D flip-flop without preset or scan; None where it isn't one.

    Raises ValueError where that can't be told.
    """
    states = groups(group, "ff")
    inputs, outputs, others = _pins(group)
    if len(states) != 1 or others or attribute(states[0], "preset") or len(states[0].get("args", [])) != 2:
        return None
    state = states[0]
    clock = _literal(attribute(state, "clocked_on"))
    data = _literal(attribute(state, "next_state"))
    clear = _literal(attribute(state, "clear")) if attribute(state, "clear") else ("", False)
    if clock is None or data is None or clear is None or clock[1]:
        return None
    roles = [clock[0], data[0], *([clear[0]] if clear[0] else [])]
    pins = {argument(pin): pin for pin in inputs}
    if sorted(pins) != sorted(roles):
        return None
    stored = unquote(state["args"][0])
    found = []
    for pin in outputs:
        literal = _literal(attribute(pin, "function"))
        if literal is not None and not attribute(pin, "three_state"):
            inverting = (literal[0] != stored) ^ literal[1] ^ data[1]
            found.append((inverting, argument(pin)))
    if not found:
        return None
    inverting, output = min(found)
    return FlipFlop(
        argument(group),
        area(group),
        clock[0],
        data[0],
        output,
        tuple(capacitance(pins[name], units) for name in roles),
        leakage(group, units),
        inverting=inverting,
        reset=clear[0],
        reset_active_low=clear[1] if clear[0] else True,
    )


def _literal(text: str) -> tuple[str, bool] | None:
    """Pin and whether it is inverted; None for nothing or any other expression. Raises ValueError."""
    if not text:
        return None
    expression = parse(text)
    inverted = False
    while expression.operator == "not":
        expression, inverted = expression.operands[0], not inverted
    return (expression.text, inverted) if expression.operator == "pin" else None


def _is_special(group: Group) -> bool:
    """Whether the file itself says that this is no cell for ordinary logic."""
    return any(
        child["id"] in _SPECIAL_GROUPS
        or (child["id"] in _SPECIAL_MARKS and unquote(child.get("value", "")).lower() not in {"", "false"})
        for child in group.get("children", [])
    )


def _pins(group: Group) -> tuple[list[Group], list[Group], list[Group]]:
    """Input, output and other (inout, internal) pins; power pins are groups of another kind."""
    sides: dict[str, list[Group]] = {"input": [], "output": []}
    others: list[Group] = []
    for pin in groups(group, "pin"):
        sides.get(attribute(pin, "direction"), others).append(pin)
    return sides["input"], sides["output"], others
