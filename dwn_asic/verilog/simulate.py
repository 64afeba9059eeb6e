"""Event-driven simulation with Icarus Verilog: the independent look at design and netlist."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dwn_asic.errors import VerificationError
from dwn_asic.tools import find_tool, require_tool, run_tool
from dwn_asic.verilog.testbench import ALL_MATCH

__all__ = ["run_testbench", "simulator_installed"]


def simulator_installed() -> bool:
    """Whether :func:`run_testbench` has its tools."""
    return all(find_tool(name) is not None for name in ("iverilog", "vvp"))


def run_testbench(sources: Sequence[Path], top: str, *, timeout_s: float = 300.0) -> int:
    """Compile and run; gives the number of vectors, all of which matched.

    Raises
    ------
    ToolError
        iverilog is missing, or does not accept the sources.
    VerificationError
        A vector differs.
    """
    iverilog, vvp = require_tool("iverilog"), require_tool("vvp")
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "testbench.vvp"
        run_tool(
            "iverilog",
            [iverilog, "-g2005", "-s", top, "-o", compiled, *sources],
            timeout_s=timeout_s,
        )
        output = run_tool("vvp", [vvp, "-n", compiled], timeout_s=timeout_s)
    matched = re.search(rf"{ALL_MATCH} \((\d+)\)", output)
    if matched is None:
        first = next((line for line in output.splitlines() if line.startswith("FAIL")), output.strip())
        raise VerificationError(f"simulation of {top}: {first}")
    return int(matched[1])
