"""Yosys runs: structural Verilog to a netlist of library cells, the smallest of several mappings kept."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.errors import ToolError
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.mapping import MAPPING_RECIPES
from dwn_asic.tools import find_yosys

__all__ = ["ModuleArea", "Synthesis", "plain_area", "synthesize"]

_REGISTER = "$_DFF_P_"
"""What Yosys calls a register that it has mapped to no cell."""


@dataclass(frozen=True)
class ModuleArea:
    """One module of the mapped design, without the modules inside it.

    Attributes
    ----------
    area
        um2, the sum over its cells.
    cells
        Cell name -> number of instances.
    recipe
        The mapping recipe that gave the smallest area.
    """

    area: float
    cells: dict[str, int]
    recipe: str

    @property
    def cell_count(self) -> int:
        """Number of cells."""
        return sum(self.cells.values())


@dataclass(frozen=True)
class Synthesis:
    """A mapped design.

    Attributes
    ----------
    netlist
        Verilog text of all modules.
    modules
        Module name -> area.
    yosys
        Which Yosys it was.
    log
        What it printed.
    """

    netlist: str
    modules: dict[str, ModuleArea]
    yosys: str
    log: str


def synthesize(design: str, name: str, library: CellLibrary, *, timeout_s: float = 300.0) -> Synthesis:
    """Map ``design`` (with modules NAME_top, NAME_core, NAME_encoder) to the library's cells.

    The module hierarchy stays, so the areas of encoder and core are those of their own cells. Each module
    keeps the mapping recipe that makes it smallest.

    Parameters
    ----------
    design
        Verilog text.
    name
        Prefix of the module names.
    library
        Cells to map to; flip-flops are mapped too where there are any.
    timeout_s
        Limit of each Yosys run in seconds.

    Raises
    ------
    ToolError
        Yosys fails, hangs, or does not write what it was asked for.
    PdkError
        The design has registers and the library no flip-flop.
    """
    yosys = find_yosys()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        library.write_liberty(folder / "cells.lib")
        (folder / "design.v").write_text(design)
        for recipe, commands in MAPPING_RECIPES.items():
            (folder / f"{recipe}.abc").write_text("strash\n" + commands.replace("; ", "\n") + "\n")
        log = yosys.run_script(_mapping_script(name, library), timeout_s=timeout_s, cwd=folder)
        modules: dict[str, ModuleArea] = {}
        texts: list[str] = []
        for module in _stat(folder / "stat_0.json", log):
            tried = {
                recipe: _stat(folder / f"stat_{i}.json", log)[module]
                for i, recipe in enumerate(MAPPING_RECIPES)
            }
            recipe = min(tried, key=lambda r: (_area(tried[r], library), list(MAPPING_RECIPES).index(r)))
            modules[module] = ModuleArea(_area(tried[recipe], library), tried[recipe], recipe)
            texts.append(_module_text(folder / f"netlist_{recipe}.v", module, log))
    return Synthesis("\n".join(texts), modules, yosys.origin, log)


def plain_area(design: str, top: str, library: CellLibrary, *, timeout_s: float = 300.0) -> float:
    """Area in um2 of ``synth; dfflibmap; abc -liberty`` with Yosys' own ABC script: the reference to beat."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        library.write_liberty(folder / "cells.lib")
        (folder / "design.v").write_text(design)
        script = [
            "read_verilog design.v",
            f"synth -flatten -top {top}",
            *_flip_flops(library),
            "abc -liberty cells.lib",
            "opt_clean -purge",
            "tee -q -o stat.json stat -json -liberty cells.lib",
        ]
        log = find_yosys().run_script("\n".join(script), timeout_s=timeout_s, cwd=folder)
        return _area(_stat(folder / "stat.json", log)[top], library)


def _mapping_script(name: str, library: CellLibrary) -> str:
    lines = [
        "read_verilog design.v",
        f"hierarchy -check -top {name}_top",
        "proc",
        "opt",
        "check -assert",
        "techmap",
        "opt",
        *_flip_flops(library),
        "opt_clean -purge",
        "design -save prepared",
    ]
    for i, recipe in enumerate(MAPPING_RECIPES):
        lines += [
            "design -load prepared",
            f"abc -liberty cells.lib -script {recipe}.abc",
            "opt_clean -purge",
            f"tee -q -o stat_{i}.json stat -json -liberty cells.lib",
            f"write_verilog -noattr -noexpr netlist_{recipe}.v",
        ]
    return "\n".join(lines)


def _flip_flops(library: CellLibrary) -> list[str]:
    return ["dfflibmap -liberty cells.lib"] if library.flip_flops else []


def _stat(path: Path, log: str) -> dict[str, dict[str, int]]:
    """Module -> cell -> count, from ``stat -json``; instances of modules are left out."""
    try:
        modules = json.loads(path.read_text())["modules"]
        counts = {m.lstrip("\\"): content["num_cells_by_type"] for m, content in modules.items()}
    except (OSError, ValueError, KeyError) as error:
        raise ToolError("yosys", f"its statistics can't be read: {error!r}", output=log) from error
    return {
        module: {cell: int(n) for cell, n in cells.items() if cell.lstrip("\\") not in counts}
        for module, cells in counts.items()
    }


def _area(cells: dict[str, int], library: CellLibrary) -> float:
    if _REGISTER in cells:
        library.require_flip_flop()
    return sum(n * library.cell(cell).area for cell, n in sorted(cells.items()))


def _module_text(netlist: Path, module: str, log: str) -> str:
    """The text of one module of a netlist that Yosys wrote."""
    lines = netlist.read_text().splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(f"module {module}(")]
    if not starts:
        raise ToolError("yosys", f"its netlist has no module {module}", output=log)
    end = next(i for i in range(starts[0], len(lines)) if lines[i].startswith("endmodule"))
    return "\n".join([*lines[starts[0] : end + 1], ""])
