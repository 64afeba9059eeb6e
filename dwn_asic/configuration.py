"""What all configuration models share: strict and immutable, with bounded numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Chosen", "Count", "Fraction", "Positive", "Strict", "as_list"]


Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]


Positive = Annotated[float, Field(gt=0.0)]


Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Chosen:
    """Metadata of a key whose model depends on other keys of the same section.

    Attributes
    ----------
    model
        The model that the section's content asks for.
    """

    model: Callable[[Mapping[str, object]], type[BaseModel]]


class Strict(BaseModel):
    """Immutable; an unknown key or a value of another type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def as_list(value: object) -> object:
    """A single number stands for a list of one."""
    return [value] if isinstance(value, int) else value
