"""From a flow's ``baselines`` to rivals: what is planned, then fitted one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dwn_asic.baselines.decision_tree import DecisionTree
from dwn_asic.baselines.gbdt import GradientBoosting
from dwn_asic.baselines.interface import Progress, Rival, RivalPlan
from dwn_asic.baselines.tiny_classifier import TinyClassifier
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
            for bits in config.bits:
                fitter = TinyClassifier(bits, config.gates, config.generations, config.patience)
                label = f"Tiny Classifier, {bits} bits per feature"
                yield RivalPlan(f"tiny-{bits}bit", label, config.kind, fitter)
        case GbdtConfig():
            yield RivalPlan("gbdt", "gradient boosting (software)", config.kind, GradientBoosting())
