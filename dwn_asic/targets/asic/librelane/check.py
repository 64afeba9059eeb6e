"""Check of a design's configuration by LibreLane itself, where it is installed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.errors import ToolError
from dwn_asic.targets.asic.librelane.tools import librelane_interpreter
from dwn_asic.tools import run_tool

__all__ = ["LibreLaneCheck", "check_by_librelane"]

_PROGRAM = Path(__file__).with_name("load_configuration.py")
_MARKER = '{"librelane": '
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class LibreLaneCheck:
    """The result of loading a configuration.

    Attributes
    ----------
    version
        Version of LibreLane.
    keys
        Number of keys, all of which it knows with these values.
    steps
        Steps that were run; none without Verilator.
    metrics
        Metrics of these steps, such as the number of lint warnings.
    """

    version: str
    keys: int
    steps: tuple[str, ...]
    metrics: Mapping[str, int]


def check_by_librelane(files: Mapping[str, str], configuration: str) -> LibreLaneCheck:
    """Let LibreLane load a configuration, and run its steps that need no layout tool.

    Parameters
    ----------
    files
        Path and text of each file of the design.
    configuration
        Path of the configuration among them.

    Raises
    ------
    ToolError
        LibreLane is not installed, does not accept a key or a value, or a step fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        command: list[str | Path] = [librelane_interpreter(), "-P", _PROGRAM, folder / configuration]
        output = run_tool("librelane", command, timeout_s=_TIMEOUT_S, cwd=folder, marker=_MARKER)
    last = output.strip().splitlines()[-1]
    try:
        found = json.loads(last)
    except ValueError as error:
        raise ToolError("librelane", "its check ends without a result", tail=last, output=output) from error
    metrics = {name: value for name, value in found.items() if name.startswith("design__")}
    return LibreLaneCheck(found["librelane"], found["keys"], tuple(found["steps"]), metrics)
