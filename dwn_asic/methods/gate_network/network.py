"""A network of gates: trained with real-valued logic, then reduced to the likeliest function of each gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import LutLayer
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.networks import popcount_network
from dwn_asic.methods.base import Fitted, Progress
from dwn_asic.methods.dwn.mapping import random_mapping
from dwn_asic.methods.parts.fitting_steps import (
    best_on_validation,
    most_frequent,
    thermometer_of,
)
from dwn_asic.methods.parts.torch_steps import train

if TYPE_CHECKING:
    from dwn_asic.methods.gate_network import GateNetwork

__all__ = ["fit"]

_TABLES = torch.tensor([[table >> address & 1 for address in range(4)] for table in range(16)])


def fit(options: GateNetwork, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
    """Train a network; the same seed returns the same gates."""
    codes, labels = dataset.part("train")
    val_codes, _ = dataset.part("val")
    thermometer = thermometer_of(dataset, options.bits)
    if not len(thermometer):
        return most_frequent(dataset)
    generator = torch.Generator().manual_seed(seed)
    model = _Gates(len(thermometer), options.gates, dataset.table.n_classes, generator)
    rows, targets = torch.from_numpy(thermometer.encode(codes)).float(), torch.tensor(labels)
    trained = train(
        model, rows, targets, steps=options.steps, generator=generator, weights=dataset.loss_weights
    )
    networks = (popcount_network(dataset, thermometer, model.layers()) for _ in trained)
    network = best_on_validation(networks, lambda each: each.predict(val_codes), dataset, progress)
    return Fitted(to_graph(network), network.predict(dataset.codes), {"gates": sum(options.gates)})


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
        """Return the layers with the likeliest function of each gate."""
        gates = zip(self.wires, self.weights, strict=True)
        return tuple(LutLayer(wires.numpy(), _hard(weights)) for wires, weights in gates)


def _hard(weights: Tensor) -> NDArray[np.bool_]:
    tables: NDArray[np.bool_] = _TABLES[weights.argmax(1)].bool().numpy()
    return tables
