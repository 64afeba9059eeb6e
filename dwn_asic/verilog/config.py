"""The section ``hardware`` of a flow file."""

from __future__ import annotations

from typing import Literal

from dwn_asic.configuration import Strict

__all__ = ["HardwareConfig"]


class HardwareConfig(Strict):
    """Structure of the Verilog around the classifier's logic."""

    registers: Literal["none", "inputs", "outputs", "both"] = "none"
    """Flip-flops of the top module: ``none`` for a combinational circuit without a clock, ``inputs`` to
    register the feature codes, ``outputs`` to register the class index, or ``both``. The latency is 0, 1, 1
    or 2 clock cycles, and the registers count towards the total area."""
