"""Topic ``signoff``: energy at equal accuracy, from the runs of ``make report`` on the nine data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from benchmarks.figures.compare import study
from benchmarks.figures.table import Row, named, row
from dwn_asic.methods.decision_tree import METHOD as TREE
from dwn_asic.study.energy import matched, over_baselines
from dwn_asic.study.equal_accuracy import Comparison, comparison
from dwn_asic.study.tables import geometric_mean
from dwn_asic.study.tiny_classifier.paper import BASELINES
from dwn_asic.targets.asic.signoff.metrics import EDP, ENERGY

METRICS = {"energy": (ENERGY, "energy per inference"), "edp": (EDP, "energy-delay product")}


def energy() -> Iterator[Row]:
    """Compare energy and energy-delay product with the Tiny Classifier and with trees of all sizes."""
    nine = study("nine")
    runs = f"{len(nine.sets)} sets x {len(nine.seeds)} seeds"
    yield from _ratios("tiny", f"Tiny Classifier (paper), {runs}", [comparison(nine, BASELINES[0])], ">= 20")
    trees = matched(nine, TREE.kind)
    yield from _ratios("tree", f"{len(trees)} sizes of decision trees, {runs}", [*trees.values()], ">= 2")


def _ratios(key: str, whose: str, compared: Sequence[Comparison], target: str) -> Iterator[Row]:
    flows = {flow: None for found in compared for flow in found.matches}
    for name, (metric, quantity) in METRICS.items():
        ratios = over_baselines(found.ratios(metric) for found in compared)
        absent = ", ".join(flow for flow in flows if flow not in ratios)
        what = f"{whose}: {quantity} over that of our circuit of equal validation accuracy, geometric mean"
        if absent:
            what += f", without {absent}, where a circuit needs no gate"
        yield row(f"signoff.{key}_{name}", what, geometric_mean(ratios.values()), "x", target)
        worst = min(ratios, key=lambda flow: ratios[flow])
        yield row(f"signoff.{key}_{name}_worst", f"{what}: worst set ({worst})", ratios[worst], "x")
        fully = over_baselines(found.reached.ratios(metric) for found in compared)
        which = f"{what}, only sets on which we reach it on every seed"
        yield row(f"signoff.{key}_{name}_reached", which, geometric_mean(fully.values()), "x")


MEASUREMENTS = named(
    "signoff",
    energy,
    *(
        f"{key}_{name}{end}"
        for key, name, end in product(("tiny", "tree"), METRICS, ("", "_worst", "_reached"))
    ),
)
