"""What a flow file (``flows/*.yaml``) can say: one experiment, key by key; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

__all__ = [
    "BaselineConfig",
    "DataConfig",
    "DecisionTreeConfig",
    "EncoderConfig",
    "FlowConfig",
    "GbdtConfig",
    "HardwareConfig",
    "LayerConfig",
    "MinimizeConfig",
    "ModelConfig",
    "ShrinkConfig",
    "SplitConfig",
    "SynthesisConfig",
    "TinyClassifierConfig",
    "TrainingConfig",
]

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SplitConfig(_Strict):
    """Shares of the rows; the rest is for training."""

    val: Fraction = 0.2
    test: Fraction = 0.2

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> SplitConfig:
        if self.val + self.test >= 1.0:
            raise ValueError("val + test must be below 1, the rest is for training")
        return self


class DataConfig(_Strict):
    """Where the table comes from."""

    source: str
    """``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH`` (relative to the flow file's directory, else to the
    working directory) or ``openml:ID``."""
    label: str | None = None
    """Label column; default ``class`` for csv, the source's own elsewhere."""
    impute: Literal["mean", "median", "mode"] | None = None
    """What a missing cell becomes; without it a missing cell is an error."""
    one_against_rest: str | None = None
    """A class: the task becomes to tell it (class 1) from all others (class 0)."""
    split: SplitConfig = SplitConfig()


class EncoderConfig(_Strict):
    """Quantizer width and thermometer."""

    input_bits: Annotated[int, Field(ge=1, le=16)] = 8
    thermometer: Literal["distributive", "uniform", "gaussian"] = "distributive"
    bits: Count = 32
    """Thermometer bits per feature, at most."""


Inputs = Annotated[int, Field(ge=1, le=8)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int) else value


class LayerConfig(_Strict):
    """One LUT layer."""

    luts: Count
    inputs: Annotated[tuple[Inputs, ...], Field(min_length=1, strict=False), BeforeValidator(_as_list)]
    """Of each LUT; of several numbers, the LUTs have them in turn."""
    reads: Literal["previous", "all"] = "previous"
    """Bits to choose from: those of the layer before, or also those of all earlier layers and the encoder."""
    mapping: Literal["learnable", "random", "arange"] = "learnable"
    mapping_temperature: Positive = 0.001
    """Softmax temperature of the gradient that a learnable mapping passes to the bits it reads."""
    candidates: Annotated[int, Field(ge=2)] | None = None
    """Bits that each slot of a learnable mapping chooses from at one time, default all. Fewer save memory and
    time on wide inputs; the lightest are replaced by others during the first half of the training."""


class ModelConfig(_Strict):
    """LUT layers and head."""

    layers: Annotated[tuple[LayerConfig, ...], Field(min_length=1, strict=False)] | None = None
    pyramid: Annotated[tuple[Inputs, ...], Field(min_length=1, strict=False)] | None = None
    """In place of layers, for the direct head: the LUTs' inputs, layer by layer. The last layer has as many
    LUTs as the head needs, any other one LUT for each slot of the next (the paper's learnable reduction)."""
    head: Literal["direct", "popcount"] = "direct"
    code: Literal["binary", "onehot"] = "binary"
    """For the direct head: class index in binary, or one output per class."""
    temperature: Positive = 0.3
    """Logits are divided by it (``direct``), or counts are (``popcount``)."""

    @model_validator(mode="after")
    def _layers_or_pyramid(self) -> ModelConfig:
        if (self.layers is None) == (self.pyramid is None):
            raise ValueError("give either layers or pyramid")
        if self.pyramid and self.head != "direct":
            raise ValueError("a pyramid ends in the direct head; popcount needs layers")
        return self

    def layers_for(self, outputs: int) -> tuple[LayerConfig, ...]:
        """The layers, first to last; a pyramid's end in this number of LUTs."""
        if self.layers is not None:
            return self.layers
        layers: list[LayerConfig] = []
        for inputs in reversed(self.pyramid or ()):
            layers.insert(0, LayerConfig(luts=outputs, inputs=(inputs,)))
            outputs *= inputs
        return tuple(layers)


