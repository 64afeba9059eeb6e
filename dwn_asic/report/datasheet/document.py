"""The wording of a data sheet, with the most important facts first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dwn_asic.report.datasheet.evidence import (
    PARTS_OF_DATA,
    accuracy_section,
    interval,
    reproduction_section,
    share,
    size_section,
    timing_section,
    verification_section,
)
from dwn_asic.report.datasheet.form import Code, Line, Link, Page, Piece, Strong, line
from dwn_asic.report.datasheet.interface import (
    classes_section,
    features_section,
    ports_section,
    thresholds_section,
)
from dwn_asic.report.metrics import size_of

if TYPE_CHECKING:
    from dwn_asic.report.datasheet.value import DataSheet

__all__ = ["page"]

_FILES = {
    "netlist.v": "the netlist of {library} cells",
    "netlist.aig": "the and-inverter graph as an AIGER file",
    "cells.v": "simulation models of the cells",
    "design.v": "structural Verilog before mapping",
    "testbench.v": "a self-checking testbench",
}


def page(sheet: DataSheet) -> Page:
    """Return the document of a data sheet."""
    sections = [ports_section(sheet), features_section(sheet), classes_section(sheet)]
    sections += [thresholds_section(sheet), size_section(sheet)]
    sections += filter(None, [timing_section(sheet), sheet.layout])
    if sheet.accuracy is not None:
        sections.append(accuracy_section(sheet.accuracy, sheet.class_names, imported=sheet.imported))
    sections += [verification_section(sheet), reproduction_section(sheet.provenance)]
    which = f", {sheet.kind} circuit" if sheet.kind else ""
    return Page(
        f"{sheet.name}{which}: data sheet", tuple(_opening(sheet)), tuple(_facts(sheet)), tuple(sections)
    )


def _opening(sheet: DataSheet) -> Iterator[Line]:
    """Yield paragraphs on the kind of the circuit and on its files."""
    top = Code(f"{sheet.name}_top") if "design.v" in sheet.files else Strong(sheet.name)
    made = f", made from {sheet.label}" if sheet.label else ""
    used, features = len(sheet.inputs), len(sheet.inputs) + len(sheet.unused)
    which = f"{used} of the {features}" if sheet.unused else f"all {features}"
    data = f" of {sheet.provenance.source}" if sheet.provenance.rows else ""
    yield line(
        top,
        f" is a classifier{made}. It reads integer codes of {which} features{data} and returns the index of "
        f"one of {len(sheet.class_names)} classes.",
    )
    yield tuple(_files(sheet))
    if sheet.kind == "exact":
        yield line("It computes exactly what the trained model computes.")
    if sheet.kind == "shrunk":
        yield line(
            "It is smaller than the exact circuit of the trained model and may return other classes: it was "
            "optimized on the training rows, and its size was chosen on the validation rows."
        )
    if sheet.other:
        other = (
            "The exact circuit, which is larger," if sheet.kind == "shrunk" else "A smaller, shrunk circuit"
        )
        yield line(
            f"{other} has the same module names and is in another folder; see ",
            Link("its own data sheet", sheet.other, page=True),
            ".",
        )


def _files(sheet: DataSheet) -> Iterator[Piece]:
    yield Strong("This sheet describes ")
    listed = [name for name in _FILES if name in sheet.files] or list(sheet.files)
    for number, name in enumerate(listed):
        yield ", " if number else ""
        yield Link(f"{sheet.folder}/{name}", name) if sheet.folder else Code(name)
        if name in _FILES:
            yield f" ({_FILES[name].format(library=sheet.technology.library)})"
    yield "."


def _facts(sheet: DataSheet) -> Iterator[tuple[str, str]]:
    if sheet.accuracy is not None:
        part = sheet.accuracy.parts[-1]
        name = f"accuracy, {PARTS_OF_DATA[part.part]} rows (95% confidence interval)"
        yield name, f"{share(part.hits / part.rows)} ({interval(part)})"
    found = {metric.name: value for metric, value in sheet.metrics}
    size = size_of(found)
    if size is not None:
        yield size.noun, f"{found[size.total]:.{size.decimals}f} {size.words}"
    yield "inputs", f"{len(sheet.inputs)} features, {_bits(sum(given.width for given in sheet.inputs))}"
    yield "output", f"{_bits(sheet.class_bits)}, {len(sheet.class_names)} classes"
    cycles = sheet.latency
    yield "latency", f"{cycles} clock cycle{'s' * (cycles > 1)}" if cycles else "combinational, no clock"
    yield "built for", ", ".join(filter(None, (sheet.technology.name, sheet.technology.corner)))
    if any(check.how == "proof" for check in sheet.checks):
        yield "verified", "proved equal to the model"


def _bits(count: int) -> str:
    return f"{count} bit{'s' * (count != 1)}"
