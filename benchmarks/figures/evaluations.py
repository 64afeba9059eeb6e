"""Topic ``compare``: a Tiny Classifier that evaluates as many circuits as our annealing, without early end.

In the studies its evolution ends after some generations without progress, as in the paper, and uses fewer
rows; otherwise the whole report would take twice as long. These figures show what that costs the baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.figures.table import Row, row
from dwn_asic.data.scores import scores
from dwn_asic.flow import Flow, Reporter, open_flow
from dwn_asic.flow.artifacts import FITTED, IMPLEMENTATION, MINIMIZED, PREDICTIONS
from dwn_asic.flow.engine import Engine
from dwn_asic.flow.steps.circuit import circuit_steps
from dwn_asic.flow.steps.fit import fit_step
from dwn_asic.flow.steps.rows import DataSettings, data_step
from dwn_asic.methods.base import Plan
from dwn_asic.methods.registry import plan
from dwn_asic.methods.tiny_classifier import TinyClassifier
from dwn_asic.metrics import TEST
from dwn_asic.report.result import MethodResult
from dwn_asic.study.equal_accuracy import Comparison, Match, matches
from dwn_asic.study.runs import Run, Study
from dwn_asic.study.tables import geometric_mean
from dwn_asic.study.tiny_classifier.paper import BASELINES, budget_ratios

BASELINE = BASELINES[-1]
SEED = 0
WHAT = (
    "wins",
    "gain",
    "mapped",
    "early_mapped",
    "budget",
    "early_budget",
    "baseline_gain",
    "generations",
)
RATIOS = {"mapped": "its mapped total area over ours", "budget": "its 300 gates over our total area"}


def to_the_end(run: Run, scratch: Path) -> MethodResult:
    """Repeat the baseline of a run without early end and with the default rows, in a folder that is kept."""
    flow = open_flow(Path(run.place))
    planned = next(each for each in plan(flow.config.baselines) if each.name == BASELINE)
    assert isinstance(planned.fitter, TinyClassifier)
    fitter = replace(planned.fitter, patience=planned.fitter.generations, rows=TinyClassifier.rows)
    ended = _circuit(flow, replace(planned, fitter=fitter), scratch / run.result.flow)
    built, minimized = ended.read(IMPLEMENTATION), ended.read(MINIMIZED)
    return MethodResult(
        name=BASELINE,
        label=f"{planned.label}, to the end",
        method="tiny_classifier",
        kind="exact",
        proof="proved",
        metrics={
            **built.metrics,
            **minimized.metrics,
            **scores(ended.dataset, ended.read(PREDICTIONS)),
        },
        details=ended.read(FITTED).details,
    )


def _circuit(flow: Flow, planned: Plan, folder: Path) -> Flow:
    """Run the steps from a flow's data to the proved netlist of another classifier, in another folder."""
    config = flow.config
    steps = [
        data_step(DataSettings(config.data, config.encoder.quantizer, config.seed)),
        fit_step("", planned, config.seed),
        *circuit_steps("", config.name, flow.target, config.minimize),
    ]
    Engine(folder, steps).run(Reporter())
    return Flow(config, folder, flow.file)


def measure(study: Study, scratch: Path) -> Iterator[Row]:
    """Measure the figures on one seed of each data set, two data sets at a time."""
    runs = [run for run in study.runs if run.result.seed == SEED]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda run: to_the_end(run, scratch), runs))
    ended = Comparison(
        {run.result.flow: [Match.of(run, baseline)] for run, baseline in zip(runs, found, strict=True)}
    )
    early = Comparison({run.result.flow: matches([run], BASELINE) for run in runs})
    start, whose = "compare.evaluations_full", f"Tiny Classifier, all evaluations used, seed {SEED}"
    what = f"{whose}: sets on which our circuit of equal validation accuracy reaches its test accuracy"
    yield row(f"{start}_wins", what, ended.wins, "sets", f">= {len(runs)}")
    mean = float(np.mean([*ended.gains.values()]))
    yield row(f"{start}_gain", f"{whose}: test accuracy gained, mean", mean, "points")
    for key, target in (("mapped", ">= 2"), ("budget", ">= 20")):
        what = f"{whose}: {RATIOS[key]} at equal validation accuracy, geometric mean"
        for name, compared, when in (("", ended, ""), ("early_", early, "; with early end as in studies")):
            ratios = compared.mapped if key == "mapped" else budget_ratios(compared)
            mean = geometric_mean(ratios.values())
            yield row(f"{start}_{name}{key}", f"{what}{when}", mean, "x", target)
    gained = [
        100.0 * (ended.matches[flow][0].baseline.metrics[TEST] - pairs[0].baseline.metrics[TEST])
        for flow, pairs in early.matches.items()
    ]
    what = f"{whose}: its test accuracy minus that with the early end of the studies, mean"
    yield row(f"{start}_baseline_gain", what, float(np.mean(gained)), "points")
    generations = [float(str(pairs[0].baseline.details["generations"])) for pairs in ended.matches.values()]
    yield row(f"{start}_generations", f"{whose}: smallest number of generations", min(generations))
