"""Checks by other tools than those of the required proofs: second readers, a second prover, simulators.

They repeat what the required proofs have shown, so no result depends on them, nor on the tools that are
installed. :data:`CROSS_CHECKS` lists them all; to add one, add an entry.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dwn_asic.equivalence.check import EQUAL, Check, abc_prover, check_equal
from dwn_asic.errors import ToolTimeoutError
from dwn_asic.targets.asic.yosys_proof import prove_netlist
from dwn_asic.targets.base import Depth, Implementation, Specification
from dwn_asic.tools import find_tool, find_yosys, tool_version
from dwn_asic.verilog.simulate import run_testbench
from dwn_asic.verilog.verilator import run_verilated
from dwn_asic.verilog.yosys_reader import read_by_yosys

if TYPE_CHECKING:
    from dwn_asic.targets.asic.target import AsicTarget

__all__ = ["CROSS_CHECKS", "CrossCheck", "cross_checks"]

_DESIGN, _NETLIST, _CELLS, _BENCH = "design.v", "netlist.v", "cells.v", "testbench.v"
_CELL_COUNT = "design__instance__count"
_MOST_CELLS = 1000
"""Maximum number of cells for checks of depth ``usual``: those take at most about a second."""


@dataclass(frozen=True)
class CrossCheck:
    """A check by another tool.

    Attributes
    ----------
    what, how, stage
        As in :class:`dwn_asic.equivalence.check.Check`.
    depth
        Smallest depth of verification that it is part of.
    run
        Function of target, implementation and specification that returns the number of rows compared, 0 for
        a proof. It raises VerificationError if there is a difference.
    tool
        Function that names the tool with its version.
    needs
        Optional programs that must be installed.
    in_modules
        Whether it can handle large circuits, which are verified module by module.
    assumes
        Function of the target that returns the only inputs that the check covers.
    """

    what: str
    how: str
    stage: str
    depth: Depth
    run: Callable[[AsicTarget, Implementation, Specification], int]
    tool: Callable[[], str]
    needs: tuple[str, ...] = ()
    in_modules: bool = False
    assumes: Callable[[AsicTarget], str] = lambda _: ""

    def checked(
        self, target: AsicTarget, built: Implementation, wanted: Specification, depth: Depth
    ) -> Check:
        """Return the result, or why there is none; raises VerificationError if there is a difference."""
        obstacle = self._obstacle(built, wanted, depth)
        if obstacle:
            return Check(self.what, self.how, 0, 0.0, self.stage, verdict=f"not run: {obstacle}")
        start, size, verdict = time.perf_counter(), 0, EQUAL
        try:
            size = self.run(target, built, wanted)
        except ToolTimeoutError:
            verdict = f"not finished in {target.timeout_s:g} s"
        seconds = time.perf_counter() - start
        assumes = self.assumes(target)
        return Check(self.what, self.how, size, seconds, self.stage, self.tool(), assumes, verdict)

    def _obstacle(self, built: Implementation, wanted: Specification, depth: Depth) -> str:
        """Return why the check is not run; empty if it is."""
        missing = [name for name in self.needs if find_tool(name) is None]
        cells = built.metrics.get(_CELL_COUNT, 0)
        if missing:
            return f"{missing[0]} is not installed"
        if wanted.circuit.is_large and not self.in_modules:
            return "it takes too long"
        if depth == "usual" and cells > _MOST_CELLS:
            return f"{cells:.0f} cells, more than {_MOST_CELLS}; dwn-asic prove runs it"
        return ""


def cross_checks(
    target: AsicTarget, built: Implementation, wanted: Specification, depth: Depth
) -> Iterator[Check]:
    """Run the checks of depth ``basic``, or those that a greater depth adds to them.

    Raises
    ------
    VerificationError
        A tool finds a difference.
    ToolError
        A tool fails.
    """
    included: Mapping[Depth, tuple[Depth, ...]] = {
        "basic": ("basic",),
        "usual": ("usual",),
        "full": ("usual", "full"),
    }
    for each in CROSS_CHECKS:
        if each.depth in included[depth]:
            yield each.checked(target, built, wanted, depth)


# ---- the checks --------------------------------------------------------------------------------------------
def _read_by_yosys(target: AsicTarget, built: Implementation, wanted: Specification) -> int:
    circuit, top = wanted.circuit, f"{built.name}_top"
    graph = read_by_yosys(
        built.files[_DESIGN],
        _DESIGN,
        top,
        circuit.core.interface,
        target.latency,
        timeout_s=target.timeout_s,
    )
    check_equal("graph == Verilog read by Yosys", circuit.graph, graph, timeout_s=target.timeout_s)
    return 0


def _proved_by_yosys(target: AsicTarget, built: Implementation, _: Specification) -> int:
    with tempfile.TemporaryDirectory() as folder:
        liberty = target.cells.liberty
        if not liberty:
            liberty = (Path(folder) / "cells.lib",)
            target.cells.library.write_liberty(liberty[0])
        prove_netlist(
            built.files[_DESIGN],
            built.files[_NETLIST],
            f"{built.name}_top",
            liberty,
            target.latency,
            timeout_s=target.timeout_s,
        )
    return 0


def _filled(target: AsicTarget) -> str:
    cycles = target.latency
    return f"in each cycle after the first {cycles}, from any state of the registers" if cycles else ""


def _simulated(files: tuple[str, ...], target: AsicTarget, built: Implementation, _: Specification) -> int:
    sources = {file: built.files[file] for file in files}
    return run_testbench(sources, f"{built.name}_tb", timeout_s=target.timeout_s)


def _compiled(target: AsicTarget, built: Implementation, _: Specification) -> int:
    sources = {file: built.files[file] for file in (_BENCH, _NETLIST, _CELLS)}
    return run_verilated(sources, f"{built.name}_tb", timeout_s=target.timeout_s)


def _icarus() -> str:
    return tool_version("iverilog").partition("(")[0].strip()


CROSS_CHECKS = (
    CrossCheck(
        "testbench passes on Verilog",
        "simulation",
        "Verilog -> simulation",
        "basic",
        partial(_simulated, (_BENCH, _DESIGN)),
        _icarus,
        needs=("iverilog", "vvp"),
    ),
    CrossCheck(
        "testbench passes on netlist",
        "simulation",
        "netlist -> simulation",
        "basic",
        partial(_simulated, (_BENCH, _NETLIST, _CELLS)),
        _icarus,
        needs=("iverilog", "vvp"),
    ),
    CrossCheck(
        "graph == Verilog read by Yosys",
        "proof",
        "minimized -> Verilog",
        "usual",
        _read_by_yosys,
        lambda: f"read by Yosys, {find_yosys().origin}; {abc_prover()}",
    ),
    CrossCheck(
        "Verilog == netlist in Yosys",
        "proof",
        "Verilog -> netlist",
        "usual",
        _proved_by_yosys,
        lambda: f"Yosys alone (sat; large modules after its ABC), {find_yosys().origin}",
        in_modules=True,
        assumes=_filled,
    ),
    CrossCheck(
        "testbench passes on netlist in Verilator",
        "simulation",
        "netlist -> simulation",
        "full",
        _compiled,
        lambda: tool_version("verilator").partition(" rev ")[0],
        needs=("verilator",),
    ),
)
"""All checks by other tools, in the order in which they run."""
