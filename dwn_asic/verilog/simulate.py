"""Event-driven simulation with Icarus Verilog, an independent check of design and netlist."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dwn_asic.errors import VerificationError
from dwn_asic.tools import find_tool, require_tool, run_tool
from dwn_asic.verilog.testbench import ALL_MATCH

__all__ = ["matching_vectors", "run_testbench", "simulator_installed"]


def simulator_installed() -> bool:
    """Return whether the tools of :func:`run_testbench` are installed."""
    return all(find_tool(name) is not None for name in ("iverilog", "vvp"))


def run_testbench(sources: Mapping[str, str], top: str, *, timeout_s: float = 300.0) -> int:
    """Compile and run a testbench; returns the number of vectors, all of which matched.

    Parameters
    ----------
    sources
        File name -> Verilog text.
    top
        Module name of the testbench.
    timeout_s
        Limit of each tool run in seconds.

    Raises
    ------
    ToolError
        iverilog is missing or rejects the sources, or a run fails or exceeds its time limit.
    VerificationError
        The output of a vector differs from the expected class index.
    """
    iverilog, vvp = require_tool("iverilog"), require_tool("vvp")
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "testbench.vvp"
        for name, text in sources.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        run_tool(
            "iverilog",
            [iverilog, "-g2005", "-s", top, "-o", compiled, *sources],
            timeout_s=timeout_s,
            cwd=Path(folder),
        )
        output = run_tool("vvp", [vvp, "-n", compiled], timeout_s=timeout_s)
    return matching_vectors(output, top)


def matching_vectors(output: str, top: str) -> int:
    """Return the number of vectors that a testbench reports; raises VerificationError if one failed."""
    matched = re.search(rf"{ALL_MATCH} \((\d+)\)", output)
    if matched is None:
        first = next((line for line in output.splitlines() if line.startswith("FAIL")), output.strip())
        raise VerificationError(f"simulation of {top}: {first}")
    return int(matched[1])
