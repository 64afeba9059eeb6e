"""The section of a data sheet on the layout of a circuit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dwn_asic.report.datasheet.form import Piece, Section, Table, line, numbers, texts

if TYPE_CHECKING:
    from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict
    from dwn_asic.targets.asic.tapeout.layout import LayoutReport

__all__ = ["layout_section"]


def layout_section(report: LayoutReport, verdict: LayoutVerdict) -> Section:
    """Return the section on a layout: its size, wires and clock, what the wires change, and its checks."""
    facts: list[tuple[Piece, ...]] = [
        ("die", f"{report.width:g} x {report.height:g} um"),
        ("cells, with buffers and diodes", str(report.cells)),
        ("taps and fillers", str(report.fillers)),
        ("utilization of the rows", f"{report.utilization:.2f}"),
        ("wires", f"{report.wire_length:.0f} um"),
        ("vias", str(sum(report.vias.values()))),
        ("antenna diodes", str(report.diodes)),
    ]
    if report.clock is not None:
        facts += [
            ("clock buffers", str(report.clock.buffers)),
            ("clock skew", f"{1e3 * report.clock.skew:.1f} ps"),
        ]
    tables = [Table(texts("layout") + numbers("value"), tuple(facts))]
    layers = tuple(
        (name, f"{report.lengths[name]:.0f}", f"{share:.3f}") for name, share in report.density.items()
    )
    tables.append(Table(texts("layer") + numbers("wires (um)", "density"), layers))
    tables.append(Table(texts("check of the GDS file", "result"), tuple(_checks(verdict))))
    notes = [line("Every net is connected, and the design rules are kept.")]
    if report.before and report.after:
        rows = tuple(
            (key, f"{report.before[key]:.4g}", f"{value:.4g}")
            for key, value in report.after.items()
            if key in report.before
        )
        tables.append(Table(texts("metric") + numbers("before layout", "post-layout"), rows))
        notes.append(line("Post-layout figures have the resistance and capacitance of the wires."))
    return Section("Layout", (), tuple(tables), tuple(notes))


def _checks(verdict: LayoutVerdict) -> Iterator[tuple[Piece, ...]]:
    """Yield what was checked in the GDS file, and the result."""
    for drc in verdict.drc:
        yield f"{len(drc.rules)} design rules", f"{drc.violations} violations"
    if verdict.lvs is not None:
        lvs = verdict.lvs
        found = f"{lvs.cells} cells, {lvs.transistors} transistors, {lvs.nets} nets"
        yield "transistors against the netlist", f"{found}: {'match' if lvs.clean else 'mismatch'}"
    for check in verdict.function:
        yield "function against the mapped netlist", check.summary
    for reason in verdict.unchecked:
        yield "not checked", reason
