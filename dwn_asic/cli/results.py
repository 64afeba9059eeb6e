"""Commands that compare finished flows and collect reports."""

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
