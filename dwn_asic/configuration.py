"""The base of all configuration models, which are strict and immutable, and types for bounded numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Chosen", "Count", "Fraction", "Positive", "Strict", "as_list"]


Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
"""A number between 0 and 1, both excluded."""


Positive = Annotated[float, Field(gt=0.0)]
"""A number greater than 0."""


Count = Annotated[int, Field(ge=1)]
"""An integer of at least 1."""


@dataclass(frozen=True)
class Chosen:
    """Field metadata for a key whose model depends on other keys of the same section.

    Attributes
    ----------
    model
        Function that returns the key's model, given the content of the section.
    """

    model: Callable[[Mapping[str, object]], type[BaseModel]]


class Strict(BaseModel):
    """Base of all configuration models: immutable; an unknown key or a value of a wrong type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def as_list(value: object) -> object:
    """Return a single number as a list of one, and any other value unchanged."""
    return [value] if isinstance(value, int | float) else value
