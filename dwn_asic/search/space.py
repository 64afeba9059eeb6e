"""The search space: for each key of a flow file that is searched, the values that it may have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = [
    "Assignment",
    "Axis",
    "Choices",
    "Numbers",
    "Space",
    "applied",
    "corners",
    "including",
    "own",
    "read_axis",
]

_FORM = re.compile(r"\s*(log|one_of)\s*(\[.*\])\s*", re.DOTALL)
_ALLOWED = "[low, high] for a range, log[low, high], one_of[...], or a list of more values to choose from"
_EXCLUSIVE = {"model.pyramid": ("layers", "head"), "model.layers": ("pyramid",)}
"""Keys of the same section that a key replaces."""


@dataclass(frozen=True)
class Choices:
    """Values of any kind to choose from, at least one.

    Attributes
    ----------
    texts
        The values as JSON. The text ``null`` stands for the value that the flow has itself.
    """

    texts: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[object]) -> Choices:
        """Return the choice among values as YAML has them, each once."""
        return cls(tuple(dict.fromkeys(json.dumps(value, sort_keys=True) for value in values)))

    def value(self, found: str) -> Any:
        """Return the value of a text."""
        return json.loads(found)

    @property
    def shown(self) -> str:
        """The values for people."""
        return f"one of {', '.join(self.texts)}"


@dataclass(frozen=True)
class Numbers:
    """A range of numbers, both ends included.

    Attributes
    ----------
    low, high
        The ends.
    whole
        Whether the numbers are integers.
    log
        Whether all orders of magnitude are equally likely.
    """

    low: float
    high: float
    whole: bool
    log: bool = False

    def value(self, found: float) -> float | int:
        """Return a number of the range, an integer if it is one of integers."""
        return round(found) if self.whole else float(found)

    @property
    def shown(self) -> str:
        """The range for people."""
        kind = "integers" if self.whole else "numbers"
        return f"{kind} from {self.low:g} to {self.high:g}{', by orders of magnitude' if self.log else ''}"


Axis = Choices | Numbers
Space = Mapping[str, Axis]
"""Axis of each key, which is a dotted path such as ``encoder.bits``."""
Assignment = Mapping[str, Any]
"""Value of each key of a space, as an axis has it: JSON texts of choices, or numbers."""


def read_axis(value: object) -> Axis:
    """Return the axis that a value in a flow file describes.

    A list of two different numbers is a range; ``log[low, high]`` is one by orders of magnitude. Any other
    list, and ``one_of[...]``, holds values to choose from.

    Raises
    ------
    ValueError
        It is none of these; the message says what is allowed.

    Examples
    --------
    >>> read_axis([2, 64])
    Numbers(low=2, high=64, whole=True, log=False)
    >>> read_axis("log[0.001, 0.1]").shown
    'numbers from 0.001 to 0.1, by orders of magnitude'
    >>> read_axis([[6, 4], [4, 4, 4]]).texts
    ('[6, 4]', '[4, 4, 4]')
    """
    form = ""
    if isinstance(value, str) and (match := _FORM.fullmatch(value)) is not None:
        form, value = match[1], _parsed(match[2])
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(_ALLOWED)
    if form == "one_of" or not _is_range(value):
        if form == "log":
            raise ValueError("log[low, high] with two ascending numbers above 0")
        return Choices.of(value)
    low, high = value
    if low >= high or (form == "log" and low <= 0):
        raise ValueError(f"{form}[low, high] with two ascending numbers{' above 0' * (form == 'log')}")
    return Numbers(low, high, all(isinstance(end, int) for end in value), form == "log")


def _parsed(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(_ALLOWED) from error


def _is_range(values: Sequence[object]) -> bool:
    return len(values) == 2 and all(_is_number(value) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def own(space: Space, content: Mapping[str, Any]) -> Assignment:
    """Return the flow's own value on each axis, given the content of its file with all defaults.

    Raises
    ------
    ValueError
        The flow has no number at a key of which a range is searched; the message names the key.
    """
    found: dict[str, Any] = {}
    for key, axis in space.items():
        value = _at(content, key)
        if isinstance(axis, Choices):
            text = json.dumps(value, sort_keys=True)
            found[key] = text if text in axis.texts else "null"
        elif _is_number(value):
            found[key] = value
        else:
            raise ValueError(f"{key}: the flow has {value!r} there, so list values instead of a range")
    return found


def including(space: Space, content: Mapping[str, Any]) -> Space:
    """Return the space widened so that it holds the flow's own values; raises as :func:`own`."""
    wide: dict[str, Axis] = {}
    for key, value in own(space, content).items():
        axis = space[key]
        if isinstance(axis, Choices):
            texts = axis.texts if value in axis.texts else (*axis.texts, value)
            wide[key] = Choices(texts)
        else:
            whole = axis.whole and float(value).is_integer()
            wide[key] = Numbers(min(axis.low, value), max(axis.high, value), whole, axis.log)
    return wide


def applied(content: Mapping[str, Any], space: Space, assignment: Assignment) -> dict[str, Any]:
    """Return the content of a flow file with the values of an assignment.

    A choice of ``null`` leaves the key as it is. ``model.pyramid`` takes the place of ``model.layers`` and
    the other way round.
    """
    changed = dict(content)
    for key, found in assignment.items():
        value = space[key].value(found)
        if value is None:
            continue
        *sections, last = key.split(".")
        here = changed
        for section in sections:
            inner = here.get(section)
            here[section] = dict(inner) if isinstance(inner, Mapping) else {}
            here = here[section]
        for other in _EXCLUSIVE.get(key, ()):
            here.pop(other, None)
        here[last] = value
    return changed


def corners(space: Space) -> Iterator[tuple[str, Assignment]]:
    """Yield each key with an assignment of it alone: every choice, and both ends of every range."""
    for key, axis in space.items():
        values = axis.texts if isinstance(axis, Choices) else (axis.low, axis.high)
        for value in values:
            yield key, {key: value}


def _at(content: Mapping[str, Any], key: str) -> Any:
    """Return the value at a dotted path, None where there is none."""
    here: Any = content
    for part in key.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here
