"""Differentiable logic gate networks: layers of two-input gates on random wires, with learned functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dwn_asic.configuration import Count
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "GateNetwork", "GateNetworkConfig"]


class GateNetworkConfig(MethodConfig):
    """Network of two-input gates on random wires whose functions are learned (Petersen et al., 2022)."""

    kind: Literal["gate_network"] = "gate_network"
    """Kind of the method; selects these keys."""
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (200, 200)
    """Number of gates of each layer, first to last. The last layer is divided among the classes, whose gates
    are counted."""
    bits: Count = 8
    """Maximum number of thermometer bits per feature. More bits resolve features more finely and add
    inputs."""
    steps: Count = 3_000
    """Number of optimizer steps of 128 rows each."""


@dataclass(frozen=True)
class GateNetwork:
    """Gates that are a softmax over all 16 two-input functions in training, and the likeliest one after.

    As in the paper: fixed random wiring, real-valued logic (a product for AND), functions drawn from a normal
    distribution, groups of outputs counted and divided by a temperature, Adam with learning rate 0.01.
    Deviations: the inputs are thermometer bits; the discrete network is evaluated up to 60 times, and the one
    with the best validation accuracy is kept; the temperature is the square root of the group size.

    Attributes
    ----------
    gates
        Number of gates of each layer.
    bits
        Maximum number of thermometer bits per feature.
    steps
        Number of optimizer steps of 128 rows each.

    References
    ----------
    Petersen, Borgelt, Kuehne and Deussen, Deep Differentiable Logic Gate Networks, NeurIPS 2022.
    """

    gates: tuple[int, ...]
    bits: int
    steps: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Train a network; the same seed returns the same gates."""
        from dwn_asic.methods.gate_network.network import fit

        return fit(self, dataset, seed, progress)


def _plans(config: GateNetworkConfig) -> Iterator[Plan]:
    sizes = "-".join(map(str, config.gates))
    fitter = GateNetwork(config.gates, config.bits, config.steps)
    yield Plan(f"gates-{sizes}", f"gate network {sizes}", config.kind, fitter)


METHOD = Method(
    "gate_network",
    GateNetworkConfig,
    _plans,
    Look("gate network", "#E69F00", "P"),
    "Petersen et al., Deep Differentiable Logic Gate Networks, NeurIPS 2022",
    rank=60,
    objective="fit",
    packages=("torch",),
)
