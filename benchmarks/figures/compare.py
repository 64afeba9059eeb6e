"""Topic ``compare``: the rivals on the nine data sets, from the runs of ``make report``."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.figures.table import Row, row
from dwn_asic.baselines.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.data.dataset import prepare
from dwn_asic.files import read_json
from dwn_asic.flow_file import load_flow
from dwn_asic.study.fronts import curve, dominations
from dwn_asic.study.headline import HEADLINE_RIVALS, comparison
from dwn_asic.study.runs import Study, load_study
from dwn_asic.study.tables import geometric_mean

BUILD = Path("build")
SETS = 9
ENCODINGS = (
    Inputs(4),
    Inputs(4, "quantile", "binary"),
    Inputs(4, "equal_width", "gray"),
    Inputs(4, "quantile", "onehot"),
)
GENERATIONS = 8_000
TINY = ("wins", "gain", "gain_worst", "mapped", "mapped_worst", "budget", "budget_reading", "budget_best")
"""What is measured of each Tiny Classifier."""
RIVALS = dict(zip(("paper", "tenfold", "accuracy", "evaluations"), HEADLINE_RIVALS, strict=True))


@cache
def study() -> Study:
    """The nine data sets over five seeds; runs that are missing are made first."""
    subprocess.run(["make", "report"], check=True)
    return load_study(BUILD / "nine")


def tiny_seconds() -> Iterator[Row]:
    """The slowest of several encodings, compiled kernels at hand."""
    config = load_flow(Path("flows/phoneme.yaml"))
    dataset = prepare(config.data, config.encoder, config.seed, Path("flows"))
    TinyClassifier(ENCODINGS[:1], 300, 1, 1)(dataset, 0, lambda _: None)
    longest = 0.0
    for inputs in ENCODINGS:
        start = time.perf_counter()
        TinyClassifier((inputs,), 300, GENERATIONS, GENERATIONS)(dataset, 0, lambda _: None)
        longest = max(longest, time.perf_counter() - start)
    what = f"Tiny Classifier, phoneme, 300 gates, {GENERATIONS} generations"
    what += f": slowest of {len(ENCODINGS)} encodings"
    yield row("compare.tiny_seconds", what, longest, "s", "< 2")


def tiny() -> Iterator[Row]:
    """Our smallest circuits of the Tiny Classifiers' validation accuracy."""
    for key, rival in RIVALS.items():
        found = comparison(study(), rival)
        whose = f"Tiny Classifier ({key}), 9 sets x 5 seeds"
        what = f"{whose}: sets on which our circuit of its validation accuracy has its mean test accuracy"
        yield row(f"compare.{key}_wins", what, found.wins, "sets", f">= {SETS}")
        gains, mapped, budget = found.gains, found.mapped, found.budget
        mean = float(np.mean([*gains.values()]))
        yield row(f"compare.{key}_gain", f"{whose}: test accuracy gained", mean, "points")
        worst = min(gains, key=lambda flow: gains[flow])
        what = f"{whose}: the same, worst set ({worst})"
        yield row(f"compare.{key}_gain_worst", what, gains[worst], "points")
        what = f"{whose}: its mapped total area over ours at its validation accuracy, geometric mean"
        yield row(f"compare.{key}_mapped", what, geometric_mean(mapped.values()), "x", ">= 2")
        least = min(mapped, key=lambda flow: mapped[flow])
        yield row(f"compare.{key}_mapped_worst", f"{what}: worst set ({least})", mapped[least], "x")
        what = f"{whose}: 300 gates over our total area at its validation accuracy, geometric mean"
        yield row(f"compare.{key}_budget", what, geometric_mean(budget.values()), "x", ">= 20")
        reading = found.reading.budget
        what += f" without {', '.join(found.constant) or 'none'}, where a constant is enough"
        mean = geometric_mean(reading.values())
        yield row(f"compare.{key}_budget_reading", what, mean, "x", ">= 20")
        most = max(reading, key=lambda flow: reading[flow])
        yield row(f"compare.{key}_budget_best", f"{what}: best set ({most})", reading[most], "x", "> 42.8")


def tree() -> Iterator[Row]:
    """Where the tree's front lies above ours."""
    for area in ("total", "core"):
        above = {}
        for flow, runs in study().sets.items():
            ours, theirs = curve(runs, "ours", area), curve(runs, "tree", area)
            assert ours is not None
            assert theirs is not None
            above[flow] = dominations(ours, theirs)
        where = [flow for flow, found in above.items() if found]
        what = f"data sets on which the tree's mean front is above ours at some {area} area up to 300 NAND2"
        yield row(
            f"compare.tree_{area}_sets", f"{what} ({', '.join(where) or 'none'})", len(where), "", "<= 0"
        )
        every = [(d, flow) for flow, found in above.items() for d in found if d.most < 100.0]
        if every:
            most, flow = max(every, key=lambda pair: pair[0].most)
            what = f"the tree's largest lead in {area} area ({flow}, {most.low:.0f} to {most.high:.0f} NAND2)"
            yield row(f"compare.tree_{area}_lead", what, most.most, "points")
            yield row(f"compare.tree_{area}_lead_error", f"{what}: standard error", most.error, "points")


def report_hours() -> Iterator[Row]:
    """Of the whole report, from the times that the runs' stages noted."""
    study()
    seconds = 0.0
    for file in [*BUILD.glob("*/seed-*/*/.manifest/*.json"), *BUILD.glob("*/.manifest/*.json")]:
        if file.parts[1] not in {"figures", "quick"}:
            seconds += float(read_json(file)["seconds"])
    what = "make report: times of all stages of all runs together, over two cores"
    yield row("compare.report_hours", what, seconds / 3600.0 / 2.0, "h", "< 3")


def quick_seconds() -> Iterator[Row]:
    """From nothing."""
    folder = BUILD / "figures" / "quick"
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(["make", "report-quick", f"BUILD={folder}"], check=True)
    yield row(
        "compare.quick_seconds", "make report-quick after set-up", time.perf_counter() - start, "s", "< 360"
    )


MEASUREMENTS = {
    "compare.tiny_seconds": tiny_seconds,
    **{f"compare.{key}_{what}": tiny for key in RIVALS for what in TINY},
    **{
        f"compare.tree_{area}_{what}": tree
        for area in ("total", "core")
        for what in ("sets", "lead", "lead_error")
    },
    "compare.report_hours": report_hours,
    "compare.quick_seconds": quick_seconds,
}
