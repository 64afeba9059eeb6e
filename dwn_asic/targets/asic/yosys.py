"""Synthesis with Yosys: mapping of structural Verilog to library cells, keeping the smallest of several."""

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
"""Name that Yosys gives a register that it did not map to a cell."""


@dataclass(frozen=True)
class ModuleArea:
    """One module of the mapped design, without its submodules.

    Attributes
    ----------
    area
        Sum of the cell areas in um2.
    cells
        Name and number of instances of each cell.
    recipe
        Mapping recipe that resulted in the smallest area.
    """

    area: float
    cells: dict[str, int]
    recipe: str

    @property
    def cell_count(self) -> int:
        """Total number of cell instances."""
        return sum(self.cells.values())


@dataclass(frozen=True)
class Synthesis:
    """A mapped design.

    Attributes
    ----------
    netlist
        Verilog text of all modules.
    modules
        Name and area of each module.
    yosys
        Origin of the Yosys that was used, with its version or path.
    log
        Output of Yosys.
    """

    netlist: str
    modules: dict[str, ModuleArea]
    yosys: str
    log: str


def synthesize(design: str, name: str, library: CellLibrary, *, timeout_s: float = 300.0) -> Synthesis:
    """Map a design with the modules NAME_top, NAME_core and NAME_encoder to the cells of a library.

    The module hierarchy is preserved, so encoder and core have areas of their own. Each module is mapped with
    the recipe that makes it smallest.

    Parameters
    ----------
    design
        Verilog text.
    name
        Prefix of the module names.
    library
        Cells to map to, flip-flops included if it has any.
    timeout_s
        Time limit of each Yosys run in seconds.

    Raises
    ------
    ToolError
        Yosys fails, times out, or does not write the expected files.
    PdkError
        The design has registers, but the library has no flip-flop.
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
    """Return the area (um2) after ``synth; dfflibmap; abc -liberty`` with Yosys's own ABC script.

    This is the reference that :func:`synthesize` is compared with.
    """
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
    """Return the cell counts of each module, without instances of modules, from a file of ``stat -json``."""
    try:
        modules = json.loads(path.read_text())["modules"]
        counts = {m.lstrip("\\"): content["num_cells_by_type"] for m, content in modules.items()}
    except (OSError, ValueError, KeyError) as error:
        raise ToolError("yosys", f"its statistics cannot be read: {error!r}", output=log) from error
    return {
        module: {cell: int(n) for cell, n in cells.items() if cell.lstrip("\\") not in counts}
        for module, cells in counts.items()
    }


def _area(cells: dict[str, int], library: CellLibrary) -> float:
    if _REGISTER in cells:
        library.require_flip_flop()
    return sum(n * library.cell(cell).area for cell, n in sorted(cells.items()))


def _module_text(netlist: Path, module: str, log: str) -> str:
    """Return the text of one module of a netlist that Yosys wrote."""
    lines = netlist.read_text().splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(f"module {module}(")]
    if not starts:
        raise ToolError("yosys", f"its netlist has no module {module}", output=log)
    end = next(i for i in range(starts[0], len(lines)) if lines[i].startswith("endmodule"))
    return "\n".join([*lines[starts[0] : end + 1], ""])
