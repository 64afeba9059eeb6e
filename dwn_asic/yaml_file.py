"""YAML files checked against pydantic models; errors name the file, the key and the allowed values."""

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
    """Read a YAML mapping; raises ConfigError if the file is missing, unreadable or not a YAML mapping."""
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
    """Check ``content`` against ``model`` and return the model's instance.

    Parameters
    ----------
    model
        The pydantic model.
    content
        Keys and values to check.
    path
        File of the content, or the name of a function or section; the error message begins with it.

    Raises
    ------
    ConfigError
        The content is wrong; the error describes the first problem.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem, allowed = _explain(model, first, content)
        key = ".".join(map(str, _written(first["loc"], content)))
        raise ConfigError(path, key, problem, allowed) from error


def _written(location: tuple[int | str, ...], content: Any) -> tuple[int | str, ...]:
    """Return the location of an error as the file has it.

    Where the file has a single value in place of a list, the index in that list is left out.
    """
    for i, step in enumerate(location):
        if isinstance(content, dict | list):
            try:
                content = content[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):  # the key is missing, or the step is the tag of a union
                continue
        elif isinstance(step, int):
            return location[:i]
    return location


def _explain(model: type[BaseModel], error: ErrorDetails, content: Any) -> tuple[str, str]:
    """Return the problem and what is allowed, in terms of the file rather than of pydantic."""
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
    """Yield the field names of the model that applies to the content at ``location``.

    Where several models are possible, the one whose ``kind`` the content names applies. A notebook may define
    a model of the same kind repeatedly; the last definition applies.
    """
    here: list[type[BaseModel]] = [model]
    for step in location:
        fields = [m.model_fields[step] for m in here if isinstance(step, str) and step in m.model_fields]
        here = [found for field in fields for found in _models_of(field, content)] or here
        content = content[step]
        if isinstance(content, dict) and "kind" in content:
            here = [m for m in here if _tag(m) == content["kind"]][-1:] or here
    for m in here:  # excluded fields are set by code, never by a file
        yield from (name for name, field in m.model_fields.items() if not field.exclude)


def _models_of(field: FieldInfo, content: Any) -> Iterator[type[BaseModel]]:
    """Yield the possible models of a key: the one that its section chooses, or those of its annotation."""
    chosen = next((entry for entry in field.metadata if isinstance(entry, Chosen)), None)
    if chosen is not None:
        yield chosen.model(content)
    else:
        yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation, each followed by its subclasses, which may take its place."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for derived in annotation.__subclasses__():
            yield from _models_in(derived)
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _tag(model: type[BaseModel]) -> str | None:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation)[0] if kind is not None and get_args(kind.annotation) else None
