"""Synthesis with Yosys: mapping of structural Verilog to library cells, keeping the smallest of several."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.boolean.ports import is_part, whole_of_part
from dwn_asic.errors import ToolError
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.mapping import MAPPING_RECIPES, PART_RECIPE
from dwn_asic.tools import find_yosys, processors
from dwn_asic.verilog.text import black_box, single_assigns, split_modules

__all__ = ["ModuleArea", "Synthesis", "Variant", "Variants", "plain_area", "synthesize", "variants"]

_REGISTER = "$_DFF_P_"
"""Name that Yosys gives a register that it did not map to a cell."""
_PREPARE = ("proc", "opt", "check -assert", "techmap", "opt")
_PREPARE_PARTS = ("check -assert", "simplemap")
"""Commands before mapping: for any module, and for the parts of a large design, which are two-input logic."""
_BATCH = 8
"""Parts of a large design that one run of Yosys maps."""


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


def synthesize(
    design: str, name: str, library: CellLibrary, *, top: str = "", timeout_s: float = 300.0
) -> Synthesis:
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
    top
        Name of a module around NAME_top; by default there is none.
    timeout_s
        Time limit of each Yosys run in seconds.

    Raises
    ------
    ToolError
        Yosys fails, times out, or does not write the expected files.
    PdkError
        The design has registers, but the library has no flip-flop.
    """
    texts = split_modules(design)
    parts = [module for module in texts if is_part(module)]
    if not parts:
        commands = (f"hierarchy -check -top {top or f'{name}_top'}", *_PREPARE)
        return _mapped(design, commands, MAPPING_RECIPES, library, timeout_s)
    return _mapped_in_parts(texts, parts, library, timeout_s)


def _mapped_in_parts(
    texts: Mapping[str, str], parts: Sequence[str], library: CellLibrary, timeout_s: float
) -> Synthesis:
    """Map the parts of a large design, several at once; the modules that connect them stay as they are."""
    wiring = sorted({whole_of_part(part) for part in parts})
    boxes = [black_box(texts[module]) for module in wiring]
    rest = [text for module, text in texts.items() if module not in wiring and module not in parts]
    batches = ["".join(texts[part] for part in parts[i : i + _BATCH]) for i in range(0, len(parts), _BATCH)]
    recipes = {PART_RECIPE: MAPPING_RECIPES[PART_RECIPE]}
    with ThreadPoolExecutor(processors()) as pool:
        every = [
            *(pool.submit(_mapped, batch, _PREPARE_PARTS, recipes, library, timeout_s) for batch in batches),
            pool.submit(
                _mapped, "".join([*boxes, *rest]), _PREPARE, MAPPING_RECIPES, library, timeout_s, wiring
            ),
        ]
        done = [each.result() for each in every]
    return Synthesis(
        "\n".join([*(each.netlist for each in done), *(texts[module] for module in wiring)]),
        {module: area for each in done for module, area in each.modules.items()},
        done[-1].yosys,
        "".join(each.log for each in done),
    )


@dataclass(frozen=True)
class Variant:
    """One mapping of a module: its Verilog text, and its area."""

    text: str
    area: ModuleArea


@dataclass(frozen=True)
class Variants:
    """All mappings of a design.

    Attributes
    ----------
    mapped
        Name of each recipe and of each module, and the mapping.
    yosys, log
        As in :class:`Synthesis`.
    """

    mapped: dict[str, dict[str, Variant]]
    yosys: str
    log: str

    def smallest(self) -> Synthesis:
        """Return the design of the smallest mapping of each module; ties go to the first recipe."""
        chosen = {
            module: min((each[module] for each in self.mapped.values()), key=lambda each: each.area.area)
            for module in next(iter(self.mapped.values()))
        }
        netlist = "\n".join(each.text for each in chosen.values())
        return Synthesis(
            netlist, {module: each.area for module, each in chosen.items()}, self.yosys, self.log
        )


