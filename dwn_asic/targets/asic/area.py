"""Areas and cell counts of a mapped design, and the names under which reports have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dwn_asic.metrics import Metric, lower, neutral

if TYPE_CHECKING:
    from dwn_asic.targets.asic.cell_library import CellLibrary
    from dwn_asic.targets.asic.yosys import ModuleArea

__all__ = ["METRICS", "area_metrics"]

_PARTS = {"core": "core", "encoder": "encoder", "registers": "top"}
"""Part -> the module whose own cells it is."""


def _declared() -> Iterator[Metric]:
    yield lower("design__instance__area", "um2", "Mapped cell area in all: encoder, core, registers")
    yield lower("area__nand2_equivalent", "NAND2", "The same in NAND2 cells: encoder, core, registers")
    parts = {
        "core": "the LUT logic between thermometer bits and class bits, head included",
        "encoder": "the comparators that make thermometer bits of feature codes",
        "registers": "the flip-flops at inputs and outputs",
    }
    for part, meaning in parts.items():
        yield lower(f"area__{part}", "um2", f"Mapped cell area of {meaning}")
        yield lower(f"area__{part}__nand2_equivalent", "NAND2", f"The same in NAND2 cells: {part}")
    yield neutral("area__nand2", "um2", "Area of the NAND2 cell that equivalents are counted in")
    yield lower("design__instance__count", "1", "Mapped cells in all")
    for part in parts:
        yield lower(f"design__instance__count__{part}", "1", f"Mapped cells: {part}")


METRICS = tuple(_declared())


def area_metrics(name: str, modules: Mapping[str, ModuleArea], library: CellLibrary) -> dict[str, float]:
    """Every metric of :data:`METRICS` of a design NAME with modules NAME_core, NAME_encoder and NAME_top.

    A module that Yosys left out has no cells of its own.
    """
    from dwn_asic.targets.asic.yosys import ModuleArea

    empty = ModuleArea(0.0, {}, "")
    parts = {part: modules.get(f"{name}_{module}", empty) for part, module in _PARTS.items()}
    total = sum(part.area for part in parts.values())
    found: dict[str, float] = {
        "design__instance__area": total,
        "area__nand2_equivalent": library.nand2_equivalents(total),
        "area__nand2": library.nand2_area,
        "design__instance__count": sum(part.cell_count for part in parts.values()),
    }
    for part, area in parts.items():
        found[f"area__{part}"] = area.area
        found[f"area__{part}__nand2_equivalent"] = library.nand2_equivalents(area.area)
        found[f"design__instance__count__{part}"] = area.cell_count
    return found
