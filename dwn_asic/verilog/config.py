"""The section ``hardware`` of a flow file."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dwn_asic.configuration import Growing, Positive

__all__ = ["HardwareConfig"]

Side = Literal["north", "south", "east", "west"]
"""A side of a die."""


class HardwareConfig(Growing):
    """Structure of the Verilog around the classifier's logic, and the clock that it must run at."""

    later: ClassVar[tuple[str, ...]] = ("pipeline", "clock_ns", "pins")

    registers: Literal["none", "inputs", "outputs", "both"] = "none"
    """Flip-flops of the top module: ``none`` for a combinational circuit without a clock, ``inputs`` to
    register the feature codes, ``outputs`` to register the class index, or ``both``. The latency is 0, 1, 1
    or 2 clock cycles, and the registers count towards the total area."""
    pipeline: bool = False
    """Register between encoder and core, for the thermometer bits: by default there is none. It divides the
    longest path in two, adds one clock cycle to the latency, and counts towards the area of the registers."""
    clock_ns: Positive | None = None
    """Clock period in ns that the circuit must meet, greater than 0: the data sheet, ``dwn-asic signoff`` and
    the metrics report the slack. Without registers it bounds the delay from inputs to outputs. It does not
    change the circuit; ``synthesis.clock_ns`` does. By default there is none."""
    pins: dict[Side, Annotated[tuple[str, ...], Field(strict=False)]] = Field(default={})
    """Ports at each side of the die of a layout (``dwn-asic gds``), as lists of names of ports or bits, where
    ``*`` stands for any text: ``{west: ["x*"], east: [class_index]}``. The other ports take the north and the
    south, where their wires are shortest."""
