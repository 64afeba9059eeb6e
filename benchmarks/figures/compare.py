"""Topic ``compare``: comparison with the baselines on nine data sets, from the runs of ``make report``."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.figures.evaluations import WHAT as FULL_EVALUATIONS
from benchmarks.figures.evaluations import measure as full_evaluations
from benchmarks.figures.table import Row, row
from dwn_asic.data.dataset import prepare
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.flow.reports import load_study
from dwn_asic.methods.decision_tree import METHOD as TREE_METHOD
from dwn_asic.methods.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.report.choice import OUR_FAMILY
from dwn_asic.study.equal_accuracy import comparison
from dwn_asic.study.fronts import curve, dominations
from dwn_asic.study.runs import Study
from dwn_asic.study.tables import geometric_mean
from dwn_asic.study.tiny_classifier.paper import BASELINES, budget_ratios

BUILD = Path("build")
Measurement = Callable[[], Iterator[Row]]
ENCODINGS = (
    Inputs(4),
    Inputs(4, "quantile", "binary"),
    Inputs(4, "equal_width", "gray"),
    Inputs(4, "quantile", "onehot"),
)
GENERATIONS = 8_000
TINY = (
    "wins",
    "gain",
    "gain_worst",
    "gain_error",
    "mapped",
    "mapped_worst",
    "budget",
    "reached",
    "mapped_reached",
    "budget_reached",
    "budget_with_gates",
    "budget_best",
)
"""Names of the figures that are measured for each Tiny Classifier."""
TREE = ("sets", "beyond", "lead", "lead_error")
REPORTS = {
    "held_out": "report-held-out",
    "balanced": "report-balanced",
    "iwls2020": "report-iwls",
    "printed": "report-printed",
    "classes": "report-classes",
}
"""Target of make of each study that ``make report`` leaves out."""
NAMES = dict(zip(("paper", "tenfold", "accuracy", "evaluations"), BASELINES, strict=True))


@cache
def report() -> None:
    """Run all studies, so far as their runs are missing."""
    subprocess.run(["make", "report"], check=True)


@cache
def study(name: str) -> Study:
    """Return one of the studies, which is run first if needed."""
    if name in REPORTS:
        subprocess.run(["make", REPORTS[name]], check=True)
    else:
        report()
    return load_study(BUILD / name)


def tiny_seconds() -> Iterator[Row]:
    """Measure the time of the slowest of several encodings, without the time of compilation."""
    config = load_flow(Path("flows/phoneme.yaml"))
    dataset = prepare(config.data, config.encoder, config.seed)
    TinyClassifier(ENCODINGS[:1], 300, 1, 1)(dataset, 0, lambda _: None)
    longest = 0.0
    for inputs in ENCODINGS:
        start = time.perf_counter()
        TinyClassifier((inputs,), 300, GENERATIONS, GENERATIONS)(dataset, 0, lambda _: None)
        longest = max(longest, time.perf_counter() - start)
    what = f"Tiny Classifier, phoneme, 300 gates, {GENERATIONS} generations"
    what += f": slowest of {len(ENCODINGS)} encodings"
    yield row("compare.tiny_seconds", what, longest, "s", "< 2")


def tiny(
    name: str, prefix: str, mapped_target: str = ">= 2", only: Sequence[str] | None = None
) -> Iterator[Row]:
    """Compare each Tiny Classifier with our smallest circuit of its validation score, in one study.

    ``only`` names the data sets that count, by default all.
    """
    runs_of = study(name)
    if only is not None:
        runs_of = Study(name, {flow: runs_of.sets[flow] for flow in only})
    score = runs_of.score
    runs = f"{len(runs_of.sets)} sets x {len(runs_of.seeds)} seeds"
    for key, baseline in NAMES.items():
        found = comparison(runs_of, baseline)
        start, whose = f"{prefix}{key}", f"Tiny Classifier ({key}), {runs}"
        what = f"{whose}: sets on which our circuit of equal validation {score} reaches its test {score}"
        yield row(f"{start}_wins", what, found.wins, "sets", f">= {len(runs_of.sets)}")
        gains, mapped, budget = found.gains, found.mapped, budget_ratios(found)
        mean = float(np.mean([*gains.values()]))
        yield row(f"{start}_gain", f"{whose}: test {score} gained, mean", mean, "points")
        worst = min(gains, key=lambda flow: gains[flow])
        what = f"{whose}: test {score} gained, worst set ({worst})"
        yield row(f"{start}_gain_worst", what, gains[worst], "points")
        yield row(f"{start}_gain_error", f"{what}, standard error", found.errors[worst], "points")
        what = f"{whose}: its mapped total area over ours at equal validation {score}, geometric mean"
        yield row(f"{start}_mapped", what, geometric_mean(mapped.values()), "x", mapped_target)
        least = min(mapped, key=lambda flow: mapped[flow])
        yield row(f"{start}_mapped_worst", f"{what}: worst set ({least})", mapped[least], "x")
        what = f"{whose}: its 300 gates over our total area at equal validation {score}, geometric mean"
        yield row(f"{start}_budget", what, geometric_mean(budget.values()), "x", ">= 20")
        fully = found.reached
        short = ", ".join(flow for flow in found.matches if flow not in fully.matches) or "none"
        which = f"{whose}: sets on which we reach its validation {score} on every seed (not reached: {short})"
        yield row(f"{start}_reached", which, len(fully.matches), "sets")
        for kind, ratios in (("mapped", fully.mapped), ("budget", budget_ratios(fully))):
            of_these = f"{whose}: {kind}, only sets on which we reach its validation {score} on every seed"
            yield row(f"{start}_{kind}_reached", of_these, geometric_mean(ratios.values()), "x")
        with_gates = budget_ratios(found.with_gates)
        if found.free:
            what += f", without {', '.join(found.free)}, where our circuit needs no gate"
        mean = geometric_mean(with_gates.values())
        yield row(f"{start}_budget_with_gates", what, mean, "x", ">= 20")
        most = max(with_gates, key=lambda flow: with_gates[flow])
        yield row(f"{start}_budget_best", f"{what}: best set ({most})", with_gates[most], "x", "> 42.8")


def tree(name: str, prefix: str, kind: str = TREE_METHOD.kind) -> Iterator[Row]:
    """Find where the front of the trees of a method lies above ours, in one study."""
    whose = "the tree" if kind == TREE_METHOD.kind else f"the {kind.replace('_', ' ')}"
    for area in ("total", "core"):
        above = {}
        for flow, runs in study(name).sets.items():
            ours, theirs = curve(runs, OUR_FAMILY, area), curve(runs, kind, area)
            assert ours is not None
            if theirs is not None:
                above[flow] = dominations(ours, theirs)
        start, where = f"{prefix}_{area}", [flow for flow, found in above.items() if found]
        what = f"sets of {len(above)} on which {whose}'s mean front is above ours at any {area} area"
        what += " up to 300 NAND2"
        yield row(f"{start}_sets", f"{what} ({', '.join(where) or 'none'})", len(where), "", "<= 0")
        every = [(d, flow) for flow, found in above.items() for d in found if not d.alone]
        sure = sorted({flow for d, flow in every if d.most > d.error})
        what = f"sets on which {whose}'s lead in {area} area is more than its standard error somewhere"
        yield row(f"{start}_beyond", f"{what} ({', '.join(sure) or 'none'})", len(sure), "", "<= 0")
        if every:
            most, flow = max(every, key=lambda pair: pair[0].most)
            what = f"{whose}'s largest lead in {area} area ({flow}, {most.low:.0f} to {most.high:.0f} NAND2)"
            yield row(f"{start}_lead", what, most.most, "points")
            yield row(f"{start}_lead_error", f"{what}: standard error", most.error, "points")


def evaluations() -> Iterator[Row]:
    """Measure the Tiny Classifier with as many circuits as our annealing, all of them used, on the nine."""
    return full_evaluations(study("nine"), BUILD / "figures" / "evaluations")


def report_hours() -> Iterator[Row]:
    """Estimate the time of the whole report from one seed, since all seeds do the same amount of work."""
    seed = _make_seconds("report", "SEEDS=0", "FLOWS=")
    flows = _make_seconds("report", "STUDIES=")
    what = "make report with nothing built: five times the studies' seed 0, and the single flows"
    yield row("compare.report_hours", what, (5.0 * seed + flows) / 3600.0, "h", "< 3")


def quick_seconds() -> Iterator[Row]:
    """Measure the time of ``make report-quick`` with nothing built."""
    what = "make report-quick after set-up"
    yield row("compare.quick_seconds", what, _make_seconds("report-quick"), "s", "< 360")


def _make_seconds(*arguments: str) -> float:
    """Measure the time of make with nothing built, in a folder of its own."""
    folder = BUILD / "figures" / "report"
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(["make", f"BUILD={folder}", f"OUT={folder}/reports", *arguments], check=True)
    return time.perf_counter() - start


def _of_studies() -> Iterator[tuple[str, Measurement]]:
    """Yield the figures of the nine data sets and, with the prefix ``held_out_``, of the held-out ones."""
    for name, prefix in (("nine", ""), ("held_out", "held_out_")):
        start = f"compare.{prefix}"
        of_tiny, of_tree = partial(tiny, name, start), partial(tree, name, f"{start}tree")
        for key, what in product(NAMES, TINY):
            yield f"compare.{prefix}{key}_{what}", of_tiny
        for area, what in product(("total", "core"), TREE):
            yield f"compare.{prefix}tree_{area}_{what}", of_tree


MEASUREMENTS: dict[str, Measurement] = {
    "compare.tiny_seconds": tiny_seconds,
    **dict(_of_studies()),
    **{f"compare.evaluations_full_{what}": evaluations for what in FULL_EVALUATIONS},
    "compare.report_hours": report_hours,
    "compare.quick_seconds": quick_seconds,
}
