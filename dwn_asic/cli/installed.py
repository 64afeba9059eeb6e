"""Commands on what is installed: tools and process design kits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dwn_asic.cli.application import app

pdk_app = typer.Typer(help="List, check and extract process design kits (PDKs).", no_args_is_help=True)
app.add_typer(pdk_app, name="pdk")


@app.command()
def doctor() -> None:
    """Show the versions of libraries and tools, and available PDKs."""
    import platform
    from importlib.metadata import version

    from dwn_asic import __version__
    from dwn_asic.targets.asic.pdk import list_pdks
    from dwn_asic.tools import tool_versions

    typer.echo(f"dwn-asic    {__version__}")
    typer.echo(f"python      {platform.python_version()}")
    for package in (
        "torch",
        "numpy",
        "numba",
        "networkx",
        "aigverse",
        "python-sat",
        "pyverilog",
        "scikit-learn",
    ):
        typer.echo(f"{package:<11} {version(package)}")
    for tool, found in tool_versions().items():
        typer.echo(f"{tool:<11} {found}")
    for name in list_pdks():
        typer.echo(f"PDK         {_pdk_line(name)}")


@pdk_app.command("list")
def pdk_list() -> None:
    """List the known PDK configurations.

    Each line says where the data of the cell library comes from, or why it is not available.
    """
    from dwn_asic.targets.asic.pdk import list_pdks

    for name in list_pdks():
        typer.echo(_pdk_line(name))


def _pdk_line(name: str) -> str:
    from dwn_asic.errors import PdkError
    from dwn_asic.targets.asic.pdk import load_pdk

    try:
        pdk = load_pdk(name)
    except PdkError as error:
        return f"{name}: {error}"
    return (
        f"{name}: {pdk.library.name} {pdk.library.corner}, {len(pdk.library.cells)} cells, from {pdk.origin}"
    )


@pdk_app.command("extract")
def pdk_extract(
    liberty: Annotated[
        list[Path], typer.Argument(help="All Liberty files (.lib or .lib.gz) of one library and corner.")
    ],
    config: Annotated[
        Path,
        typer.Option(help="PDK configuration file, which names the NAND2 cell and the cells not to use."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Cell table to write, for example NAME.cells.csv.")
    ],
    timing: Annotated[
        Path | None,
        typer.Option(help="Table of fitted delays and energies to write too, for example NAME.timing.csv."),
    ] = None,
    *,
    sizes: Annotated[
        bool,
        typer.Option(
            "--sizes",
            help="Keep all drive strengths of each cell, for NAME.sizes.csv and NAME.sizes.timing.csv.",
        ),
    ] = False,
) -> None:
    """Extract a compact cell table from Liberty files.

    The table allows circuits to be built and measured on machines without the PDK. With --timing, a second
    table allows delay and energy to be estimated there.
    """
    from dwn_asic.targets.asic.pdk import extract
    from dwn_asic.targets.asic.pdk_config import load_config

    reading = extract(liberty, load_config(config), out, sizes=sizes)
    library = reading.library
    typer.echo(
        f"{out}: {len(library.cells)} cells and {len(library.flip_flops)} flip-flops of {library.name}"
    )
    for note in reading.notes:
        typer.echo(f"note: {note}")
    if timing is not None:
        from dwn_asic.targets.asic.pdk_timing import extract_timing

        found = extract_timing(liberty, load_config(config), timing, sizes=sizes)
        typer.echo(
            f"{timing}: {len(found.arcs)} fits; a delay is off by {100 * found.error:.1f}% in the mean, "
            f"{100 * found.worst:.0f}% at most"
        )


@pdk_app.command("check")
def pdk_check(
    name: Annotated[str, typer.Argument(help="PDK configuration: a name or a file (*.yaml).")],
) -> None:
    """Load one PDK, show what it offers, map a small design to it and prove the netlist.

    If the PDK cannot be used or the netlist is wrong, the command fails and prints the reason.
    """
    from dataclasses import fields

    from dwn_asic.targets.asic.pdk import check, load_pdk
    from dwn_asic.targets.asic.trial import trial

    summary = check(name)
    for item in fields(summary):
        if item.name != "notes":
            typer.echo(f"{item.name:<12} {getattr(summary, item.name) or 'none'}")
    for note in summary.notes:
        typer.echo(f"{'note':<12} {note}")
    for what, text in trial(load_pdk(name)).lines():
        typer.echo(f"{what:<12} {text}")
