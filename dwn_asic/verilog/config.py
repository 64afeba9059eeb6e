"""The section ``hardware`` of a flow file."""

from __future__ import annotations

from typing import Literal

from dwn_asic.configuration import Strict

__all__ = ["HardwareConfig"]


class HardwareConfig(Strict):
    """Shape of the Verilog."""

    registers: Literal["none", "inputs", "outputs", "both"] = "none"
