"""The command that hands a circuit over to LibreLane."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dwn_asic.cli.application import Finished, Shrunk, app


@app.command()
def librelane(
    folder: Finished,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the design to.")],
    shrunk: Shrunk = False,
) -> None:
    """Write a design for LibreLane: configuration, constraints, pin order and Verilog.

    Files that exist are replaced. Where LibreLane is installed, it checks the configuration. The command says
    which of the programs that LibreLane runs are missing.
    """
    from dwn_asic import api
    from dwn_asic.errors import ToolError
    from dwn_asic.files import write_text
    from dwn_asic.flow.finished import load
    from dwn_asic.targets.asic.librelane.check import check_by_librelane
    from dwn_asic.targets.asic.librelane.design import CONFIG
    from dwn_asic.targets.asic.librelane.tools import librelane_interpreter, missing_tools

    opened = load(folder)
    circuit = opened.chosen(shrunk=shrunk)
    design = api.librelane(circuit.implementation, circuit.circuit, opened.flow.target.open())
    try:
        librelane_interpreter()
    except ToolError as error:
        checked = f"the configuration was not checked: {error}"
    else:
        found = check_by_librelane(design.files, CONFIG)
        steps = "".join(f", {step}" for step in found.steps)
        checked = f"checked by LibreLane {found.version}: {found.keys} keys{steps}"
    for path, text in design.files.items():
        write_text(out / path, text)
    for line in design.lines():
        typer.echo(line)
    typer.echo(checked)
    typer.echo(f"wrote {out}/{{{','.join(design.files)}}}")
    missing = missing_tools()
    typer.echo(f"make the layout with: librelane {out / CONFIG}")
    if missing:
        typer.echo(f"LibreLane runs programs that are not installed here: {', '.join(missing)}")
