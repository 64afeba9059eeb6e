"""The sections of a data sheet on how to use the circuit: ports, codes, classes and thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dwn_asic.boolean.ports import CLASS_PORT, CLOCK_PORT
from dwn_asic.report.datasheet.build import rounded
from dwn_asic.report.datasheet.evidence import PARTS_OF_DATA
from dwn_asic.report.datasheet.form import Code, Line, Piece, Section, Table, line, numbers, plain, texts

if TYPE_CHECKING:
    from dwn_asic.report.datasheet.value import DataSheet, Example, SheetInput

__all__ = ["classes_section", "features_section", "ports_section", "thresholds_section"]


# ---- ports -------------------------------------------------------------------------------------------------
def ports_section(sheet: DataSheet) -> Section:
    """Return the section on the ports, in the order of the module's header."""
    rows: list[tuple[Piece, ...]] = []
    if sheet.latency:
        rows.append((Code(CLOCK_PORT), "input", "1", "0", "clock, rising edge; there is no reset"))
    rows += [
        (Code(given.port), "input", str(given.width), _ranges(given.bits), f"code of {given.name}")
        for given in sheet.inputs
    ]
    every = _ranges(reversed(range(sheet.class_bits)))
    rows.append((Code(CLASS_PORT), "output", str(sheet.class_bits), every, "class index"))
    notes = [_timing(sheet), line("All ports are unsigned; bit 0 is the least significant.")]
    if any(len(given.bits) < given.width for given in sheet.inputs):
        notes.append(line("Bits of an input that are not in use have no effect; tie them to any level."))
    if sheet.unused:
        notes.append(line(f"Unused features, which the circuit does not read: {', '.join(sheet.unused)}."))
    columns = texts("port", "direction") + numbers("bits") + texts("bits in use", "meaning")
    return Section("Ports", (), (Table(columns, tuple(rows)),), tuple(notes))


def _timing(sheet: DataSheet) -> Line:
    """Return what each rising edge of the clock does, from the codes to the class index."""
    clock, out = Code(CLOCK_PORT), Code(CLASS_PORT)
    held: list[tuple[Piece, ...]] = []
    if sheet.registers in {"inputs", "both"}:
        held.append((" registers the codes",))
    if sheet.pipeline:
        held.append(
            (" registers the thermometer bits" if held else " registers the thermometer bits of the codes",)
        )
    if sheet.registers in {"outputs", "both"}:
        held.append((" updates ", out, *(() if held else (" from the codes at the inputs",))))
    cycles = len(held)
    if not cycles:
        return line("Latency: 0 cycles. The circuit is combinational: ", out, " follows the inputs.")
    pieces: list[Piece] = [f"Latency: {cycles} cycle{'s' * (cycles > 1)}. A rising edge of ", clock, *held[0]]
    for each in held[1:]:
        pieces += [", the next", *each]
    if sheet.registers in {"none", "inputs"}:
        pieces += [", and ", out, " follows from them"]
    return line(*pieces, ". A new row may be applied in every cycle.")


# ---- codes -------------------------------------------------------------------------------------------------
def features_section(sheet: DataSheet) -> Section:
    """Return the section on the conversion of feature values to the codes of the ports, with an example."""
    title = "From a feature to its code"
    if not sheet.inputs:
        return Section(title, (line("The circuit reads no feature: its answer is constant."),))
    lines = [
        line(
            Code("code = round((value - value of code 0) / step)"),
            "; halves are rounded to the nearest even number.",
        ),
        line("Codes below 0 become 0; codes above the highest code become the highest code."),
    ]
    tables = [_scaling(sheet)]
    if any(given.categories for given in sheet.inputs):
        lines.append(
            line(
                "Categories have the codes in the table below; a text that is not listed has no code. The "
                "value of a category is its position in the list of its column, counted from 0."
            )
        )
        tables.append(_categories(sheet))
    if all(given.missing is None for given in sheet.inputs):
        lines.append(line("A missing value has no code."))
    if sheet.example is None:
        return Section(title, tuple(lines), tuple(tables))
    tables.append(_example(sheet, sheet.example))
    return Section(title, tuple(lines), tuple(tables), (_answer(sheet, sheet.example),))


def _scaling(sheet: DataSheet) -> Table:
    columns = texts("feature", "port") + numbers(
        "value of code 0", "step", "highest code", "value of highest code"
    )
    rows: list[tuple[Piece, ...]] = [
        (given.name, Code(given.port), plain(given.lo), plain(given.step), str(given.top), _highest(given))
        for given in sheet.inputs
    ]
    if all(given.missing is None for given in sheet.inputs):
        return Table(columns, tuple(rows))
    missing = [str(given.missing) for given in sheet.inputs]
    return Table(
        columns + numbers("code if missing"),
        tuple((*row, code) for row, code in zip(rows, missing, strict=True)),
    )


