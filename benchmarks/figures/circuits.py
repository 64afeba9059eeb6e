"""Topic ``circuits``: harder opponents, outside benchmarks, and circuits that are the same on every CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.figures.compare import NAMES, TINY, TREE, study, tiny, tree
from benchmarks.figures.large_network import LUTS
from benchmarks.figures.nine import SETS as NINE
from benchmarks.figures.table import Row, named, row
from dwn_asic.methods.optimal_tree import METHOD as OPTIMAL
from dwn_asic.report.choice import OUR_FAMILY, Candidate, best_within, candidates
from dwn_asic.study.equal_accuracy import comparison
from dwn_asic.study.logic_contest.choice import mean
from dwn_asic.study.logic_contest.published import best_published
from dwn_asic.study.logic_contest.tables import BUDGETS, within
from dwn_asic.study.printed.published import published
from dwn_asic.study.printed.tables import in_share, reaching
from dwn_asic.study.tables import area_ratio, geometric_mean

sys.path += ["tests"]  # the settings that a test shares with this topic

FLOWS = ("phoneme", "digits")
_STAGES = ("minimize", "implement", "verify")
_LARGE = {
    "random": ("large", f"random network of {LUTS:,} 6-input LUTs, 64 classes", 1800, 8),
    "trained": ("mnist_large", "trained network of 2000 and 1000 6-input LUTs for MNIST", 600, 8),
}
"""Start of the ids of a large network's figures, what it is, and limits of its time (s) and memory (GiB)."""
_WITHIN = (
    ("letter", 6000.0, ">= 0.9"),
    ("optdigits", 1200.0, ""),
    ("mnist", 6000.0, ""),
    ("segment", 300.0, ""),
)
"""Data set of many classes, area in NAND2-equivalents, and target of the accuracy within it."""
_LEAST = 10.0


def training_settings() -> Iterator[Row]:
    """Count the settings of libraries and threads under which a flow trains another network."""
    from cpu_settings import one_by_one

    settings = dict(one_by_one())
    with tempfile.TemporaryDirectory() as folder:
        plain = [_network(Path(folder) / "plain", flow, {}) for flow in FLOWS]
        differing = [
            name
            for name, setting in settings.items()
            if plain != [_network(Path(folder) / name.replace(" ", "-"), flow, setting) for flow in FLOWS]
        ]
    what = (
        f"of {len(settings)} settings ({', '.join(settings)}), those under which the flow "
        f"{' or '.join(FLOWS)} trains another network than on this CPU with one thread"
    )
    yield row("circuits.training_settings_differing", what, len(differing), "settings", "<= 0")


def _network(build: Path, flow: str, setting: dict[str, str]) -> bytes:
    """Train the network of a flow in a process with this setting, and return the bytes of its file."""
    from cpu_settings import PLAIN

    build.mkdir(exist_ok=True)
    environment = {**os.environ, **PLAIN, **setting}
    file = build / f"{flow}.yaml"
    base = Path("flows", f"{flow}.yaml").resolve()
    file.write_text(f"extends: {base}\ntraining: {{threads: {environment['OMP_NUM_THREADS']}}}\n")
    network = build / flow / "network.npz"
    command = [
        sys.executable,
        "-m",
        "dwn_asic",
        "make",
        str(network),
        "--build",
        str(build),
        "--flow",
        str(file),
    ]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return network.read_bytes()


def logic_contest() -> Iterator[Row]:
    """Measure mean accuracy and size on the benchmarks of the logic contest, ours and published ones."""
    benchmarks = study("iwls2020")
    for budget in BUDGETS:
        found = within(benchmarks, budget)
        if found is None:
            continue
        ours, start = mean(found), f"circuits.iwls_{budget:.0f}"
        what = f"IWLS 2020, {len(found)} benchmarks, at most {budget:.0f} AND nodes in the mean"
        target = ">= 0.845" if budget == BUDGETS[0] else ">= 0.835"
        yield row(f"{start}_test", f"{what}: mean test accuracy", ours.test, "", target)
        yield row(f"{start}_ands", f"{what}: mean size", ours.ands, "AND", f"<= {budget:.0f}")
    best = best_published(benchmarks.sets)
    what = f"IWLS 2020, {len(best)} benchmarks, the best of four published circuits of each"
    yield row(
        "circuits.iwls_published_test", f"{what}: mean test accuracy", _mean(each.test for each in best)
    )
    yield row("circuits.iwls_published_ands", f"{what}: mean size", _mean(each.ands for each in best), "AND")


def printed() -> Iterator[Row]:
    """Compare with published printed circuits whose accuracy and area are known."""
    ratios, equal, small = [], [], []
    for flow, runs in study("printed").sets.items():
        for other in published()[flow]:
            if other.accuracy is None or other.area is None:
                continue
            ours = [each.ours for each in reaching(runs, other)]
            ratios.append(geometric_mean(area_ratio(other.area, each.total) for each in ours))
            equal.append(_mean(each.test for each in ours) >= other.accuracy)
            small.append(_mean(each.test for each in in_share(runs, other)) >= other.accuracy)
    known = f"of {len(ratios)} published circuits"
    what = f"{known}, those whose accuracy our best circuit in a tenth of the area reaches on test rows"
    yield row("circuits.printed_tenth", what, sum(small), "circuits", f">= {len(ratios)}")
    what = f"{known}, those whose accuracy our circuit of equal validation accuracy reaches on test rows"
    yield row("circuits.printed_equal", what, sum(equal), "circuits")
    what = f"{known}: area over ours of equal validation accuracy, geometric mean"
    yield row("circuits.printed_area", what, geometric_mean(ratios), "x", ">= 10")


