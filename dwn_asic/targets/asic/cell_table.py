"""The file format of a reduced cell library: a header of comments, then one CSV row per cell.

Areas are in um2, capacitances in pF, and leakage in nW; ``-`` stands for a value that the library lacks.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.boolean.expression import truth_table
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.quantities import decimal_text, positive_quantity, quantity
from dwn_asic.verilog.cell import Cell, FlipFlop

__all__ = ["CellTable", "read_table", "table_text"]

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
_TITLE_SIZES = "# dwn-asic cell table 1: drive strengths of cells, extracted from the Liberty file below"
_HEADER_KEYS = ("library", "corner", "nand2", "origin", "copyright", "licence")
_UNKNOWN = "-"


@dataclass(frozen=True)
class CellTable:
    """The content of a cell table.

    Attributes
    ----------
    header
        Texts of ``library``, ``corner``, ``nand2``, ``origin``, ``copyright`` and ``licence``.
    cells, flip_flops
        Rows of the table, in the order of the file.
    nand2, nand2_area
        Name and area (um2, greater than 0) of the cell whose area is 1 NAND2-equivalent.
    """

    header: Mapping[str, str]
    cells: tuple[Cell, ...]
    flip_flops: tuple[FlipFlop, ...]
    nand2: str
    nand2_area: float


def table_text(
    header: Mapping[str, str], cells: Iterable[Cell], flip_flops: Iterable[FlipFlop], *, sizes: bool = False
) -> str:
    """Return the text that :func:`read_table` reads; equal cells have equal texts.

    ``sizes`` is whether a function has several cells, which the title says.
    """
    buffer = io.StringIO()
    buffer.write(f"{_TITLE_SIZES if sizes else _TITLE}\n")
    for key in _HEADER_KEYS:
        buffer.write(f"# {key}: {header[key]}\n")
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(_COLUMNS)
    for cell in cells:
        table.writerow(("gate", *_row(cell, cell.function)))
    for flip_flop in flip_flops:
        table.writerow((_kind(flip_flop), *_row(flip_flop, "")))
    return buffer.getvalue()


def read_table(path: Path) -> CellTable:
    """Read a table; if it is wrong, the PdkError names the file and the line or the key of the header."""
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
    nand2, _, area = header["nand2"].partition(" ")
    try:
        nand2_area = float(positive_quantity(area))
    except ValueError as error:
        raise PdkError(
            f"{path}: header 'nand2' needs a cell and its area: cell {nand2!r}, `nand2` of the PDK "
            f"configuration, cannot be the unit of area: area {error}"
        ) from error
    return CellTable(header, tuple(cells), tuple(flip_flops), nand2, nand2_area)


def _row(cell: Cell | FlipFlop, function: str) -> tuple[str, ...]:
    return (
        cell.name,
        decimal_text(cell.area),
        _optional_text(cell.leakage),
        cell.output,
        function,
        " ".join(cell.inputs),
        " ".join(map(_optional_text, cell.capacitance)),
    )


def _kind(flip_flop: FlipFlop) -> str:
    """Return ``dff``, followed by the properties that do not follow from the pins."""
    words = ["dff"]
    if flip_flop.inverting:
        words.append("inverting")
    if flip_flop.reset:
        words.append("reset_low" if flip_flop.reset_active_low else "reset_high")
    return " ".join(words)


def _read_header(lines: Sequence[str], path: Path) -> dict[str, str]:
    if lines[:1] not in ([_TITLE], [_TITLE_SIZES]):
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


def _read_inputs(row: Sequence[str]) -> tuple[tuple[str, ...], tuple[float | None, ...]]:
    """Return the inputs of a row and their capacitances (pF)."""
    inputs, capacitance = tuple(row[6].split()), tuple(map(_optional, row[7].split()))
    if len(row) != len(_COLUMNS) or len(inputs) != len(capacitance) or not inputs:
        raise ValueError("needs 8 fields and one capacitance per input")
    return inputs, capacitance


def _read_cell(row: Sequence[str]) -> Cell:
    _, name, area, leakage, output, function, *_ = row
    inputs, capacitance = _read_inputs(row)
    truth_table(function, inputs)
    return Cell(
        name, float(positive_quantity(area)), inputs, output, function, capacitance, _optional(leakage)
    )


def _read_flip_flop(row: Sequence[str]) -> FlipFlop:
    kind, name, area, leakage, output, *_ = row
    inputs, capacitance = _read_inputs(row)
    words = kind.split()
    reset = {"reset_low", "reset_high"} & set(words)
    if words[:1] != ["dff"] or len(inputs) != 2 + len(reset):
        raise ValueError(f"kind {kind!r} with {len(inputs)} inputs")
    return FlipFlop(
        name,
        float(positive_quantity(area)),
        inputs[0],
        inputs[1],
        output,
        capacitance,
        _optional(leakage),
        inverting="inverting" in words,
        reset=inputs[2] if reset else "",
        reset_active_low="reset_high" not in words,
    )


def _optional_text(value: float | None) -> str:
    return _UNKNOWN if value is None else decimal_text(value)


def _optional(text: str) -> float | None:
    return None if text == _UNKNOWN else float(quantity(text))
