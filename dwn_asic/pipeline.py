"""The stages in order, what each reads and writes, and when a stage has nothing to do.

Everything of a flow lives in ``build/NAME/``; the rivals' circuits in ``build/NAME/baselines/RIVAL/``. A
stage's part of the flow file is ``config/STAGE.json``, rewritten only when it changes, and its manifest
``.manifest/STAGE.json`` holds the digest of what the outputs were made from.
"""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dwn_asic import __version__
from dwn_asic.config import FlowConfig
from dwn_asic.errors import ConfigError, DataError, ToolTimeoutError
from dwn_asic.files import digest, read_json, staged, write_json, write_text_if_changed
from dwn_asic.flow_file import flow_files, load_flow
from dwn_asic.yaml_file import validate

if TYPE_CHECKING:
    from dwn_asic.baselines.interface import RivalPlan
    from dwn_asic.config import ShrinkConfig
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.network.lut_network import LutNetwork
    from dwn_asic.report.result import MethodResult
    from dwn_asic.synth.pdk import Pdk

__all__ = ["STAGES", "Flow", "Reporter", "Stage", "configure", "open_flow", "run_flow", "run_stage"]

DEFAULT_BUILD = Path("build")
SHRUNK = "shrunk"
"""Folder of the shrunk circuit, inside that of its exact one."""


class Reporter:
    """What a stage may tell while it runs; the CLI shows it, tests ignore it."""

    def message(self, text: str) -> None:
        """One line."""

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        """Step ``done`` of ``total``."""


@dataclass(frozen=True)
class Flow:
    """An experiment and its folder."""

    config: FlowConfig
    folder: Path
    file: Path
    """The flow file."""

    @property
    def base(self) -> Path:
        """The flow file's directory, where relative data paths start."""
        return self.file.parent

    @property
    def name(self) -> str:
        """Prefix of module names and name of the folder."""
        return self.config.name

    @cached_property
    def dataset(self) -> Dataset:
        """Data of the stage ``data``."""
        from dwn_asic.data.dataset import Dataset

        return Dataset.load(self.folder / "dataset.npz")

    @cached_property
    def pdk(self) -> Pdk:
        """The PDK that the flow names."""
        from dwn_asic.synth.pdk import load_pdk

        return load_pdk(self.config.synthesis.pdk)


@dataclass(frozen=True)
class Stage:
    """One arrow of the flow.

    Attributes
    ----------
    name
        As on the command line.
    sections
        Dotted keys of the flow configuration that it depends on.
    inputs, outputs
        File names in the flow's folder.
    run
        Does the work; gives the seconds that went into what it found done, if it can be ended and go on.
    """

    name: str
    sections: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[Flow, Reporter], float | None] = field(repr=False)


def configure(flow_file: Path, build: Path = DEFAULT_BUILD, seed: int | None = None) -> Flow:
    """Read a flow file and write its stages' parts to ``build/NAME/config/``; equal parts stay untouched.

    ``seed`` is one in place of the file's.
    """
    config = load_flow(flow_file, seed)
    flow = Flow(config, build / config.name, flow_file)
    text = json.dumps({"file": str(flow_file), "flow": config.model_dump(mode="json")}, indent=1)
    write_text_if_changed(flow.folder / "config" / "flow.json", text + "\n")
    for stage in STAGES:
        part = json.dumps(_stage_config(flow, stage), indent=1, sort_keys=True)
        write_text_if_changed(flow.folder / "config" / f"{stage.name}.json", part + "\n")
    source = config.data.source
    data_file = _data_file(source, flow.base)
    rules = [f"{flow.folder}/dataset.npz: {data_file}\n"] if data_file else []
    rules += [f"{flow.folder}/config/.done: {extended}\n" for extended in flow_files(flow_file)[1:]]
    write_text_if_changed(flow.folder / "config" / "data.mk", "".join(rules))
    return flow


def _data_file(source: str, base: Path) -> Path | None:
    """The file that a ``csv:`` source reads."""
    if not source.startswith("csv:"):
        return None
    path = Path(source.removeprefix("csv:"))
    return base / path if (base / path).exists() else path


def open_flow(path: Path, build: Path = DEFAULT_BUILD, seed: int | None = None) -> Flow:
    """The flow of a flow file (``*.yaml``), or of a folder that :func:`configure` made with its seed."""
    if path.suffix in {".yaml", ".yml"}:
        return configure(path, build, seed)
    if seed is not None:
        raise ConfigError(path, "", "is a build folder, whose seed is fixed", "a seed with a flow file")
    record = path / "config" / "flow.json"
    if not record.exists():
        raise ConfigError(
            path, "", "is no flow", "a flow file (*.yaml), or a build folder made from one by 'dwn-asic run'"
        )
    content = read_json(record)
    return Flow(validate(FlowConfig, content["flow"], record), path, Path(content["file"]))


