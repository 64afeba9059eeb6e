"""The section ``encoder`` of a flow file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Count, Strict

__all__ = ["EncoderConfig"]


class EncoderConfig(Strict):
    """Quantizer width and thermometer."""

    input_bits: Annotated[int, Field(ge=1, le=16)] = 8
    thermometer: Literal["distributive", "uniform", "gaussian"] = "distributive"
    bits: Count = 32
    """Thermometer bits per feature, at most."""
