"""The base of all configuration models, which are strict and immutable, and types for bounded numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

__all__ = ["Chosen", "Count", "Fraction", "Growing", "Positive", "Strict", "as_list"]


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


class Growing(Strict):
    """Base of models that got further keys later, which a dump leaves out while they have their defaults.

    So what was made before the keys existed, and does not use them, stays up to date.

    Attributes
    ----------
    later
        Names of the further keys.
    """

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        # With a type of the result, the JSON schema would not name the keys.
        fields = type(self).model_fields
        unused = {
            name
            for name in self.later
            if getattr(self, name) == fields[name].get_default(call_default_factory=True)
        }
        content: dict[str, Any] = dump(self)
        return {name: value for name, value in content.items() if name not in unused}


def as_list(value: object) -> object:
    """Return a single number as a list of one, and any other value unchanged."""
    return [value] if isinstance(value, int | float) else value
