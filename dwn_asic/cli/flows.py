"""Commands that run flows, or say what is in flow files."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from dwn_asic.cli.application import (
    Build,
    Classes,
    Features,
    Finished,
    Jobs,
    Label,
    Seed,
    Thresholds,
    app,
    terminal,
)

Target = Annotated[
    Path,
    typer.Argument(
        help="Flow file (*.yaml), FILE:NAME for a file that stands for several flows, or the build folder of "
        "a flow that was run before."
    ),
]


@app.command()
def run(
    flow: Target,
    build: Build = Path("build"),
    *,
    seed: Seed = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Run every step again, including the baselines', even if up to date."),
    ] = False,
    jobs: Jobs = None,
) -> None:
    """Run a flow from data to proved netlists and a comparison.

    Steps that are up to date are skipped.
    """
    from dwn_asic.flow import open_flow, run_flow
    from dwn_asic.targets.registry import target_kind
    from dwn_asic.tools import processors

    opened = open_flow(flow, build, seed)
    start = time.perf_counter()
    with terminal() as reporter:
        ran = run_flow(opened, reporter, force=force, jobs=jobs or processors())
    folder = opened.folder
    if not ran:
        typer.echo(f"{folder} is up to date: nothing to do (table: {folder / 'comparison.md'})")
        return
    show(folder)
    made = target_kind(opened.config.target).circuits
    files = ("datasheet.html", "comparison.md", "accuracy_area.svg", *made, "proof.json", "result.json")
    typer.echo(f"Files: {folder}/{{{','.join(files)}}}")
    if opened.config.shrink is not None:
        typer.echo(f"Files of the shrunk circuit: {folder}/shrunk/{{{','.join(('datasheet.html', *made))}}}")
    typer.echo(f"{folder}: ran {_steps(ran)} in {time.perf_counter() - start:.1f} s")


def _steps(titles: list[str]) -> str:
    """Return the names of the steps, each once, with the number of steps if there are several."""
    names = [title.rpartition("/")[2] for title in titles]
    counts = {name: names.count(name) for name in names}
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts.items())


@app.command()
def chip(
    model: Annotated[
        Path, typer.Argument(help="Trained network: a checkpoint of torch_dwn or dwn2rtl, or a network.npz.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="Table of labelled rows, for shrinking and for accuracies: FILE.csv, or a source such as "
            "csv:FILE or sklearn:wine. Default: no rows; only the exact circuit is built."
        ),
    ] = None,
    label: Label = None,
    thresholds: Thresholds = None,
    classes: Classes = None,
    features: Features = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the chip and of its build folder. Default: from the model's file name."),
    ] = None,
    pdk: Annotated[str, typer.Option(help="PDK configuration: a name or a file.")] = "sky130hd",
    build: Build = Path("build"),
    *,
    shrink: Annotated[
        bool,
        typer.Option(
            help="Search for a smaller circuit of about the same accuracy; it has no effect without --data."
        ),
    ] = True,
    jobs: Jobs = None,
) -> None:
    """Turn a trained network into a proved netlist.

    With data, a smaller circuit of about the same accuracy is made too.
    """
    from dwn_asic.flow.chip import chip_flow

    flow = chip_flow(
        model,
        build,
        data=data,
        label=label,
        thresholds=thresholds,
        classes=classes,
        features=features,
        name=name,
        pdk=pdk,
        shrink=shrink,
    )
    typer.echo(f"wrote {flow}, a flow file with the same options")
    run(flow, build, jobs=jobs)


@app.command()
def make(
    files: Annotated[
        list[Path], typer.Argument(help="Files to bring up to date, for example build/NAME/netlist.v.")
    ],
    build: Build = Path("build"),
    *,
    flow: Annotated[
        Path | None,
        typer.Option(
            help="Flow file. Default: the one of an earlier run, or the file in flows/ whose name is NAME."
        ),
    ] = None,
    seed: Seed = None,
    jobs: Jobs = None,
) -> None:
    """Bring single files of a flow up to date.

    The steps that they depend on run first. The Makefile uses this command.
    """
    from dwn_asic.flow import run_flow
    from dwn_asic.flow.run import flow_of_file
    from dwn_asic.tools import processors

    with terminal() as reporter:
        for file in files:
            opened, name = flow_of_file(file, build, flow, seed)
            if not run_flow(opened, reporter, targets=[name], jobs=jobs or processors()):
                typer.echo(f"{file} is up to date")


@app.command()
def available(flows: Annotated[list[Path], typer.Argument(help="Flow files (*.yaml).")]) -> None:
    """Print those of the given flow files whose data is available.

    Only a file of the user, as in csv:FILE, can be missing. A file that stands for several flows is printed
    as FILE:NAME for each of them.
    """
    from dwn_asic.data.sources import data_files
    from dwn_asic.flow.flow_file import flows_of, load_flow

    for flow in (each for file in flows for each in flows_of(file)):
        data = load_flow(flow).data
        if data is None or all(table.exists() for table in data_files(data).values()):
            typer.echo(flow)


@app.command()
def names(flows: Annotated[list[Path], typer.Argument(help="Flow files (*.yaml).")]) -> None:
    """Print the name of each flow.

    It is also the name of the flow's build folder.
    """
    from dwn_asic.flow.flow_file import flows_of, load_flow

    for flow in (each for file in flows for each in flows_of(file)):
        typer.echo(load_flow(flow).name)


@app.command()
def show(folder: Finished) -> None:
    """Print the comparison table of a finished flow."""
    from rich.console import Console

    from dwn_asic.report.result import Result
    from dwn_asic.report.table import terminal_table

    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(terminal_table(Result.load(folder / "result.json")))
