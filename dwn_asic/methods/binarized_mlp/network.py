"""A binarized network: trained with sign weights, then as integer neurons and as logic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dwn_asic.boolean.convert import add_thresholds
from dwn_asic.boolean.graph import GraphBuilder
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitted, Progress
from dwn_asic.methods.dwn.products import sign_products
from dwn_asic.methods.parts.fitting_steps import (
    best_on_validation,
    most_frequent,
    thermometer_of,
)
from dwn_asic.methods.parts.torch_steps import train
from dwn_asic.methods.parts.weighted_vote import WeightedVotes

if TYPE_CHECKING:
    from dwn_asic.methods.binarized_mlp import BinarizedMlp

__all__ = ["fit"]


def fit(options: BinarizedMlp, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
    """Train a network; the same seed returns the same neurons."""
    codes, labels = dataset.part("train")
    val_codes, _ = dataset.part("val")
    thermometer = thermometer_of(dataset, options.bits)
    if not len(thermometer):
        return most_frequent(dataset)
    generator = torch.Generator().manual_seed(seed)
    model = _Mlp(len(thermometer), options.hidden, dataset.table.n_classes, generator)
    rows, targets = torch.from_numpy(thermometer.encode(codes)).float() * 2 - 1, torch.tensor(labels)
    trained = train(
        model,
        rows,
        targets,
        steps=options.steps,
        generator=generator,
        weights=dataset.loss_weights,
        after_step=model.clamp,
    )
    val_bits = thermometer.encode(val_codes)
    layers = best_on_validation(
        (model.integers() for _ in trained), lambda each: _decide(each, val_bits), dataset, progress
    )
    builder = GraphBuilder(dataset.interface)
    bits = add_thresholds(builder, thermometer)
    hidden = [neuron.add(builder, bits)[0] for neuron in layers[0]]
    index = layers[1].add(builder, hidden)
    predictions = _decide(layers, thermometer.encode(dataset.codes))
    return Fitted(builder.finish(index), predictions, {"neurons": options.hidden})


_Integers = tuple[list[WeightedVotes], WeightedVotes]
"""A score for each hidden neuron, and the scores of the classes over them."""


def _decide(layers: _Integers, bits: NDArray[np.bool_]) -> NDArray[np.int64]:
    hidden = np.stack([neuron.decide(bits) for neuron in layers[0]], axis=1).astype(np.bool_)
    return layers[1].decide(hidden)


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return torch.where(values > 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        return grads[0] * (values.abs() <= 1)


class _Layer(torch.autograd.Function):
    """Signs (B, n), weights (m, n) and biases (m,) -> (B, m) sums of signs times the signs of the weights.

    Sums of signs are integers, the same in any order; those of gradients have a fixed one.
    """

    @staticmethod
    def forward(ctx: Any, signs: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(signs, weights)
        return signs @ torch.where(weights > 0, 1.0, -1.0).t() / math.sqrt(weights.shape[1]) + bias

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        signs, weights = ctx.saved_tensors
        by_neuron = grads[0].t().contiguous()  # (m, B)
        ones = torch.ones(1, len(signs), dtype=torch.bool)
        bias_grad = _products(by_neuron, ones)[:, 0].contiguous()
        scaled = by_neuron / math.sqrt(weights.shape[1])
        weights_grad = _products(scaled, signs.t() > 0) * (weights.abs() <= 1)
        signs_grad = _products(scaled.t().contiguous(), weights.t() > 0) if ctx.needs_input_grad[0] else None
        return signs_grad, weights_grad, bias_grad


def _products(grad: Tensor, positive: Tensor) -> Tensor:
    """Multiply gradients (m, B) by signs (n, B): (m, n)."""
    threads = torch.get_num_threads()
    return torch.from_numpy(sign_products(grad[None].numpy(), positive[None].numpy(), threads)[0])


class _Mlp(nn.Module):
    def __init__(self, n_bits: int, hidden: int, n_classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.n_classes = n_classes
        sizes = [(hidden, n_bits), (n_classes, hidden)]
        self.weights = nn.ParameterList(
            [nn.Parameter(torch.rand(size, generator=generator) * 2 - 1) for size in sizes]
        )
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(size[0])) for size in sizes])

    def forward(self, signs: Tensor) -> Tensor:
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            signs = _Sign.apply(signs) if i else signs  # type: ignore[no-untyped-call]
            signs = _Layer.apply(signs, weights, bias)  # type: ignore[no-untyped-call]
        return signs * 2

    @torch.no_grad()
    def clamp(self) -> None:
        for weights in self.weights:
            weights.clamp_(-1.0, 1.0)

    @torch.no_grad()
    def integers(self) -> _Integers:
        """Return integer scores over bits: w * (2 bit - 1) replaces w * sign, biases become integers."""
        first, second = (torch.where(w > 0, 1, -1).numpy().astype(np.int64) for w in self.weights)
        bias, last = (
            b.double().numpy() * math.sqrt(w.shape[1]) for b, w in zip(self.biases, self.weights, strict=True)
        )
        # A sum of signs is an integer, so it is above -b exactly where it is above floor(-b).
        hidden = [
            WeightedVotes(2 * w[None], np.array([-w.sum() - int(np.floor(-b))]))
            for w, b in zip(first, bias, strict=True)
        ]
        weights, offsets = 2 * second, np.rint(last).astype(np.int64) - second.sum(1)
        if self.n_classes == 2:  # one score decides the same
            weights, offsets = weights[1:] - weights[:1], offsets[1:] - offsets[:1]
        return hidden, WeightedVotes(weights, offsets)
