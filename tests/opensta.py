"""OpenSTA as an independent check of timing and power."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dwn_asic.tools import find_tool

PERIOD = 1000.0
"""Clock period in ns."""


@dataclass(frozen=True)
class Reported:
    """The report of OpenSTA.

    Attributes
    ----------
    delay
        Delay of the critical path in ns, setup included.
    internal, switching, leakage
        Power in uW at a clock of :data:`PERIOD`. The internal power of the version in Debian (2019) is twice
        the energy of its tables, so half of it is given here.
    """

    delay: float
    internal: float
    switching: float
    leakage: float

    @property
    def power(self) -> float:
        """Total power in uW."""
        return self.internal + self.switching + self.leakage


def report(
    netlist: str,
    top: str,
    liberty: Sequence[Path],
    folder: Path,
    *,
    clocked: bool,
    conditions: str,
    activity: float = 0.1,
    output_load: float = 0.0,
) -> Reported:
    """Let OpenSTA analyze a netlist, with zero delays and transitions at all inputs and the same activity
    everywhere.

    Loads are in the unit of the library, activities in transitions per clock period. Without operating
    conditions, here by their name, energies that depend on no state would count as zero.
    """
    tool = find_tool("sta")
    assert tool is not None
    (folder / "netlist.v").write_text(netlist)
    clock = "clk" if clocked else ""
    lines = [
        *(f"read_liberty {_plain(path, folder)}" for path in liberty),
        "read_verilog netlist.v",
        f"link_design {top}",
        f"set_operating_conditions {conditions}",
        f"create_clock -name clk -period {PERIOD} {clock}",
        "set_input_delay -clock clk 0 [all_inputs]",
        "set_output_delay -clock clk 0 [all_outputs]",
        f"set_load {output_load} [all_outputs]",
        f"set_power_activity -global -activity {activity} -duty 0.5",
        "report_checks -path_delay max -digits 6",
        "report_power -digits 7",
        "exit",
    ]
    (folder / "script.tcl").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [tool, "script.tcl"], cwd=folder, capture_output=True, text=True, timeout=600, check=True
    )
    slack = re.search(r"([\d.]+)\s+slack \(MET\)", done.stdout)
    total = re.search(r"^Total\s+(\S+)\s+(\S+)\s+(\S+)", done.stdout, re.MULTILINE)
    if slack is None or total is None:
        raise AssertionError(done.stdout + done.stderr)
    internal, switching, leakage = (float(value) * 1e6 for value in total.groups())
    return Reported(PERIOD - float(slack[1]), internal / 2, switching, leakage)


def _plain(path: Path, folder: Path) -> Path:
    """Return the path of a Liberty file that is not compressed."""
    if path.suffix != ".gz":
        return path
    plain = folder / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain
