"""Topic ``logic``: exact minimization, shrinking, and the comparison with decision trees on nine data sets.

Networks, searches and mapped areas are kept in ``build/figures``; remove a file there to repeat its
measurement.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import multiclass
from benchmarks.figures.decision_trees import AREAS, LEAVES, studies
from benchmarks.figures.exact import exact_area
from benchmarks.figures.nine import PYRAMIDS, SEEDS, SETS, network
from benchmarks.figures.proposal_rate import proposal_rate
from benchmarks.figures.shrunk import study as shrunk_study
from benchmarks.figures.table import Row, named, row
from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.front import choose, front
from dwn_asic.optimize.lossy.shrink import search
from dwn_asic.targets.asic.cost import PRICES

TABLES = Path("reports/decision_trees.md")
_LEAST = 1.0
"""Smallest area (NAND2-equivalents) in ratios, which need positive numbers: some circuits are only a wire."""

_all = cache(studies)


def _mean(values: Iterable[float]) -> float:
    return statistics.mean(values)


def _geometric(values: Iterable[float]) -> float:
    return statistics.geometric_mean(max(value, 1e-9) for value in values)


def exact() -> Iterator[Row]:
    """Compare the core area after exact minimization with that of plain Yosys."""
    for pyramid in PYRAMIDS:
        ratios = {
            name: [found["exact"] / found["plain"] for found in (exact_area(name, pyramid, s) for s in SEEDS)]
            for name in SETS
        }
        sets = {name: _geometric(values) for name, values in ratios.items()}
        worst = max(sets, key=lambda name: sets[name])
        what = f"exact core area (low effort) over plain Yosys `synth; abc -liberty`, {pyramid} pyramids"
        text = f"{what}, geometric mean of 9 sets x 5 seeds"
        yield row(f"logic.exact_core_{pyramid}", text, _geometric(sets.values()), "", "<= 0.8")
        yield row(f"logic.exact_core_{pyramid}_worst", f"{what}, worst set ({worst})", sets[worst])
    proofs = [exact_area(n, p, s)["proof_seconds"] for n in SETS for p in PYRAMIDS for s in SEEDS]
    yield row("logic.exact_proof_seconds", "longest equivalence proof of 90 networks", max(proofs), "s")


def shrunk() -> Iterator[Row]:
    """Measure the circuit with the smallest core at about the validation accuracy of the exact network."""
    everything: list[float] = []
    for pyramid in PYRAMIDS:
        studies = {(n, seed): shrunk_study(n, pyramid, seed) for n in SETS for seed in SEEDS}
        ratios = [
            max(_LEAST, found["shrunk"]["core"]) / exact_area(name, pyramid, seed)["exact"]
            for (name, seed), found in studies.items()
        ]
        everything += ratios
        drops = [100 * (found["exact"]["test"] - found["shrunk"]["test"]) for found in studies.values()]
        what = f"{pyramid} pyramids, 9 sets x 5 seeds"
        text = f"shrunk core area over exact core area, {what}, geometric mean"
        yield row(f"logic.shrunk_core_{pyramid}", text, _geometric(ratios), "", "<= 0.1")
        text = f"test accuracy, exact minus shrunk, {what}, mean"
        yield row(f"logic.shrunk_drop_{pyramid}", text, _mean(drops), "points", "<= 0.3")
        yield row(f"logic.shrunk_drop_{pyramid}_sd", f"{text}: standard deviation", statistics.stdev(drops))
        for part in ("train", "val", "test"):
            for state in ("exact", "shrunk"):
                values = [found[state][part] for found in studies.values()]
                text = f"{part} accuracy of the {state} networks, {what}, mean"
                yield row(f"logic.guard_{pyramid}_{part}_{state}", text, _mean(values))
    text = "shrunk core area over exact core area, all 90 networks, geometric mean"
    yield row("logic.shrunk_core", text, _geometric(everything), "", "<= 0.1")


def trees() -> Iterator[Row]:
    """Compare our circuits with decision trees, and write reports/decision_trees.md."""
    cells = [(name, i) for name in SETS for i in range(len(LEAVES))]
    for what, target in (("total", "<= 0.3"), ("core", "<= 0.5")):
        ratios = [_geometric(_ratios(name, i, what, what)) for name, i in cells]
        gains = [100 * _mean(_gains(name, i, what)) for name, i in cells]
        text = (
            f"our smallest {what} area at a tree's validation accuracy over the tree's, "
            "9 sets x 4 sizes x 5 seeds"
        )
        yield row(f"logic.tree_{what}", f"{text}, geometric mean", _geometric(ratios), "", target)
        yield row(f"logic.tree_{what}_worst", f"{text}, worst set and size", max(ratios))
        text = f"test accuracy, our circuit of smallest {what} area minus the tree, mean"
        yield row(f"logic.tree_{what}_gain", text, _mean(gains), "points", ">= 0")
        yield row(f"logic.tree_{what}_gain_worst", f"{text}: worst set and size", min(gains), "points")
        misses = sum(r[what]["val"] < r["tree"]["val"] for n in SETS for s in _all()[n] for r in s["rows"])
        text = f"number of trees, of 180, whose validation accuracy no circuit of ours reaches ({what})"
        yield row(f"logic.tree_{what}_unreached", text, float(misses))
    ratios = [_geometric(_ratios(name, i, "tree_shrunk", "total")) for name, i in cells]
    text = "total area of shrunk trees over that of the trees, geometric mean"
    yield row("logic.tree_shrunk", text, _geometric(ratios))
    TABLES.write_text(_table(cells))


def _ratios(name: str, size: int, ours: str, area: str) -> list[float]:
    rows = [study["rows"][size] for study in _all()[name]]
    return [max(_LEAST, r[ours][area]) / max(_LEAST, r["tree"][area]) for r in rows]


def _gains(name: str, size: int, ours: str) -> list[float]:
    rows = [study["rows"][size] for study in _all()[name]]
    return [r[ours]["test"] - r["tree"]["test"] for r in rows]


_HOW_TREES = """
Written by `make figures ONLY=logic.tree_total`. The trees are scikit-learn's, with 8 to 32 leaves, on the
same 8-bit codes and splits. All circuits, including the trees, are minimized exactly (low effort) and mapped
to sky130hd; areas are in NAND2-equivalents. *total* is the area of core and encoder of our smallest circuit
whose validation accuracy is at least the tree's, from fronts annealed for total area from a DWN, a tree and a
random circuit. *core* is the same for core area, from fronts annealed for core area from two DWNs. *tree
shrunk* is the total area from the front annealed from the tree with 32 leaves. Ratios are geometric means
over 5 seeds, in which a circuit has an area of at least one NAND2. All other values are means; spreads are
standard deviations.
"""
_COLUMNS = (
    *("data", "leaves", "tree total", "test", "total", "ratio", "test, points"),
    *("tree core", "core", "ratio", "test, points", "tree shrunk", "ratio", "test, points"),
)
_HOW_STARTS = """
Mean test accuracy over 5 seeds of the circuit that is best in validation among those of at most the given
area (NAND2-equivalents of the cost model), with 6 million proposals from each start. Written by
`make figures ONLY=logic.tree_total`.
"""


def _table(cells: list[tuple[str, int]]) -> str:
    """Return all comparisons as Markdown."""
    lines = [
        "# Shrunk circuits against decision trees",
        "",
        *textwrap.wrap(_HOW_TREES.strip(), 110),
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, i in cells:
        rows = [study["rows"][i] for study in _all()[name]]

        def spread(what: str, area: str, rows: list[Any] = rows) -> str:
            values = [r[what][area] for r in rows]
            return f"{_mean(values):.1f} ± {statistics.stdev(values):.1f}"

        tests = [r["tree"]["test"] for r in rows]
        lines.append(
            f"| {name} | {LEAVES[i]} | {spread('tree', 'total')} | {_mean(tests):.4f} "
            f"| {spread('total', 'total')} | {_geometric(_ratios(name, i, 'total', 'total')):.2f} "
            f"| {_points(_gains(name, i, 'total'))} "
            f"| {spread('tree', 'core')} | {spread('core', 'core')} "
            f"| {_geometric(_ratios(name, i, 'core', 'core')):.2f} | {_points(_gains(name, i, 'core'))} "
            f"| {spread('tree_shrunk', 'total')} "
            f"| {_geometric(_ratios(name, i, 'tree_shrunk', 'total')):.2f} "
            f"| {_points(_gains(name, i, 'tree_shrunk'))} |"
        )
    lines += [
        "",
        "## Where the annealing starts",
        "",
        *textwrap.wrap(_HOW_STARTS.strip(), 110),
        "",
        "| data | " + " | ".join(f"{start} {area:g}" for area in AREAS for start in STARTS) + " |",
        "|---|" + "--:|" * (len(AREAS) * len(STARTS)),
    ]
    for name in SETS:
        values = [_at(name, start, area) for area in AREAS for start in STARTS]
        lines.append(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
    return "\n".join([*lines, ""])


STARTS = ("dwn", "tree", "random")


def _points(gains: list[float]) -> str:
    return f"{100 * _mean(gains):+.2f} ± {100 * statistics.stdev(gains):.2f}"


def _at(name: str, start: str, area: float) -> float:
    return _mean([study["starts"][start][f"{area:g}"] for study in _all()[name]])


def starts() -> Iterator[Row]:
    """Compare the test accuracy at equal area for different starts of the annealing."""
    for area in AREAS:
        for start in STARTS:
            text = f"annealed from {start}, at most {area:g} NAND2: mean test accuracy, 9 sets x 5 seeds"
            yield row(f"logic.start_{start}_{area:g}", text, _mean([_at(n, start, area) for n in SETS]))


def several_classes() -> Iterator[Row]:
    """Measure popcount networks before and after shrinking."""
    for name in multiclass.SETS:
        found = [multiclass.study(name, seed) for seed in multiclass.SEEDS]
        ratios = [f["after"]["total"] / f["before"]["total"] for f in found]
        drops = [100 * (f["before"]["test"] - f["after"]["test"]) for f in found]
        what = f"{name}, popcount network, 5 seeds"
        yield row(
            f"logic.{name}_total",
            f"{what}: total area after shrinking over before",
            _geometric(ratios),
            "",
            "<= 0.3334",
        )
        yield row(
            f"logic.{name}_before",
            f"{what}: total area before shrinking",
            _mean([f["before"]["total"] for f in found]),
            "NAND2",
        )
        yield row(
            f"logic.{name}_drop", f"{what}: loss of test accuracy, mean", _mean(drops), "points", "<= 0.5"
        )
        yield row(
            f"logic.{name}_drop_sd",
            f"{what}: sd of the loss of test accuracy",
            statistics.stdev(drops),
            "points",
        )
        yield row(
            f"logic.{name}_test",
            f"{what}: test accuracy after shrinking",
            _mean([f["after"]["test"] for f in found]),
        )


def speed() -> Iterator[Row]:
    """Measure the shrinking of phoneme's network on one core, without the time of compilation."""
    dataset, graph = network("phoneme", "n6", 0)
    config = ShrinkConfig(proposals=500_000, jobs=1)
    search([graph], dataset.part("train"), config.model_copy(update={"proposals": 1000}), PRICES, 0)
    begin = time.perf_counter()
    found = search([graph], dataset.part("train"), config, PRICES, 0)
    held_out = dataset.part("val")
    chosen = choose(front(found, *held_out), config.tolerance, len(held_out[1]))
    seconds = time.perf_counter() - begin
    codes, labels = dataset.part("test")
    test = [g.accuracy(codes, labels) for g in (graph, chosen.graph)]
    what = "phoneme 24-4-1, shrinking with 12 chains of 500,000 proposals on one core"
    yield row("logic.shrink_seconds", what, seconds, "s", "<= 5")
    yield row("logic.shrink_rate", f"{what}: million proposals per second, all included", 6 / seconds, "M/s")
    yield row("logic.shrink_area", f"{what}: cost-model area of the chosen circuit", chosen.area, "NAND2")
    yield row("logic.shrink_test_gain", f"{what}: test accuracy gained", 100 * (test[1] - test[0]), "points")
    rate, gates = _proposal_rate()
    text = f"proposals per second on one core, circuits of {gates} gates, 4,600 rows, best of 20 slices"
    yield row("logic.proposals", text, rate / 1e6, "M/s", ">= 2")


