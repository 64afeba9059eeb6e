"""The section ``synthesis`` of a flow file."""

from __future__ import annotations

from dwn_asic.configuration import Positive, Strict

__all__ = ["SynthesisConfig"]


class SynthesisConfig(Strict):
    """PDK and tool limits."""

    pdk: str = "sky130hd"
    timeout_s: Positive = 300.0
