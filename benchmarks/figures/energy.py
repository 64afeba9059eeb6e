"""Topic ``signoff``: energy at equal accuracy, from the runs of ``make report`` on the nine data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from benchmarks.figures.compare import study
from benchmarks.figures.table import Row, named, row
from dwn_asic.api import sign_off
from dwn_asic.flow.finished import RunCircuit, load
from dwn_asic.methods.decision_tree import METHOD as TREE
from dwn_asic.study.energy import matched, over_baselines
from dwn_asic.study.equal_accuracy import Comparison, Match, comparison
from dwn_asic.study.tables import geometric_mean
from dwn_asic.study.tiny_classifier.paper import BASELINES
from dwn_asic.targets.asic.signoff.metrics import EDP, ENERGY
from dwn_asic.targets.asic.target import AsicTarget

METRICS = {"energy": (ENERGY, "energy per inference"), "edp": (EDP, "energy-delay product")}


def energy() -> Iterator[Row]:
    """Compare energy and energy-delay product with the Tiny Classifier and with trees of all sizes."""
    nine = study("nine")
    runs = f"{len(nine.sets)} sets x {len(nine.seeds)} seeds"
    yield from _ratios("tiny", f"Tiny Classifier (paper), {runs}", [comparison(nine, BASELINES[0])], ">= 20")
    trees = matched(nine, TREE.kind)
    yield from _ratios("tree", f"{len(trees)} sizes of decision trees, {runs}", [*trees.values()], ">= 2")


def glitches() -> Iterator[Row]:
    """Compare energies once more, with the transitions of glitches in both circuits."""
    nine = study("nine")
    runs = f"{len(nine.sets)} sets x {len(nine.seeds)} seeds"
    tiny, trees = {BASELINES[0]: comparison(nine, BASELINES[0])}, matched(nine, TREE.kind)
    for key, whose, found, target in (
        ("tiny", f"Tiny Classifier (paper), {runs}", tiny, ">= 20"),
        ("tree", f"{len(trees)} sizes of decision trees, {runs}", trees, ">= 2"),
    ):
        with_glitches = over_baselines(
            {flow: geometric_mean(map(_ratio, pairs)) for flow, pairs in each.measured.matches.items()}
            for each in found.values()
        )
        what = f"{whose}: energy per inference over ours as in signoff.{key}_energy, glitches counted in both"
        yield row(f"signoff.{key}_energy_glitches", what, geometric_mean(with_glitches.values()), "x", target)


def _ratio(match: Match) -> float:
    """Return the energy of a baseline over that of our circuit, both with glitches."""
    run, netlist = load(match.run.place), match.ours.netlist
    assert netlist is not None
    target = run.flow.target.open()
    assert isinstance(target, AsicTarget)
    energies = []
    for place in (f"baselines/{match.baseline.name}", netlist.folder):
        built = RunCircuit(run.flow, place).implementation
        found = sign_off(built, target, run.dataset, glitches=True)
        assert found.glitch_power is not None
        energies.append(found.glitch_power.energy(found.timing.delay))
    return energies[0] / energies[1]


def _ratios(key: str, whose: str, compared: Sequence[Comparison], target: str) -> Iterator[Row]:
    flows = {flow: None for found in compared for flow in found.matches}
    for name, (metric, quantity) in METRICS.items():
        ratios = over_baselines(found.ratios(metric) for found in compared)
        absent = ", ".join(flow for flow in flows if flow not in ratios)
        what = (
            f"{whose}: {quantity} over that of our circuit of equal validation accuracy, geometric mean "
            f"where both circuits need gates on every seed (nowhere on: {absent or 'none'})"
        )
        yield row(f"signoff.{key}_{name}", what, geometric_mean(ratios.values()), "x", target)
        worst = min(ratios, key=lambda flow: ratios[flow])
        yield row(f"signoff.{key}_{name}_worst", f"{what}: worst set ({worst})", ratios[worst], "x")
        fully = over_baselines(found.reached.ratios(metric) for found in compared)
        if fully:
            which = f"{what}, only sets on which we reach it on every seed"
            yield row(f"signoff.{key}_{name}_reached", which, geometric_mean(fully.values()), "x")


MEASUREMENTS = {
    **named("signoff", glitches, "tiny_energy_glitches", "tree_energy_glitches"),
    **named(
        "signoff",
        energy,
        *(
            f"{key}_{name}{end}"
            for key, name, end in product(("tiny", "tree"), METRICS, ("", "_worst", "_reached"))
        ),
    ),
}
