"""The command line ``dwn-asic``. Each command imports what it needs, so that ``--help`` answers at once."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from dwn_asic.errors import DwnAsicError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dwn_asic.flow.finished import RunCircuit
    from dwn_asic.flow.step import Reporter
    from dwn_asic.targets.asic.target import AsicTarget

__all__ = ["main"]

app = typer.Typer(
    help="Turn a table of labelled data into the smallest verified classifier chip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
pdk_app = typer.Typer(help="List, check and extract process design kits (PDKs).", no_args_is_help=True)
app.add_typer(pdk_app, name="pdk")

Target = Annotated[
    Path,
    typer.Argument(
        help="Flow file (*.yaml), FILE:NAME for a file that stands for several flows, or the build folder of "
        "a flow that was run before."
    ),
]
Build = Annotated[Path, typer.Option(help="Folder of all build folders; a flow is built in BUILD/NAME.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Maximum number of steps that run at once, each on one processor core. Default: the number of "
        "cores. The results do not depend on it.",
    ),
]
Thresholds = Annotated[
    Path | None,
    typer.Option(
        help="File of the thermometer thresholds (.npy, .csv, or written by torch.save). "
        "Default: those in the checkpoint."
    ),
]
Classes = Annotated[
    int | None, typer.Option(min=2, help="Number of classes; needed only if the checkpoint lacks it.")
]
Features = Annotated[
    int | None, typer.Option(min=1, help="Number of features; needed only if the checkpoint lacks it.")
]

_TOOL_FAILURE = 3
_INTERRUPTED = 130
_AFTER_INTERRUPT = "interrupted; finished steps are kept, and the next run resumes after them"


def main() -> None:
    """Run the command line; an error prints one line and sets the exit code, ``--debug`` adds the traceback.

    Exit codes: 0 for success, 2 for wrong input, 3 for a tool or file system failure, 4 for a failed
    verification, 130 for an interruption.
    """
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(standalone_mode=True)
    except DwnAsicError as error:
        _fail(str(error), error.exit_code, debug=debug)
    except SystemExit as ended:
        # typer turns KeyboardInterrupt into this exit code without a message.
        if ended.code != _INTERRUPTED:
            raise
        _fail(_AFTER_INTERRUPT, _INTERRUPTED, debug=debug)
    except OSError as error:
        if error.errno == errno.EPIPE:
            # The reader of our output has closed the pipe, as in `dwn-asic ... | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        _fail(f"{error.filename or 'file'}: {error.strerror or error}", _TOOL_FAILURE, debug=debug)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(message: str, code: int, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    typer.echo(f"dwn-asic: error: {message}", err=True)
    raise SystemExit(code)


@app.callback()
def _options(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the traceback of an error; allowed anywhere in the line.")
    ] = False,
) -> None:
    """Declare the options before the command; ``main`` handles ``--debug`` wherever it stands."""


@app.command()
def run(
    flow: Target,
    build: Build = Path("build"),
    *,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed to use instead of the flow file's.")] = None,
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
    with _reporter() as reporter:
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
    label: Annotated[
        str | None,
        typer.Option(help="Label column of the table. Default: class in a CSV file, else the source's own."),
    ] = None,
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
    seed: Annotated[int | None, typer.Option(min=0, help="Seed to use instead of the flow file's.")] = None,
    jobs: Jobs = None,
) -> None:
    """Bring single files of a flow up to date.

    The steps that they depend on run first. The Makefile uses this command.
    """
    from dwn_asic.flow import run_flow
    from dwn_asic.flow.run import flow_of_file
    from dwn_asic.tools import processors

    with _reporter() as reporter:
        for file in files:
            opened, name = flow_of_file(file, build, flow, seed)
            if not run_flow(opened, reporter, targets=[name], jobs=jobs or processors()):
                typer.echo(f"{file} is up to date")


@app.command()
def available(flows: Annotated[list[Path], typer.Argument(help="Flow files (*.yaml).")]) -> None:
    """Print those of the given flow files whose data is available.

    Only a file of the user, as in csv:FILE, can be missing. A file that stands for several flows is printed
    as FILE:NAME for each of them. The Makefile uses this command.
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

    It is also the name of the flow's build folder. The Makefile uses this command.
    """
    from dwn_asic.flow.flow_file import flows_of, load_flow

    for flow in (each for file in flows for each in flows_of(file)):
        typer.echo(load_flow(flow).name)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(help="Build folder of a finished flow, for example build/NAME.")],
) -> None:
    """Print the comparison table of a finished flow."""
    from rich.console import Console

    from dwn_asic.report.result import Result
    from dwn_asic.report.table import terminal_table

    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(terminal_table(Result.load(folder / "result.json")))


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


@app.command("signoff")
def signoff(
    folder: Annotated[Path, typer.Argument(help="Build folder of a finished flow, for example build/NAME.")],
    *,
    shrunk: Annotated[
        bool, typer.Option("--shrunk", help="Analyze the shrunk circuit instead of the exact one.")
    ] = False,
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
    folder: Annotated[Path, typer.Argument(help="Build folder of a finished flow, for example build/NAME.")],
    *,
    shrunk: Annotated[
        bool, typer.Option("--shrunk", help="Check the shrunk circuit instead of the exact one.")
    ] = False,
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
    folder: Annotated[Path, typer.Argument(help="Build folder of a finished flow, for example build/NAME.")],
    *,
    shrunk: Annotated[
        bool, typer.Option("--shrunk", help="Test the shrunk circuit instead of the exact one.")
    ] = False,
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
    with _reporter() as reporter:
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


@app.command("import")
def import_(
    checkpoint: Annotated[
        Path, typer.Argument(help="Checkpoint to read, written by torch.save or dwn2rtl.save.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Network file to write.")] = Path(
        "network.npz"
    ),
    *,
    thresholds: Thresholds = None,
    classes: Classes = None,
    features: Features = None,
    input_bits: Annotated[
        int, typer.Option(min=1, max=16, help="Maximum width of a feature's code in bits.")
    ] = 16,
    data: Annotated[
        str | None,
        typer.Option(
            help="Table on which to fit the codes and to count changed predictions, for example csv:FILE. "
            "Default: the codes are fitted to the thresholds alone."
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Label column of the table. Default: class in a CSV file, else the source's own."),
    ] = None,
) -> None:
    """Convert a checkpoint of torch_dwn or dwn2rtl to a network file.

    Nothing in the checkpoint is executed.
    """
    from dwn_asic.data.config import DataConfig
    from dwn_asic.data.sources import load_table
    from dwn_asic.exchange.torch_dwn import import_checkpoint
    from dwn_asic.files import staged

    table = None if data is None else load_table(DataConfig(source=data, label=label))
    imported = import_checkpoint(
        checkpoint,
        thresholds=thresholds,
        n_classes=classes,
        n_features=features,
        input_bits=input_bits,
        values=None if table is None else table.values,
        feature_names=None if table is None else table.feature_names,
        class_names=None if table is None else table.class_names,
    )
    network = imported.network
    with staged(output.parent, "import") as scratch:
        network.save(scratch / output.name)
    sizes = "-".join(str(layer.n_luts) for layer in network.layers)
    arities = ",".join(str(layer.n_inputs) for layer in network.layers)
    typer.echo(
        f"wrote {output}: {len(network.feature_names)} features, {len(network.thermometer)} thresholds, "
        f"LUTs {sizes} ({arities} inputs), {network.head.n_classes} classes"
    )
    widths = network.quantizer.bits
    typer.echo(
        f"thresholds became codes of {widths.min()} to {widths.max()} bits; a comparison is exact for values "
        f"equal to the threshold or farther from it than {imported.steps:.2f} code steps"
    )
    if table is not None:
        right = (network.predict(network.quantizer.codes(table.values)) == table.labels).mean()
        typer.echo(
            f"predictions differ from those with the real-valued thresholds on {imported.changed} of "
            f"{imported.rows} rows; accuracy on all rows {right:.4f}"
        )


@app.command("export")
def export_(
    network: Annotated[Path, typer.Argument(help="Network file: network.npz of a flow or of an import.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Checkpoint file to write.")] = Path(
        "model.pt"
    ),
) -> None:
    """Convert a network file to a checkpoint.

    torch_dwn and dwn2rtl can load it.
    """
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.exchange.torch_dwn import export_checkpoint

    export_checkpoint(LutNetwork.load(network), output)
    typer.echo(f"wrote {output}")


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


class _Terminal:
    """Context manager for a :class:`dwn_asic.flow.step.Reporter` that prints lines and a progress bar."""

    def __enter__(self) -> Reporter:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from dwn_asic.flow.step import Reporter

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._bar: Progress = bar
        bar.start()
        shown: dict[str, TaskID] = {}

        class Printing(Reporter):
            def message(self, text: str) -> None:
                bar.print(
                    text, highlight=False, markup=False, soft_wrap=True
                ) if not bar.disable else typer.echo(text)

            def progress(self, what: str, done: int, total: int, note: str = "") -> None:
                if what not in shown:
                    shown[what] = bar.add_task(what, total=total, note=note)
                bar.update(shown[what], completed=done, note=note)

        return Printing()

    def __exit__(self, *_exception: object) -> None:
        self._bar.stop()


def _reporter() -> _Terminal:
    return _Terminal()
