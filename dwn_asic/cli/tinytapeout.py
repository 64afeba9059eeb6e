"""Commands for Tiny Tapeout: write the repository of a project, and check one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.cli.application import Finished, Shrunk, app, rounds_of_layout, terminal

if TYPE_CHECKING:
    from dwn_asic.targets.asic.tinytapeout.precheck.layout import LayoutFiles
    from dwn_asic.targets.asic.tinytapeout.project import Project
    from dwn_asic.targets.base import Target

_SKIPPED = {".git", "sim_build", "__pycache__", "runs"}
_TEXTS = {".v", ".sv", ".vh", ".md", ".yaml", ".yml", ".json", ".py", ".csv", ".txt", ".gitignore", ""}


@app.command()
def tinytapeout(
    folder: Finished,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the repository to.")],
    shrunk: Shrunk = False,
    top: Annotated[
        str, typer.Option(help="Name of the top module, which nobody else may have. Default: tt_um_dwn_NAME.")
    ] = "",
    author: Annotated[str, typer.Option(help="Author of the project. Default: dwn-asic.")] = "",
    gds: Annotated[
        bool, typer.Option("--gds", help="Place and route the project in its tile, and write layout/ too.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of placement and routing.")] = 0,
) -> None:
    """Write a complete Tiny Tapeout project of a circuit: Verilog, documentation, tests, demo board code.

    Files that exist are replaced; other files in the folder stay.
    """
    from dwn_asic.api import tiny_tapeout
    from dwn_asic.files import write_bytes, write_text
    from dwn_asic.flow.finished import load

    opened = load(folder)
    circuit, target = opened.chosen(shrunk=shrunk), opened.flow.target.open()
    project = tiny_tapeout(
        circuit.datasheet(),
        circuit.circuit,
        opened.dataset,
        target,
        top=top,
        author=author,
    )
    drawn = _laid_out(project, target, seed) if gds else {}
    for path, text in project.files.items():
        write_text(out / path, text)
    for path, content in drawn.items():
        write_bytes(out / path, content)
    for line in project.lines():
        typer.echo(line)
    typer.echo(
        f"wrote {len(project.files) + len(drawn)} files to {out}; check them with: dwn-asic precheck {out}"
    )


def _laid_out(project: Project, target: Target, seed: int) -> dict[str, bytes]:
    """Place and route a project with a progress bar."""
    from dwn_asic.targets.asic.target import AsicTarget
    from dwn_asic.targets.asic.tinytapeout.tile_layout import lay_out_tile

    assert isinstance(target, AsicTarget)  # or there would be no project
    with terminal() as reporter:
        return lay_out_tile(project, target, seed=seed, watch=rounds_of_layout(reporter))


@app.command()
def precheck(
    folder: Annotated[Path, typer.Argument(help="Folder of a Tiny Tapeout repository.")],
    *,
    gds: Annotated[
        Path | None,
        typer.Option(
            help="GDS file of a layout to check too, beside which its LEF and Verilog files stand. "
            "Default: layout/TOP.gds of the repository, if there is one."
        ),
    ] = None,
    no_simulation: Annotated[
        bool, typer.Option("--no-simulation", help="Do not run the tests of the repository.")
    ] = False,
) -> None:
    """Check a Tiny Tapeout repository against all rules that need no design-rule deck.

    The exit code is 4 if a rule is broken.
    """
    from dwn_asic.errors import DataError, VerificationError
    from dwn_asic.targets.asic.tinytapeout.precheck.run import precheck as check

    if not (folder / "info.yaml").is_file():
        raise DataError(folder, "is not a Tiny Tapeout repository: there is no info.yaml")
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _TEXTS and not _SKIPPED & set(path.relative_to(folder).parts)
    }
    found = check(files, _layout(folder, gds), simulate=not no_simulation)
    for line in found.lines():
        typer.echo(line)
    if found.broken:
        names = ", ".join(each.rule for each in found.broken)
        raise VerificationError(f"{folder}: {len(found.broken)} rules are broken: {names}")


def _layout(folder: Path, gds: Path | None) -> LayoutFiles | None:
    """Return the files of the layout; None if there is none."""
    from dwn_asic.errors import DataError
    from dwn_asic.targets.asic.tinytapeout.precheck.layout import LayoutFiles

    if gds is None:
        gds = next(iter(sorted((folder / "layout").glob("*.gds"))), None)
    if gds is None:
        return None
    texts = []
    for path in (gds, gds.with_suffix(".lef"), gds.with_suffix(".v")):
        if not path.is_file():
            raise DataError(path, "is missing: a layout has GDS, LEF and Verilog files of one name")
        texts.append(path)
    return LayoutFiles(gds.read_bytes(), texts[1].read_text("utf-8"), texts[2].read_text("utf-8"))
