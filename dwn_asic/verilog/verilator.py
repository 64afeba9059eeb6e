"""Simulation with Verilator, which compiles Verilog to C++: a second simulator of a testbench."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from dwn_asic.tools import require_tool, run_tool
from dwn_asic.verilog.simulate import matching_vectors

__all__ = ["run_verilated"]


def run_verilated(sources: Mapping[str, str], top: str, *, timeout_s: float = 300.0) -> int:
    """Compile and run a testbench with Verilator; returns the number of vectors, all of which matched.

    The compiler takes some ten seconds for a small circuit, and minutes for thousands of cells.

    Parameters
    ----------
    sources, top, timeout_s
        As in :func:`dwn_asic.verilog.simulate.run_testbench`, which also defines the errors.
    """
    verilator = require_tool("verilator")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, text in sources.items():
            (folder / name).write_text(text, encoding="utf-8")
        # The program runs for a moment only, so optimizing it would not pay.
        options = ["--binary", "--timing", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-CFLAGS", "-O0"]
        run_tool(
            "verilator",
            [verilator, *options, "--top-module", top, "--Mdir", "made", "-o", "simulation", *sources],
            timeout_s=timeout_s,
            cwd=folder,
        )
        output = run_tool("verilator", [folder / "made" / "simulation"], timeout_s=timeout_s)
    return matching_vectors(output, top)
