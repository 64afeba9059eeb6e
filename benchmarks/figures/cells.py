"""The cells that all figures are in: sky130, as it is found on this machine or comes with the package."""

from __future__ import annotations

from functools import cache

from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.pdk import load_pdk

__all__ = ["cost"]


@cache
def cost() -> CellCost:
    """What circuits without registers cost."""
    return CellCost(load_pdk("sky130hd").library)