class EfdConfig(_Strict):
    """Extended finite difference; the defaults are those of the paper's authors' code."""

    decay: Literal["exponential", "harmonic"] = "exponential"
    """By Hamming distance h: beta**h, or the paper's 1 / (h + 1)."""
    beta: Annotated[float, Field(ge=0.0, lt=1.0)] = 1.0 / 3.0
    """Of the exponential decay."""
    alpha: Positive | None = None
    """Scale; default 0.5 * 0.75**(n - 1) of the exponential decay, 1 of the harmonic one."""


class SpectralConfig(_Strict):
    """Penalty on the tables' Fourier spectrum."""

    kind: Literal["l2", "influence", "l1"] = "l2"
    """The paper's norm; total influence, which weighs coefficients by their degree; or their absolute sum."""
    weight: Annotated[float, Field(ge=0.0)] = 0.0


class ShiftConfig(_Strict):
    """Rows that are images, pixels row by row, and how far each may move in every epoch."""

    height: Count
    width: Count
    pixels: Count = 1


class TrainingConfig(_Strict):
    """Optimizer and its schedule."""

    epochs: Count = 100
    batch_size: Count = 128
    learning_rate: Positive = 0.02
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    restarts: Count = 4
    """Independent starts, trained side by side; the one with the best validation accuracy is kept. For small
    networks many starts cost little time, for wide ones each costs as much as the first."""
    halvings: Annotated[int, Field(ge=0)] = 0
    """Times that the half of the starts with the lower validation accuracy so far is given up, after equal
    parts of the epochs."""
    class_weights: Literal["equal", "balanced"] = "equal"
    """Of rows in the loss: one, or such that all classes weigh the same."""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of each row's label that is spread over all classes."""
    distillation: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Share of each row's label that is taken from a gradient boosting teacher that has not seen the row."""
    input_noise: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    """Probability that a LUT reads the opposite of a bit while training."""
    shift: ShiftConfig | None = None
    """Move training rows that are images, up, down and sideways, anew in each epoch."""
    efd: EfdConfig = EfdConfig()
    spectral: SpectralConfig = SpectralConfig()
    device: Literal["cpu", "cuda"] = "cpu"
    """Results are repeatable on a CPU; on a GPU sums may be taken in another order each time."""
    threads: Count = 1
    """Of torch. More help wide layers on an idle machine; on a busy one waiting for each other costs more."""


_Pair = Annotated[tuple[Positive, Positive], Field(strict=False)]


Judge = Literal["labels", "agreed"]


class ShrinkConfig(_Strict):
    """Annealing of the circuit, judged on training rows; validation rows choose on its front."""

    objective: Literal["total", "core"] = "total"
    """Area that counts: of the whole circuit, or of the core with comparators for nothing."""
    prices: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (
        2.0, 4.0, 8.0, 16.0, 32.0, 64.0,
    )  # fmt: skip
    """NAND2-equivalents that a percentage point of accuracy on training rows is worth."""
    proposals: Count = 2_000_000
    """Of each chain."""
    temperatures: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (0.5, 1.5)
    """Of the chains at their start, in NAND2-equivalents: above 1 the start circuit soon dissolves, at 0.5
    it is kept and improved. One chain for each price and temperature."""
    refit: Annotated[tuple[_Pair, ...], Field(strict=False)] = (
        (50.0, 1.0), (200.0, 1.0), (200.0, 2.0), (800.0, 2.0),
    )  # fmt: skip
    """LUTs before a popcount become functions of few inputs first. Of each refit: the NAND2-equivalents that
    a nat of loss on one percent of the training rows is worth, and the temperature of the loss."""
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.01
    """The smallest circuit whose validation accuracy is at most this below the front's best is chosen."""
    judges: Annotated[tuple[Judge, ...], Field(min_length=1, strict=False)] = ("labels",)
    """Training rows to judge moves on: all, or those to which gradient boosting that has not seen them gives
    their label. On noisy labels the latter generalizes better. Of both, chains for each."""
    rows: Count = 32_768
    """Training rows to judge on, at most; of more these are drawn."""
    rivals: bool = False
    """Do the same to the circuits of the baselines."""
    minimize_front: bool = False
    """Minimize every circuit of the front as the chosen one is, at low effort. Takes a second or two each."""
    jobs: Count = 2
    """Threads; the result does not depend on it."""


