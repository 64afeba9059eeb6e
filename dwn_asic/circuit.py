"""From a Boolean graph to a proved netlist: the steps that every method's circuit goes through.

Each step reads and writes files of one folder::

    graph.json predictions.npy --minimize--> core.json encoder.json minimize.json
        --write_design--> design.v testbench.v
        --synthesize--> netlist.v cells.v synth.json
        --verify--> verify.json
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from dwn_asic.boolean.aig import and_count
from dwn_asic.boolean.comparators import specification
from dwn_asic.boolean.compose import compose
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import PARTS
from dwn_asic.equivalence.check import Check, check_equal, check_rows, check_verilog
from dwn_asic.errors import DataError, ToolTimeoutError
from dwn_asic.files import read_json, staged, write_json
from dwn_asic.metrics import CORE, TOTAL
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.exact.minimize import Minimized, minimize_parts
from dwn_asic.optimize.lossy.shrink import MappedPoint
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.yosys import ModuleArea, synthesize
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.reader import read_verilog
from dwn_asic.verilog.simulate import run_testbench, simulator_installed
from dwn_asic.verilog.testbench import bench_verilog
from dwn_asic.verilog.writer import design_verilog, latency, register_bits

__all__ = [
    "load_front",
    "load_predictions",
    "metrics",
    "minimize_circuit",
    "save_front",
    "save_model",
    "synthesize_circuit",
    "verify_circuit",
    "write_design",
]

_VECTORS = 10, 500
"""Test rows that the testbench applies, at least and at most."""
_EVENTS = 1_000_000
"""A change at an input makes up to gates x depth events; a simulator does some millions of them a second."""
_FRONT_COLUMNS = (
    "circuit",
    "core_nand2",
    "encoder_nand2",
    "total_nand2",
    "accuracy_train",
    "accuracy_val",
    "accuracy_expected",
    "accuracy_test",
    "chosen",
)


def save_model(folder: Path, graph: BooleanGraph, predictions: np.ndarray) -> None:
    """Write graph.json and predictions.npy, the model's class of every row of the data."""
    graph.save(folder / "graph.json")
    np.save(folder / "predictions.npy", predictions.astype(np.int64), allow_pickle=False)


def load_predictions(folder: Path) -> np.ndarray:
    """(N,) class indices, as :func:`save_model` wrote them."""
    path = folder / "predictions.npy"
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(path, f"not a readable array: {error}") from error


def save_front(
    folder: Path,
    points: Sequence[MappedPoint],
    chosen: int,
    dataset: Dataset,
    library: CellLibrary,
    hardware: HardwareConfig,
) -> None:
    """Write ``front.csv`` and ``front/NN.json``: the circuits.

    Areas of core and encoder are as in :class:`MappedPoint`; the total has the registers too.
    """
    shutil.rmtree(folder / "front", ignore_errors=True)
    (folder / "front").mkdir(parents=True)
    lines = [",".join(_FRONT_COLUMNS)]
    for number, mapped in enumerate(points):
        point = mapped.point
        name = f"front/{number:02d}.json"
        point.graph.save(folder / name)
        held = register_bits(point.graph, hardware.registers)
        registers = held * library.flip_flop.area if held else 0.0
        parts = mapped.core, mapped.encoder
        areas = [library.nand2_equivalents(area) for area in (*parts, sum(parts) + registers)]
        train, val, test = (point.graph.accuracy(*dataset.part(part)) for part in PARTS)
        accuracies = (train, val, point.expected, test)
        cells = [f"{area:.2f}" for area in areas] + [f"{value:.6f}" for value in accuracies]
        lines.append(",".join([name, *cells, "yes" if number == chosen else ""]))
    with staged(folder, "front") as scratch:
        (scratch / "front.csv").write_text("\n".join([*lines, ""]))


