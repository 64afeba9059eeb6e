"""Topic ``learn``: speed of training, accuracy on nine data sets and MNIST, and effect of penalties on area.

Trained networks are kept in ``build/figures/learn``; remove a file there to repeat its training.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures.exact import areas
from benchmarks.figures.kept import kept
from benchmarks.figures.table import Row, row
from benchmarks.test_bench_torchlogix import measure_against_torchlogix
from benchmarks.test_bench_training_step import measure_growth, measure_lookup
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.methods.dwn.config import SpectralConfig
from dwn_asic.methods.dwn.fit import train
from dwn_asic.methods.gbdt import GradientBoosting

FLOWS = Path("flows") / "accuracy"
SEEDS = range(5)
TARGETS = {
    "phoneme": 0.865,
    "sylvine": 0.945,
    "skin_seg": 0.995,
    "nomao": 0.955,
    "jasmine": 0.80,
    "australian": 0.87,
    "segment": 0.965,
    "letter": 0.85,
    "optdigits": 0.965,
}
PENALTIES = (("none", 0.0), ("l2", 0.03), ("l1", 0.003), ("influence", 0.01), ("influence", 0.03))


def lookup() -> Iterator[Row]:
    """Measure the forward and backward pass of one layer."""
    measured = measure_lookup()
    what = "one layer of 2000 LUTs, batch 256, forward and backward on 2 threads"
    yield row(
        "learn.lookup_ratio", f"{what}, n = 6: time of direct over ours", measured["ratio"], "x", ">= 80"
    )
    growth = measure_growth()
    yield row("learn.lookup_growth", f"{what}: time at n = 8 over n = 2", growth["ratio"], "x", "<= 4")


def torchlogix() -> Iterator[Row]:
    """Compare a layer with a layer of torchlogix of the same width."""
    measured = measure_against_torchlogix()
    text = "2000 two-input gates on 2000 bits, batch 256, fixed wiring: time of torchlogix over ours"
    yield row("learn.torchlogix_ratio", text, measured["ratio"], "x", ">= 1")


def phoneme_seconds() -> Iterator[Row]:
    """Measure the training time of the default flow, without the time of compilation."""
    config = load_flow(Path("flows/phoneme.yaml"))
    dataset = prepare(config.data, config.encoder, config.seed)
    short = config.training.model_copy(update={"epochs": 1})
    train(dataset, config.encoder, config.model, short, 0)
    start = time.perf_counter()
    train(dataset, config.encoder, config.model, config.training, config.seed)
    yield row(
        "learn.phoneme_seconds", "training of flows/phoneme.yaml", time.perf_counter() - start, "s", "< 12"
    )


def mnist() -> Iterator[Row]:
    """Measure MNIST with 8,000 rows for training and validation and 2,000 for test.

    Each variant runs in a process of its own, so that its peak memory can be measured.
    """
    limits = {"mnist": (0.955, 1500), "mnist_small": (0.93, 120)}
    for name, (accuracy, seconds) in limits.items():
        found = kept(f"learn/{name}-0", partial(_alone, name))
        what = f"{name}, {found['luts']} LUTs"
        yield row(f"learn.{name}_accuracy", f"{what}: test accuracy", found["test"], "", f">= {accuracy}")
        yield row(f"learn.{name}_seconds", f"{what}: training", found["seconds"], "s", f"< {seconds}")
        yield row(f"learn.{name}_memory", f"{what}: peak memory", found["gib"], "GiB", "< 4")


def _alone(name: str) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(study, (name, 0))


def accuracy() -> Iterator[Row]:
    """Measure accuracies over five seeds, which also vary the split.

    The architectures were chosen on validation rows.
    """
    for name, target in TARGETS.items():
        found = [kept(f"learn/{name}-{seed}", partial(study, name, seed)) for seed in SEEDS]
        tests = [entry["test"] for entry in found]
        what = f"{name}, {found[0]['luts']} LUTs of {found[0]['inputs']} inputs, 5 seeds"
        yield row(f"learn.{name}", f"{what}: mean test accuracy", statistics.mean(tests), "", f">= {target}")
        yield row(f"learn.{name}_sd", f"{what}: standard deviation", statistics.stdev(tests))
        vals = [entry["val"] for entry in found]
        yield row(f"learn.{name}_val", f"{what}: mean validation accuracy", statistics.mean(vals))
        boosted = [entry["gbdt"] for entry in found]
        text = f"{name}, gradient boosting (HistGradientBoosting), same splits: mean test accuracy"
        yield row(f"learn.{name}_gbdt", text, statistics.mean(boosted))


def study(name: str, seed: int) -> dict[str, Any]:
    """Measure the accuracies of the flow's network and of gradient boosting on the same split."""
    config = load_flow(FLOWS / f"{name}.yaml")
    dataset = prepare(config.data, config.encoder, seed)
    start = time.perf_counter()
    network = train(dataset, config.encoder, config.model, config.training, seed).network
    seconds = time.perf_counter() - start
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = {part: _accuracy(network, dataset, part) for part in ("train", "val", "test")}
    boosted = 0.0 if name.startswith("mnist") else _boosted(dataset, seed)
    luts = "-".join(str(layer.n_luts) for layer in network.layers)
    inputs = ",".join(str(layer.n_inputs) for layer in network.layers)
    return {**found, "gbdt": boosted, "luts": luts, "inputs": inputs, "seconds": seconds, "gib": gib}


