"""Place and route whose result is checked independently: by its GDS file and the netlists alone.

The checks know nothing of the placer and the router. An attempt whose layout they find wrong has
failed, and the next one is made.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.errors import PdkError, VerificationError
from dwn_asic.targets.asic.layout_checks.check import check_layout
from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict
from dwn_asic.targets.asic.tapeout.exchange_files import verilog_text
from dwn_asic.targets.asic.tapeout.lay_out import LaidOut, LayoutOptions, Watch, lay_out
from dwn_asic.targets.asic.tapeout.netlist import read_netlist

if TYPE_CHECKING:
    from dwn_asic.targets.asic.tapeout.layout_value import PhysicalDesign
    from dwn_asic.targets.asic.tapeout.technology import Technology
    from dwn_asic.targets.asic.tapeout.template import Template

__all__ = ["lay_out_checked", "verdict_on"]


def lay_out_checked(
    mapped: str,
    top: str,
    technology: Technology,
    options: LayoutOptions,
    *,
    template: Template | None = None,
    watch: Watch | None = None,
    timeout_s: float = 300.0,
) -> tuple[LaidOut, LayoutVerdict]:
    """Place and route a mapped netlist until an attempt leads to a layout that is clean and matches it.

    Parameters
    ----------
    mapped
        Verilog of the mapped netlist.
    top
        Name of its top module.
    technology, options, template, watch
        As for :func:`~dwn_asic.targets.asic.tapeout.lay_out.lay_out`, which also defines most errors.
    timeout_s
        Time limit in seconds of Yosys, which reads the netlist, and of the proof.

    Raises
    ------
    VerificationError
        No attempt led to a layout that is clean and matches the netlist.
    ToolTimeoutError
        A tool reaches the time limit.
    PdkError
        There are no checks for this PDK.
    """
    verdicts = list[LayoutVerdict]()

    def problem(design: PhysicalDesign) -> str:
        try:
            verdicts.append(
                verdict_on(
                    design.gds, verilog_text(design), mapped, top, technology.name, timeout_s=timeout_s
                )
            )
        except VerificationError as error:
            return str(error)
        return ""

    netlist = read_netlist(mapped, f"{top}.v", top, timeout_s=timeout_s)
    found = lay_out(netlist, technology, options, template=template, watch=watch, problem=problem)
    return found, verdicts[-1]


def verdict_on(
    gds: bytes, placed: str, mapped: str, top: str, pdk: str, *, timeout_s: float = 300.0
) -> LayoutVerdict:
    """Check the design rules, the transistors and the function of a layout.

    Parameters
    ----------
    gds
        The layout as a GDS file.
    placed
        Verilog of all cells that were placed, which the transistors must match.
    mapped
        Verilog before place and route, whose function the layout must have.
    top
        Name of the top cell and of the top module of both netlists.
    pdk
        Name of the PDK.
    timeout_s
        Time limit of the proof in seconds.

    Returns
    -------
    LayoutVerdict
        A clean verdict. Without SPICE netlists of the cells, transistors and function are not checked, and
        ``unchecked`` says so.

    Raises
    ------
    VerificationError
        A design rule is violated, the transistors differ from the netlist, or the function does.
    ToolTimeoutError
        The proof reaches the time limit.
    PdkError
        There are no checks for this PDK.
    """
    with tempfile.TemporaryDirectory() as scratch:
        layout, *netlists = (Path(scratch) / name for name in ("layout.gds", "placed.v", "mapped.v"))
        layout.write_bytes(gds)
        for path, text in zip(netlists, (placed, mapped), strict=True):
            path.write_text(text, encoding="utf-8")
        found = check_layout(layout, pdk=pdk, top=top)
        try:
            matched = check_layout(
                layout, netlists[0], mapped=netlists[1], pdk=pdk, top=top, drc=False, timeout_s=timeout_s
            )
            found = replace(matched, drc=found.drc)
        except PdkError as error:
            found = replace(found, unchecked=(f"transistors and function: {error}",))
    found = _named(found, top)
    if not found.clean:
        first = next((line.strip() for line in found.lines() if line.startswith("  ")), "")
        raise VerificationError(f"layout of {top}: {found.summary()}{f', first {first}' if first else ''}")
    return found


def _named(found: LayoutVerdict, top: str) -> LayoutVerdict:
    """Return a verdict with the names that the files of the layout will have."""
    source = f"{top}.gds"
    drc = tuple(replace(each, source=source) for each in found.drc)
    lvs = None if found.lvs is None else replace(found.lvs, source=source, netlist=f"{top}.v")
    return replace(found, source=source, drc=drc, lvs=lvs)
