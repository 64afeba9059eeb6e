"""Port and module names: the one place that writes and parses them."""

from __future__ import annotations

import re

__all__ = [
    "CLASS_PORT",
    "CLOCK_PORT",
    "PART_INPUTS",
    "PART_OUTPUTS",
    "THERMOMETER_PORT",
    "feature_of_port",
    "feature_port",
    "identifier",
    "is_part",
    "part_instance",
    "part_module",
    "whole_of_part",
]

CLASS_PORT = "class_index"
CLOCK_PORT = "clk"
THERMOMETER_PORT = "therm"
_PART = re.compile(r"(\w+_(?:core|encoder))_part\d+")
PART_INPUTS, PART_OUTPUTS = "a", "y"
"""Ports of a part of a large module."""


def identifier(text: str) -> str:
    """Return ``text`` as part of a Verilog identifier: letters, digits and single underscores."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "unnamed"


def feature_port(index: int, name: str) -> str:
    """Return the port name of a feature's code; the index makes it unique and can be parsed."""
    return f"x{index}_{identifier(name)}"


def feature_of_port(port: str) -> int | None:
    """Return the feature index of a name from :func:`feature_port`, None for any other port."""
    found = re.match(r"x(\d+)_", port)
    return int(found[1]) if found else None


def part_module(module: str, index: int) -> str:
    """Return the name of a part of a large module."""
    return f"{module}_part{index}"


def is_part(module: str) -> bool:
    """Return whether a name is from :func:`part_module`."""
    return _PART.fullmatch(module) is not None


def whole_of_part(part: str) -> str:
    """Return the name of the module that a part belongs to."""
    found = _PART.fullmatch(part)
    return found[1] if found else part


def part_instance(index: int) -> str:
    """Return the name of the instance of a part."""
    return f"part{index}"
