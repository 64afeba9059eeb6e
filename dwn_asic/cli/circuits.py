"""Commands that examine a circuit of a finished flow: timing and power, proofs, test patterns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.cli.application import Finished, Shrunk, app, terminal

if TYPE_CHECKING:
    from dwn_asic.flow.finished import RunCircuit
    from dwn_asic.targets.asic.target import AsicTarget


@app.command("signoff")
def signoff(
    folder: Finished,
    *,
    shrunk: Shrunk = False,
    corner: Annotated[
        list[str] | None,
        typer.Option(
            help="Corner of the PDK, once for each; ALL for all that are installed. Default: its own."
        ),
    ] = None,
    clock_ns: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Clock period in ns for which to report the slack. Default: that of the flow file, if any.",
        ),
    ] = None,
    front: Annotated[
        bool,
        typer.Option(
            "--front",
            help="Map the circuit again from the smallest area to the smallest delay, and write "
            "delay_front.csv and delay_front.svg into its folder.",
        ),
    ] = False,
    glitches: Annotated[
        bool,
        typer.Option("--glitches", help="Simulate the netlist with its delays too, and count glitches."),
    ] = False,
    shuffle: Annotated[
        int | None,
        typer.Option(min=0, metavar="SEED", help="Apply the test rows in a random order of this seed."),
    ] = None,
) -> None:
    """Report the critical path, power and energy of a netlist at corners of its PDK.

    Energy is that of the test rows in their order, or with --shuffle in a random one. Without an
    installed PDK, fits stand for its tables.
    """
    from dwn_asic.api import sign_off
    from dwn_asic.errors import ConfigError
    from dwn_asic.flow.finished import load
    from dwn_asic.targets.asic.target import AsicTarget

    opened = load(folder)
    circuit = opened.chosen(shrunk=shrunk)
    target = opened.flow.target.open()
    if not isinstance(target, AsicTarget):
        raise ConfigError(folder, "target", f"is {opened.flow.target.kind}, which has no cells", "asic")
    if front:
        _delay_front(circuit, target)
        return
    corners = corner or [""]
    if corners == ["ALL"]:
        corners = list(target.pdk.corners) or [""]
    for number, name in enumerate(corners):
        found = sign_off(
            circuit.implementation,
            target,
            opened.dataset,
            corner=name,
            glitches=glitches,
            shuffle=shuffle,
        )
        if number:
            typer.echo("")
        for line in found.lines(clock_ns):
            typer.echo(line)


def _delay_front(circuit: RunCircuit, target: AsicTarget) -> None:
    """Print area against delay of a circuit, and write both files."""
    from dwn_asic.api import delay_front
    from dwn_asic.files import staged
    from dwn_asic.report.delay_front import front_csv, front_lines, front_svg

    name, library = circuit.implementation.name, target.pdk.library
    points = delay_front(circuit.circuit, target, name=name)
    for line in front_lines(points, library.nand2_area):
        typer.echo(line)
    shrunk = ", shrunk" if circuit.place else ""
    title = f"{name}{shrunk}: {library.name} {library.corner}"
    with staged(circuit.folder, "delay_front") as scratch:
        (scratch / "delay_front.csv").write_text(front_csv(points, library.nand2_area), encoding="utf-8")
        (scratch / "delay_front.svg").write_bytes(front_svg(points, library.nand2_area, title))
    typer.echo(f"wrote {circuit.folder}/{{delay_front.csv,delay_front.svg}}")


@app.command()
def prove(
    folder: Finished,
    *,
    shrunk: Shrunk = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write. Default: prove in the folder of the circuit."),
    ] = None,
) -> None:
    """Check a circuit with all installed tools, from the model to the netlist.

    In addition to the proofs of each run, Yosys reads the Verilog and proves the netlist equal to it, and
    Verilator and Icarus Verilog simulate the netlist. Writes proof.json, a data sheet with all checks, and
    the files that it describes.
    """
    from dataclasses import replace

    from dwn_asic.api import verify
    from dwn_asic.files import staged
    from dwn_asic.flow.artifacts import PROOF, check_records
    from dwn_asic.flow.finished import load

    opened = load(folder)
    circuit = opened.chosen(shrunk=shrunk)
    start = opened.front.chosen if shrunk and opened.front is not None else opened.classifier
    target = opened.flow.target.open()
    proof = verify(
        circuit.implementation, start, circuit.circuit, target, dataset=opened.dataset, depth="full"
    )
    for line in proof.lines():
        typer.echo(line)
    sheet = replace(circuit.datasheet(), checks=proof.checks, other="")
    out = out or circuit.folder / "prove"
    with staged(out, "prove") as scratch:
        for name, text in circuit.implementation.files.items():
            (scratch / name).write_text(text, encoding="utf-8")
        PROOF.codec.write(check_records(proof), scratch / PROOF.name)
        (scratch / "datasheet.md").write_text(sheet.markdown(), encoding="utf-8")
        (scratch / "datasheet.html").write_text(sheet.html(), encoding="utf-8")
    typer.echo(f"wrote {out}/{{{PROOF.name},datasheet.html,datasheet.md}} and what the sheet describes")


@app.command("testgen")
def patterns(
    folder: Finished,
    *,
    shrunk: Shrunk = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random codes.")] = 0,
    rounds: Annotated[
        int, typer.Option(min=0, help="Maximum number of rounds of compaction; more find fewer patterns.")
    ] = 60,
    conflicts: Annotated[
        int,
        typer.Option(min=1, help="Number of conflicts after which the SAT solver gives up on a fault."),
    ] = 1_000_000,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write. Default: testgen in the folder of the circuit."),
    ] = None,
) -> None:
    """Make test patterns for the manufacturing test of a netlist.

    They detect every single stuck-at fault that any pattern detects; the others are proved untestable. If
    iverilog is installed, the testbench with the patterns runs on the netlist.
    """
    from dwn_asic.api import manufacturing_test
    from dwn_asic.files import staged
    from dwn_asic.flow.finished import load
    from dwn_asic.verilog.simulate import run_testbench, simulator_installed

    opened = load(folder)
    circuit = opened.chosen(shrunk=shrunk)
    built = circuit.implementation
    with terminal() as reporter:
        test = manufacturing_test(
            built,
            circuit.circuit,
            opened.flow.target.open(),
            dataset=opened.dataset,
            seed=seed,
            rounds=rounds,
            conflicts=conflicts,
            progress=reporter.progress,
        )
    for line in test.lines():
        typer.echo(line)
    files, out = test.files(), out or circuit.folder / "testgen"
    if simulator_installed():
        sources = {name: built.files[name] for name in ("netlist.v", "cells.v")}
        count = run_testbench({**sources, "testbench.v": test.testbench}, f"{built.name}_tb")
        typer.echo(f"the testbench passes on the netlist ({count} patterns)")
    else:
        typer.echo("the testbench was not run: iverilog is not installed")
    with staged(out, "testgen") as scratch:
        for name, text in files.items():
            (scratch / name).write_text(text, encoding="utf-8")
    typer.echo(f"wrote {out}/{{{','.join(files)}}}")
