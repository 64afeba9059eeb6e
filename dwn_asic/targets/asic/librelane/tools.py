"""LibreLane and the programs that it runs, and which of them are missing."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from dwn_asic.errors import ToolError
from dwn_asic.tools import find_tool

__all__ = ["OVERRIDE", "librelane_interpreter", "missing_tools"]

OVERRIDE = "DWN_ASIC_LIBRELANE_PYTHON"
"""Environment variable with the Python interpreter of an environment that has LibreLane."""
_PROGRAMS = {"openroad": "OpenROAD", "yosys": "Yosys", "magic": "Magic", "netgen": "Netgen"}


def librelane_interpreter() -> Path:
    """Return the interpreter that LibreLane is installed for; raises ToolError if there is none."""
    override = os.environ.get(OVERRIDE)
    if override:
        found = find_tool(override)
        if found is None:
            raise ToolError("librelane", f"{OVERRIDE} is {override!r}, which is not an executable program")
        return found
    spec = importlib.util.find_spec("librelane")
    if spec is None or spec.origin is None:  # without an origin it is some folder of this name
        problem = f"is not installed: pip install 'dwn-asic[librelane]', or set {OVERRIDE}"
        raise ToolError("librelane", problem)
    return Path(sys.executable)


def missing_tools() -> tuple[str, ...]:
    """Return the names of the programs that LibreLane runs and that are not installed."""
    return tuple(name for program, name in _PROGRAMS.items() if find_tool(program) is None)
