"""Topic ``main``: the default flow from data to netlist, and the test suite."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.figures.cells import cost
from benchmarks.figures.table import Row, row
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.data.scores import scores
from dwn_asic.flow import Flow, Reporter, run_flow
from dwn_asic.flow.artifacts import GRAPH, IMPLEMENTATION, PREDICTIONS
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.metrics import TEST
from dwn_asic.targets.asic.yosys import plain_area
from dwn_asic.verilog.writer import design_verilog

SEEDS = range(5)


def run() -> Iterator[Row]:
    """Measure the wall-clock time and the peak memory of `make run`, after set-up, with nothing built.

    The first run on a machine also compiles.
    """
    seconds = []
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as build:
                start = time.perf_counter()
                _make("run", f"BUILD={build}", NUMBA_CACHE_DIR=compiled)
                seconds.append(time.perf_counter() - start)
    # The peak memory of the largest of all child processes that have ended, in KiB on Linux.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    yield row(
        "main.run_first_seconds", "make run after set-up, phoneme: first run, which compiles", seconds[0], "s"
    )
    yield row("main.run_seconds", "make run after set-up, phoneme", seconds[1], "s", "<= 60")
    yield row(
        "main.run_peak_memory", "peak memory of make run, largest process, phoneme", peak, "GiB", "< 1.5"
    )


def phoneme() -> Iterator[Row]:
    """Measure accuracy and core area over 5 seeds, which vary both the split and the initialization."""
    accuracies, ratios = zip(*(_phoneme(seed) for seed in SEEDS), strict=True)
    what = "phoneme, 24-4-1 of 6,6,4-input LUTs, 5 seeds"
    yield row(
        "main.phoneme_accuracy", f"{what}: mean test accuracy", statistics.mean(accuracies), "", ">= 0.835"
    )
    yield row("main.phoneme_accuracy_sd", f"{what}: sd of test accuracy", statistics.stdev(accuracies))
    text = f"{what}: core area over plain `synth; abc -liberty` of the unminimized Verilog"
    yield row("main.phoneme_core_ratio", f"{text}, mean", statistics.mean(ratios), "", "<= 0.95")
    yield row("main.phoneme_core_ratio_worst", f"{text}, worst seed", max(ratios))


def digits() -> Iterator[Row]:
    """Measure the accuracy of a network with popcount head over 5 seeds."""
    accuracies = [_train("digits", seed)[1] for seed in SEEDS]
    what = "digits, popcount head, 5 seeds"
    yield row(
        "main.digits_accuracy", f"{what}: mean test accuracy", statistics.mean(accuracies), "", ">= 0.95"
    )
    yield row("main.digits_accuracy_sd", f"{what}: sd of test accuracy", statistics.stdev(accuracies))


def tests() -> Iterator[Row]:
    """Measure the time of the whole test suite."""
    start = time.perf_counter()
    _make("test")
    yield row("main.test_seconds", "make test after set-up", time.perf_counter() - start, "s", "< 480")


def _make(*arguments: str, **variables: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")} | variables
    venv = Path(sys.prefix)
    subprocess.run(["make", *arguments, f"VENV={venv}"], check=True, env=environment, stdout=sys.stderr)


@cache
def _train(name: str, seed: int) -> tuple[Flow, float]:
    file = Path("flows") / f"{name}.yaml"
    config = load_flow(file, seed)
    flow = Flow(config, Path("build") / "figures" / f"{name}-{seed}", file)
    run_flow(flow, Reporter(), targets=[PREDICTIONS.name])
    return flow, scores(flow.dataset, flow.read(PREDICTIONS))[TEST]


def _phoneme(seed: int) -> tuple[float, float]:
    flow, accuracy = _train("phoneme", seed)
    run_flow(flow, Reporter(), targets=[IMPLEMENTATION.name])
    graph = flow.read(GRAPH)
    encoder = encoder_graph([node for _, node in graph.inputs], graph.interface)
    plain = plain_area(design_verilog("plain", encoder, graph, "none"), "plain_core", cost().library)
    return accuracy, flow.read(IMPLEMENTATION).metrics["area__core"] / plain


MEASUREMENTS = {
    "main.run_first_seconds": run,
    "main.run_seconds": run,
    "main.run_peak_memory": run,
    "main.phoneme_accuracy": phoneme,
    "main.phoneme_accuracy_sd": phoneme,
    "main.phoneme_core_ratio": phoneme,
    "main.phoneme_core_ratio_worst": phoneme,
    "main.digits_accuracy": digits,
    "main.digits_accuracy_sd": digits,
    "main.test_seconds": tests,
}
"""Id of each figure, and the function that measures it; a function may measure several figures."""
