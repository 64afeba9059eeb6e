"""The sections ``model`` and ``training`` of a flow file, and the complete configuration of the method."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from dwn_asic.configuration import Count, Positive, Strict, as_list
from dwn_asic.encode.config import EncoderConfig, ThermometerOnly
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
    """One layer of lookup tables (LUTs)."""

    luts: Count
    """Number of LUTs in the layer."""
    inputs: Annotated[tuple[Inputs, ...], Field(min_length=1, strict=False), BeforeValidator(as_list)]
    """Number of inputs of each LUT, from 1 to 8. If it is a list, the LUTs take its numbers in turn, so that
    a layer may mix sizes."""
    reads: Literal["previous", "all"] = "previous"
    """Bits that a LUT may read: ``previous`` for the outputs of the previous layer (of the encoder for the
    first layer), ``all`` for those of all earlier layers and the encoder."""
    mapping: Literal["learnable", "random", "arange"] = "learnable"
    """Wiring of the LUT inputs: ``learnable`` is trained along with the tables, ``random`` is drawn once and
    fixed, ``arange`` connects consecutive bits."""
    mapping_temperature: Positive = 0.001
    """Softmax temperature of the gradient that a learnable mapping passes to the bits it reads. The default
    is that of the authors' code."""
    candidates: Annotated[int, Field(ge=2)] | None = None
    """Number of bits, at least 2, that each slot of a learnable mapping chooses from at a time; by default
    all. Fewer save memory and time on wide inputs; during the first half of the training the candidates of
    least weight are replaced by other bits."""


class ModelConfig(Strict):
    """LUT layers and head; exactly one of ``layers`` and ``pyramid`` must be given."""

    layers: Annotated[tuple[LayerConfig, ...], Field(min_length=1, strict=False)] | None = None
    """The LUT layers, first to last. With the head ``direct`` the last layer must have as many LUTs as the
    class code has bits; with ``popcount`` each class needs at least one."""
    pyramid: Annotated[tuple[Inputs, ...], Field(min_length=1, strict=False)] | None = None
    """Shorthand for the layers of a ``direct`` head: the number of inputs per LUT, layer by layer, each from
    1 to 8. The last layer has as many LUTs as the head needs, every other layer one LUT for each input of the
    next (the paper's learnable reduction)."""
    head: Literal["direct", "popcount"] = "direct"
    """Rule that turns the last layer's outputs into a class: ``direct`` takes the outputs as the class index,
    which needs no further logic; ``popcount`` counts a group of outputs per class, which suits many classes
    and costs adders and comparators."""
    code: Literal["binary", "onehot"] = "binary"
    """Code of the class for the ``direct`` head: ``binary`` for the class index in binary, ``onehot`` for one
    output per class."""
    temperature: Positive = 0.3
    """Divisor of the logits (``direct``) or of the counts (``popcount``) in the training loss. The default
    suits the direct head; the large counts of wide popcount layers need a larger value."""

    @model_validator(mode="after")
    def _layers_or_pyramid(self) -> ModelConfig:
        if (self.layers is None) == (self.pyramid is None):
            raise ValueError("give either layers or pyramid")
        if self.pyramid and self.head != "direct":
            raise ValueError("a pyramid ends in the direct head; popcount needs layers")
        return self

    def layers_for(self, outputs: int) -> tuple[LayerConfig, ...]:
        """Return the layers, first to last, where a pyramid ends in this number of LUTs."""
        if self.layers is not None:
            return self.layers
        layers: list[LayerConfig] = []
        for inputs in reversed(self.pyramid or ()):
            layers.insert(0, LayerConfig(luts=outputs, inputs=(inputs,)))
            outputs *= inputs
        return tuple(layers)