def run_stage(flow: Flow, stage: Stage, reporter: Reporter) -> None:
    """Run one stage, whether or not it is up to date, and write its manifest."""
    for name in stage.inputs:
        if not (flow.folder / name).exists():
            maker = next(s.name for s in STAGES if name in s.outputs)
            raise DataError(flow.folder / name, f"is missing; 'dwn-asic {maker} {flow.folder}' makes it")
    manifest = flow.folder / ".manifest" / f"{stage.name}.json"
    manifest.unlink(missing_ok=True)
    start = time.perf_counter()
    earlier = stage.run(flow, reporter)
    seconds = time.perf_counter() - start + (earlier or 0.0)
    manifest.parent.mkdir(exist_ok=True)
    with staged(manifest.parent, stage.name) as scratch:
        write_json(scratch / manifest.name, {"key": _key(flow, stage), "seconds": seconds})


def run_flow(flow: Flow, reporter: Reporter, *, force: bool = False) -> list[str]:
    """Run every stage that is not up to date; gives the names of those that ran."""
    ran = []
    for stage in STAGES:
        if not force and is_current(flow, stage):
            reporter.message(f"{stage.name}: up to date")
            continue
        run_stage(flow, stage, reporter)
        ran.append(stage.name)
    return ran


def is_current(flow: Flow, stage: Stage) -> bool:
    """Whether the outputs are there and were made from the present inputs and configuration."""
    manifest = flow.folder / ".manifest" / f"{stage.name}.json"
    files = [flow.folder / name for name in (*stage.inputs, *stage.outputs)]
    if not manifest.exists() or not all(path.exists() for path in files):
        return False
    return bool(read_json(manifest).get("key") == _key(flow, stage))


def _key(flow: Flow, stage: Stage) -> str:
    inputs = [flow.folder / name for name in stage.inputs]
    data_file = _data_file(flow.config.data.source, flow.base) if stage.name == "data" else None
    return digest(_stage_config(flow, stage), [*inputs, *([data_file] if data_file else [])])


def _stage_config(flow: Flow, stage: Stage) -> dict[str, Any]:
    """The stage's part of the flow configuration."""
    content: Any = flow.config.model_dump(mode="json")
    part: dict[str, Any] = {"version": __version__, "stage": stage.name}
    for section in stage.sections:
        value = content
        for key in section.split("."):
            value = value[key]
        part[section] = value
    return part