class MinimizeConfig(_Strict):
    """Exact minimization."""

    effort: Literal["low", "medium", "high"] = "medium"
    timeout_s: Positive = 120.0
    """Limit of each tool run; a script that exceeds it is left out."""
    budget_s: Positive = 60.0
    """Limit of the search for core and encoder each. A search that it ends depends on the machine's speed."""


class HardwareConfig(_Strict):
    """Shape of the Verilog."""

    registers: Literal["none", "inputs", "outputs", "both"] = "none"


class SynthesisConfig(_Strict):
    """PDK and tool limits."""

    pdk: str = "sky130hd"
    timeout_s: Positive = 300.0


class TinyClassifierConfig(_Strict):
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
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False), BeforeValidator(_as_list)] = (300,)
    """Budget; a circuit for each."""
    rows: Count = 32_768
    """Training rows to judge on, at most; of more these are drawn, as shrink does."""
    generations: Count = 200_000
    """Limit; evolution stops earlier after ``patience`` generations without a better validation score."""
    patience: Count = 50_000
    trial: Count | None = None
    """With ``keep: best``: generations after which only the best encoding goes on, default all of them."""


class DecisionTreeConfig(_Strict):
    """scikit-learn trees, one per entry of ``leaves``."""

    kind: Literal["decision_tree"]
    leaves: tuple[Annotated[int, Field(ge=2)], ...] = Field(default=(8, 16, 32), strict=False)
    pruned: bool = False
    """Grown in full and cut back by cost-complexity, instead of grown best split first."""


class ForestConfig(_Strict):
    """scikit-learn random forests whose trees have one vote each, one per entry of ``trees``."""

    kind: Literal["forest"]
    trees: tuple[Count, ...] = Field(default=(3, 7), strict=False)
    leaves: Annotated[int, Field(ge=2)] = 8
    """Of each tree, at most."""


class LinearConfig(_Strict):
    """Logistic regression with small integer weights."""

    kind: Literal["linear"]
    bits: Annotated[int, Field(ge=1, le=8)] = 4
    """Of a feature's level."""
    weight_bits: Annotated[int, Field(ge=2, le=12)] = 4
    """Sign included."""


class BinarizedMlpConfig(_Strict):
    """Sign weights and sign activations (Hubara et al., 2016), a hidden layer per entry of ``hidden``."""

    kind: Literal["binarized_mlp"]
    hidden: tuple[Count, ...] = Field(default=(16,), strict=False)
    bits: Count = 8
    """Thermometer bits per feature, at most."""
    steps: Count = 3_000
    """Of the optimizer, each with 128 rows."""


class GateNetworkConfig(_Strict):
    """Two-input gates on random wires, their functions learned (Petersen et al., 2022)."""

    kind: Literal["gate_network"]
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (200, 200)
    """Of each layer."""
    bits: Count = 8
    """Thermometer bits per feature, at most."""
    steps: Count = 3_000
    """Of the optimizer, each with 128 rows."""


class WisardConfig(_Strict):
    """Tables on random bits, filled by counting rows."""

    kind: Literal["wisard"]
    tuples: Count | None = None
    """Tables of each class; without it as many as read every thermometer bit twice."""
    inputs: Annotated[int, Field(ge=1, le=8)] = 6
    bits: Count = 8
    """Thermometer bits per feature, at most."""


class DwnVariantConfig(_Strict):
    """A DWN of another encoder, model or training."""

    kind: Literal["dwn_variant"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    """What differs, for example ``fixed-mapping``."""
    encoder: EncoderConfig = EncoderConfig()
    model: ModelConfig
    training: TrainingConfig = TrainingConfig()


class TabnetConfig(_Strict):
    """TabNet, an extra package: a software ceiling, accuracy only."""

    kind: Literal["tabnet"]
    epochs: Count = 100
    """At most; training ends earlier after ten without a better validation accuracy."""
    rows: Count = 32_768
    """Training rows, at most; of more these are drawn."""


class XgboostConfig(_Strict):
    """XGBoost, an extra package: a software ceiling, accuracy only."""

    kind: Literal["xgboost"]


class MlpConfig(_Strict):
    """Multilayer perceptron on the raw values: a software ceiling, accuracy only."""

    kind: Literal["mlp"]
    hidden: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (100,)


class GbdtConfig(_Strict):
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


class FlowConfig(_Strict):
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