def _accuracy(network: LutNetwork, dataset: Dataset, part: Any) -> float:
    codes, labels = dataset.part(part)
    return float((network.predict(codes) == labels).mean())


def _boosted(dataset: Dataset, seed: int) -> float:
    predictions = GradientBoosting()(dataset, seed, lambda _: None).predictions
    rows = dataset.split.test
    return float((predictions[rows] == dataset.table.labels[rows]).mean())


def penalties() -> Iterator[Row]:
    """Measure the exact core area and the accuracy of the default flow's network with each penalty."""
    found = {
        (kind, weight): [
            kept(f"learn/penalty-{kind}-{weight}-{seed}", partial(_penalized, kind, weight, seed))
            for seed in SEEDS
        ]
        for kind, weight in PENALTIES
    }
    plain = statistics.mean(entry["exact"] for entry in found["none", 0.0])
    for (kind, weight), entries in found.items():
        name = f"learn.penalty_{kind}" + (f"_{weight}" if weight else "")
        what = f"phoneme 24-4-1, penalty {kind}" + (f" x {weight}" if weight else "")
        area = statistics.mean(entry["exact"] for entry in entries) / plain
        yield row(f"{name}_area", f"{what}: exact core area over that without penalty, 5 seeds", area)
        test = statistics.mean(entry["test"] for entry in entries)
        yield row(f"{name}_test", f"{what}: mean test accuracy, 5 seeds", test)


def _penalized(kind: Any, weight: float, seed: int) -> dict[str, Any]:
    config: FlowConfig = load_flow(Path("flows/phoneme.yaml"))
    dataset = prepare(config.data, config.encoder, seed)
    spectral = SpectralConfig(kind="l2" if kind == "none" else kind, weight=weight)
    training = config.training.model_copy(update={"spectral": spectral})
    network = train(dataset, config.encoder, config.model, training, seed).network
    return {**areas(to_graph(network), "low"), "test": _accuracy(network, dataset, "test")}


MEASUREMENTS = {
    "learn.lookup_ratio": lookup,
    "learn.lookup_growth": lookup,
    "learn.torchlogix_ratio": torchlogix,
    "learn.phoneme_seconds": phoneme_seconds,
    **{
        f"learn.{name}_{what}": mnist
        for name in ("mnist", "mnist_small")
        for what in ("accuracy", "seconds", "memory")
    },
    **{f"learn.{name}{what}": accuracy for name in TARGETS for what in ("", "_sd", "_val", "_gbdt")},
    **{
        f"learn.penalty_{kind}" + (f"_{weight}" if weight else "") + what: penalties
        for kind, weight in PENALTIES
        for what in ("_area", "_test")
    },
}


if __name__ == "__main__":
    for seed in map(int, sys.argv[2].split(",")):
        for name in sys.argv[1].split(","):
            print(name, seed, kept(f"learn/{name}-{seed}", lambda s=seed, n=name: study(n, s)), flush=True)