def _proposal_rate() -> tuple[float, int]:
    """Measure the proposals per second of a chain that has settled at about 40 gates, and count its gates."""
    dataset, graph = network("phoneme", "n6", 0)
    codes, labels = (
        np.concatenate(part) for part in zip(*map(dataset.part, ("train", "val", "test")), strict=True)
    )
    some = np.random.default_rng(0).permutation(len(labels))[:4600]
    rows = ScoredRows.as_they_are(codes[some], labels[some])
    # 45 NAND2-equivalents for one percent of the rows
    return proposal_rate(graph, rows, 45.0, settling=3_000_000, slices=20)


def large() -> Iterator[Row]:
    """Measure a graph of 20,000 ANDs over 8,000 rows, in a separate process to measure its memory."""
    code = "from benchmarks.figures.large import main; main()"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    ands, seconds, before, after = map(float, done.stdout.split())
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    what = f"graph of {ands:.0f} ANDs over 8,000 rows, one chain of a million proposals"
    yield row("logic.large_seconds", what, seconds, "s", "<= 600")
    yield row("logic.large_memory", f"{what}: peak memory of the largest process", memory, "GiB", "<= 2")
    yield row("logic.large_area", f"{what}: area after over area before, without more errors", after / before)


_named = partial(named, "logic")

