"""Quality of the extended finite difference (EFD): its cosine with the exact multilinear gradient, by depth.

Consider all layers above a given one as a function of its input bits. The gradient of the multilinear
extension of that function is, for each bit, the output with the bit set minus the output with the bit clear.
It is computed here by flipping every bit, whereas backpropagation multiplies the layers' approximations.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.figures.table import Row, row
from dwn_asic.data.dataset import prepare
from dwn_asic.flow.flow_file import load_flow
from dwn_asic.methods.dwn.config import EfdConfig, ModelConfig
from dwn_asic.methods.dwn.efd import Efd
from dwn_asic.methods.dwn.fit import train
from dwn_asic.methods.dwn.layers import binarize
from dwn_asic.methods.dwn.lookup import lut_lookup

FLOW = Path("flows/phoneme.yaml")
PYRAMID = (64, 16, 4, 1)
"""Number of 4-input LUTs in each layer. Above the first layer each bit is read exactly once: a learned
mapping might read a bit twice, and then plain differences are not exact even for a single LUT."""
MODEL = ModelConfig.model_validate(
    {
        "layers": [
            {"luts": luts, "inputs": 4, "mapping": "arange" if number else "learnable"}
            for number, luts in enumerate(PYRAMID)
        ]
    }
)
ROWS = 400
SEEDS = range(5)
DECAYS = {
    "exponential": EfdConfig(),
    "harmonic": EfdConfig(decay="harmonic"),
    "none": EfdConfig(beta=0.0),
}

Layers = list[tuple[Tensor, Tensor]]
"""The (L * n,) bits that the inputs of each layer's LUTs read, and its (L, 2**n) tables."""


@cache
def _networks(seed: int) -> tuple[dict[str, Layers], Tensor]:
    """Return a pyramid before and after training, and (T, rows) thermometer bits of validation rows."""
    config = load_flow(FLOW, seed)
    dataset = prepare(config.data, config.encoder, seed)
    network = train(dataset, config.encoder, MODEL, config.training, seed).network
    codes, _ = dataset.part("val")
    bits = torch.from_numpy(network.thermometer.encode(codes[:ROWS]).T.astype("float32"))
    trained = [
        (torch.from_numpy(layer.mapping).flatten(), torch.from_numpy(layer.tables).float() * 2 - 1)
        for layer in network.layers
    ]
    generator = torch.Generator().manual_seed(seed)
    fresh = [(slots, torch.rand(tables.shape, generator=generator) * 2 - 1) for slots, tables in trained]
    return {"trained": trained, "fresh": fresh}, bits


def _output(layers: Layers, bits: Tensor, efd: EfdConfig) -> Tensor:
    """Return the (rows,) values of the last table, given (width, rows) input bits of the first layer."""
    values = bits
    for number, (slots, tables) in enumerate(layers):
        n_inputs = tables.shape[1].bit_length() - 1
        values = lut_lookup(values[slots], tables, Efd.of(efd, n_inputs))
        if number < len(layers) - 1:
            values = binarize(values)
    return values[0]


def _exact(layers: Layers, bits: Tensor) -> Tensor:
    """Return the (width, rows) exact gradient: the output with each bit set minus that with it clear."""
    differences = []
    for place in range(len(bits)):
        ends = []
        for value in (1.0, 0.0):
            flipped = bits.clone()
            flipped[place] = value
            ends.append(_output(layers, flipped, EfdConfig()))
        differences.append(ends[0] - ends[1])
    return torch.stack(differences)


def _backpropagated(layers: Layers, bits: Tensor, efd: EfdConfig) -> Tensor:
    """Return the (width, rows) gradient computed by backpropagation."""
    leaf = bits.clone().requires_grad_()
    _output(layers, leaf, efd).sum().backward()
    assert leaf.grad is not None
    return leaf.grad


@cache
def cosines(seed: int) -> dict[tuple[str, str, int], float]:
    """Return the mean cosine for each network, decay and number of LUT layers up to the output.

    Rows with a zero gradient are left out.
    """
    networks, bits = _networks(seed)
    found = {}
    for name, layers in networks.items():
        here = bits
        for number in range(len(layers)):
            above = layers[number:]
            read = torch.unique(above[0][0])  # bits that no LUT reads have no gradient in either way
            exact = _exact_of_read(above, here, read)
            some = exact.abs().sum(0) > 0
            for decay, efd in DECAYS.items():
                guess = _backpropagated(above, here, efd)[read]
                similar = torch.nn.functional.cosine_similarity(exact[:, some], guess[:, some], dim=0)
                found[name, decay, len(above)] = float(similar.mean())
            slots, tables = above[0]
            here = binarize(lut_lookup(here[slots], tables, Efd.of(EfdConfig(), 4)))
    return found


def _exact_of_read(layers: Layers, bits: Tensor, read: Tensor) -> Tensor:
    place = torch.full((len(bits),), -1)
    place[read] = torch.arange(len(read))
    first = (place[layers[0][0]], layers[0][1])
    return _exact([first, *layers[1:]], bits[read])


def gradient() -> Iterator[Row]:
    """Measure all cosines as means over seeds."""
    studies = [cosines(seed) for seed in SEEDS]
    for name, decay, depth in studies[0]:
        values = [study[name, decay, depth] for study in studies]
        what = (
            f"cosine of the EFD gradient ({decay} decay) with the exact multilinear gradient, through "
            f"{depth} LUT layers, {'-'.join(map(str, PYRAMID))} pyramid on phoneme, {name}, 5 seeds"
        )
        yield row(f"compare.gradient_{name}_{decay}_{depth}", what, statistics.mean(values))


MEASUREMENTS = {
    f"compare.gradient_{name}_{decay}_{depth}": gradient
    for name in ("trained", "fresh")
    for decay in DECAYS
    for depth in range(1, len(PYRAMID) + 1)
}
