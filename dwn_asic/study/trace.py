"""The evidence behind a table's row: its runs, the flow file's content and the Verilog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from dwn_asic.report.choice import EXACT
from dwn_asic.report.result import MethodResult
from dwn_asic.study.runs import Run

__all__ = ["Traced", "circuit_lines", "flow_text", "run_lines", "verilog_file"]

_SHRUNK = "-shrunk"


@dataclass(frozen=True)
class Traced:
    """One circuit of one run.

    Attributes
    ----------
    run
        The run that found it.
    shown
        Its numbers, by column heading.
    folder
        Folder of its Verilog and netlist, below the run's; None where it was not synthesized.
    """

    run: Run
    shown: Mapping[str, str]
    folder: str | None

    @property
    def verilog(self) -> str | None:
        """Name of its RTL among the run's files."""
        return None if self.folder is None else f"{self.folder}/design.v"


def verilog_file(method: MethodResult) -> str | None:
    """Return the name of a method's RTL among the run's files; None for software."""
    if method.kind == "software":
        return None
    name = method.name.removesuffix(_SHRUNK) if method.kind == "shrunk" else method.name
    folder = "" if name == EXACT else f"baselines/{name}/"
    return f"{folder}shrunk/design.v" if method.kind == "shrunk" else f"{folder}design.v"


def flow_text(run: Run) -> str:
    """Return the whole flow as YAML, with what it extends and all defaults."""
    return yaml.safe_dump(dict(run.result.config), sort_keys=False, width=110, default_flow_style=None)


def run_lines(runs: list[Run], method: str) -> list[dict[str, str]]:
    """Return a method's numbers, files and tools on each seed."""
    lines = []
    for run in runs:
        found = run.methods.get(method)
        if found is None:
            continue
        shown = {
            "seed": str(run.result.seed),
            "validation (%)": f"{100.0 * found.val:.2f}",
            "test (%)": f"{100.0 * found.test:.2f}",
        }
        if (size := run.result.size) is not None:
            for name, value in (("core", found.core), ("total", found.total)):
                shown[f"{name} ({size.unit})"] = "-" if value is None else f"{value:.{size.decimals}f}"
        shown["proof"] = found.proof
        lines.append(shown | _sources(run))
    return lines


def circuit_lines(circuits: Sequence[Traced]) -> list[dict[str, str]]:
    """Return each circuit's numbers, files and tools."""
    return [
        {
            "seed": str(each.run.result.seed),
            **each.shown,
            "netlist": "-" if each.folder is None else f"{each.run.place}/{each.folder}/netlist.v",
            **_sources(each.run),
        }
        for each in circuits
    ]


def _sources(run: Run) -> dict[str, str]:
    return {"result": run.file, "flow": run.result.flow_file, "tools": run.tools}
