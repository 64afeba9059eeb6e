"""Reduction of Liberty files to a CellLibrary: the smallest cell of each function, and plain flip-flops.

This module decides which cells are usable. A cell that cannot be interpreted is excluded with a note.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    parse_group,
    read_file,
    unquote,
)
from dwn_asic.targets.asic.liberty_quantities import Units, area, capacitance, leakage, read_units
from dwn_asic.verilog.cell import NAND2, missing_functions

__all__ = ["LibertyReading", "read_liberty"]

_MOST_INPUTS = 10
"""Largest number of inputs of a gate: with more, its table would be large and no mapper would match it."""
_MOST_NOTES = 3
"""Largest number of notes that an error message quotes."""

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
    """The result of reading Liberty files.

    Attributes
    ----------
    library
        The reduced library.
    notes
        One line for each part that could not be used, with the reason, in the order of the files.
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
    sizes: bool = False,
) -> LibertyReading:
    """Read the Liberty files of one library and corner, and keep the cells that area mapping needs.

    Combinational cells are kept if they have one output, which depends on every input. For each function (up
    to the order of inputs), the cell with the smallest area is kept; ties go to the smallest total input
    capacitance, then to the first name. Tie, fill, tristate, isolation and other special cells are excluded,
    as are cells that ``dont_use`` or a ``dont_use`` attribute in the file excludes. Among the D flip-flops
    without clear and preset, the smallest is kept, and also the smallest with inverted output if it is even
    smaller or if there is no other.

    A cell that cannot be interpreted is excluded with a note. A capacitance or leakage whose value or unit is
    missing in the file is None.

    Parameters
    ----------
    paths
        ``.lib`` or ``.lib.gz`` files that together are the library.
    library, corner
        Names for the result; by default those in the first file.
    nand2
        Name of the cell whose area is 1 NAND2-equivalent; by default the smallest NAND2.
    dont_use
        Glob patterns of cells to exclude.
    tie_reset
        If there is no flip-flop without clear, keep one with an asynchronous clear, which will be tied to its
        inactive level.
    copyright_line, licence
        Copyright and licence of the files; they are written to a saved table.
    sizes
        Whether to keep, beside each of these cells, all its drive strengths: cells of the same function with
        the same pins.

    Raises
    ------
    PdkError
        A file is unreadable, truncated or not Liberty; there is no inverter, no buffer or no NAND2; or the
        cell ``nand2`` is missing or its area is not greater than 0.
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
    registers = _smallest_flip_flops(flip_flops, tie_reset=tie_reset)
    if sizes:
        cells = _with_sizes(cells, gates)
        registers = tuple(each for each in flip_flops if any(_is_size(each, kept) for kept in registers))
    return LibertyReading(
        CellLibrary(
            name=library or _first(file.name for file in files),
            corner=corner or _first(attribute(f.header, "default_operating_conditions") for f in files),
            cells=cells,
            flip_flops=registers,
            nand2=nand2,
            nand2_area=nand2_area,
            origin=" ".join(path.name for path in paths),
            copyright=copyright_line,
            licence=licence,
        ),
        tuple(notes),
    )


def _usable_cells(file: LibertyFile, dont_use: Sequence[str]) -> tuple[list[Cell | FlipFlop], list[str]]:
    """Return the gates and flip-flops of one file, and notes on the parts that could not be used."""
    units, problems = read_units(file.header)
    notes = [*file.notes, *(f"{file.path.name}: {problem}" for problem in problems)]
    found: list[Cell | FlipFlop] = []
    for cell in file.cells:
        if any(fnmatchcase(cell.name, pattern) for pattern in dont_use):
            continue
        try:
            usable = _usable(parse_group(cell), units)
        except ValueError as error:
            notes.append(f"{file.path.name}: cell {cell.name or '()'} is excluded: {error}")
            continue
        if usable is not None:
            found.append(usable)
    return found, notes


def _usable(group: Group, units: Units) -> Cell | FlipFlop | None:
    """Return a cell as a gate or a flip-flop, or None if it is neither.

    Raises ValueError if the cell cannot be interpreted.
    """
    if not argument(group):
        raise ValueError("it has no name")
    if _is_special(group):
        return None
    return _flip_flop(group, units) if groups(group, "ff") else _gate(group, units)


def _named_nand2(files: Iterable[LibertyFile], nand2: str) -> tuple[str, float]:
    """Return the cell of that name and its area in um2; raises PdkError if there is none."""
    for file in files:
        for cell in file.cells:
            if cell.name == nand2:
                try:
                    return nand2, area(parse_group(cell))
                except ValueError as error:
                    raise PdkError(
                        f"{file.path}: cell {nand2!r}, `nand2` of the PDK configuration, cannot be the unit "
                        f"of area: {error}"
                    ) from error
    where = ", ".join(f"{file.path}: {file.name}" for file in files)
    raise PdkError(f"{where}: no cell {nand2!r}, which `nand2` of the PDK configuration names")


def _smallest_nand2(cells: Iterable[Cell]) -> tuple[str, float]:
    """Return the name and the area (um2) of the NAND2 among the reduced cells."""
    return next((cell.name, cell.area) for cell in cells if (len(cell.inputs), cell.table) == NAND2)


def _first(texts: Iterable[str]) -> str:
    """Return the first text that is not empty, or an empty text."""
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


def _with_sizes(cells: Iterable[Cell], gates: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return cells and all their drive strengths, sorted by name, with the inputs in the same order."""
    kept = {(frozenset(cell.inputs), cell.output, cell.table): cell for cell in cells}
    orders = {(pins, output): cell.inputs for (pins, output, _), cell in kept.items()}
    found = []
    for gate in gates:
        order = orders.get((frozenset(gate.inputs), gate.output), gate.inputs)
        loads = dict(zip(gate.inputs, gate.capacitance, strict=True))
        same = replace(gate, inputs=order, capacitance=tuple(loads[pin] for pin in order))
        if (frozenset(order), same.output, same.table) in kept:
            found.append(same)
    return tuple(sorted(found, key=lambda cell: cell.name))


