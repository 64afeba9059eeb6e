"""What all configuration models share: strict and immutable, with bounded numbers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Count", "Fraction", "Positive", "Strict", "as_list"]


Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]


Positive = Annotated[float, Field(gt=0.0)]


Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Immutable; an unknown key or a value of another type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def as_list(value: object) -> object:
    """A single number stands for a list of one."""
    return [value] if isinstance(value, int) else value
