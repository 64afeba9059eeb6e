"""Areas and cell counts of a mapped design, as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dwn_asic.boolean.ports import whole_of_part
from dwn_asic.metrics import CORE, ENCODER, TOTAL, Metric, Shown, Size, lower, neutral
from dwn_asic.targets.asic.signoff.metrics import SHOWN

if TYPE_CHECKING:
    from dwn_asic.targets.asic.cell_library import CellLibrary
    from dwn_asic.targets.asic.yosys import ModuleArea

__all__ = ["METRICS", "SIZE", "area_metrics"]

_PARTS = {"core": "core", "encoder": "encoder", "registers": "top"}
"""Each part of a design, and the module whose cells (without those of submodules) make it up."""


def _declared() -> Iterator[Metric]:
    yield lower("design__instance__area", "um2", "Total area of the mapped cells: encoder, core, registers")
    yield lower("area__nand2_equivalent", "NAND2", "Total area in NAND2-equivalents")
    parts = {
        "core": "the core: the logic between thermometer bits and class index, head included",
        "encoder": "the encoder: the comparators between feature codes and thermometer bits",
        "registers": "the registers: the flip-flops at inputs and outputs, and between encoder and core",
    }
    for part, meaning in parts.items():
        yield lower(f"area__{part}", "um2", f"Area of the mapped cells of {meaning}")
        yield lower(f"area__{part}__nand2_equivalent", "NAND2", f"Area of the {part} in NAND2-equivalents")
    yield neutral("area__nand2", "um2", "Area of the NAND2 cell, the unit of NAND2-equivalents")
    yield lower("design__instance__count", "1", "Total number of mapped cells")
    for part in parts:
        yield lower(f"design__instance__count__{part}", "1", f"Number of mapped cells of the {part}")


METRICS = tuple(_declared())

SIZE = Size(
    unit="NAND2",
    words="NAND2-equivalents",
    noun="area",
    core=CORE,
    encoder=ENCODER,
    total=TOTAL,
    parts="core + encoder + registers",
    decimals=1,
    more=Shown("cells in total", "design__instance__count", 0),
    meaning=(
        "Area is the sum of the mapped cells' areas, before placement. The encoder holds the comparators "
        "that turn feature codes into thermometer bits; the core is the logic from those bits to the "
        "class; the total is core + encoder + registers, where the flow asks for registers. Columns in "
        "NAND2 show the area divided by that of the library's NAND2 cell (NAND2-equivalents). "
        "Delay is that of the critical path, with registers the shortest clock period; energy is that of an "
        "inference at this delay, for the test rows in their order, without glitches and, unless the library "
        "has a wire-load model, without wires. Both are estimates from fits where the PDK is not "
        "installed (`timing__estimated` is 1 in `result.json`)."
    ),
    detail=("um2", "area__core", "area__encoder", "design__instance__area"),
    beside=SHOWN,
)


def area_metrics(name: str, modules: Mapping[str, ModuleArea], library: CellLibrary) -> dict[str, float]:
    """Return the metrics of :data:`METRICS` for the modules NAME_core, NAME_encoder and NAME_top.

    The parts of a large module count as its own. A module that is missing in ``modules`` has no cells.
    """
    parts = {
        part: [area for each, area in modules.items() if whole_of_part(each) == f"{name}_{module}"]
        for part, module in _PARTS.items()
    }
    areas = {part: sum((each.area for each in own), 0.0) for part, own in parts.items()}
    cells = {part: sum(each.cell_count for each in own) for part, own in parts.items()}
    total = sum(areas.values())
    found: dict[str, float] = {
        "design__instance__area": total,
        "area__nand2_equivalent": library.nand2_equivalents(total),
        "area__nand2": library.nand2_area,
        "design__instance__count": sum(cells.values()),
    }
    for part, area in areas.items():
        found[f"area__{part}"] = area
        found[f"area__{part}__nand2_equivalent"] = library.nand2_equivalents(area)
        found[f"design__instance__count__{part}"] = cells[part]
    return found
