"""The section ``synthesis`` of a flow file with the target ``asic``."""

from __future__ import annotations

from typing import ClassVar

from dwn_asic.configuration import Growing, Positive

__all__ = ["SynthesisConfig"]


class SynthesisConfig(Growing):
    """Options of the target ``asic``: cells to map to, a clock period to aim at, a limit for the tools."""

    later: ClassVar[tuple[str, ...]] = ("clock_ns",)

    pdk: str = "sky130hd"
    """PDK configuration: a name (``NAME.yaml`` in a folder ``pdk_configs``) or the path of a YAML file. The
    default needs no installed PDK, since it comes with an embedded table of cells."""
    timeout_s: Positive = 300.0
    """Limit in seconds of processor time of each tool run (synthesis, proof, simulation), greater than 0. The
    default suffices for circuits of some thousand cells."""
    clock_ns: Positive | None = None
    """Clock period in ns that mapping aims at, greater than 0: several mappings are sized, and the smallest
    netlist that meets the period is kept, else the fastest; reports say by how much it misses. Without
    registers the period bounds the delay from inputs to outputs. By default circuits are mapped for area
    alone."""