def variants(
    design: str,
    name: str,
    library: CellLibrary,
    recipes: Mapping[str, str],
    liberty: str,
    *,
    timeout_s: float = 300.0,
) -> Variants:
    """Map each module of a design without parts with every recipe.

    Parameters
    ----------
    design, name, library, timeout_s
        As for :func:`synthesize`, whose errors are raised.
    recipes
        Names and ABC commands.
    liberty
        Text of a Liberty file of the library, with delays if recipes look at them.
    """
    commands = (f"hierarchy -check -top {name}_top", *_PREPARE)
    return _variants(design, commands, recipes, library, liberty, timeout_s)


def _mapped(
    design: str,
    prepare: Sequence[str],
    recipes: Mapping[str, str],
    library: CellLibrary,
    timeout_s: float,
    boxes: Sequence[str] = (),
) -> Synthesis:
    """Map all modules of a text but black boxes after the commands ``prepare``, each with the best recipe."""
    return _variants(design, prepare, recipes, library, library.liberty(), timeout_s, boxes).smallest()


def _variants(
    design: str,
    prepare: Sequence[str],
    recipes: Mapping[str, str],
    library: CellLibrary,
    liberty: str,
    timeout_s: float,
    boxes: Sequence[str] = (),
) -> Variants:
    """Return every mapping of all modules of a text but black boxes."""
    yosys = find_yosys()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "cells.lib").write_text(liberty)
        (folder / "design.v").write_text(design)
        for recipe, commands in recipes.items():
            (folder / f"{recipe}.abc").write_text("strash\n" + commands.replace("; ", "\n") + "\n")
        script = _mapping_script(prepare, recipes, library)
        log = yosys.run_script(script, timeout_s=timeout_s, cwd=folder)
        stats = {recipe: _stat(folder / f"stat_{recipe}.json", log, boxes) for recipe in recipes}
        netlists = {
            recipe: single_assigns((folder / f"netlist_{recipe}.v").read_text()) for recipe in recipes
        }
    found: dict[str, dict[str, Variant]] = {recipe: {} for recipe in recipes}
    for recipe, netlist in netlists.items():
        texts = split_modules(netlist)
        for module, cells in stats[recipe].items():
            if module not in texts:
                raise ToolError("yosys", f"its netlist has no module {module}", output=log)
            area = ModuleArea(_area(cells, library), cells, recipe)
            found[recipe][module] = Variant(texts[module], area)
    return Variants(found, yosys.origin, log)


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


def _mapping_script(prepare: Sequence[str], recipes: Iterable[str], library: CellLibrary) -> str:
    lines = [
        "read_verilog design.v",
        *prepare,
        *_flip_flops(library),
        "opt_clean -purge",
        "design -save prepared",
    ]
    for recipe in recipes:
        lines += [
            "design -load prepared",
            f"abc -liberty cells.lib -script {recipe}.abc",
            "opt_clean -purge",
            f"tee -q -o stat_{recipe}.json stat -json -liberty cells.lib",
            f"write_verilog -noattr -noexpr netlist_{recipe}.v",
        ]
    return "\n".join(lines)


def _flip_flops(library: CellLibrary) -> list[str]:
    return ["dfflibmap -liberty cells.lib"] if library.flip_flops else []


def _stat(path: Path, log: str, boxes: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Return the cell counts of each module but black boxes, without instances of modules.

    They are read from a file of ``stat -json``.
    """
    try:
        modules = json.loads(path.read_text())["modules"]
        counts = {m.lstrip("\\"): content["num_cells_by_type"] for m, content in modules.items()}
    except (OSError, ValueError, KeyError) as error:
        raise ToolError("yosys", f"its statistics cannot be read: {error!r}", output=log) from error
    return {
        module: {cell: int(n) for cell, n in cells.items() if cell.lstrip("\\") not in {*counts, *boxes}}
        for module, cells in counts.items()
        if module not in boxes
    }


def _area(cells: dict[str, int], library: CellLibrary) -> float:
    if _REGISTER in cells:
        library.require_flip_flop()
    return sum(n * library.cell(cell).area for cell, n in sorted(cells.items()))
