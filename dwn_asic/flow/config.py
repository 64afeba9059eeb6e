"""What a flow file (``flows/*.yaml``) can say: one experiment, key by key; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import Count, Strict, as_list
from dwn_asic.data.config import DataConfig
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.dwn.config import (
    ModelConfig,
    TrainingConfig,
)
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.verilog.config import HardwareConfig

__all__ = [
    "BaselineConfig",
    "BinarizedMlpConfig",
    "DecisionTreeConfig",
    "DwnVariantConfig",
    "FlowConfig",
    "ForestConfig",
    "GateNetworkConfig",
    "GbdtConfig",
    "LinearConfig",
    "MlpConfig",
    "TabnetConfig",
    "TinyClassifierConfig",
    "WisardConfig",
    "XgboostConfig",
]


class TinyClassifierConfig(Strict):
    """Evolved graph of two-input gates (Iordanou et al., arXiv:2303.00031)."""

    kind: Literal["tiny_classifier"]
    name: Annotated[str, Field(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")] = ""
    """What tells it from others, for example ``tenfold``."""
    bits: tuple[Literal[2, 4], ...] = Field(default=(2, 4), strict=False)
    """Per feature, at most."""
    cuts: Annotated[tuple[Literal["quantile", "equal_width"], ...], Field(min_length=1, strict=False)] = (
        "quantile",
    )
    """Buckets of equal shares of the training rows, or of equal parts of the range."""
    codes: Annotated[
        tuple[Literal["thermometer", "onehot", "binary", "gray"], ...], Field(min_length=1, strict=False)
    ] = ("thermometer",)
    """Of the bucket's number, in ``bits`` bits."""
    keep: Literal["each", "best"] = "each"
    """A circuit for each combination of bits, cuts and codes, or only the best on validation rows."""
    functions: Literal["all", "nand"] = "all"
    """And, or, nand, nor; or nand alone."""
    fitness: Literal["balanced_accuracy", "accuracy"] = "balanced_accuracy"
    """The paper's; or what tables of accuracies compare, which on uneven classes is something else."""
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False), BeforeValidator(as_list)] = (300,)
    """Budget; a circuit for each."""
    rows: Count = 32_768
    """Training rows to judge on, at most; of more these are drawn, as shrink does."""
    generations: Count = 200_000
    """Limit; evolution stops earlier after ``patience`` generations without a better validation score."""
    patience: Count = 50_000
    trial: Count | None = None
    """With ``keep: best``: generations after which only the best encoding goes on, default all of them."""


class DecisionTreeConfig(Strict):
    """scikit-learn trees, one per entry of ``leaves``."""

    kind: Literal["decision_tree"]
    leaves: tuple[Annotated[int, Field(ge=2)], ...] = Field(default=(8, 16, 32), strict=False)
    pruned: bool = False
    """Grown in full and cut back by cost-complexity, instead of grown best split first."""


class ForestConfig(Strict):
    """scikit-learn random forests whose trees have one vote each, one per entry of ``trees``."""

    kind: Literal["forest"]
    trees: tuple[Count, ...] = Field(default=(3, 7), strict=False)
    leaves: Annotated[int, Field(ge=2)] = 8
    """Of each tree, at most."""


class LinearConfig(Strict):
    """Logistic regression with small integer weights."""

    kind: Literal["linear"]
    bits: Annotated[int, Field(ge=1, le=8)] = 4
    """Of a feature's level."""
    weight_bits: Annotated[int, Field(ge=2, le=12)] = 4
    """Sign included."""


class BinarizedMlpConfig(Strict):
    """Sign weights and sign activations (Hubara et al., 2016), a hidden layer per entry of ``hidden``."""

    kind: Literal["binarized_mlp"]
    hidden: tuple[Count, ...] = Field(default=(16,), strict=False)
    bits: Count = 8
    """Thermometer bits per feature, at most."""
    steps: Count = 3_000
    """Of the optimizer, each with 128 rows."""


class GateNetworkConfig(Strict):
    """Two-input gates on random wires, their functions learned (Petersen et al., 2022)."""

    kind: Literal["gate_network"]
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (200, 200)
    """Of each layer."""
    bits: Count = 8
    """Thermometer bits per feature, at most."""
    steps: Count = 3_000
    """Of the optimizer, each with 128 rows."""


class WisardConfig(Strict):
    """Tables on random bits, filled by counting rows."""

    kind: Literal["wisard"]
    tuples: Count | None = None
    """Tables of each class; without it as many as read every thermometer bit twice."""
    inputs: Annotated[int, Field(ge=1, le=8)] = 6
    bits: Count = 8
    """Thermometer bits per feature, at most."""


class DwnVariantConfig(Strict):
    """A DWN of another encoder, model or training."""

    kind: Literal["dwn_variant"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    """What differs, for example ``fixed-mapping``."""
    encoder: EncoderConfig = EncoderConfig()
    model: ModelConfig
    training: TrainingConfig = TrainingConfig()


class TabnetConfig(Strict):
    """TabNet, an extra package: a software ceiling, accuracy only."""

    kind: Literal["tabnet"]
    epochs: Count = 100
    """At most; training ends earlier after ten without a better validation accuracy."""
    rows: Count = 32_768
    """Training rows, at most; of more these are drawn."""


class XgboostConfig(Strict):
    """XGBoost, an extra package: a software ceiling, accuracy only."""

    kind: Literal["xgboost"]


class MlpConfig(Strict):
    """Multilayer perceptron on the raw values: a software ceiling, accuracy only."""

    kind: Literal["mlp"]
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (100,)


class GbdtConfig(Strict):
    """Gradient-boosted trees: a software ceiling, accuracy only."""

    kind: Literal["gbdt"]


BaselineConfig = Annotated[
    TinyClassifierConfig
    | DecisionTreeConfig
    | ForestConfig
    | LinearConfig
    | BinarizedMlpConfig
    | GateNetworkConfig
    | WisardConfig
    | DwnVariantConfig
    | GbdtConfig
    | XgboostConfig
    | TabnetConfig
    | MlpConfig,
    Field(discriminator="kind"),
]


class FlowConfig(Strict):
    """One experiment."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    seed: Annotated[int, Field(ge=0)] = 0
    data: DataConfig
    encoder: EncoderConfig = EncoderConfig()
    model: ModelConfig
    training: TrainingConfig = TrainingConfig()
    shrink: ShrinkConfig | None = None
    """Without it only the exact circuit is made."""
    minimize: MinimizeConfig = MinimizeConfig()
    hardware: HardwareConfig = HardwareConfig()
    synthesis: SynthesisConfig = SynthesisConfig()
    baselines: tuple[BaselineConfig, ...] = Field(default=(), strict=False)
    match: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Rivals by name. For each, the smallest circuit of the shrunk front that has its validation accuracy
    goes to a proved netlist too, as the chosen one does. Takes some seconds each."""