def _run_data(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.data.dataset import prepare

    dataset = prepare(flow.config.data, flow.config.encoder, flow.config.seed, flow.base)
    with staged(flow.folder, "data") as scratch:
        dataset.save(scratch / "dataset.npz")
    table, split = dataset.table, dataset.split
    reporter.message(
        f"data: {table.source}, {len(table.feature_names)} features, {table.n_classes} classes, "
        f"{len(split.train)} / {len(split.val)} / {len(split.test)} rows to train / validate / test"
    )


def _run_train(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.circuit import save_model
    from dwn_asic.learn.fit import EpochReport, train
    from dwn_asic.learn.heads import check_model
    from dwn_asic.network.convert import to_graph

    config, dataset = flow.config, flow.dataset
    check_model(config.model, dataset.table.n_classes, str(flow.folder / "config" / "flow.json"))

    def progress(report: EpochReport) -> None:
        note = f"loss {report.train_loss:.3f}, validation accuracy {report.val_accuracy:.3f}"
        reporter.progress("training", report.epoch + 1, config.training.epochs, note)

    result = train(dataset, config.encoder, config.model, config.training, config.seed, progress)
    with staged(flow.folder, "train") as scratch:
        result.network.save(scratch / "network.npz")
        save_model(scratch, to_graph(result.network), result.network.predict(dataset.codes))
    reporter.message(f"train: best epoch {result.best_epoch + 1} of start {result.restart + 1}")


def _run_shrink(flow: Flow, reporter: Reporter) -> None:
    folder = flow.folder / SHRUNK
    if flow.config.shrink is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_json(folder / "method.json", None)
        reporter.message("shrink: not asked for")
        return
    from dwn_asic.network.lut_network import LutNetwork

    network = LutNetwork.load(flow.folder / "network.npz")
    found = _shrink_circuit(flow, flow.config.shrink, flow.folder, reporter, network)
    reporter.message(f"shrink: {_summary(found)}")


def _shrink_circuit(
    flow: Flow, config: ShrinkConfig, source: Path, reporter: Reporter, network: LutNetwork | None = None
) -> dict[str, float]:
    """Shrink the circuit in ``source`` and take the result to a proved netlist, in a folder inside it."""
    from dwn_asic import circuit
    from dwn_asic.logic.shrink import shrink
    from dwn_asic.network.graph import BooleanGraph

    dataset, folder = flow.dataset, source / SHRUNK
    folder.mkdir(exist_ok=True)
    points, chosen = shrink(
        [BooleanGraph.load(source / "graph.json")],
        dataset.part("train"),
        dataset.part("val"),
        flow.pdk.library,
        config,
        flow.config.seed,
        network=network,
        checkpoints=folder / "chains",
        progress=lambda done, total: reporter.progress("shrinking", done, total),
    )
    circuit.save_front(folder, points, chosen, dataset, flow.pdk.library)
    model = points[chosen].point.graph
    circuit.save_model(folder, model, model.predict(dataset.codes))
    found = _to_netlist(flow, folder)
    with staged(folder, "method") as scratch:
        write_json(scratch / "method.json", found)
    shutil.rmtree(folder / "chains", ignore_errors=True)
    return found


def _to_netlist(flow: Flow, folder: Path) -> dict[str, float]:
    """graph.json and predictions.npy of a folder to a proved netlist beside them, and its metrics."""
    from dwn_asic import circuit

    config, dataset, library = flow.config, flow.dataset, flow.pdk.library
    circuit.minimize_circuit(folder, library, config.minimize)
    circuit.write_design(folder, flow.name, dataset, config.hardware)
    circuit.synthesize_circuit(folder, flow.name, library, config.synthesis)
    circuit.verify_circuit(folder, flow.name, dataset, library, config.hardware, config.synthesis)
    return circuit.metrics(folder, flow.name, dataset, library)


def _run_minimize(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.circuit import minimize_circuit

    minimize_circuit(flow.folder, flow.pdk.library, flow.config.minimize)
    record = read_json(flow.folder / "minimize.json")
    reporter.message(
        f"minimize: {record['core']['luts_before']} LUTs -> {record['core']['and_count']} AND nodes; "
        f"core about {record['core']['area_um2']:.1f} um2; proved equal"
    )


def _run_verilog(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.circuit import write_design

    write_design(flow.folder, flow.name, flow.dataset, flow.config.hardware)
    reporter.message(f"verilog: {flow.folder / 'design.v'}")


def _run_synth(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.circuit import synthesize_circuit

    synthesize_circuit(flow.folder, flow.name, flow.pdk.library, flow.config.synthesis)
    modules = read_json(flow.folder / "synth.json")["modules"]
    areas = ", ".join(f"{module} {area['area']:.1f} um2" for module, area in modules.items())
    reporter.message(f"synth: {areas} ({flow.pdk.origin})")


def _run_verify(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.circuit import verify_circuit

    config = flow.config
    checks = verify_circuit(
        flow.folder, flow.name, flow.dataset, flow.pdk.library, config.hardware, config.synthesis
    )
    for check in checks:
        how = f"on all {check.size} rows" if check.how == "rows" else f"by {check.how}"
        reporter.message(f"verify: {check.what} {how}")
    if not any(check.how == "simulation" for check in checks):
        reporter.message("verify: event-driven simulation skipped, iverilog is not installed")


def _run_baseline(flow: Flow, reporter: Reporter) -> float:
    from dwn_asic.baselines.registry import plan

    folder = flow.folder / "baselines"
    folder.mkdir(exist_ok=True)
    plans = plan(flow.config.baselines)
    wanted = {rival.name for rival in plans}
    for stale in folder.iterdir():
        if stale.is_dir() and stale.name not in wanted:
            shutil.rmtree(stale)
    earlier = 0.0
    for number, rival in enumerate(plans):
        reporter.progress("baselines", number, len(plans), rival.name)
        earlier += _run_rival(flow, rival, folder / rival.name, reporter)
    with staged(folder, "summary") as scratch:
        records = [found for rival in plans for found in read_json(folder / rival.name / "method.json")]
        write_json(scratch / "summary.json", records)
    return earlier


def _run_rival(flow: Flow, rival: RivalPlan, folder: Path, reporter: Reporter) -> float:
    """Fit one rival and take its graph through the very same steps as the DWN's.

    One that is up to date is left alone; then the result is the seconds it took, else 0.
    """
    from dwn_asic import circuit
    from dwn_asic.synth.metrics import METRICS

    config = flow.config
    shrink = config.shrink if config.shrink is not None and config.shrink.rivals else None
    key = digest(
        {
            "shrink": None if shrink is None else shrink.model_dump(mode="json"),
            "version": __version__,
            "plan": repr(rival),
            "seed": config.seed,
            "flow": {
                k: config.model_dump(mode="json")[k] for k in ("name", "minimize", "hardware", "synthesis")
            },
        },
        [flow.folder / "dataset.npz"],
    )
    record = folder / "method.json"
    if record.exists() and (known := read_json(record)[0]).get("key") == key:
        reporter.message(f"baseline {rival.name}: up to date")
        return float(known["seconds"])
    start = time.perf_counter()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    fitted = rival.fit(flow.dataset, config.seed, None)
    found: dict[str, float] = {f"accuracy__{part}": value for part, value in fitted.accuracy.items()}
    graph, details = fitted.graph, dict(fitted.details)
    if graph is not None:
        circuit.save_model(folder, graph, graph.predict(flow.dataset.codes))
        try:
            found = _to_netlist(flow, folder)
        except ToolTimeoutError as error:
            # A rival too large for the flow's limits must not cost the comparison; its accuracy still counts.
            graph, details["no_circuit"] = None, str(error)
            reporter.message(f"baseline {rival.name}: no circuit, only its accuracy: {error}")
    content: dict[str, Any] = {
        "key": key,
        "name": fitted.name,
        "label": fitted.label if "no_circuit" not in details else f"{fitted.label} (no circuit in time)",
        "method": fitted.method,
        "kind": "software" if graph is None else "exact",
        "metrics": {name: found[name] for name in METRICS if name in found},
        "details": details,
    }
    contents = [content]
    reporter.message(f"baseline {rival.name}: {_summary(found)}")
    if graph is not None and shrink is not None:
        found = _shrink_circuit(flow, shrink, folder, reporter)
        metrics = {name: found[name] for name in METRICS if name in found}
        contents.append({**content, **_shrunk_names(fitted.name, fitted.label), "metrics": metrics})
        reporter.message(f"baseline {rival.name}, shrunk: {_summary(found)}")
    content["seconds"] = time.perf_counter() - start
    with staged(folder, "method") as scratch:
        write_json(scratch / "method.json", contents)
    return 0.0


def _shrunk_names(name: str, label: str) -> dict[str, str]:
    return {"name": f"{name}-shrunk", "label": f"{label}, shrunk", "kind": "shrunk"}


def _summary(found: Mapping[str, float]) -> str:
    text = f"test accuracy {found['accuracy__test']:.4f}"
    if "area__nand2_equivalent" in found:
        core, total = found["area__core__nand2_equivalent"], found["area__nand2_equivalent"]
        text += f", core {core:.1f}, total {total:.1f} NAND2-equivalents, proved"
    return text


def _run_report(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.report.collect import write_flow_report
    from dwn_asic.report.result import PdkResult, Result, SplitSizes
    from dwn_asic.synth.tools import tool_versions

    dataset, config, pdk = flow.dataset, flow.config, flow.pdk
    split = dataset.split
    result = Result(
        flow=flow.name,
        flow_file=flow.file.as_posix(),
        source=config.data.source,
        seed=config.seed,
        split=SplitSizes(train=len(split.train), val=len(split.val), test=len(split.test)),
        n_features=len(dataset.table.feature_names),
        n_classes=dataset.table.n_classes,
        class_names=dataset.table.class_names,
        input_bits=config.encoder.input_bits,
        pdk=PdkResult(
            name=config.synthesis.pdk,
            library=pdk.library.name,
            corner=pdk.library.corner,
            # Names, not paths: reports say the same on every machine.
            origin=", ".join(path.name for path in pdk.liberty) or pdk.origin,
        ),
        tools={
            "dwn-asic": __version__,
            **{t: v for t, v in tool_versions().items() if t in {"yosys", "abc"}},
        },
        config=config.model_dump(mode="json"),
        methods=(*_dwn_results(flow), *_rival_results(flow)),
        run=_run_metadata(flow),
    )
    with staged(flow.folder, "report") as scratch:
        write_flow_report(result, scratch)
        result.save(scratch / "result.json")
    reporter.message(f"report: {flow.folder / 'comparison.md'}, {flow.folder / 'accuracy_area.svg'}")


def _dwn_label(flow: Flow) -> str:
    from dwn_asic.learn.heads import network_head

    model = flow.config.model
    layers = model.layers_for(network_head(model, flow.dataset.table.n_classes).direct_outputs)
    sizes = "-".join(str(layer.luts) for layer in layers)
    arities = ",".join("+".join(map(str, layer.inputs)) for layer in layers)
    return f"DWN {sizes} ({arities}-input LUTs)"


def _dwn_results(flow: Flow) -> list[MethodResult]:
    """The exact circuit and, where there is one, the shrunk."""
    from dwn_asic import circuit
    from dwn_asic.report.result import MethodResult
    from dwn_asic.synth.metrics import METRICS

    name, label = "dwn", _dwn_label(flow)
    exact = circuit.metrics(flow.folder, flow.name, flow.dataset, flow.pdk.library)
    rows: list[tuple[dict[str, Any], dict[str, float]]] = [
        ({"name": name, "label": label, "kind": "exact"}, exact)
    ]
    shrunk = read_json(flow.folder / SHRUNK / "method.json")
    if shrunk is not None:
        front = tuple(circuit.load_front(flow.folder / SHRUNK))
        rows.append(({**_shrunk_names(name, label), "front": front}, shrunk))
    return [
        MethodResult.model_validate(
            {
                **names,
                "method": "dwn",
                "proof": "proved",
                "metrics": {metric: found[metric] for metric in METRICS if metric in found},
                "details": {"head": flow.config.model.head, "minimize_effort": flow.config.minimize.effort},
            }
        )
        for names, found in rows
    ]


def _rival_results(flow: Flow) -> list[MethodResult]:
    from dwn_asic.report.result import MethodResult

    results = []
    for content in read_json(flow.folder / "baselines" / "summary.json"):
        for bookkeeping in ("key", "seconds"):
            content.pop(bookkeeping, None)
        proof = "-" if content["kind"] == "software" else "proved"
        results.append(MethodResult(proof=proof, **content))
    return results


def _run_metadata(flow: Flow) -> dict[str, str | float]:
    seconds = {
        f"seconds_{stage.name}": read_json(path)["seconds"]
        for stage in STAGES
        if (path := flow.folder / ".manifest" / f"{stage.name}.json").exists()
    }
    finished = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "finished": finished,
        "python": platform.python_version(),
        "machine": platform.machine(),
        **seconds,
    }


STAGES: tuple[Stage, ...] = (
    Stage("data", ("data", "encoder.input_bits", "seed"), (), ("dataset.npz",), _run_data),
    Stage(
        "train",
        ("encoder", "model", "training", "seed"),
        ("dataset.npz",),
        ("network.npz", "graph.json", "predictions.npy"),
        _run_train,
    ),
    Stage(
        "shrink",
        ("name", "seed", "shrink", "minimize", "hardware", "synthesis"),
        ("dataset.npz", "graph.json", "network.npz"),
        (f"{SHRUNK}/method.json",),
        _run_shrink,
    ),
    Stage(
        "minimize",
        ("minimize", "synthesis.pdk"),
        ("graph.json",),
        ("core.json", "encoder.json", "minimize.json"),
        _run_minimize,
    ),
    Stage(
        "verilog",
        ("name", "hardware"),
        ("core.json", "encoder.json", "dataset.npz", "predictions.npy"),
        ("design.v", "testbench.v"),
        _run_verilog,
    ),
    Stage(
        "synth",
        ("name", "synthesis"),
        ("design.v",),
        ("netlist.v", "cells.v", "synth.json"),
        _run_synth,
    ),
    Stage(
        "verify",
        ("name", "hardware", "synthesis"),
        (
            "dataset.npz",
            "predictions.npy",
            "graph.json",
            "core.json",
            "encoder.json",
            "design.v",
            "testbench.v",
            "netlist.v",
            "cells.v",
        ),
        ("verify.json",),
        _run_verify,
    ),
    Stage(
        "baseline",
        ("name", "seed", "baselines", "shrink", "minimize", "hardware", "synthesis"),
        ("dataset.npz",),
        ("baselines/summary.json",),
        _run_baseline,
    ),
    Stage(
        "report",
        ("name", "seed", "data", "encoder.input_bits", "model", "minimize.effort", "synthesis.pdk"),
        (
            "dataset.npz",
            "predictions.npy",
            "core.json",
            "synth.json",
            "verify.json",
            f"{SHRUNK}/method.json",
            "baselines/summary.json",
        ),
        ("result.json", "comparison.md", "comparison.csv", "accuracy_area.svg", "accuracy_area.png"),
        _run_report,
    ),
)
"""In the order in which they run."""
