"""The file format of a fit: a header of comments, then one CSV row per pin, arc and setup time of a cell.

A line is four numbers: the base (ns or pJ), its change per ns of transition, per pF of load, and per both;
``-`` is none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.signoff.fit import Fit, FittedArc, Line, Lines
from dwn_asic.targets.asic.signoff.library import Conditions, Thresholds, WireLoad

__all__ = ["fit_text", "read_fit"]

_TITLE = "# dwn-asic timing table 1: bilinear fits to the delays and energies of the Liberty file below"
_HEADER = (
    "library",
    "conditions",
    "thresholds",
    "wire_load",
    "error",
    "origin",
    "copyright",
    "licence",
)
_LINES = ("delay_rise", "delay_fall", "transition_rise", "transition_fall", "energy_rise", "energy_fall")
_COLUMNS = ("kind", "cell", "source", "target", "sense", "capacitance_pF", *_LINES)
_KINDS = {"arc", "clock", "pin", "setup"}
_NONE = "-"


def fit_text(fit: Fit, names: Mapping[str, str]) -> str:
    """Return the text that :func:`read_fit` reads; equal fits have equal texts.

    Parameters
    ----------
    fit
        Fit to write.
    names
        Texts of ``library``, ``origin``, ``copyright`` and ``licence``.
    """
    limits, wires = fit.thresholds, fit.wire_load
    header = {
        **names,
        "conditions": f"{fit.conditions.name} {fit.conditions.voltage:g} {fit.conditions.temperature:g}",
        "thresholds": f"{limits.low:g} {limits.high:g} {limits.middle:g} {limits.derate:g}",
        "wire_load": _wire_load_text(wires) if wires else _NONE,
        "error": f"{fit.error:.4f} {fit.worst:.4f}",
    }
    buffer = io.StringIO()
    buffer.write(f"{_TITLE}\n")
    for key in _HEADER:
        buffer.write(f"# {key}: {header[key]}\n")
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(_COLUMNS)
    for arc in fit.arcs:
        lines = (*arc.delay, *arc.transition, *arc.energy)
        table.writerow(
            (
                arc.kind,
                arc.cell,
                arc.source,
                arc.target or _NONE,
                arc.sense or _NONE,
                " ".join(map(_number, arc.capacitance)) if arc.capacitance else _NONE,
                *(_line_text(line) for line in lines),
            )
        )
    return buffer.getvalue()


def read_fit(path: Path) -> Fit:
    """Read a fit; if the file is wrong, the PdkError names it and the line or the key of its header."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PdkError(f"{path}: timing table cannot be read: {reason}") from error
    header = _read_header(lines, path)
    start = 1 + len(_HEADER)
    arcs = []
    for number, row in enumerate(csv.reader(lines[start:]), start=start + 1):
        try:
            if number == start + 1:
                if tuple(row) != _COLUMNS:
                    raise ValueError(f"columns must be {','.join(_COLUMNS)}")
            else:
                arcs.append(_read_arc(row))
        except ValueError as error:
            raise PdkError(f"{path}: line {number} is not a row of a timing table: {error}") from error
    key = ""
    try:
        key = "conditions"
        name, voltage, temperature = header[key].split()
        conditions = Conditions(name, float(voltage), float(temperature))
        key = "thresholds"
        thresholds = Thresholds(*_numbers(header[key], 4))
        key = "wire_load"
        wire_load = None if header[key] == _NONE else _read_wire_load(header[key])
        key = "error"
        error_mean, worst = _numbers(header[key], 2)
    except (ValueError, IndexError) as error:
        raise PdkError(f"{path}: header {key!r} is {header[key]!r}: {error}") from error
    return Fit(conditions, thresholds, tuple(arcs), wire_load, error_mean, worst)


def _number(value: float) -> str:
    """Return four significant digits, which is more than a fit is worth."""
    return f"{value:.4g}"


def _line_text(line: Line | None) -> str:
    return (
        _NONE
        if line is None
        else " ".join(map(_number, (line.base, line.per_ns, line.per_pf, line.per_both)))
    )


def _wire_load_text(model: WireLoad) -> str:
    lengths = " ".join(f"{fanout}:{length:g}" for fanout, length in model.lengths)
    return f"{model.name} {model.capacitance:g} {model.resistance:g} {model.slope:g} {lengths}"


def _read_wire_load(text: str) -> WireLoad:
    name, capacitance, resistance, slope, *pairs = text.split()
    lengths = [pair.split(":") for pair in pairs]
    return WireLoad(
        name,
        float(capacitance),
        float(resistance),
        tuple((int(fanout), float(length)) for fanout, length in lengths),
        float(slope),
    )


def _read_header(lines: Sequence[str], path: Path) -> dict[str, str]:
    if lines[:1] != [_TITLE]:
        raise PdkError(f"{path}: not a timing table: its first line is not {_TITLE!r}")
    header = {}
    for key, line in zip(_HEADER, [*lines[1 : 1 + len(_HEADER)], *[""] * len(_HEADER)], strict=False):
        name, _, value = line.removeprefix("# ").partition(":")
        if name != key:
            raise PdkError(f"{path}: not a timing table: the comment '# {key}: ...' is missing")
        header[key] = value.strip()
    return header


def _read_arc(row: Sequence[str]) -> FittedArc:
    if len(row) != len(_COLUMNS):
        raise ValueError(f"it has {len(row)} fields instead of {len(_COLUMNS)}")
    kind, cell, source, target, sense, capacitance, *texts = row
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(sorted(_KINDS))}")
    if sense not in {"positive", "negative", "both", _NONE}:
        raise ValueError(f"sense {sense!r} is not positive, negative, both or {_NONE}")
    lines = [None if text == _NONE else Line(*_numbers(text, 4)) for text in texts]
    pairs: list[Lines] = [(lines[i], lines[i + 1]) for i in (0, 2, 4)]
    loads = None
    if capacitance != _NONE:
        rise, fall = _numbers(capacitance, 2)
        loads = rise, fall
    return FittedArc(
        kind,
        cell,
        source,
        "" if target == _NONE else target,
        "" if sense == _NONE else sense,
        delay=pairs[0],
        transition=pairs[1],
        energy=pairs[2],
        capacitance=loads,
    )


def _numbers(text: str, count: int) -> list[float]:
    numbers = [float(word) for word in text.split()]
    if len(numbers) != count:
        raise ValueError(f"{text!r} is not {count} numbers")
    return numbers
