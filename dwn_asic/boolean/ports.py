"""Port and module names: the one place that writes and parses them."""

from __future__ import annotations

import re

__all__ = ["CLASS_PORT", "CLOCK_PORT", "THERMOMETER_PORT", "feature_of_port", "feature_port", "identifier"]

CLASS_PORT = "class_index"
CLOCK_PORT = "clk"
THERMOMETER_PORT = "therm"


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
