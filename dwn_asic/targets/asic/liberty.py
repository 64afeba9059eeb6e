"""Liberty files in, reduced CellLibrary out: one cell per function, the smallest, and plain flip-flops.

The parser is libparse (Yosys's own), which turns groups and attributes into nested dictionaries; what a cell
is good for is decided here.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.boolean_expression import depends_on, parse, permutation_class, truth_table
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary, FlipFlop

__all__ = ["read_liberty"]

# Number of inputs and truth table. Without a buffer ABC 1.01 crashes or refuses to map.
_NEEDED = {"inverter": (1, 0b01), "buffer": (1, 0b10), "NAND2": (2, 0b0111)}
_MOST_INPUTS = 10
"""A gate with more is a macro: its table would be large and no mapper would match it."""

_TO_PICOFARAD = {"ff": Decimal("0.001"), "pf": Decimal(1), "nf": Decimal(1000)}
_TO_NANOWATT = {"": "1e9", "m": "1e6", "u": "1e3", "n": "1", "p": "1e-3", "f": "1e-6"}
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

_QUOTED_OR_COMMENT = re.compile(rb'"[^"]*"|/\*.*?\*/|//[^\n]*', re.DOTALL)

Group = dict[str, Any]
"""A Liberty group or attribute: ``id``, ``args``, ``value``, ``children``, where present."""


@dataclass(frozen=True)
class _Units:
    """Factors from the file's units, and the file's defaults in them."""

    to_pf: Decimal
    to_nw: Decimal
    pin_capacitance: str
    leakage: str


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
) -> CellLibrary:
    """Read the Liberty files of one library and corner, and keep what area mapping needs.

    Kept are combinational cells with one output that depends on every input: for each function up to the
    order of inputs the one with the smallest area, then the smallest total input capacitance, then the first
    name. Left out are tie, fill, tristate, isolation and other special cells, and those that ``dont_use`` or
    the file's own ``dont_use`` excludes. Of the D flip-flops without clear and preset, the smallest is kept,
    and the smallest with inverted output if that is all there is or if it is smaller still.

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
        A file is unreadable, truncated or not Liberty; or there is no inverter, no buffer or no NAND2.
    """
    patterns = tuple(dont_use)
    gates: list[Cell] = []
    flip_flops: list[FlipFlop] = []
    areas: dict[str, float] = {}
    for path in paths:
        top = _parse_file(path)
        units = _units(top, path)
        library = library or _unquote(top.get("args", [""])[0])
        corner = corner or _attribute(top, "default_operating_conditions")
        for group in _groups(top, "cell"):
            name, area = _argument(group), _attribute(group, "area")
            if not name or not area:
                continue
            try:
                areas[name] = float(Decimal(area))
                if _is_special(group) or any(fnmatchcase(name, pattern) for pattern in patterns):
                    continue
                gates.extend(_gate(group, areas[name], units))
                flip_flops.extend(_flip_flop(group, areas[name], units))
            except InvalidOperation as error:
                raise PdkError(f"{path}: cell {name}: a number was expected ({error})") from error
    cells = _smallest_per_function(gates)
    missing = [
        kind for kind, table in _NEEDED.items() if all((len(c.inputs), c.table) != table for c in cells)
    ]
    if missing:
        where = ", ".join(map(str, paths)) or "no file"
        raise PdkError(f"{where}: no {' and no '.join(missing)} among the cells that logic may be mapped to")
    nand2 = nand2 or _default_nand2(cells)
    if nand2 not in areas:
        raise PdkError(f"{library}: no cell {nand2!r} to count areas in")
    return CellLibrary(
        name=library,
        corner=corner,
        cells=cells,
        flip_flops=_smallest_flip_flops(flip_flops, tie_reset=tie_reset),
        nand2=nand2,
        nand2_area=areas[nand2],
        origin=" ".join(path.name for path in paths),
        copyright=copyright_line,
        licence=licence,
    )


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
    return cell.area, sum(cell.capacitance), cell.name


def _default_nand2(cells: Iterable[Cell]) -> str:
    return next(cell.name for cell in cells if (len(cell.inputs), cell.table) == _NEEDED["NAND2"])


def _gate(group: Group, area: float, units: _Units) -> Iterator[Cell]:
    """The cell as a gate; nothing where it isn't one."""
    inputs, outputs, others = _pins(group)
    if len(outputs) != 1 or others or not 0 < len(inputs) <= _MOST_INPUTS or _groups(group, "ff"):
        return
    output = outputs[0]
    function = _attribute(output, "function")
    if not function or _attribute(output, "three_state") or _groups(output, "three_state"):
        return
    names = tuple(_argument(pin) for pin in inputs)
    try:
        table = truth_table(function, names)
    except ValueError:
        return  # reads internal nodes or power pins: not a gate
    if not all(depends_on(table, i, len(names)) for i in range(len(names))):
        return
    capacitance = tuple(_capacitance(pin, units) for pin in inputs)
    name, leakage = _argument(group), _leakage(group, units)
    yield Cell(name, area, names, _argument(output), " ".join(function.split()), capacitance, leakage)


