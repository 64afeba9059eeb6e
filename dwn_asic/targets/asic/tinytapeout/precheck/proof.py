"""Rule that the mapped netlist of a repository equals its Verilog, proved by Yosys alone.

Registers of the same name are matched. Yosys then proves by induction over one clock cycle that all of them,
and all outputs, keep equal values, unknown ones included.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from dwn_asic.errors import ToolError, ToolTimeoutError
from dwn_asic.targets.asic.tinytapeout.precheck.repository import Repository, write_files
from dwn_asic.targets.asic.tinytapeout.precheck.rule import NotCheckedError, Rule, RuleBrokenError
from dwn_asic.tools import find_yosys

__all__ = ["RULES"]

_NETLIST, _CELLS = "test/mapped_netlist.v", "test/cells.v"
_TIMEOUT_S = 300.0
_PROVED = re.compile(r"Of those cells (\d+) are proven and 0 are unproven")
_UNPROVEN = re.compile(r"^ERROR: Found (\d+) unproven", re.MULTILINE)


def _equal(repository: Repository) -> str:
    """Prove the netlist equal to the Verilog, and return at how many places they were compared."""
    top, sources = repository.known_info.project.top_module, [*repository.sources]
    for path in (_NETLIST, _CELLS):
        if path not in repository.files:
            raise NotCheckedError(f"there is no {path}")
    script = [
        *_flat(top, sources, "gold"),
        *_flat(top, [_CELLS, _NETLIST], "gate"),
        "design -copy-from gold gold",
        "design -copy-from gate gate",
        "equiv_make gold gate equiv",
        "hierarchy -top equiv",
        "opt_clean",
        "equiv_induct -undef",
        "equiv_status -assert",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        write_files(Path(scratch), dict(repository.files))
        try:
            log = find_yosys().run_script("\n".join(script), timeout_s=_TIMEOUT_S, cwd=Path(scratch))
        except ToolTimeoutError as error:
            raise NotCheckedError(f"not finished in {_TIMEOUT_S:g} s") from error
        except ToolError as error:
            unproven = _UNPROVEN.search(error.output)
            problem = f"{unproven[1]} nets are not proved equal" if unproven is not None else str(error)
            raise RuleBrokenError(f"{_NETLIST} differs from the Verilog: {problem}") from error
    proved = _PROVED.search(log)
    if proved is None:
        raise ToolError("yosys", "does not say what it proved", output=log)
    return f"proved by Yosys at {proved[1]} nets"


def _flat(top: str, files: list[str], name: str) -> list[str]:
    """Return the commands that read a design without hierarchy and store it under a name."""
    return [
        *(f"read_verilog -sv -I src {path}" for path in files),
        f"hierarchy -check -top {top}",
        "proc",
        "flatten",
        "opt_clean",
        f"rename {top} {name}",
        f"design -stash {name}",
    ]


RULES = (Rule("netlist equals the Verilog", _equal),)
"""Rules that need a prover, in the order in which they are checked."""
