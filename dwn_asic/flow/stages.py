"""What each stage reads, does and writes, in the order in which they run."""

from __future__ import annotations

import shutil

from dwn_asic.files import read_json, staged, write_json
from dwn_asic.flow.circuits import SHRUNK, shrink_circuit, summary
from dwn_asic.flow.context import Flow, Reporter, Stage
from dwn_asic.flow.matching import run_match
from dwn_asic.flow.results import run_report
from dwn_asic.flow.rivals import run_baseline

__all__ = ["STAGES"]


def _run_data(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.data.dataset import prepare

    dataset = prepare(flow.config.data, flow.config.encoder, flow.config.seed)
    with staged(flow.folder, "data") as scratch:
        dataset.save(scratch / "dataset.npz")
    table, split = dataset.table, dataset.split
    reporter.message(
        f"data: {table.source}, {len(table.feature_names)} features, {table.n_classes} classes, "
        f"{len(split.train)} / {len(split.val)} / {len(split.test)} rows to train / validate / test"
    )
    for note in table.notes:
        reporter.message(f"data: {note}")


def _run_train(flow: Flow, reporter: Reporter) -> None:
    from dwn_asic.boolean.convert import to_graph
    from dwn_asic.circuit import save_model
    from dwn_asic.methods.dwn.fit import EpochReport, train
    from dwn_asic.methods.dwn.heads import check_model

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
    from dwn_asic.boolean.lut_network import LutNetwork

    network = LutNetwork.load(flow.folder / "network.npz")
    found = shrink_circuit(flow, flow.config.shrink, flow.folder, reporter, network)
    reporter.message(f"shrink: {summary(found)}")


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
    from dwn_asic.verilog.simulate import simulator_installed

    config = flow.config
    checks = verify_circuit(
        flow.folder, flow.name, flow.dataset, flow.pdk.library, config.hardware, config.synthesis
    )
    for check in checks:
        how = {
            "rows": f"on all {check.size} rows",
            "proof": "by proof",
            "simulation": f"by simulation of {check.size} rows",
        }[check.how]
        reporter.message(f"verify: {check.what} {how}")
    if not any(check.how == "simulation" for check in checks):
        why = "it takes too long" if simulator_installed() else "iverilog is not installed"
        reporter.message(f"verify: event-driven simulation skipped, {why}")


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
        run_baseline,
    ),
    Stage(
        "match",
        ("name", "match", "minimize", "hardware", "synthesis"),
        ("dataset.npz", f"{SHRUNK}/method.json", "baselines/summary.json"),
        (f"{SHRUNK}/front/matched.json",),
        run_match,
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
            f"{SHRUNK}/front/matched.json",
            "baselines/summary.json",
        ),
        ("result.json", "comparison.md", "comparison.csv", "accuracy_area.svg", "accuracy_area.png"),
        run_report,
    ),
)
"""In the order in which they run."""
