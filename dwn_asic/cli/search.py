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
) -> None:
    """Search architectures and options for the front of score and area.

    The search is kept in BUILD/NAME_search; the same command resumes it after an interruption. Circuits of
    the front are proved, and each has a flow file.
    """
    from dwn_asic.flow.search.publish import publish, published_front
    from dwn_asic.flow.search.session import open_search
    from dwn_asic.tools import processors

    opened = open_search(flow, build, seed=seed, further=objective or (), storage=storage, prunes=prune)
    begun = time.perf_counter()
    workers = jobs or processors()
    with terminal() as reporter:
        for key, axis in opened.space.items():
            reporter.message(f"search: {key}: {axis.shown}")
        outcomes = opened.run(_limits(trials, hours), workers, reporter)
        chosen = published_front(outcomes, points)
        proved = publish(opened, outcomes, chosen, workers, reporter)
    folder = opened.folder
    typer.echo(f"Front: {folder}/{{front.md,front.csv,front.svg}}")
    typer.echo(f"Flow files of its circuits: {folder}/{{{','.join(each.name for each in proved)}}}.yaml")
    typer.echo(f"{folder}: {len(outcomes)} trials in {time.perf_counter() - begun:.1f} s")


def _limits(trials: int | None, hours: float | None) -> Limits:
    """Return the end of a search that the options describe."""
    from dwn_asic.flow.search.session import Limits

    if trials is None and hours is None:
        trials = _TRIALS
    return Limits(trials, None if hours is None else time.monotonic() + 3600.0 * hours)
