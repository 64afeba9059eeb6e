"""Heads: from the last layer's table values to logits for training and to the class index of the chip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dwn_asic.boolean import lut_network
from dwn_asic.errors import ConfigError
from dwn_asic.methods.dwn.config import ModelConfig
from dwn_asic.methods.dwn.layers import binarize

__all__ = [
    "DirectBinaryHead",
    "DirectOnehotHead",
    "Head",
    "PopcountHead",
    "build_head",
    "check_model",
    "network_head",
]


def check_model(model: ModelConfig, n_classes: int, file: str | Path) -> None:
    """Raise ConfigError if the last layer does not fit the head and the number of classes."""
    head = network_head(model, n_classes)
    outputs = model.layers_for(head.direct_outputs)[-1].luts
    if head.kind == "direct":
        if outputs != head.direct_outputs:
            problem = (
                f"the last layer has {outputs} LUTs, the direct head with {head.code} code needs "
                f"{head.direct_outputs} for {n_classes} classes"
            )
            raise ConfigError(file, "model.layers", problem, f"luts: {head.direct_outputs} in the last layer")
        return
    if outputs < n_classes:
        problem = f"{n_classes} classes are more than the {outputs} outputs of the last layer"
        raise ConfigError(file, "model.layers", problem, f"at least {n_classes} LUTs in the last layer")
    if (n_classes - 1) * head.group_size(outputs) >= outputs:
        problem = (
            f"{outputs} outputs in groups of {head.group_size(outputs)} leave the last of {n_classes} "
            "classes without an output"
        )
        raise ConfigError(file, "model.layers", problem, f"a multiple of {n_classes} LUTs in the last layer")


def network_head(model: ModelConfig, n_classes: int) -> lut_network.Head:
    """Return the head of the LutNetwork that this configuration produces."""
    code = model.code if model.head == "direct" else "onehot"
    return lut_network.Head(model.head, code, n_classes)


def first_largest(scores: Tensor) -> Tensor:
    """Return the index of the largest score, (R, C, B) -> (R, B); ties go to the first.

    torch.argmax does not guarantee which of several equal scores it returns.
    """
    n_classes = scores.shape[1]
    is_largest = scores == scores.amax(1, keepdim=True)
    index = torch.arange(n_classes, device=scores.device)[:, None]
    return torch.where(is_largest, index, n_classes).amin(1)


class _SignedSums(torch.autograd.Function):
    """Values (R, n, B) -> (R, 2**n, B): row c sums +v_k where bit k of c is set, else -v_k.

    Both passes add in pairs, so that the order of each sum is the same on all devices.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        sums = torch.zeros_like(values[:, :1])
        for k in range(values.shape[1]):
            value = values[:, k : k + 1]
            sums = torch.cat([sums - value, sums + value], 1)
        return sums

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ARG004
        sums = grads[0]
        slopes: list[Tensor] = []
        while (half := sums.shape[1] // 2) > 0:  # the highest bit first
            difference = sums[:, half:] - sums[:, :half]
            while (quarter := difference.shape[1] // 2) > 0:
                difference = difference[:, :quarter] + difference[:, quarter:]
            slopes.insert(0, difference)
            sums = sums[:, :half] + sums[:, half:]
        return torch.cat(slopes, 1)


class Head(nn.Module):
    """Base of the heads: (R, L, B) table values of the last layer -> logits in training, and decisions.

    There are C logits, or 2**bits logits with the binary code.
    """

    def __init__(self, head: lut_network.Head, temperature: float) -> None:
        super().__init__()
        self.head, self.temperature = head, temperature

    @property
    def n_logits(self) -> int:
        """Number of logits: C, or 2**bits with the binary code."""
        return 1 << self.head.class_bits if self.head.code == "binary" else self.head.n_classes

    def forward(self, values: Tensor) -> Tensor:
        """Return logits: (R, L, B) table values -> (R, C, B)."""
        return self.scores(values) / self.temperature

    def scores(self, values: Tensor) -> Tensor:
        """Return differentiable scores: (R, L, B) table values -> (R, C, B)."""
        raise NotImplementedError

    def decide(self, values: Tensor) -> Tensor:
        """Decide as the hardware does: (R, L, B) table values -> (R, B) class indices."""
        raise NotImplementedError


class DirectBinaryHead(Head):
    """Outputs that are the class index in binary; the score of index c sums +v_b or -v_b by its bits b.

    Indices without a class have scores too. Otherwise nothing would train the network to avoid them, and the
    hardware could output one.
    """

    def scores(self, values: Tensor) -> Tensor:
        """Return the sum over bits of +v_b or -v_b: (R, bits, B) -> (R, 2**bits, B)."""
        scores: Tensor = _SignedSums.apply(values)  # type: ignore[no-untyped-call]
        return scores

    def decide(self, values: Tensor) -> Tensor:
        """Return the sign bits as a number, even if no class has that index: (R, bits, B) -> (R, B)."""
        place = 1 << torch.arange(self.head.class_bits, device=values.device)
        return ((values > 0) * place[:, None]).sum(1)


class DirectOnehotHead(Head):
    """One output per class."""

    def scores(self, values: Tensor) -> Tensor:
        """Return the values unchanged: (R, C, B) -> (R, C, B)."""
        return values

    def decide(self, values: Tensor) -> Tensor:
        """Return the first class whose bit is set, class 0 if none is: (R, C, B) -> (R, B)."""
        return first_largest((values > 0).to(torch.int64))


class PopcountHead(Head):
    """Counts of contiguous groups of output bits, one group per class."""

    def scores(self, values: Tensor) -> Tensor:
        """Return counts with a straight-through gradient to the values: (R, L, B) -> (R, C, B)."""
        n_starts, n_outputs, n_rows = values.shape
        group = self.head.group_size(n_outputs)
        padding = self.head.n_classes * group - n_outputs
        bits = nn.functional.pad(binarize(values), (0, 0, 0, padding))
        return bits.view(n_starts, self.head.n_classes, group, n_rows).sum(2)

    def decide(self, values: Tensor) -> Tensor:
        """Return the class with the largest count, ties go to the first: (R, L, B) -> (R, B)."""
        return first_largest(self.scores(values))


def build_head(model: ModelConfig, n_classes: int) -> Head:
    """Return the head that the configuration describes."""
    head = network_head(model, n_classes)
    if head.kind == "popcount":
        return PopcountHead(head, model.temperature)
    kind = DirectBinaryHead if head.code == "binary" else DirectOnehotHead
    return kind(head, model.temperature)
