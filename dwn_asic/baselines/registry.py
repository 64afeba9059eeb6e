"""From a flow's ``baselines`` to rivals: what is planned, then fitted one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dwn_asic.baselines.decision_tree import DecisionTree
from dwn_asic.baselines.gbdt import GradientBoosting
from dwn_asic.baselines.interface import Progress, Rival, RivalPlan
from dwn_asic.baselines.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.config import BaselineConfig, DecisionTreeConfig, GbdtConfig, TinyClassifierConfig
from dwn_asic.data.dataset import Dataset

__all__ = ["fit_rivals", "plan"]


def plan(configs: Sequence[BaselineConfig]) -> list[RivalPlan]:
    """The rivals that a flow asks for, in its order, each once and under a name of its own.

    A second rival of the same name but other options gets a number: ``tiny-2bit-v2``.
    """
    plans: list[RivalPlan] = []
    for wanted in (each for config in configs for each in _plans(config)):
        alike = [p for p in plans if p.name == wanted.name or p.name.startswith(f"{wanted.name}-v")]
        if any(p.fitter == wanted.fitter for p in alike):
            continue
        version = len(alike) + 1
        name, label = f"{wanted.name}-v{version}", f"{wanted.label} (version {version})"
        plans.append(replace(wanted, name=name, label=label) if alike else wanted)
    return plans


def fit_rivals(
    configs: Sequence[BaselineConfig], dataset: Dataset, seed: int, progress: Progress | None = None
) -> list[Rival]:
    """Fit all of them; raises as :meth:`dwn_asic.baselines.interface.RivalPlan.fit`."""
    return [rival.fit(dataset, seed, progress) for rival in plan(configs)]


def _plans(config: BaselineConfig) -> Iterator[RivalPlan]:
    match config:
        case DecisionTreeConfig():
            for leaves in config.leaves:
                label = f"decision tree, {leaves} leaves"
                yield RivalPlan(f"tree-{leaves}", label, config.kind, DecisionTree(leaves))
        case TinyClassifierConfig():
            yield from _tiny_classifiers(config)
        case GbdtConfig():
            yield RivalPlan("gbdt", "gradient boosting (software)", config.kind, GradientBoosting())


def _tiny_classifiers(config: TinyClassifierConfig) -> Iterator[RivalPlan]:
    """One for each encoding, or one with the best of them."""
    encodings = [
        Inputs(bits, cuts, code) for bits in config.bits for cuts in config.cuts for code in config.codes
    ]
    nand_only = config.functions == "nand"
    which, more = ("-nand", ", nand only") if nand_only else ("", "")
    limits = (config.gates, config.generations, config.patience, config.trial, nand_only)
    if config.keep == "best":
        label = f"Tiny Classifier, best of {len(encodings)} encodings{more}"
        yield RivalPlan(f"tiny{which}", label, config.kind, TinyClassifier(tuple(encodings), *limits))
        return
    for inputs in encodings:
        name, label = f"tiny-{inputs.bits}bit", f"Tiny Classifier, {inputs.bits} bits per feature"
        if len(config.cuts) * len(config.codes) > 1 or inputs != Inputs(inputs.bits):
            name += f"-{inputs.code}-{inputs.cuts.replace('_', '-')}"
            label = f"Tiny Classifier, {inputs}"
        yield RivalPlan(f"{name}{which}", f"{label}{more}", config.kind, TinyClassifier((inputs,), *limits))