def _is_size(cell: FlipFlop, other: FlipFlop) -> bool:
    """Return whether two flip-flops differ in their drive strength alone."""
    return (
        replace(other, name=cell.name, area=cell.area, capacitance=cell.capacitance, leakage=cell.leakage)
        == cell
    )


def _smallest_flip_flops(candidates: Iterable[FlipFlop], *, tie_reset: bool) -> tuple[FlipFlop, ...]:
    """Return the smallest flip-flop with true output, and the smallest inverting one if it is smaller still.

    If there is none with true output, only the smallest inverting one is returned.
    """
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
    """Return the sort key of a cell: area, total input capacitance (unknown ones last), name."""
    return cell.area, sum(math.inf if c is None else c for c in cell.capacitance), cell.name


def _gate(group: Group, units: Units) -> Cell | None:
    """Return a cell as a gate, or None if it is none; raises ValueError if it cannot be interpreted."""
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
    """Return a cell as a rising-edge D flip-flop without preset and scan, or None if it is none.

    Raises ValueError if the cell cannot be interpreted.
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
    """Return the pin of an expression and whether it is inverted, or None if it is no such expression.

    Raises ValueError if the text is not an expression.
    """
    if not text:
        return None
    expression = parse(text)
    inverted = False
    while expression.operator == "not":
        expression, inverted = expression.operands[0], not inverted
    return (expression.text, inverted) if expression.operator == "pin" else None


def _is_special(group: Group) -> bool:
    """Return whether the file marks the cell as unsuitable for ordinary logic."""
    return any(
        child["id"] in _SPECIAL_GROUPS
        or (child["id"] in _SPECIAL_MARKS and unquote(child.get("value", "")).lower() not in {"", "false"})
        for child in group.get("children", [])
    )


def _pins(group: Group) -> tuple[list[Group], list[Group], list[Group]]:
    """Return the input, the output and all other pins; power pins are groups of another kind."""
    sides: dict[str, list[Group]] = {"input": [], "output": []}
    others: list[Group] = []
    for pin in groups(group, "pin"):
        sides.get(attribute(pin, "direction"), others).append(pin)
    return sides["input"], sides["output"], others
