"""From a flow's ``baselines`` to rivals: what is planned, then fitted one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial, singledispatch

from dwn_asic.data.dataset import Dataset
from dwn_asic.flow.config import (
    BaselineConfig,
    BinarizedMlpConfig,
    DecisionTreeConfig,
    DwnVariantConfig,
    ForestConfig,
    GateNetworkConfig,
    GbdtConfig,
    LinearConfig,
    MlpConfig,
    TabnetConfig,
    TinyClassifierConfig,
    WisardConfig,
    XgboostConfig,
)
from dwn_asic.methods.base import Progress, Rival, RivalPlan
from dwn_asic.methods.decision_tree import DecisionTree, Forest
from dwn_asic.methods.dwn_variant import DwnVariant
from dwn_asic.methods.gbdt import GradientBoosting
from dwn_asic.methods.linear import Linear
from dwn_asic.methods.mlp import Mlp
from dwn_asic.methods.tabnet import Tabnet
from dwn_asic.methods.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.methods.wisard import Wisard
from dwn_asic.methods.xgboost import Xgboost

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
    """Fit all of them; raises as :meth:`dwn_asic.methods.base.RivalPlan.fit`."""
    return [rival.fit(dataset, seed, progress) for rival in plan(configs)]


@singledispatch
def _plans(config: BaselineConfig) -> Iterator[RivalPlan]:
    """Methods that need torch are loaded only where they are asked for."""
    raise NotImplementedError(f"no rival for {type(config).__name__}")


@_plans.register
def _decision_trees(config: DecisionTreeConfig) -> Iterator[RivalPlan]:
    which, more = ("pruned", ", pruned") if config.pruned else ("tree", "")
    for leaves in config.leaves:
        label = f"decision tree, {leaves} leaves{more}"
        yield RivalPlan(f"{which}-{leaves}", label, config.kind, DecisionTree(leaves, config.pruned))


@_plans.register
def _forests(config: ForestConfig) -> Iterator[RivalPlan]:
    for trees in config.trees:
        label = f"forest, {trees} trees of {config.leaves} leaves"
        yield RivalPlan(f"forest-{trees}x{config.leaves}", label, config.kind, Forest(trees, config.leaves))


@_plans.register
def _tiny_classifiers(config: TinyClassifierConfig) -> Iterator[RivalPlan]:
    """Of each gate budget one for each encoding, or one with the best of them."""
    encodings = [
        Inputs(bits, cuts, code) for bits in config.bits for cuts in config.cuts for code in config.codes
    ]
    nand_only, plain = config.functions == "nand", config.fitness == "accuracy"
    for gates in config.gates:
        budget = [f"{gates}g"] if len(config.gates) > 1 else []
        which = ["nand"] * nand_only + ["accuracy"] * plain + [config.name] * bool(config.name) + budget
        more = ["nand only"] * nand_only + ["accuracy as fitness"] * plain
        more += [config.name.replace("-", " ")] * bool(config.name)
        more += [f"{gates} gates"] * bool(budget)
        evolve = partial(
            TinyClassifier,
            gates=gates,
            generations=config.generations,
            patience=config.patience,
            trial=config.trial,
            nand_only=nand_only,
            rows=config.rows,
            fitness=config.fitness,
        )
        if config.keep == "best":
            label = f"Tiny Classifier, best of {len(encodings)} encodings"
            plans = [("tiny", label, evolve(tuple(encodings)))]
        else:
            plans = [(*_encoding_names(config, inputs), evolve((inputs,))) for inputs in encodings]
        for name, label, fitter in plans:
            yield RivalPlan("-".join([name, *which]), ", ".join([label, *more]), config.kind, fitter)


def _encoding_names(config: TinyClassifierConfig, inputs: Inputs) -> tuple[str, str]:
    """Name and label of the Tiny Classifier with this encoding."""
    if len(config.cuts) * len(config.codes) == 1 and inputs == Inputs(inputs.bits):
        return f"tiny-{inputs.bits}bit", f"Tiny Classifier, {inputs.bits} bits per feature"
    cuts = inputs.cuts.replace("_", "-")
    return f"tiny-{inputs.bits}bit-{inputs.code}-{cuts}", f"Tiny Classifier, {inputs}"


@_plans.register
def _linear(config: LinearConfig) -> Iterator[RivalPlan]:
    label = f"linear, {config.weight_bits}-bit weights of {config.bits}-bit levels"
    fitter = Linear(config.bits, config.weight_bits)
    yield RivalPlan(f"linear-{config.weight_bits}bit", label, config.kind, fitter)


@_plans.register
def _wisard(config: WisardConfig) -> Iterator[RivalPlan]:
    tables, which = f"{config.tuples} tables", f"{config.tuples}x"
    if config.tuples is None:
        tables, which = "each bit in two tables", "all-"
    label = f"WiSARD, {tables} of {config.inputs} inputs per class"
    fitter = Wisard(config.tuples, config.inputs, config.bits)
    yield RivalPlan(f"wisard-{which}{config.inputs}", label, config.kind, fitter)


@_plans.register
def _binarized_mlps(config: BinarizedMlpConfig) -> Iterator[RivalPlan]:
    from dwn_asic.methods.binarized_mlp import BinarizedMlp

    for hidden in config.hidden:
        fitter = BinarizedMlp(hidden, config.bits, config.steps)
        yield RivalPlan(f"bnn-{hidden}", f"binarized MLP, {hidden} hidden neurons", config.kind, fitter)


@_plans.register
def _gate_network(config: GateNetworkConfig) -> Iterator[RivalPlan]:
    from dwn_asic.methods.gate_network import GateNetwork

    sizes = "-".join(map(str, config.gates))
    fitter = GateNetwork(config.gates, config.bits, config.steps)
    yield RivalPlan(f"gates-{sizes}", f"gate network {sizes}", config.kind, fitter)


@_plans.register
def _dwn_variant(config: DwnVariantConfig) -> Iterator[RivalPlan]:
    label = f"DWN, {config.name.replace('-', ' ')}"
    fitter = DwnVariant(config.encoder, config.model, config.training)
    yield RivalPlan(f"dwn-{config.name}", label, config.kind, fitter)


@_plans.register
def _gbdt(config: GbdtConfig) -> Iterator[RivalPlan]:
    yield RivalPlan("gbdt", "gradient boosting (software)", config.kind, GradientBoosting())


@_plans.register
def _xgboost(config: XgboostConfig) -> Iterator[RivalPlan]:
    yield RivalPlan("xgboost", "XGBoost (software)", config.kind, Xgboost())


@_plans.register
def _tabnet(config: TabnetConfig) -> Iterator[RivalPlan]:
    yield RivalPlan("tabnet", "TabNet (software)", config.kind, Tabnet(config.epochs, config.rows))


@_plans.register
def _mlp(config: MlpConfig) -> Iterator[RivalPlan]:
    yield RivalPlan("mlp", "MLP (software)", config.kind, Mlp(config.hidden))
