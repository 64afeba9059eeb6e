"""The section ``synthesis`` of a flow file with the target ``asic``."""

from __future__ import annotations

from dwn_asic.configuration import Positive, Strict

__all__ = ["SynthesisConfig"]


class SynthesisConfig(Strict):
    """Options of the target ``asic``: the cells to map to, and a limit for the tools."""

    pdk: str = "sky130hd"
    """PDK configuration: a name (``NAME.yaml`` in a folder ``pdk_configs``) or the path of a YAML file. The
    default needs no installed PDK, since it comes with an embedded table of cells."""
    timeout_s: Positive = 300.0
    """Time limit in seconds of each tool run (synthesis, proof, simulation), greater than 0. The default
    suffices for circuits of some thousand cells."""
