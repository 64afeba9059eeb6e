"""Commands that search for architectures and options."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.cli.application import Build, Seed, app, terminal

if TYPE_CHECKING:
    from dwn_asic.flow.search.session import Limits

Workers = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Number of trials at once. Default: the number of processor cores."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Address of a Dask scheduler, for example tcp://10.0.0.1:8786, whose workers run the trials. "
        "Default: this machine."
    ),
]
_TRIALS = 20


@app.command()
def search(
    flow: Annotated[Path, typer.Argument(help="Flow file (*.yaml); its section search is the space.")],
    build: Build = Path("build"),
    *,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of trials, those of earlier calls included. Default: 20, or no limit with --hours.",
        ),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.0, help="Time for the trials in hours. Default: no limit.")
    ] = None,
    points: Annotated[
        int, typer.Option(min=1, help="Number of circuits of the front that are implemented and proved.")
    ] = 8,
    objective: Annotated[
        list[str] | None,
        typer.Option(help="Objective beside score and area: delay or energy. May be given several times."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Storage of the trials: a journal file, or the URL of a database such as sqlite:///FILE. "
            "Default: a journal in the folder of the search."
        ),
    ] = None,
    seed: Seed = None,
    prune: Annotated[
        bool,
        typer.Option(help="End trials after a few epochs if their validation score is low by then."),
    ] = True,
    jobs: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Search architectures and options for the front of score and area.

    The search is kept in BUILD/NAME_search; the same command resumes it after an interruption. Circuits of
    the front are proved, and each has a flow file.
    """
    from dwn_asic.execution.resources import Resources
    from dwn_asic.flow.search.publish import publish, published_front
    from dwn_asic.flow.search.session import open_search
    from dwn_asic.tools import processors

    opened = open_search(flow, build, seed=seed, further=objective or (), storage=storage, prunes=prune)
    begun = time.perf_counter()
    resources = Resources(jobs or processors(), scheduler)
    with terminal() as reporter:
        for key, axis in opened.space.items():
            reporter.message(f"search: {key}: {axis.shown}")
        outcomes = opened.run(_limits(trials, hours), resources, reporter)
        chosen = published_front(outcomes, points)
        proved = publish(opened, outcomes, chosen, resources, reporter)
    folder = opened.folder
    typer.echo(f"Front: {folder}/{{front.md,front.csv,front.svg}}")
    typer.echo(f"Flow files of its circuits: {folder}/{{{','.join(each.name for each in proved)}}}.yaml")
    typer.echo(f"{folder}: {len(outcomes)} trials in {time.perf_counter() - begun:.1f} s")


@app.command()
def auto(
    table: Annotated[
        str,
        typer.Argument(help="Table of labelled rows: a CSV or ARFF file, or a source such as sklearn:wine."),
    ],
    label: Annotated[
        str | None,
        typer.Option(help="Label column. Default: class, label, target or y, else the last column."),
    ] = None,
    build: Build = Path("build"),
    *,
    max_area: Annotated[
        float | None,
        typer.Option(min=0.0, help="Largest total area in NAND2-equivalents; the best circuit within it."),
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Lowest accuracy on validation rows; the smallest circuit that reaches it."
        ),
    ] = None,
    budget: Annotated[str, typer.Option(help="Time for everything, such as 90s, 10m or 1h.")] = "10m",
    trials: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of trials. Default: as many as fit the time.")
    ] = None,
    metric: Annotated[
        str,
        typer.Option(help="Score to maximize in place of accuracy: balanced_accuracy or f1."),
    ] = "accuracy",
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")] = 0,
    jobs: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Turn a table into a proved chip in a given time, with nothing to choose.

    It says what it assumes of the table, searches for the front of score and area, chooses by validation
    rows, and ends in data sheet, Verilog, netlist and proof.
    """
    from dwn_asic.errors import ConfigError
    from dwn_asic.execution.resources import Resources
    from dwn_asic.flow.search.auto import Wish
    from dwn_asic.flow.search.auto import auto as automatic
    from dwn_asic.search.effort import seconds_of
    from dwn_asic.targets.registry import target_kind
    from dwn_asic.tools import processors

    if max_area is not None and min_accuracy is not None:
        raise ConfigError("auto", "max_area", "and min_accuracy exclude each other", "one of them")
    with terminal() as reporter:
        made = automatic(
            table,
            label=label,
            wish=Wish(max_area, min_accuracy),
            budget_s=seconds_of(budget),
            trials=trials,
            metric=metric,
            build=build,
            seed=seed,
            resources=Resources(jobs or processors(), scheduler),
            reporter=reporter,
        )
    folder = made.search.folder
    files = (*target_kind(made.search.flow.config.target).circuits, "proof.json")
    typer.echo(f"Data sheet: {made.folder}/datasheet.html")
    typer.echo(f"Chip: {made.folder}/{{{','.join(files)}}}")
    typer.echo(f"Flow file of the chip: {folder / made.chip.name}.yaml")
    typer.echo(f"Front of {made.trials} trials: {folder}/{{front.md,front.csv,front.svg}}")


def _limits(trials: int | None, hours: float | None) -> Limits:
    """Return the end of a search that the options describe."""
    from dwn_asic.flow.search.session import Limits

    if trials is None and hours is None:
        trials = _TRIALS
    return Limits(trials, None if hours is None else time.monotonic() + 3600.0 * hours)