def _flip_flop(group: Group, area: float, units: _Units) -> Iterator[FlipFlop]:
    """The cell as a rising-edge D flip-flop, without preset or scan; nothing where it isn't one."""
    states = _groups(group, "ff")
    inputs, outputs, others = _pins(group)
    if len(states) != 1 or others or _attribute(states[0], "preset") or len(states[0].get("args", [])) != 2:
        return
    state = states[0]
    clock = _literal(_attribute(state, "clocked_on"))
    data = _literal(_attribute(state, "next_state"))
    clear = _literal(_attribute(state, "clear")) if _attribute(state, "clear") else ("", False)
    if clock is None or data is None or clear is None or clock[1]:
        return
    roles = [clock[0], data[0], *([clear[0]] if clear[0] else [])]
    pins = {_argument(pin): pin for pin in inputs}
    if sorted(pins) != sorted(roles):
        return
    stored = _unquote(state["args"][0])
    found = []
    for pin in outputs:
        literal = _literal(_attribute(pin, "function"))
        if literal is not None and not _attribute(pin, "three_state"):
            inverting = (literal[0] != stored) ^ literal[1] ^ data[1]
            found.append((inverting, _argument(pin)))
    if not found:
        return
    inverting, output = min(found)
    capacitance = tuple(_capacitance(pins[name], units) for name in roles)
    yield FlipFlop(
        _argument(group),
        area,
        clock[0],
        data[0],
        output,
        capacitance,
        _leakage(group, units),
        inverting=inverting,
        reset=clear[0],
        reset_active_low=clear[1] if clear[0] else True,
    )


def _literal(text: str) -> tuple[str, bool] | None:
    """Pin and whether it is inverted; None for any other expression."""
    try:
        expression = parse(text)
    except ValueError:
        return None
    inverted = False
    while expression.operator == "not":
        expression, inverted = expression.operands[0], not inverted
    return (expression.text, inverted) if expression.operator == "pin" else None


def _is_special(group: Group) -> bool:
    """Whether the file itself says that this is no cell for ordinary logic."""
    return any(
        child["id"] in _SPECIAL_GROUPS
        or (child["id"] in _SPECIAL_MARKS and _unquote(child.get("value", "")).lower() not in {"", "false"})
        for child in group.get("children", [])
    )


def _pins(group: Group) -> tuple[list[Group], list[Group], list[Group]]:
    """Input, output and other (inout, internal) pins; power pins are groups of another kind."""
    sides: dict[str, list[Group]] = {"input": [], "output": []}
    others: list[Group] = []
    for pin in _groups(group, "pin"):
        sides.get(_attribute(pin, "direction"), others).append(pin)
    return sides["input"], sides["output"], others


def _capacitance(pin: Group, units: _Units) -> float:
    """PF; where only rise and fall are given, their mean."""
    text = _attribute(pin, "capacitance")
    if text:
        return float(Decimal(text) * units.to_pf)
    edges = [_attribute(pin, f"{edge}_capacitance") for edge in ("rise", "fall")]
    if all(edges):
        return float(sum(map(Decimal, edges), Decimal(0)) / 2 * units.to_pf)
    return float(Decimal(units.pin_capacitance) * units.to_pf)


