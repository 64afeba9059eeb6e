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
    """Networks with sign weights and sign activations (Hubara et al., 2016), one per entry of ``hidden``."""

    kind: Literal["binarized_mlp"] = "binarized_mlp"
    """Kind of the method; selects these keys."""
    hidden: tuple[Count, ...] = Field(default=(16,), strict=False)
    """Number of neurons of the hidden layer, at least 1. Each entry of the list gives a network of its
    own."""
    bits: Count = 8
    """Maximum number of thermometer bits per feature. More bits resolve features more finely and add
    inputs."""
    steps: Count = 3_000
    """Number of optimizer steps of 128 rows each."""


@dataclass(frozen=True)
class BinarizedMlp:
    """One hidden layer of neurons with sign weights over thermometer bits, straight-through gradient.

    A fixed scale and a learned bias replace batch normalization. Only the sign of a hidden neuron matters, so
    its bias becomes an integer threshold without loss; the biases of the outputs are rounded. Adam with
    learning rate 0.01; the integer network is evaluated up to 60 times, and the one with the best validation
    accuracy is kept.

    Attributes
    ----------
    hidden
        Number of neurons of the hidden layer.
    bits
        Maximum number of thermometer bits per feature.
    steps
        Number of optimizer steps of 128 rows each.

    References
    ----------
    Hubara, Courbariaux, Soudry, El-Yaniv and Bengio, Binarized Neural Networks, NeurIPS 2016.
    """

    hidden: int
    bits: int
    steps: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Train a network; the same seed returns the same neurons."""
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
    objective="fit",
    packages=("torch",),
)
