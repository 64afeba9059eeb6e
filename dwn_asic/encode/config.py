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

    Keys that are left out are determined by ``scaling``, given the other keys.
    """

    lo: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Feature value of code 0. By default the smallest training value; with ``scaling: codes``, 0."""
    step: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    """Difference between the feature values of neighbouring codes, greater than 0. By default it is fitted to
    the training values; with ``scaling: codes``, it is 1."""
    bits: CodeBits | None = None
    """Width of the code in bits, 1 to 16. By default as many bits as the training values need, at most
    ``input_bits``; with ``scaling: codes``, ``input_bits``."""

    @model_validator(mode="after")
    def _sets_a_key(self) -> FeatureScaling:
        if not self.model_fields_set:
            raise ValueError("at least one of lo, step and bits")
        return self


class QuantizerConfig(Strict):
    """Quantization of feature values to the integer codes that the chip reads."""

    input_bits: CodeBits = 8
    """Width of the codes in bits, 1 to 16: with ``scaling: fitted`` the maximum, since features that need
    fewer bits get fewer; with ``scaling: codes`` the width of every code. More bits allow finer thresholds,
    fewer bits make comparators smaller."""
    scaling: Scaling = "fitted"
    """``fitted`` spreads the codes over the range of the training values. ``codes`` means that values are
    codes already, for example of an ADC; a value that is not an integer from 0 to 2**input_bits - 1 is then
    an error. In both cases text columns have the codes of their categories."""
    features: Mapping[str, FeatureScaling] = {}
    """Scaling of individual numeric features, by name; it takes precedence over ``scaling`` and
    ``input_bits``. By default there are none."""


class EncoderConfig(QuantizerConfig):
    """Encoding of feature values as integer codes (quantizer) and as thermometer bits."""

    thermometer: Literal["distributive", "uniform", "gaussian"] = "distributive"
    """Rule that places the thresholds of a feature: ``distributive`` at equal shares of the training rows,
    ``uniform`` at equal distances over the training range, ``gaussian`` at the quantiles of a normal
    distribution with the training mean and deviation. The default adapts to any distribution of values."""
    bits: Count = 32
    """Maximum number of thermometer bits (thresholds) per feature, at least 1; features with few distinct
    codes get fewer. More bits let training choose among finer thresholds."""

    @property
    def quantizer(self) -> QuantizerConfig:
        """Keys that determine the codes, without those of the thermometer."""
        return QuantizerConfig(input_bits=self.input_bits, scaling=self.scaling, features=self.features)

    @property
    def thermometer_only(self) -> EncoderConfig:
        """The section without scaling, for a method, whose features are the codes of the data set."""
        return self.model_copy(update={"scaling": "fitted", "features": {}})


def _without_scaling(value: EncoderConfig) -> EncoderConfig:
    if value.scaling != "fitted" or value.features:
        raise ValueError(
            "only without scaling and features, since every method reads the codes of the data set"
        )
    return value


ThermometerOnly = Annotated[EncoderConfig, AfterValidator(_without_scaling)]
"""Section ``encoder`` of a method, which cannot change the codes of the data set."""
