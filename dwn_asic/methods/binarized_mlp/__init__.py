"""Binarized neural network: weights and activations are signs, so a neuron is a popcount and a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dwn_asic.configuration import Count
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "BinarizedMlp", "BinarizedMlpConfig"]


class BinarizedMlpConfig(MethodConfig):
    """Sign weights and sign activations (Hubara et al., 2016), a hidden layer per entry of ``hidden``."""

    kind: Literal["binarized_mlp"] = "binarized_mlp"
    hidden: tuple[Count, ...] = Field(default=(16,), strict=False)
    bits: Count = 8
    """Thermometer bits per feature, at most."""
    steps: Count = 3_000
    """Of the optimizer, each with 128 rows."""


@dataclass(frozen=True)
class BinarizedMlp:
    """One hidden layer of neurons with sign weights over thermometer bits, straight-through gradient.

    A fixed scale and a learned bias stand for batch normalization: of a hidden neuron only the sign remains,
    so its bias becomes an integer threshold without loss; the outputs' biases are rounded. Adam at 0.01; of
    60 looks the one with the best validation accuracy of the integer network is kept.

    Attributes
    ----------
    hidden
        Neurons.
    bits
        Thermometer bits of a feature, at most.
    steps
        Of the optimizer, each with 128 rows.

    References
    ----------
    Hubara, Courbariaux, Soudry, El-Yaniv and Bengio, Binarized Neural Networks, NeurIPS 2016.
    """

    hidden: int
    bits: int
    steps: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Train; the same seed returns the same neurons."""
        from dwn_asic.methods.binarized_mlp.network import fit

        return fit(self, dataset, seed, progress)


def _plans(config: BinarizedMlpConfig) -> Iterator[Plan]:
    for hidden in config.hidden:
        fitter = BinarizedMlp(hidden, config.bits, config.steps)
        yield Plan(f"bnn-{hidden}", f"binarized MLP, {hidden} hidden neurons", config.kind, fitter)


METHOD = Method(
    "binarized_mlp",
    BinarizedMlpConfig,
    _plans,
    Look("binarized MLP", "#7F7F7F", "<"),
    "Hubara et al., Binarized Neural Networks, NeurIPS 2016",
    rank=50,
    packages=("torch",),
)