MEASUREMENTS = {
    **_named(exact, *(f"exact_core_{p}{s}" for p in PYRAMIDS for s in ("", "_worst")), "exact_proof_seconds"),
    **_named(shrunk, "shrunk_core", *(f"shrunk_{w}_{p}" for p in PYRAMIDS for w in ("core", "drop"))),
    **_named(shrunk, *(f"shrunk_drop_{p}_sd" for p in PYRAMIDS)),
    **_named(
        shrunk,
        *(
            f"guard_{p}_{t}_{s}"
            for p in PYRAMIDS
            for t in ("train", "val", "test")
            for s in ("exact", "shrunk")
        ),
    ),
    **_named(
        trees,
        *(
            f"tree_{w}{s}"
            for w in ("total", "core")
            for s in ("", "_worst", "_gain", "_gain_worst", "_unreached")
        ),
        "tree_shrunk",
    ),
    **_named(starts, *(f"start_{start}_{area:g}" for area in AREAS for start in STARTS)),
    **_named(
        several_classes,
        *(f"{n}_{w}" for n in multiclass.SETS for w in ("total", "before", "drop", "drop_sd", "test")),
    ),
    **_named(speed, "shrink_seconds", "shrink_rate", "shrink_area", "shrink_test_gain", "proposals"),
    **_named(large, "large_seconds", "large_memory", "large_area"),
}
"""Id of each figure, and the function that measures it; a function may measure several figures."""
