"""Differentiable logic gate networks: layers of two-input gates on random wires, functions learned."""

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
    """Two-input gates on random wires, their functions learned (Petersen et al., 2022)."""

    kind: Literal["gate_network"] = "gate_network"
    gates: Annotated[tuple[Count, ...], Field(min_length=1, strict=False)] = (200, 200)
    """Of each layer."""
    bits: Count = 8
    """Thermometer bits per feature, at most."""
    steps: Count = 3_000
    """Of the optimizer, each with 128 rows."""


@dataclass(frozen=True)
class GateNetwork:
    """Each gate is a softmax over all 16 functions of two bits while training, the likeliest one after it.

    As in the paper: fixed random wiring, real-valued logic (product for and), functions drawn from a normal
    distribution, groups of outputs counted and divided by a temperature, Adam at 0.01. Deviations: inputs are
    thermometer bits; of 60 looks the one with the best validation accuracy of the hard network is kept; the
    temperature is the square root of the group.

    Attributes
    ----------
    gates
        Of each layer.
    bits
        Thermometer bits of a feature, at most.
    steps
        Of the optimizer, each with 128 rows.

    References
    ----------
    Petersen, Borgelt, Kuehne and Deussen, Deep Differentiable Logic Gate Networks, NeurIPS 2022.
    """

    gates: tuple[int, ...]
    bits: int
    steps: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Train; the same seed returns the same gates."""
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
    packages=("torch",),
)
