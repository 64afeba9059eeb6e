"""The command ``dwn-asic``: parse, call, print. Heavy imports wait until a command needs them."""

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
    from rich.progress import Progress

    from dwn_asic.flow.engine import Reporter

__all__ = ["main"]

app = typer.Typer(
    help="Turn a table of labelled data into the smallest verified classifier chip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
pdk_app = typer.Typer(help="Process design kits: what is known, what is found.", no_args_is_help=True)
app.add_typer(pdk_app, name="pdk")

Target = Annotated[Path, typer.Argument(help="Flow file (*.yaml), or the build folder of a flow.")]
Build = Annotated[Path, typer.Option(help="Folder that holds the flows' build folders.")]

_TOOL_FAILURE = 3
_INTERRUPTED = 130
_AFTER_INTERRUPT = "interrupted; finished steps are kept, the next run resumes after them"


def main() -> None:
    """Run the command line; errors become one line and an exit code, ``--debug`` shows the traceback."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(standalone_mode=True)
    except DwnAsicError as error:
        _fail(str(error), error.exit_code, debug=debug)
    except SystemExit as ended:
        # typer turns KeyboardInterrupt into this exit code and says nothing.
        if ended.code != _INTERRUPTED:
            raise
        _fail(_AFTER_INTERRUPT, _INTERRUPTED, debug=debug)
    except OSError as error:
        if error.errno == errno.EPIPE:
            # The reader of our output has gone, as in `dwn-asic ... | head`.
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
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False
) -> None:
    """Options before the command. ``--debug`` is handled by main, wherever it stands."""


@app.command()
def run(
    flow: Target,
    build: Build = Path("build"),
    *,
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the flow file's.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run every step, up to date or not, baselines too.")
    ] = False,
) -> None:
    """Run a flow from data to comparison; steps that are up to date are skipped."""
    from dwn_asic.flow import open_flow, run_flow

    opened = open_flow(flow, build, seed)
    start = time.perf_counter()
    with _reporter() as reporter:
        ran = run_flow(opened, reporter, force=force)
    folder = opened.folder
    if not ran:
        typer.echo(f"{folder} is up to date: nothing to do (table: {folder / 'comparison.md'})")
        return
    show(folder)
    files = "datasheet.html,comparison.md,accuracy_area.svg,design.v,netlist.v,verify.json,result.json"
    typer.echo(f"Files: {folder}/{{{files}}}")
    if opened.config.shrink is not None:
        typer.echo(f"Files of the shrunk circuit: {folder}/shrunk/{{datasheet.html,design.v,netlist.v}}")
    typer.echo(f"{folder}: ran {_steps(ran)} in {time.perf_counter() - start:.1f} s")


def _steps(titles: list[str]) -> str:
    """The steps by name; those of one name as their number."""
    names = [title.rpartition("/")[2] for title in titles]
    counts = {name: names.count(name) for name in names}
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts.items())


@app.command()
def chip(
    model: Annotated[Path, typer.Argument(help="Checkpoint of torch_dwn or dwn2rtl, or network.npz.")],
    data: Annotated[
        str | None, typer.Option(help="Table of rows: FILE.csv, or a source such as csv:FILE, sklearn:wine.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Label column of the table.")] = None,
    thresholds: Annotated[
        Path | None, typer.Option(help="Thermometer thresholds (.npy, .csv, or of torch.save).")
    ] = None,
    classes: Annotated[int | None, typer.Option(min=2, help="Classes, where the file doesn't say.")] = None,
    features: Annotated[int | None, typer.Option(min=1, help="Features, where the file doesn't say.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the chip; default the file's.")] = None,
    pdk: Annotated[str, typer.Option(help="PDK configuration: a name or a file.")] = "sky130hd",
    build: Build = Path("build"),
    *,
    shrink: Annotated[bool, typer.Option(help="Fewer gates at the same accuracy; needs data.")] = True,
) -> None:
    """Take a trained network to a proved netlist; with data also to a smaller circuit of its accuracy."""
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
    typer.echo(f"wrote {flow}: the same as a flow file")
    run(flow, build)


@app.command()
def make(
    files: Annotated[list[Path], typer.Argument(help="Files below BUILD, for example build/NAME/netlist.v.")],
    build: Build = Path("build"),
    *,
    flow: Annotated[
        Path | None, typer.Option(help="Flow file; default the one of an earlier run, or flows/NAME.yaml.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the flow file's.")] = None,
) -> None:
    """Bring single files of a flow up to date, and what they depend on (make calls this)."""
    from dwn_asic.flow import run_flow
    from dwn_asic.flow.run import flow_of_file

    with _reporter() as reporter:
        for file in files:
            opened, name = flow_of_file(file, build, flow, seed)
            if not run_flow(opened, reporter, targets=[name]):
                typer.echo(f"{file} is up to date")


@app.command()
def available(flows: Annotated[list[Path], typer.Argument(help="Flow files.")]) -> None:
    """Print the flow files whose tables are there (make calls this); only files of your own may be absent."""
    from dwn_asic.data.sources import data_files
    from dwn_asic.flow.flow_file import load_flow

    for flow in flows:
        data = load_flow(flow).data
        if data is None or all(table.exists() for table in data_files(data).values()):
            typer.echo(flow)


@app.command()
def names(flows: Annotated[list[Path], typer.Argument(help="Flow files.")]) -> None:
    """Print the name of each flow, which its folder below BUILD has (make calls this)."""
    from dwn_asic.flow.flow_file import load_flow

    for flow in flows:
        typer.echo(load_flow(flow).name)


@app.command()
def show(folder: Annotated[Path, typer.Argument(help="Build folder of a flow.")]) -> None:
    """Print the comparison table of a finished flow."""
    from rich.console import Console

    from dwn_asic.report.result import Result
    from dwn_asic.report.table import terminal_table

    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(terminal_table(Result.load(folder / "result.json")))


@app.command()
def collect(
    folders: Annotated[list[Path] | None, typer.Argument(help="Build folders of finished flows.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
    *,
    study: Annotated[
        list[Path] | None, typer.Option(help="Folder of runs: seed-SEED/FLOW. May be given several times.")
    ] = None,
) -> None:
    """Write tables and pictures of flows and of studies to reports/, with an index and a page."""
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
    before: Annotated[Path, typer.Argument(help="result.json, or the build folder that holds it.")],
    after: Annotated[Path, typer.Argument(help="The other one.")],
) -> None:
    """Print what changed from one result to another, metric by metric, and which way."""
    from dwn_asic.report.compare import compare_lines
    from dwn_asic.report.result import Result

    files = [path / "result.json" if path.is_dir() else path for path in (before, after)]
    for line in compare_lines(*map(Result.load, files)):
        typer.echo(line)


@app.command("import")
def import_(
    checkpoint: Annotated[Path, typer.Argument(help="File of torch.save or dwn2rtl.save.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Network to write.")] = Path("network.npz"),
    *,
    thresholds: Annotated[
        Path | None, typer.Option(help="Thermometer thresholds (.npy, .csv, or of torch.save).")
    ] = None,
    classes: Annotated[int | None, typer.Option(min=2, help="Classes, where the file doesn't say.")] = None,
    features: Annotated[int | None, typer.Option(min=1, help="Features, where the file doesn't say.")] = None,
    input_bits: Annotated[int, typer.Option(min=1, max=16, help="Of the widest code.")] = 16,
    data: Annotated[
        str | None,
        typer.Option(help="Table to fit the codes on and to compare decisions on, for example csv:FILE."),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Label column of the table.")] = None,
) -> None:
    """Read a trained DWN of torch_dwn or dwn2rtl; nothing in the file is executed."""
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
        f"thresholds are codes of {widths.min()} to {widths.max()} bits, exact for values that equal one and "
        f"for all farther from it than {imported.steps:.2f} of a code's step"
    )
    if table is not None:
        right = (network.predict(network.quantizer.codes(table.values)) == table.labels).mean()
        typer.echo(
            f"{imported.changed} of {imported.rows} rows are decided otherwise than by the real thresholds; "
            f"accuracy on all rows {right:.4f}"
        )


@app.command("export")
def export_(
    network: Annotated[Path, typer.Argument(help="network.npz of a flow, or an imported one.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Checkpoint to write.")] = Path("model.pt"),
) -> None:
    """Write a network as a checkpoint that torch_dwn and dwn2rtl can load."""
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.exchange.torch_dwn import export_checkpoint

    export_checkpoint(LutNetwork.load(network), output)
    typer.echo(f"wrote {output}")


@app.command()
def doctor() -> None:
    """Show which tools and PDKs are found, and their versions."""
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
    """The PDK configurations, and where each library's figures come from."""
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
    liberty: Annotated[list[Path], typer.Argument(help="Liberty files (.lib or .lib.gz) of one library.")],
    config: Annotated[
        Path, typer.Option(help="PDK configuration: names NAND2, corner and cells not to use.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write, for example NAME.cells.csv.")],
) -> None:
    """Make a compact cell table from Liberty files."""
    from dwn_asic.targets.asic.pdk import extract, load_config

    reading = extract(liberty, load_config(config), out)
    library = reading.library
    typer.echo(
        f"{out}: {len(library.cells)} cells and {len(library.flip_flops)} flip-flops of {library.name}"
    )
    for note in reading.notes:
        typer.echo(f"note: {note}")


