"""Commands that list and compare finished flows, and collect reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dwn_asic.cli.application import app


@app.command()
def collect(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Build folders of finished flows to report one by one.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that the reports are written to.")] = Path("reports"),
    *,
    study: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of a study: runs of several flows and seeds, in subfolders seed-SEED/FLOW. "
            "May be given several times."
        ),
    ] = None,
) -> None:
    """Write tables and figures of flows and studies.

    The reports have an index, README.md, and a page, index.html.
    """
    from dwn_asic.errors import DataError
    from dwn_asic.flow.reports import load_run, load_study, write_reports

    if not folders and not study:
        raise DataError(out, "nothing to collect: no build folder of a flow and no --study")
    flows = [load_run(folder) for folder in folders or []]
    studies = [load_study(folder) for folder in study or []]
    write_reports(flows, studies, out)
    typer.echo(f"wrote {out / 'README.md'}, {out / 'index.html'}: {len(flows)} flows, {len(studies)} studies")


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="First result.json, or the build folder that contains it.")],
    after: Annotated[Path, typer.Argument(help="Second result.json, or the build folder that contains it.")],
) -> None:
    """Print the metrics that differ between two results.

    Each line says whether the metric became better or worse.
    """
    from dwn_asic.report.compare import compare_lines
    from dwn_asic.report.result import Result

    files = [path / "result.json" if path.is_dir() else path for path in (before, after)]
    for line in compare_lines(*map(Result.load, files)):
        typer.echo(line)


@app.command()
def results(
    folder: Annotated[
        Path, typer.Argument(help="Folder that contains runs at any depth, for example build or build/nine.")
    ] = Path("build"),
    *,
    where: Annotated[
        str,
        typer.Option(
            help="Condition in SQL on the columns, for example \"test > 0.85 and kind = 'shrunk'\"."
        ),
    ] = "",
    columns: Annotated[
        str, typer.Option(help="Columns to show, with commas between them; 'all' lists those that exist.")
    ] = "",
    by: Annotated[
        str,
        typer.Option(help="Columns that define groups, whose means are shown, for example flow,name."),
    ] = "",
    sort: Annotated[
        str, typer.Option(help="Columns to sort by, with - before those in descending order: -test,total.")
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="Maximum number of rows; 0 for all.")] = 40,
    against: Annotated[
        Path | None,
        typer.Option(help="Folder of other runs, to compare rows of the same flow, seed and method with."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write all rows to: *.csv or *.json.")
    ] = None,
) -> None:
    """List, filter and compare the results of many runs.

    There is one row for each method of each run. The table is kept in FOLDER/results.parquet, so that only
    new and changed results are read.
    """
    from dwn_asic.flow.result_query import Question, ask, compare, listed
    from dwn_asic.flow.results import open_results

    with open_results(folder, against) as (database, found):
        for each in found:
            for error in each.damaged:
                typer.echo(f"left out: {error}", err=True)
        if columns == "all":
            typer.echo("\n".join(listed(database)))
            return
        limited = 0 if out is not None else limit
        question = Question(where, _names(columns), _names(by), _names(sort), limited)
        answer = ask(database, question) if against is None else compare(database, question)
    if out is None:
        typer.echo(answer.text())
        return
    answer.save(out)
    typer.echo(f"wrote {out}: {len(answer.rows)} rows")


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))