def load_front(folder: Path) -> tuple[dict[str, Any], ...]:
    """What :func:`save_front` wrote, in the terms of :class:`dwn_asic.report.result.FrontPoint`.

    With the netlists that ``front/matched.json`` names, where it is there.
    """
    record = folder / "front" / "matched.json"
    matched = read_json(record) if record.exists() else {}
    with (folder / "front.csv").open(newline="") as file:
        return tuple(
            {
                "core": float(line["core_nand2"]),
                "total": float(line["total_nand2"]),
                "accuracy_train": float(line["accuracy_train"]),
                "accuracy_val": float(line["accuracy_val"]),
                "accuracy_expected": float(line["accuracy_expected"]),
                "accuracy_test": float(line["accuracy_test"]),
                "netlist": _netlist(folder, Path(line["circuit"]), matched),
            }
            for line in csv.DictReader(file)
        )


def _netlist(folder: Path, circuit: Path, matched: Mapping[str, Any]) -> dict[str, Any] | None:
    """Its place in the run's folder, and its areas."""
    if circuit.stem not in matched:
        return None
    found = matched[circuit.stem]["metrics"]
    place = (Path(folder.name) / circuit.with_suffix("")).as_posix()
    return {"folder": place, "core": found[CORE], "total": found[TOTAL]}


def minimize_circuit(folder: Path, library: CellLibrary, config: MinimizeConfig) -> None:
    """graph.json -> core.json and encoder.json, each minimized by itself and proved."""
    graph = BooleanGraph.load(folder / "graph.json")
    core, encoder = minimize_parts(
        graph, library, effort=config.effort, timeout_s=config.timeout_s, budget_s=config.budget_s
    )
    with staged(folder, "minimize") as scratch:
        core.graph.save(scratch / "core.json")
        encoder.graph.save(scratch / "encoder.json")
        write_json(
            scratch / "minimize.json",
            {"core": _minimize_record(graph, core), "encoder": _minimize_record(None, encoder)},
        )


def _minimize_record(before: BooleanGraph | None, after: Minimized) -> dict[str, object]:
    return {
        "and_count": and_count(after.graph),
        "luts_before": len(before.luts) if before else None,
        "area_um2": after.area,
        "proof_seconds": after.proof_seconds,
        "candidates": [asdict(candidate) for candidate in after.candidates],
    }


def write_design(folder: Path, name: str, dataset: Dataset, config: HardwareConfig) -> None:
    """core.json, encoder.json -> design.v, and testbench.v with vectors from the test rows."""
    core, encoder = BooleanGraph.load(folder / "core.json"), BooleanGraph.load(folder / "encoder.json")
    rows = dataset.split.test[: _vectors(compose(encoder, core))]
    vectors = dataset.codes[rows], load_predictions(folder)[rows]
    with staged(folder, "verilog") as scratch:
        (scratch / "design.v").write_text(design_verilog(name, encoder, core, config.registers))
        text = bench_verilog(name, core.interface, encoder, *vectors, config.registers)
        (scratch / "testbench.v").write_text(text)