@pdk_app.command("check")
def pdk_check(name: Annotated[str, typer.Argument(help="Name or file of a PDK configuration.")]) -> None:
    """Load one PDK and show what it offers; fails with the reason where it can't be used."""
    from dataclasses import fields

    from dwn_asic.targets.asic.pdk import check

    summary = check(name)
    for item in fields(summary):
        if item.name != "notes":
            typer.echo(f"{item.name:<12} {getattr(summary, item.name)}")
    for note in summary.notes:
        typer.echo(f"{'note':<12} {note}")


class _Terminal:
    """Context of a :class:`dwn_asic.flow.engine.Reporter` that prints lines and one progress bar."""

    def __enter__(self) -> Reporter:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from dwn_asic.flow.engine import Reporter

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

        class Printing(Reporter):
            def message(self, text: str) -> None:
                bar.print(
                    text, highlight=False, markup=False, soft_wrap=True
                ) if not bar.disable else typer.echo(text)

            def progress(self, what: str, done: int, total: int, note: str = "") -> None:
                if not bar.tasks or bar.tasks[-1].description != what:
                    bar.add_task(what, total=total, note=note)
                bar.update(bar.tasks[-1].id, completed=done, note=note)

        return Printing()

    def __exit__(self, *_exception: object) -> None:
        self._bar.stop()


def _reporter() -> _Terminal:
    return _Terminal()
