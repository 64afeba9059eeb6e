"""Differentiable logic gate networks: layers of two-input gates on random wires, functions learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import LutLayer
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitting, Progress, interface_of, most_frequent
from dwn_asic.methods.dwn.mapping import random_mapping
from dwn_asic.methods.parts.fitting_steps import best_on_validation, popcount_network, thermometer_of
from dwn_asic.methods.parts.torch_steps import train

__all__ = ["GateNetwork"]

_TABLES = torch.tensor([[table >> address & 1 for address in range(4)] for table in range(16)])


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

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Train; the same seed gives the same gates."""
        codes, labels = dataset.part("train")
        val_codes, val_labels = dataset.part("val")
        thermometer = thermometer_of(dataset, self.bits)
        if not len(thermometer):
            return most_frequent(dataset, interface_of(dataset))
        generator = torch.Generator().manual_seed(seed)
        model = _Gates(len(thermometer), self.gates, dataset.table.n_classes, generator)
        rows, targets = torch.from_numpy(thermometer.encode(codes)).float(), torch.tensor(labels)
        trained = train(model, rows, targets, steps=self.steps, generator=generator)
        networks = (popcount_network(dataset, thermometer, model.layers()) for _ in trained)
        network = best_on_validation(networks, lambda each: each.predict(val_codes), val_labels, progress)
        return Fitting(to_graph(network), network.predict(dataset.codes), {"gates": sum(self.gates)})


class _Gates(nn.Module):
    def __init__(
        self, n_bits: int, gates: tuple[int, ...], n_classes: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.wires: list[Tensor] = []
        self.weights = nn.ParameterList()
        for n_gates in gates:
            self.wires.append(random_mapping(n_bits, n_gates, 2, generator))
            self.weights.append(nn.Parameter(torch.randn(n_gates, 16, generator=generator)))
            n_bits = n_gates

    def forward(self, bits: Tensor) -> Tensor:
        for wires, weights in zip(self.wires, self.weights, strict=True):
            a, b = bits[:, wires[:, 0]], bits[:, wires[:, 1]]
            at = weights.softmax(1) @ _TABLES.float()  # (L, 4) expected value at each address
            low, high = at[:, 0] + (at[:, 1] - at[:, 0]) * a, at[:, 2] + (at[:, 3] - at[:, 2]) * a
            bits = low + (high - low) * b
        group = -(-bits.shape[1] // self.n_classes)
        padded = nn.functional.pad(bits, (0, self.n_classes * group - bits.shape[1]))
        return padded.view(len(bits), self.n_classes, group).sum(2) / group**0.5

    def layers(self) -> tuple[LutLayer, ...]:
        """The likeliest gates."""
        gates = zip(self.wires, self.weights, strict=True)
        return tuple(LutLayer(wires.numpy(), _hard(weights)) for wires, weights in gates)


def _hard(weights: Tensor) -> NDArray[np.bool_]:
    tables: NDArray[np.bool_] = _TABLES[weights.argmax(1)].bool().numpy()
    return tables
