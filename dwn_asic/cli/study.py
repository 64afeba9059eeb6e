"""The command that carries out studies, on this machine or on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dwn_asic.cli.application import Build, app, terminal
from dwn_asic.cli.results import collect


@app.command()
def study(
    places: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of flow files, each of which is run with every seed in "
            "BUILD/FOLDER/seed-SEED/NAME; or flow files, which are run with their own seeds in BUILD/NAME."
        ),
    ],
    build: Build = Path("build"),
    *,
    seeds: Annotated[
        str, typer.Option(help="Seeds of the runs of folders, with spaces or commas between them.")
    ] = "0 1 2 3 4",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Maximum number of runs that are carried out at once on this machine, each on one processor "
            "core. Default: the number of cores. A cluster uses all its workers.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, for example tcp://10.0.0.1:8786, whose workers carry out the "
            "runs. Default: this machine."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the reports of all runs; they are written if no run fails."),
    ] = None,
) -> None:
    """Run many flows, and go on if some of them fail.

    Runs and steps that are up to date are skipped. The messages of a run are in NAME.log beside its folder.
    Flows whose data is missing are left out.
    """
    from dwn_asic.execution.resources import Resources
    from dwn_asic.flow.studies import planned, run_all
    from dwn_asic.tools import processors

    plan = planned(places, _numbers(seeds), build)
    if plan.runs:
        with terminal() as reporter, Resources(jobs or processors(), scheduler).open() as executor:
            run_all(plan.runs, executor, reporter)
    for file in plan.missing:
        typer.echo(f"skipped, its data is missing: {file}")
    if out is not None:
        collect([run.folder for run in plan.single], out, study=list(plan.studies))


def _numbers(text: str) -> list[int]:
    from dwn_asic.errors import ConfigError

    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words):
        raise ConfigError("study", "--seeds", f"is {text!r}", "whole numbers, for example '0 1 2'")
    return [int(word) for word in dict.fromkeys(words)]