def optimal_trees(name: str, start: str) -> Iterator[Row]:
    """Compare with optimal trees: the fronts, and the areas at each tree's validation accuracy."""
    yield from tree(name, start, OPTIMAL.kind)
    every = [key for key, found in study(name).methods.items() if found.method == OPTIMAL.kind]
    mapped = {key: geometric_mean(comparison(study(name), key).mapped.values()) for key in every}
    least = min(mapped, key=lambda key: mapped[key])
    what = "area of an optimal tree over ours at its validation accuracy, geometric mean over sets"
    yield row(f"{start}_area", f"{what} and trees", geometric_mean(mapped.values()), "x", ">= 2")
    yield row(f"{start}_area_worst", f"{what}: worst tree ({least})", mapped[least], "x")


def several_classes() -> Iterator[Row]:
    """Measure the fronts of data sets of many classes: accuracy within an area, and their widest gap."""
    classes = study("classes")
    for name, limit, target in _WITHIN:
        chosen = [best_within(candidates(run.result, OUR_FAMILY), limit) for run in classes.sets[name]]
        tests = [circuit.test for circuit in chosen if circuit is not None]
        what = (
            f"{name}, {len(tests)} seeds: mean test accuracy of our best circuit of at most {limit:g} NAND2"
        )
        yield row(f"circuits.{name}_test", what, _mean(iter(tests)), "", target)
    gaps = {
        name: max(_widest_gap(candidates(run.result, OUR_FAMILY)) for run in runs)
        for name, runs in classes.sets.items()
    }
    worst = max(gaps, key=lambda name: gaps[name])
    text = f"{len(gaps)} sets of many classes: largest ratio of neighbouring areas on a front"
    what = f"{text}, from {_LEAST:g} NAND2"
    yield row("circuits.classes_gap", f"{what} ({worst})", gaps[worst], "x", "<= 2")


def _widest_gap(circuits: Iterable[Candidate]) -> float:
    """Return the largest ratio of neighbouring areas on the front of the circuits by validation rows."""
    ratios, best, last = [1.0], -1.0, _LEAST
    for circuit in sorted(circuits, key=lambda c: c.area("total")):
        if circuit.val > best:
            best, area = circuit.val, circuit.area("total")
            if area > _LEAST:
                ratios.append(area / last)
                last = area
    return max(ratios)


def large_network(which: str) -> Iterator[Row]:
    """Measure a large network in a process of its own, for its memory."""
    command = [sys.executable, "-m", "benchmarks.figures.large_network", which]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    start, whose, seconds, memory = _LARGE[which]
    what = f"{whose}, from the network to the proved netlist"
    yield row(f"circuits.{start}_seconds", what, found["seconds"], "s", f"<= {seconds}")
    yield row(f"circuits.{start}_memory", f"{what}: peak memory", found["memory"], "GiB", f"<= {memory}")
    yield row(f"circuits.{start}_area", f"{what}: total area", found["area"], "NAND2")
    for stage in _STAGES:
        yield row(f"circuits.{start}_{stage}", f"{what}: stage {stage}", found[stage], "s")


def _mean(values: Iterator[float]) -> float:
    return float(np.mean([*values]))


_named = partial(named, "circuits")
_CONTEST = ("200", "60", "published")
_OPTIMAL = ("area", "area_worst", *(f"{area}_{what}" for area, what in product(("total", "core"), TREE)))
MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {
    **_named(training_settings, "training_settings_differing"),
    **_named(
        logic_contest,
        *(f"iwls_{group}_{what}" for group in ("200", "60", "published") for what in ("test", "ands")),
    ),
    **{
        id_: measure
        for which, (start, *_) in _LARGE.items()
        for id_, measure in _named(
            partial(large_network, which),
            *(f"{start}_{each}" for each in ("seconds", "memory", "area", *_STAGES)),
        ).items()
    },
    **_named(several_classes, *(f"{name}_test" for name, _, _ in _WITHIN), "classes_gap"),
    **_named(printed, "printed_tenth", "printed_equal", "printed_area"),
    **_named(partial(optimal_trees, "nine", "circuits.optimal"), *(f"optimal_{each}" for each in _OPTIMAL)),
    **_named(
        partial(optimal_trees, "held_out", "circuits.held_out_optimal"),
        *(f"held_out_optimal_{each}" for each in _OPTIMAL),
    ),
    **_named(
        partial(tiny, "balanced", "circuits.balanced_", ">= 10"),
        *(f"balanced_{key}_{what}" for key, what in product(NAMES, TINY)),
    ),
    **_named(
        partial(tiny, "balanced", "circuits.nine_balanced_", ">= 10", NINE),
        *(f"nine_balanced_{key}_{what}" for key, what in product(NAMES, TINY)),
    ),
}
"""Id of each figure, and the function that measures it."""
