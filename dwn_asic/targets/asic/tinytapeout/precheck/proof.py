"""Rule that the mapped netlist of a repository equals its Verilog, proved by Yosys alone.

The classifier has no registers: its modules are proved equal one by one. In the top module around it,
registers of the same name are matched, and Yosys proves by induction over one clock cycle that all of them,
all outputs and all inputs of the classifier keep equal values, unknown ones included.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from dwn_asic.errors import ToolError, ToolTimeoutError, VerificationError
from dwn_asic.targets.asic.tinytapeout.precheck.repository import Repository, write_files
from dwn_asic.targets.asic.tinytapeout.precheck.rule import NotCheckedError, Rule, RuleBrokenError
from dwn_asic.targets.asic.yosys_proof import prove_netlist
from dwn_asic.tools import find_yosys

__all__ = ["RULES"]

_NETLIST, _CELLS = "test/mapped_netlist.v", "test/cells.v"
_TOP, _CLASSIFIER = "src/project.v", "src/classifier.v"
_INSTANCE = re.compile(r"^ *(\w+) classifier \(", re.MULTILINE)
_TIMEOUT_S = 300.0
_PROVED = re.compile(r"Of those cells (\d+) are proven and 0 are unproven")
_UNPROVEN = re.compile(r"^ERROR: Found (\d+) unproven", re.MULTILINE)


def _equal(repository: Repository) -> str:
    """Prove the netlist equal to the Verilog, and return at how many nets of the top module it is."""
    top = repository.known_info.project.top_module
    for path in (_TOP, _CLASSIFIER, _NETLIST, _CELLS):
        if path not in repository.files:
            raise NotCheckedError(f"there is no {path}")
    inner = _INSTANCE.search(repository.files[_TOP])
    if inner is None:
        raise NotCheckedError(f"{_TOP} has no instance classifier")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_files(folder, dict(repository.files))
        try:
            prove_netlist(
                repository.files[_CLASSIFIER],
                repository.files[_NETLIST],
                inner[1],
                [folder / _CELLS],
                0,
                timeout_s=_TIMEOUT_S,
            )
            nets = _proved_around(top, folder)
        except ToolTimeoutError as error:
            raise NotCheckedError(f"not finished in {_TIMEOUT_S:g} s") from error
        except VerificationError as error:
            raise RuleBrokenError(f"{_NETLIST} differs from {_CLASSIFIER}: {error}") from error
    return f"proved by Yosys: the classifier, and {nets} nets around it"


def _proved_around(top: str, folder: Path) -> int:
    """Prove the top module without the classifier in it, and return the number of nets compared."""
    script = [
        *_opened(top, [_TOP, _CLASSIFIER], "gold"),
        *_opened(top, [_CELLS, _NETLIST], "gate"),
        "design -copy-from gold gold",
        "design -copy-from gate gate",
        "equiv_make gold gate equiv",
        "hierarchy -top equiv",
        "opt_clean",
        "equiv_induct -undef",
        "equiv_status -assert",
    ]
    try:
        log = find_yosys().run_script("\n".join(script), timeout_s=_TIMEOUT_S, cwd=folder)
    except ToolTimeoutError:
        raise
    except ToolError as error:
        unproven = _UNPROVEN.search(error.output)
        problem = f"{unproven[1]} nets are not proved equal" if unproven is not None else str(error)
        raise RuleBrokenError(f"{_NETLIST} differs from {_TOP}: {problem}") from error
    proved = _PROVED.search(log)
    if proved is None:
        raise ToolError("yosys", "does not say what it proved", output=log)
    return int(proved[1])


def _opened(top: str, files: list[str], name: str) -> list[str]:
    """Return the commands that read a design, turn the classifier's ports into its own, and store it."""
    return [
        *(f"read_verilog -sv -I src {path}" for path in files),
        f"hierarchy -check -top {top}",
        "proc",
        f"select -assert-count 1 {top}/classifier",
        f"expose -evert {top}/classifier",
        f"hierarchy -top {top}",
        "flatten",
        "opt_clean",
        f"rename {top} {name}",
        f"design -stash {name}",
    ]


RULES = (Rule("netlist equals the Verilog", _equal),)
"""Rules that need a prover, in the order in which they are checked."""
