"""A program for LibreLane's interpreter: load a configuration, and run steps that need no layout tool.

It imports nothing of this package, since LibreLane may be installed apart from it. A stand-in takes the place
of the PDK: its variables have values of the right types, and no step that is run here reads them.

Usage: ``python load_configuration.py CONFIGURATION``. The last line of the output is a JSON object.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

STEPS = ("Verilator.Lint", "Checker.LintTimingConstructs", "Checker.LintErrors", "Checker.LintWarnings")
"""Steps that need Verilator at most."""
_CHOICES = {"PRIMARY_GDSII_STREAMOUT_TOOL": "magic"}
_GIVEN = "PDK", "PDK_ROOT", "STD_CELL_LIBRARY"


def main(file: Path) -> None:
    """Load a configuration and run the steps; an error of LibreLane ends the program."""
    import librelane
    from librelane.config import Config
    from librelane.config.flow import flow_common_variables
    from librelane.flows import Flow
    from librelane.state import State
    from librelane.steps import Step

    flow = Flow.factory.get("Classic")
    of_steps = (step.config_vars for step in flow.Steps)
    every = itertools.chain(flow_common_variables, flow.config_vars, *of_steps)
    variables = {variable.name: variable for variable in every}
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        _write_stand_in(root, content["PDK"], content["STD_CELL_LIBRARY"], variables)
        config, _ = Config.load(
            str(file), list(variables.values()), design_dir=str(file.parent), pdk_root=scratch
        )
        state, steps = State(), STEPS if shutil.which("verilator") else ()
        for name in steps:
            step = Step.factory.get(name)(config=config, state_in=state)
            state = step.start(step_dir=str(root / name))
        metrics = {name: int(value) for name, value in state.metrics.items()}
    keys = [key for key in content if key != "meta"]
    print(json.dumps({"librelane": librelane.__version__, "keys": len(keys), "steps": steps, **metrics}))  # noqa: T201


def _write_stand_in(root: Path, pdk: str, library: str, variables: Mapping[str, Any]) -> None:
    """Write the configuration of a PDK in which every variable that must be set has a value of its type."""
    empty = root / "empty"
    empty.write_text("")
    technology = root / pdk / "libs.tech" / "librelane"
    (technology / library).mkdir(parents=True)
    (root / pdk / "libs.ref").mkdir()
    lines = [
        f"set ::env({name}) {_CHOICES.get(name) or _value(str(variable.type), empty)}"
        for name, variable in variables.items()
        if variable.pdk and not variable.optional and variable.default is None and name not in _GIVEN
    ]
    (technology / "config.tcl").write_text("\n".join([*lines, f"set ::env(STD_CELL_LIBRARY) {library}", ""]))
    (technology / library / "config.tcl").write_text("")


def _value(kind: str, empty: Path) -> str:
    if kind.startswith("typing.Dict"):
        return f"{{any {empty if 'Path' in kind else 'any'}}}"
    if "Path" in kind:
        return str(empty)
    return "1" if "Decimal" in kind or "int" in kind else "any"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