def _leakage(group: Group, units: _Units) -> float:
    """NW: the cell's value, else the state-independent groups, else the mean over states.

    Groups of one state for several power pins add up.
    """
    text = _attribute(group, "cell_leakage_power")
    if text:
        return float(Decimal(text) * units.to_nw)
    by_state: dict[str, Decimal] = defaultdict(Decimal)
    for state in _groups(group, "leakage_power"):
        by_state[_attribute(state, "when")] += Decimal(_attribute(state, "value"))
    if "" in by_state:
        return float(by_state[""] * units.to_nw)
    if by_state:
        return float(sum(by_state.values(), Decimal(0)) / len(by_state) * units.to_nw)
    return float(Decimal(units.leakage) * units.to_nw)


def _units(top: Group, path: Path) -> _Units:
    load: list[str] = next((group.get("args", []) for group in _groups(top, "capacitive_load_unit")), [])
    power = re.fullmatch(r"([\d.]+)\s*([munpf]?)W", _attribute(top, "leakage_power_unit"))
    if len(load) != 2 or _unquote(load[1]).lower() not in _TO_PICOFARAD:
        raise PdkError(f"{path}: no usable capacitive_load_unit, so capacitances have no meaning")
    if power is None:
        raise PdkError(f"{path}: no usable leakage_power_unit, so leakage has no meaning")
    return _Units(
        to_pf=Decimal(_unquote(load[0])) * _TO_PICOFARAD[_unquote(load[1]).lower()],
        to_nw=Decimal(power[1]) * Decimal(_TO_NANOWATT[power[2]]),
        pin_capacitance=_attribute(top, "default_input_pin_cap") or "0",
        leakage=_attribute(top, "default_cell_leakage_power") or "0",
    )


def _groups(group: Group, kind: str) -> list[Group]:
    return [child for child in group.get("children", []) if child["id"] == kind]


def _attribute(group: Group, name: str) -> str:
    """Value without quotes; empty where the attribute is absent."""
    return next(
        (_unquote(c["value"]) for c in group.get("children", []) if c["id"] == name and "value" in c), ""
    )


def _argument(group: Group) -> str:
    return _unquote(group["args"][0]) if group.get("args") else ""


def _unquote(text: str) -> str:
    return text.strip().strip('"').strip()


def _parse_file(path: Path) -> Group:
    """The ``library`` group of one file."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise PdkError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    problem = _structure_problem(content)
    if problem:
        raise PdkError(f"{path}: not a complete Liberty file: {problem}")
    with tempfile.NamedTemporaryFile(suffix=".lib") as copy:
        copy.write(content)
        copy.flush()
        top = _parse(Path(copy.name), path)
    if top.get("id") != "library":
        raise PdkError(f"{path}: not a Liberty file: its outermost group is {top.get('id')!r}, not 'library'")
    return top


def _parse(readable: Path, path: Path) -> Group:
    from libparse import LibertyParser

    try:
        with readable.open(encoding="utf-8") as file:
            # The tree points into the parser's memory: both must live until the copy is made.
            parser = LibertyParser(file)
            tree = parser.ast
            copied: Group = tree.to_dict()
            del tree, parser
            return copied
    except (RuntimeError, SystemError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).replace("\x00", "").split()) or type(error).__name__
        raise PdkError(f"{path}: not a Liberty file: {reason}") from error


def _structure_problem(content: bytes) -> str:
    """Why the file can't be whole, or empty: libparse never returns from a string that isn't closed."""
    rest = _QUOTED_OR_COMMENT.sub(b"", content)
    if not rest.strip():
        return "it is empty"
    if b'"' in rest:
        return "it ends inside a quoted string"
    if b"/*" in rest:
        return "it ends inside a comment"
    opened, closed = rest.count(b"{"), rest.count(b"}")
    return f"{opened} groups are opened, {closed} closed" if opened != closed else ""
