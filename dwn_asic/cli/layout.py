"""The command that makes the layout of a circuit of a finished flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.cli.application import Finished, Shrunk, app, rounds_of_layout, terminal

if TYPE_CHECKING:
    from dwn_asic.flow.finished import RunCircuit
    from dwn_asic.targets.asic.tapeout.layout import Layout


@app.command("gds")
def gds(
    folder: Finished,
    *,
    shrunk: Shrunk = False,
    utilization: Annotated[
        float, typer.Option(help="Share of the rows that cells take, greater than 0 and at most 1.")
    ] = 0.6,
    aspect: Annotated[float, typer.Option(help="Height over width of the rows, from 0.1 to 10.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of placement and routing.")] = 0,
    template: Annotated[
        Path | None, typer.Option(help="DEF file of a die whose size and ports the layout has to take.")
    ] = None,
    attempts: Annotated[
        int, typer.Option(min=1, help="Maximum number of attempts, with other seeds and larger dies.")
    ] = 6,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. Default: gds in the folder of the circuit.")
    ] = None,
) -> None:
    """Place and route a circuit, and write its GDS, LEF, DEF, Verilog, SPICE, SPEF, figures and proof.

    The PDK must be installed. Each layout is checked as `dwn-asic check-layout` does: its design rules, its
    transistors and its function. If something is wrong, nothing is written and the exit code is 4.
    """
    from dwn_asic.api.place_and_route import layout
    from dwn_asic.errors import ConfigError
    from dwn_asic.files import staged
    from dwn_asic.flow.finished import load
    from dwn_asic.targets.asic.tapeout.template import read_def_template
    from dwn_asic.targets.asic.target import AsicTarget

    opened = load(folder)
    circuit = opened.chosen(shrunk=shrunk)
    target = opened.flow.target.open()
    if not isinstance(target, AsicTarget):
        raise ConfigError(folder, "target", f"is {opened.flow.target.kind}, which has no cells", "asic")
    die = None if template is None else read_def_template(_text(template), str(template))
    with terminal() as reporter:
        found = layout(
            circuit.implementation,
            target,
            opened.dataset,
            utilization=utilization,
            aspect=aspect,
            seed=seed,
            template=die,
            attempts=attempts,
            watch=rounds_of_layout(reporter),
        )
    for line in found.lines():
        typer.echo(line)
    files, out = {**found.files(), **_evidence(circuit, found)}, out or circuit.folder / "gds"
    with staged(out, "gds") as scratch:
        for name, content in files.items():
            (scratch / name).write_bytes(content)
    typer.echo(f"wrote {out}/{{{','.join(sorted(files))}}}")


def _evidence(circuit: RunCircuit, found: Layout) -> dict[str, bytes]:
    """Return the data sheet and the proof of the circuit, both extended to its layout."""
    import json
    from dataclasses import asdict, replace

    from dwn_asic.report.datasheet.layout import layout_section

    sheet, verdict = circuit.datasheet(), found.verdict
    assert verdict is not None  # or the layout would be an error
    checks = (*sheet.checks, *verdict.function)
    sheet = replace(sheet, checks=checks, layout=layout_section(found.report, verdict), other="")
    proof = json.dumps([asdict(each) for each in checks], indent=1) + "\n"
    return {
        "datasheet.md": sheet.markdown().encode(),
        "datasheet.html": sheet.html().encode(),
        "proof.json": proof.encode(),
    }


def _text(path: Path) -> str:
    from dwn_asic.errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