def _highest(given: SheetInput) -> str:
    value, room = given.lo + given.step * given.top, given.step / 100.0
    return plain(rounded(value, value - room, value + room))


def _categories(sheet: DataSheet) -> Table:
    rows = tuple((given.name, text, str(code)) for given in sheet.inputs for text, code in given.categories)
    return Table(texts("feature", "category") + numbers("code"), rows, "Categories")


def _example(sheet: DataSheet, example: Example) -> Table:
    rows = tuple(
        (
            given.name,
            value if isinstance(value, str) else plain(value),
            str(code),
            Code(f"{given.port} = {_literal(code, given.width)}"),
        )
        for given, value, code in zip(sheet.inputs, example.values, example.codes, strict=True)
    )
    title = f"Example: row {example.row} of the data, a {PARTS_OF_DATA[example.part]} row"
    return Table(texts("feature") + numbers("value", "code") + texts("apply"), rows, title)


def _answer(sheet: DataSheet, example: Example) -> Line:
    names = dict(enumerate(sheet.class_names))
    answer = names.get(example.answer, "no class")
    return line(
        "The circuit answers ",
        Code(f"{CLASS_PORT} = {_literal(example.answer, sheet.class_bits)}"),
        f", class {answer}; the label of the row is {names[example.label]}.",
    )


# ---- classes -----------------------------------------------------------------------------------------------
def classes_section(sheet: DataSheet) -> Section:
    """Return the section on the class of each answer and on ties."""
    rows = tuple(
        (str(index), Code(_literal(index, sheet.class_bits)), name)
        for index, name in enumerate(sheet.class_names)
    )
    notes = []
    if len(sheet.class_names) < 1 << sheet.class_bits:
        notes.append(line(_no_class(sheet)))
    notes.append(line(sheet.tie or "There are no ties: the answer is a fixed function of the codes."))
    table = Table(numbers(CLASS_PORT) + texts("bits", "class"), rows)
    return Section("From the answer to its class", (), (table,), tuple(notes))


def _no_class(sheet: DataSheet) -> str:
    first, last = len(sheet.class_names), (1 << sheet.class_bits) - 1
    which = f"Index {first} stands" if first == last else f"Indices {first} to {last} stand"
    if sheet.accuracy is None:
        return f"{which} for no class."
    rows, part = int(sheet.accuracy.matrix[:, -1].sum()), PARTS_OF_DATA[sheet.accuracy.detailed]
    if not rows:
        return f"{which} for no class; the circuit never returned such an index for {part} rows."
    return (
        f"{which} for no class; the circuit returned such an index for {rows} {part} row{'s' * (rows > 1)}."
    )


# ---- thresholds --------------------------------------------------------------------------------------------
def thresholds_section(sheet: DataSheet) -> Section:
    """Return the section on the constants that codes are compared with."""
    rows = tuple(_compared(sheet.inputs))
    title, columns = "Thresholds in use", texts("feature") + numbers("code at least", "value at least")
    if not rows:
        return Section(title, (line("The circuit compares no code with a constant."),))
    what = "The circuit compares codes with these constants and no others."
    if sheet.merged:
        what = (
            "The model compares codes with these constants. In the circuit, the comparators and the logic "
            "behind them were minimized as one."
        )
    exact = "Values are in the feature's unit, rounded by at most a hundredth of a step; codes are exact."
    lines = [line(what), line(exact)]
    if any(given.categories and given.thresholds for given in sheet.inputs):
        lines.append(line("For a category column, the first category that reaches the threshold is shown."))
    return Section(title, tuple(lines), (Table(columns, rows),))


def _compared(inputs: Iterable[SheetInput]) -> Iterator[tuple[Piece, ...]]:
    for given in inputs:
        for compared in given.thresholds:
            value = plain(compared.value)
            if given.categories:
                reaching = (text for text, code in given.categories if code >= compared.constant)
                value = next(reaching, "no category")
            yield given.name, str(compared.constant), value


# ---- bits --------------------------------------------------------------------------------------------------
def _literal(value: int, width: int) -> str:
    """Return a number as a binary literal of Verilog."""
    return f"{width}'b{value:0{width}b}"


def _ranges(bits: Iterable[int]) -> str:
    """Return descending bit numbers as ranges in the notation of Verilog.

    >>> _ranges((7, 6, 5, 3))
    '7:5, 3'
    """
    runs: list[list[int]] = []
    for bit in bits:
        if runs and runs[-1][1] == bit + 1:
            runs[-1][1] = bit
        else:
            runs.append([bit, bit])
    return ", ".join(f"{high}:{low}" if high > low else str(high) for high, low in runs)