def _vectors(graph: BooleanGraph) -> int:
    """Fewer for large and deep circuits, which take an event-driven simulator seconds a vector."""
    depth = int(nx.dag_longest_path_length(graph.digraph))
    return int(np.clip(_EVENTS // (len(graph) * depth), *_VECTORS))


def synthesize_circuit(folder: Path, name: str, library: CellLibrary, config: SynthesisConfig) -> None:
    """design.v -> netlist.v, cells.v (simulation models) and synth.json (areas)."""
    with staged(folder, "synth") as scratch:
        log = folder / "yosys.log"
        result = synthesize(folder / "design.v", name, library, timeout_s=config.timeout_s, log=log)
        (scratch / "netlist.v").write_text(result.netlist)
        library.write_verilog_models(scratch / "cells.v")
        modules = {module: asdict(area) for module, area in result.modules.items()}
        write_json(scratch / "synth.json", {"yosys": result.yosys, "modules": modules})


def verify_circuit(
    folder: Path,
    name: str,
    dataset: Dataset,
    library: CellLibrary,
    hardware: HardwareConfig,
    config: SynthesisConfig,
) -> tuple[Check, ...]:
    """Compare model, graph, minimized graph, Verilog and netlist; writes verify.json.

    Raises
    ------
    VerificationError
        With the first counterexample; verify.json is not written then.
    """
    (folder / "verify.json").unlink(missing_ok=True)
    graph = BooleanGraph.load(folder / "graph.json")
    core, encoder = BooleanGraph.load(folder / "core.json"), BooleanGraph.load(folder / "encoder.json")
    cycles = latency(hardware.registers)
    forms = {"minimized": compose(encoder, core)}
    for what, file, cells in (("Verilog", "design.v", None), ("netlist", "netlist.v", library)):
        design = read_verilog(folder / file)
        forms[what] = check_verilog(design, f"{name}_top", graph.interface, cells, cycles).graph
    codes, model = dataset.codes, load_predictions(folder)
    checks = [check_rows("model == graph", model, graph.predict(codes), codes, graph.interface)]
    wanted = specification(graph)
    for what, form in forms.items():
        checks.append(check_rows(f"model == {what}", model, form.predict(codes), codes, graph.interface))
        checks.append(check_equal(f"graph == {what}", wanted, form, timeout_s=config.timeout_s))
    checks += _event_driven(folder, name, config.timeout_s)
    with staged(folder, "verify") as scratch:
        write_json(scratch / "verify.json", [asdict(check) for check in checks])
    return tuple(checks)


def _event_driven(folder: Path, name: str, timeout_s: float) -> list[Check]:
    """The testbench on design and netlist, where Icarus Verilog is installed and comes to an end in time.

    It looks again at what is proved already; without it, results must be the same.
    """
    if not simulator_installed():
        return []
    bench = folder / "testbench.v"
    checks = []
    for what, files in {"Verilog": ["design.v"], "netlist": ["netlist.v", "cells.v"]}.items():
        start = time.perf_counter()
        sources = [bench, *(folder / file for file in files)]
        try:
            vectors = run_testbench(sources, f"{name}_tb", timeout_s=timeout_s)
        except ToolTimeoutError:
            continue
        seconds = time.perf_counter() - start
        checks.append(Check(f"testbench passes on {what}", "simulation", vectors, seconds))
    return checks


def metrics(folder: Path, name: str, dataset: Dataset, library: CellLibrary) -> dict[str, float]:
    """Every metric of a verified circuit, by its registry name."""
    modules = {
        module: ModuleArea(**content)
        for module, content in read_json(folder / "synth.json")["modules"].items()
    }
    empty = ModuleArea(0.0, {}, "")
    parts = {
        part: modules.get(f"{name}_{module}", empty)
        for part, module in (("core", "core"), ("encoder", "encoder"), ("registers", "top"))
    }
    total = sum(part.area for part in parts.values())
    core = BooleanGraph.load(folder / "core.json")
    found: dict[str, float] = {
        "design__instance__area": total,
        "area__nand2_equivalent": library.nand2_equivalents(total),
        "area__nand2": library.nand2_area,
        "design__instance__count": sum(part.cell_count for part in parts.values()),
        "encoder__threshold__count": len(core.inputs),
        "logic__and__count": and_count(core),
    }
    for part, area in parts.items():
        found[f"area__{part}"] = area.area
        found[f"area__{part}__nand2_equivalent"] = library.nand2_equivalents(area.area)
        found[f"design__instance__count__{part}"] = area.cell_count
    predictions = load_predictions(folder)
    for part_name in ("train", "val", "test"):
        rows = dataset.split.rows(part_name)
        found[f"accuracy__{part_name}"] = float(np.mean(predictions[rows] == dataset.table.labels[rows]))
    return found
