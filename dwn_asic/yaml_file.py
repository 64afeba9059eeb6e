"""YAML files that people write, checked against a pydantic model: errors name file, key, allowed values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from dwn_asic.configuration import Chosen
from dwn_asic.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["load_yaml", "validate"]

Model = TypeVar("Model", bound=BaseModel)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; raises ConfigError when it is missing, unreadable or something else."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, "", f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(path, "", f"not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(path, "", "must be a mapping of keys to values")
    return content


def validate(model: type[Model], content: dict[str, Any], path: Path | str) -> Model:
    """Check ``content`` against ``model``; the first problem becomes a ConfigError.

    Parameters
    ----------
    model, content
        What is allowed, and what is there.
    path
        The file, or whatever else the content is of: errors begin with it.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem, allowed = _explain(model, first, content)
        key = ".".join(map(str, _written(first["loc"], content)))
        raise ConfigError(path, key, problem, allowed) from error


def _written(location: tuple[int | str, ...], content: Any) -> tuple[int | str, ...]:
    """The location without the place in a list that the file gives as a single value."""
    for i, step in enumerate(location):
        if isinstance(content, dict | list):
            try:
                content = content[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):  # a missing key, or the tag of a union
                continue
        elif isinstance(step, int):
            return location[:i]
    return location


def _explain(model: type[BaseModel], error: ErrorDetails, content: Any) -> tuple[str, str]:
    """The problem and what is allowed, in the words of the file's author."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", ", ".join(_keys_at(model, error["loc"][:-1], content))
    if kind == "missing":
        return "missing", "this key is required"
    if kind == "literal_error":
        return f"is {error['input']!r}", str(context["expected"])
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return "unknown or missing 'kind'", str(context.get("expected_tags", "see the documentation"))
    message = error["msg"].removeprefix("Value error, ")
    return f"is {error['input']!r}", message[0].lower() + message[1:]


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...], content: Any) -> Iterator[str]:
    """Field names of the model that the content has at ``location``.

    Of several, of the one of its kind; a notebook may define that again and again, and the last one counts.
    """
    here: list[type[BaseModel]] = [model]
    for step in location:
        fields = [m.model_fields[step] for m in here if isinstance(step, str) and step in m.model_fields]
        here = [found for field in fields for found in _models_of(field, content)] or here
        content = content[step]
        if isinstance(content, dict) and "kind" in content:
            here = [m for m in here if _tag(m) == content["kind"]][-1:] or here
    for m in here:  # without what no file says
        yield from (name for name, field in m.model_fields.items() if not field.exclude)


def _models_of(field: FieldInfo, content: Any) -> Iterator[type[BaseModel]]:
    """The models of a key: the one that the content around it chooses, or those of its annotation."""
    chosen = next((entry for entry in field.metadata if isinstance(entry, Chosen)), None)
    if chosen is not None:
        yield chosen.model(content)
    else:
        yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models of an annotation, each with those that are derived from it and may stand in its place."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for derived in annotation.__subclasses__():
            yield from _models_in(derived)
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _tag(model: type[BaseModel]) -> str | None:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation)[0] if kind is not None and get_args(kind.annotation) else None
