"""The section ``encoder`` of a flow file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dwn_asic.configuration import Count, Strict

__all__ = [
    "CodeBits",
    "EncoderConfig",
    "FeatureScaling",
    "QuantizerConfig",
    "Scaling",
    "ThermometerOnly",
]

Scaling = Literal["fitted", "codes"]

CodeBits = Annotated[int, Field(ge=1, le=16)]


class FeatureScaling(Strict):
    """Scaling of one numeric feature: ``code = (value - lo) / step``, rounded and clipped to ``bits`` bits.

    A key that is left out is what ``scaling`` makes of it, given the others.
    """

    lo: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Value of code 0."""
    step: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    """Difference of values between neighbouring codes."""
    bits: CodeBits | None = None
    """Width of the code, exactly."""

    @model_validator(mode="after")
    def _says_something(self) -> FeatureScaling:
        if not self.model_fields_set:
            raise ValueError("one at least of lo, step, bits")
        return self


class QuantizerConfig(Strict):
    """The way from a feature's values to the codes that the chip reads."""

    input_bits: CodeBits = 8
    """Width of a code: the widest with ``scaling: fitted``, every one with ``scaling: codes``."""
    scaling: Scaling = "fitted"
    """``fitted``: the training rows' range is spread over the codes. ``codes``: a value is its code already,
    as an ADC delivers it; anything but an integer from 0 to 2**input_bits - 1 is an error. Text columns have
    the codes of their categories either way."""
    features: Mapping[str, FeatureScaling] = {}
    """Scaling of single features, by name."""


class EncoderConfig(QuantizerConfig):
    """Quantizer and thermometer."""

    thermometer: Literal["distributive", "uniform", "gaussian"] = "distributive"
    """The rule by which thresholds are placed."""
    bits: Count = 32
    """Thermometer bits per feature, at most."""

    @property
    def quantizer(self) -> QuantizerConfig:
        """The keys that decide the codes, without those of the thermometer."""
        return QuantizerConfig(input_bits=self.input_bits, scaling=self.scaling, features=self.features)

    @property
    def thermometer_only(self) -> EncoderConfig:
        """The section without the scaling, for a method: features have the data set's codes."""
        return self.model_copy(update={"scaling": "fitted", "features": {}})


def _without_scaling(value: EncoderConfig) -> EncoderConfig:
    if value.scaling != "fitted" or value.features:
        raise ValueError("no scaling and features here: every method reads the data set's codes")
    return value


ThermometerOnly = Annotated[EncoderConfig, AfterValidator(_without_scaling)]
"""The section ``encoder`` of a method, which decides no codes."""
