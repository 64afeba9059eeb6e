"""The sections of a data sheet on size, accuracy, verification and reproduction of a circuit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dwn_asic.equivalence.check import HOW
from dwn_asic.metrics import TOTAL, area_decimals
from dwn_asic.report.datasheet.form import Code, Piece, Section, Strong, Table, line, numbers, plain, texts

if TYPE_CHECKING:
    from dwn_asic.data.table import Part
    from dwn_asic.report.datasheet.value import Accuracy, DataSheet, PartAccuracy, Provenance

__all__ = [
    "PARTS_OF_DATA",
    "accuracy_section",
    "interval",
    "reproduction_section",
    "share",
    "size_section",
    "timing_section",
    "verification_section",
]

PARTS_OF_DATA: Mapping[Part, str] = {"train": "training", "val": "validation", "test": "test"}
"""Parts of the split, and their names in sentences."""
_PARTS_OF_CIRCUIT = {
    "core: the logic behind the comparators": "core",
    "encoder: the comparators of codes": "encoder",
    "registers": "registers",
}
_ESTIMATED, _CLOCK, _SLACK = "timing__estimated", "timing__clock", "timing__slack"


# ---- size --------------------------------------------------------------------------------------------------
def size_section(sheet: DataSheet) -> Section:
    """Return the section on the target and on the size there: areas, or other metrics of the target."""
    technology, found = sheet.technology, {metric.name: value for metric, value in sheet.metrics}
    corner = f", corner {technology.corner}" if technology.corner else ""
    built = line(
        f"Built for {technology.name}: library {technology.library}{corner}, from {technology.origin}."
    )
    if TOTAL in found:
        nand2 = plain(found["area__nand2"])
        note = f"Area of the mapped cells before placement. A NAND2-equivalent is {nand2} um2."
        return Section("Area", (built,), (_areas(found),), (line(note),))
    rows = tuple((metric.description, f"{value:g}", metric.unit) for metric, value in sheet.metrics)
    table = Table(texts("metric") + numbers("value") + texts("unit"), rows)
    return Section("Size", (built,), (table,) if rows else ())


def timing_section(sheet: DataSheet) -> Section | None:
    """Return the section on delay, power and energy; None if the target does not measure them."""
    found = [
        (metric, value)
        for prefix in ("timing__", "energy__", "power__")
        for metric, value in sheet.metrics
        if metric.name.startswith(prefix) and metric.name != _ESTIMATED
    ]
    if not found:
        return None
    rows = tuple((metric.description, f"{value:.4g}", metric.unit) for metric, value in found)
    values = {metric.name: value for metric, value in sheet.metrics}
    notes = []
    if _SLACK in values:
        clock, slack = values[_CLOCK], values[_SLACK]
        outcome = "is met" if slack >= 0.0 else f"is missed by {-slack:.3f} ns"
        notes.append(line(f"The clock period of {clock:g} ns {outcome}."))
    if values.get(_ESTIMATED):
        notes.append(line("Estimated by fits to the library's tables, since the PDK is not installed."))
    table = Table(texts("metric") + numbers("value") + texts("unit"), rows)
    return Section("Timing and power", (), (table,), tuple(notes))


def _areas(found: Mapping[str, float]) -> Table:
    decimals = area_decimals(found["area__nand2"])
    rows: list[tuple[Piece, ...]] = [
        (
            name,
            f"{found[f'area__{part}__nand2_equivalent']:.1f}",
            f"{found[f'area__{part}']:.{decimals}f}",
            f"{found[f'design__instance__count__{part}']:.0f}",
        )
        for name, part in _PARTS_OF_CIRCUIT.items()
    ]
    total = (
        f"{found[TOTAL]:.1f}",
        f"{found['design__instance__area']:.{decimals}f}",
        f"{found['design__instance__count']:.0f}",
    )
    rows.append((Strong("total"), *map(Strong, total)))
    return Table(texts("part") + numbers("NAND2-equivalents", "um2", "cells"), tuple(rows))


# ---- accuracy ----------------------------------------------------------------------------------------------
def accuracy_section(accuracy: Accuracy, class_names: Sequence[str], *, imported: bool) -> Section:
    """Return the section on the accuracy of the circuit, by part of the split and by class."""
    tables = _parts(accuracy), _scores(accuracy, class_names), _confusion(accuracy, class_names)
    note = line(
        "The interval is Wilson's confidence interval of the accuracy. Balanced accuracy is the mean recall "
        "of the classes; F1 is the harmonic mean of precision and recall."
    )
    if len(accuracy.parts) < len(PARTS_OF_DATA):
        return Section("Accuracy", (), tables, (note,))
    used = "Training rows were used to fit the model, validation rows to make choices, test rows for neither."
    if accuracy.objective != "accuracy":
        used += f" The choices were made by {accuracy.objective}."
    if imported:
        used = "The model was trained elsewhere; rows of any part may have been among its training data."
    return Section("Accuracy", (line(used),), tables, (note,))


def _parts(accuracy: Accuracy) -> Table:
    rows = tuple(
        (
            PARTS_OF_DATA[part.part],
            str(part.rows),
            share(part.hits / part.rows),
            interval(part),
            share(part.balanced),
        )
        for part in accuracy.parts
    )
    columns = texts("part") + numbers("rows", "accuracy", "95% confidence interval", "balanced accuracy")
    return Table(columns, rows)


def _scores(accuracy: Accuracy, class_names: Sequence[str]) -> Table:
    rows = tuple(
        (name, str(found.rows), share(found.precision), share(found.recall), share(found.f1))
        for name, found in zip(class_names, accuracy.scores, strict=True)
    )
    columns = texts("class") + numbers("rows", "precision", "recall", "F1")
    return Table(columns, rows, f"Classes, {PARTS_OF_DATA[accuracy.detailed]} rows")


def _confusion(accuracy: Accuracy, class_names: Sequence[str]) -> Table:
    none = bool(accuracy.matrix[:, -1].any())
    counts = accuracy.matrix[:, : len(class_names) + none].tolist()
    rows = tuple(
        (name, *(Strong(str(n)) if i == j else str(n) for j, n in enumerate(row)))
        for i, (name, row) in enumerate(zip(class_names, counts, strict=True))
    )
    columns = texts("label") + numbers(*class_names, *(["no class"] if none else []))
    title = f"Confusion matrix, {PARTS_OF_DATA[accuracy.detailed]} rows: labels in rows, answers in columns"
    return Table(columns, rows, title)


def share(value: float) -> str:
    """Return a share from 0 to 1 with four decimals, or a dash for NaN, a share without rows."""
    return "-" if math.isnan(value) else f"{value:.4f}"


def interval(part: PartAccuracy) -> str:
    """Return the two ends of the confidence interval as text."""
    return f"{part.low:.4f} to {part.high:.4f}"


# ---- verification and reproduction -------------------------------------------------------------------------
def verification_section(sheet: DataSheet) -> Section:
    """Return the section on the checks: which forms of the classifier are equal, and how that was shown."""
    rows = tuple(
        (
            check.stage.replace("->", "to"),
            check.what,
            HOW[check.how][0],
            check.scope or "-",
            check.tool or "-",
            check.verdict,
        )
        for check in sheet.checks
    )
    notes = [
        line(
            "Model: the classifier in software. Graph: the classifier as a Boolean network. "
            "Minimized: the graph after logic minimization."
        )
    ]
    if not any(check.how == "simulation" and check.succeeded for check in sheet.checks):
        notes.append(line("No event-driven simulation was run."))
    table = Table(texts("stage", "property", "shown by", "for", "tool", "verdict"), rows)
    return Section("Verification", (), (table,) if rows else (), tuple(notes))


def reproduction_section(origin: Provenance) -> Section:
    """Return the section on command, flow file, data and versions that made the circuit."""
    rows: list[tuple[Piece, ...]] = []
    if origin.command:
        rows.append(("command", Code(origin.command)))
    if origin.flow_file:
        rows.append(("flow file", Code(origin.flow_file)))
    if origin.seed is not None:
        rows.append(("seed", str(origin.seed)))
    if origin.rows:
        rows.append(("data", f"{origin.source}, {origin.rows} rows"))
        rows.append(("SHA-256 of the rows", Code(origin.digest)))
    rows += origin.versions.items()
    return Section("How to reproduce", (), (Table(texts("item", "value"), tuple(rows)),))