class EfdConfig(Strict):
    """Extended finite difference, the gradient of the tables; defaults are those of the authors' code."""

    decay: Literal["exponential", "harmonic"] = "exponential"
    """Weight of table entries at Hamming distance h: ``exponential`` for ``beta**h``, ``harmonic`` for the
    paper's ``1 / (h + 1)``."""
    beta: Annotated[float, Field(ge=0.0, lt=1.0)] = 1.0 / 3.0
    """Base of the exponential decay, from 0 to below 1."""
    alpha: Positive | None = None
    """Scale of the gradient. By default ``0.5 * 0.75**(n - 1)`` for LUTs of n inputs with the exponential
    decay, and 1 with the harmonic one."""


class SpectralConfig(Strict):
    """Penalty on the Fourier spectrum of the tables, which favours simple functions."""

    kind: Literal["l2", "influence", "l1"] = "l2"
    """Norm of the penalty: ``l2`` is the paper's, ``influence`` is the total influence, which weights
    coefficients by their degree and favours functions of few gates, ``l1`` is the absolute sum of the
    coefficients."""
    weight: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight of the penalty in the loss, at least 0. The default 0 disables it."""


class ShiftConfig(Strict):
    """Size of rows that are images, with pixels row by row, and how far each may move in an epoch."""

    height: Count
    """Height of the images in pixels; height times width is the number of features."""
    width: Count
    """Width of the images in pixels."""
    pixels: Count = 1
    """Largest move in each direction, in pixels."""


class TrainingConfig(Strict):
    """The optimizer (Adam), its schedule and the regularization of the training."""

    epochs: Count = 100
    """Number of passes over the training rows. The epoch with the best validation score is kept."""
    batch_size: Count = 128
    """Number of rows per optimizer step."""
    learning_rate: Positive = 0.02
    """Initial learning rate of Adam."""
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    """Course of the learning rate: ``constant``, ``cosine`` to fall to 0 along a half cosine, or ``step`` to
    divide it by ten after each third of the epochs."""
    restarts: Count = 4
    """Number of independent starts, trained side by side; the one with the best validation score is kept.
    For small networks many starts cost little time; for wide ones each costs as much as the first."""
    halvings: Annotated[int, Field(ge=0)] = 0
    """Number of times that the half of the starts with the lower validation score so far is dropped, at
    equal intervals of epochs. It saves time if there are many starts; the default 0 trains all of them to the
    end."""
    class_weights: Literal["equal", "balanced"] = "equal"
    """Weights of rows in the loss, in addition to those of the objective: ``equal``, or ``balanced`` for the
    same total weight of every class. With an objective for uneven classes keep ``equal``."""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of each row's label that is spread over all classes, from 0 (none, the default) to below 1."""
    distillation: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Share of each row's label, from 0 (none, the default) to 1, that is taken from a gradient boosting
    teacher that has not seen the row, which may help with noisy labels."""
    input_noise: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    """Probability, from 0 (none, the default) to below 0.5, that a LUT input is inverted during training, so
    that no decision depends on a single bit."""
    shift: ShiftConfig | None = None
    """Random moves of training rows that are images, up, down and sideways, new in each epoch; none by
    default."""
    efd: EfdConfig = EfdConfig()
    """Gradient of the tables with respect to their inputs."""
    spectral: SpectralConfig = SpectralConfig()
    """Penalty on the tables, disabled by default."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Device of the training: ``cpu`` or ``cuda``. On a CPU a training repeats bit for bit, on every machine;
    on a GPU the order of sums may vary from run to run."""
    threads: Count = 1
    """Number of threads of the training, which does not change its result. More threads speed up wide layers
    on an idle machine, but on a busy one they spend more time waiting for each other."""


class DwnConfig(MethodConfig):
    """A network and its training, as the sections of a flow file describe them."""

    kind: Literal["dwn"] = "dwn"
    """Kind of the method; selects these keys."""
    encoder: ThermometerOnly = EncoderConfig()
    """Thermometer of the network, with the keys of the section ``encoder``."""
    model: ModelConfig = ModelConfig(pyramid=(6, 6, 4))
    """Layers and head, with the keys of the section ``model``. By default a pyramid of 24-4-1 LUTs for each
    bit of the class index."""
    training: TrainingConfig = TrainingConfig()
    """Training, with the keys of the section ``training``."""
