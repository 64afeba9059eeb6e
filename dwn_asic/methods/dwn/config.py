"""The sections ``model`` and ``training`` of a flow file, and the whole configuration of the method."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from dwn_asic.configuration import Count, Positive, Strict, as_list
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.base import MethodConfig

__all__ = [
    "DwnConfig",
    "EfdConfig",
    "LayerConfig",
    "ModelConfig",
    "ShiftConfig",
    "SpectralConfig",
    "TrainingConfig",
]


Inputs = Annotated[int, Field(ge=1, le=8)]


class LayerConfig(Strict):
    """One LUT layer."""

    luts: Count
    inputs: Annotated[tuple[Inputs, ...], Field(min_length=1, strict=False), BeforeValidator(as_list)]
    """Of each LUT; of several numbers, the LUTs have them in turn."""
    reads: Literal["previous", "all"] = "previous"
    """Bits to choose from: those of the layer before, or also those of all earlier layers and the encoder."""
    mapping: Literal["learnable", "random", "arange"] = "learnable"
    mapping_temperature: Positive = 0.001
    """Softmax temperature of the gradient that a learnable mapping passes to the bits it reads."""
    candidates: Annotated[int, Field(ge=2)] | None = None
    """Bits that each slot of a learnable mapping chooses from at one time, default all. Fewer save memory and
    time on wide inputs; the lightest are replaced by others during the first half of the training."""


class ModelConfig(Strict):
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


class EfdConfig(Strict):
    """Extended finite difference; the defaults are those of the paper's authors' code."""

    decay: Literal["exponential", "harmonic"] = "exponential"
    """By Hamming distance h: beta**h, or the paper's 1 / (h + 1)."""
    beta: Annotated[float, Field(ge=0.0, lt=1.0)] = 1.0 / 3.0
    """Of the exponential decay."""
    alpha: Positive | None = None
    """Scale; default 0.5 * 0.75**(n - 1) of the exponential decay, 1 of the harmonic one."""


class SpectralConfig(Strict):
    """Penalty on the tables' Fourier spectrum."""

    kind: Literal["l2", "influence", "l1"] = "l2"
    """The paper's norm; total influence, which weighs coefficients by their degree; or their absolute sum."""
    weight: Annotated[float, Field(ge=0.0)] = 0.0


class ShiftConfig(Strict):
    """Rows that are images, pixels row by row, and how far each may move in every epoch."""

    height: Count
    width: Count
    pixels: Count = 1


class TrainingConfig(Strict):
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


class DwnConfig(MethodConfig):
    """A network and its training: the sections of a flow file that describe it."""

    kind: Literal["dwn"] = "dwn"
    encoder: EncoderConfig = EncoderConfig()
    model: ModelConfig = ModelConfig(pyramid=(6, 6, 4))
    """By default 24-4-1 LUTs for each bit of the class index."""
    training: TrainingConfig = TrainingConfig()
