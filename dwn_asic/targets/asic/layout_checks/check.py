"""All checks of a layout against a netlist, from files to a verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.errors import DataError, PdkError, ToolError, VerificationError
from dwn_asic.targets.asic.layout_checks.cell_logic import CellLogic, cell_logic
from dwn_asic.targets.asic.layout_checks.cell_netlist import CellNetlist, cell_netlist, top_module
from dwn_asic.targets.asic.layout_checks.cell_spice import find_spice, read_cells
from dwn_asic.targets.asic.layout_checks.technology import Technology, load_technology
from dwn_asic.targets.asic.layout_checks.verdict import DrcVerdict, LayoutVerdict
from dwn_asic.targets.asic.pdk import load_pdk, with_sizes
from dwn_asic.verilog.cell import Cell
from dwn_asic.verilog.reader import read_verilog

if TYPE_CHECKING:
    from dwn_asic.equivalence.check import Check
    from dwn_asic.targets.asic.klayout_module import db as kdb
    from dwn_asic.targets.asic.layout_checks.extract import LayoutCells
    from dwn_asic.targets.asic.layout_checks.lvs import Comparison

__all__ = ["check_layout", "official_decks"]


def check_layout(
    layout: str | Path,
    netlist: str | Path | None = None,
    *,
    mapped: str | Path | None = None,
    pdk: str | Path = "sky130hd",
    top: str = "",
    drc: bool = True,
    lvs: bool = True,
    function: bool = True,
    timeout_s: float = 300.0,
) -> LayoutVerdict:
    """Check a layout from its GDS file alone: design rules, transistors and function.

    Parameters
    ----------
    layout
        GDS file.
    netlist
        Verilog file of the mapped netlist that the layout must match; with None, only design rules are
        checked.
    mapped
        Verilog file of the netlist whose function the layout must have, if it is another one: the one before
        place and route, without clock buffers and antenna diodes.
    pdk
        Name or YAML file of the PDK, beside which its checks are: ``NAME.checks.yaml``.
    top
        Name of the top cell and module; by default the only one.
    drc, lvs, function
        Whether to check design rules, to compare transistors, and to prove the function.
    timeout_s
        Time limit of the proof in seconds.

    Returns
    -------
    LayoutVerdict
        The findings. A layout with errors is no exception here: see ``clean``.

    Raises
    ------
    ToolError
        The package klayout is not installed.
    DataError
        A file is missing or damaged.
    PdkError
        There are no checks for this PDK, or no SPICE netlists of its cells.
    ToolTimeoutError
        The proof reaches the time limit.

    Examples
    --------
    >>> check_layout("missing.gds")
    Traceback (most recent call last):
    ...
    dwn_asic.errors.DataError: missing.gds: is not a file
    """
    from dwn_asic.targets.asic.layout_checks.design_rules import check_rules
    from dwn_asic.targets.asic.layout_checks.layout_file import read_layout, top_cell

    technology, source = load_technology(pdk), str(layout)
    opened = read_layout(Path(layout))  # klayout frees its cells with it
    cell = top_cell(opened, source, top)
    wanted = None if netlist is None else _wanted(Path(netlist), top, technology)
    found = LayoutVerdict(source, (check_rules(cell, technology, source),) if drc else ())
    if wanted is None or not (lvs or function):
        return found
    compared, pieces = _compare(cell, wanted, technology, source)
    if lvs:
        found = replace(found, lvs=compared.verdict)
    if not function:
        return found
    meant = wanted if mapped is None else _wanted(Path(mapped), top, technology)
    try:
        proof = _prove(pieces, meant, compared.pairs, technology, pdk, timeout_s)
    except (VerificationError, DataError) as error:
        return replace(found, failures=(str(error),))
    return replace(found, function=(proof,))


def official_decks(
    layout: str | Path, *, pdk: str | Path = "sky130hd", top: str = "", timeout_s: float = 3600.0
) -> tuple[tuple[DrcVerdict, ...], tuple[str, ...]]:
    """Run the foundry's decks that are installed on a layout.

    Parameters
    ----------
    layout, pdk, top
        As for :func:`check_layout`, which also defines most errors.
    timeout_s
        Time limit of each tool in seconds.

    Returns
    -------
    tuple
        A verdict for each deck that was run, and a line for each that was not, which says what is missing.

    Raises
    ------
    PdkError, ToolError
        ``DRC_DECK`` is wrong, or the tool fails that it asks for. Another tool that fails is a line.
    """
    from dwn_asic.targets.asic.layout_checks.decks import DECK_OVERRIDE, find_decks, run_deck
    from dwn_asic.targets.asic.layout_checks.layout_file import read_layout, top_cell

    decks, path = load_technology(pdk).decks, Path(layout)
    found, missing = find_decks(decks)
    if not found:
        return (), missing
    opened = read_layout(path)
    name = top_cell(opened, str(path), top).name
    verdicts, failed = list[DrcVerdict](), list[str]()
    for deck in found:
        try:
            verdicts.append(run_deck(deck, path, name, decks, timeout_s=timeout_s))
        except ToolError as error:
            if os.environ.get(DECK_OVERRIDE):
                raise
            failed.append(str(error))
    return tuple(verdicts), (*missing, *failed)


def _wanted(path: Path, top: str, technology: Technology) -> CellNetlist:
    """Read the netlist that the layout must match."""
    design = read_verilog(path)
    high, low = technology.supplies
    return cell_netlist(design, top_module(design, top), technology.supplies, (low, high))


def _compare(
    cell: kdb.Cell, wanted: CellNetlist, technology: Technology, source: str
) -> tuple[Comparison, LayoutCells]:
    """Extract the layout and compare it with the netlist."""
    from dwn_asic.targets.asic.layout_checks.extract import extract_netlist, layout_cells
    from dwn_asic.targets.asic.layout_checks.lvs import compare_with_netlist

    start = time.perf_counter()
    cells = read_cells(find_spice(technology.spice), wanted.cells, technology.devices)
    pieces = layout_cells(extract_netlist(cell, technology), wanted.cells, technology)
    seconds = time.perf_counter() - start
    return compare_with_netlist(pieces, wanted, cells, technology, source, seconds), pieces


def _prove(
    pieces: LayoutCells,
    wanted: CellNetlist,
    pairs: Mapping[str, str],
    technology: Technology,
    pdk: str | Path,
    timeout_s: float,
) -> Check:
    """Prove that the cells of the layout compute what the netlist computes."""
    from dwn_asic.targets.asic.layout_checks.function import drawn_logic, layout_netlist, prove_layout

    drawn = layout_netlist(pieces, wanted, pairs)
    logic = _library_logic(wanted, technology, pdk)
    return prove_layout(
        wanted, logic, drawn, drawn_logic(pieces, technology), technology, timeout_s=timeout_s
    )


def _library_logic(wanted: CellNetlist, technology: Technology, pdk: str | Path) -> dict[str, CellLogic]:
    """Return the functions of the netlist's cells from the library; for cells that it lacks, from SPICE."""
    library = with_sizes(load_pdk(pdk)).library
    circuits = read_cells(find_spice(technology.spice), wanted.cells, technology.devices)
    found = {name: cell_logic(circuit, technology) for name, circuit in circuits.items()}
    for name in wanted.cells:
        with suppress(PdkError):
            cell = library.cell(name)
            if isinstance(cell, Cell) and {cell.output} == found[name].outputs.keys():
                found[name] = CellLogic(cell.inputs, {cell.output: cell.table})
    return found
