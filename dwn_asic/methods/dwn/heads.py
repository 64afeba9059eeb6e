"""Heads: from the last layer's table values to logits for training and to the class index of the chip."""

from __future__ import annotations

from pathlib import Path

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
    """Return the index of the largest score, (..., C) -> (...); ties go to the first.

    torch.argmax does not guarantee which of several equal scores it returns.
    """
    n_classes = scores.shape[-1]
    is_largest = scores == scores.amax(-1, keepdim=True)
    return torch.where(is_largest, torch.arange(n_classes, device=scores.device), n_classes).amin(-1)


class Head(nn.Module):
    """Base of the heads: (..., L) table values of the last layer -> logits in training, and decisions.

    There are C logits, or 2**bits logits with the binary code.
    """

    def __init__(self, head: lut_network.Head, temperature: float) -> None:
        super().__init__()
        self.head, self.temperature = head, temperature
        codes, bit = torch.arange(1 << head.class_bits), 1 << torch.arange(head.class_bits)[:, None]
        self.register_buffer("signs", torch.where((codes & bit) > 0, 1.0, -1.0))  # (bits, 2**bits)

    @property
    def n_logits(self) -> int:
        """Number of logits: C, or 2**bits with the binary code."""
        return 1 << self.head.class_bits if self.head.code == "binary" else self.head.n_classes

    def forward(self, values: Tensor) -> Tensor:
        """Return logits: (..., L) table values -> (..., C)."""
        return self.scores(values) / self.temperature

    def scores(self, values: Tensor) -> Tensor:
        """Return differentiable scores: (..., L) table values -> (..., C)."""
        raise NotImplementedError

    def decide(self, values: Tensor) -> Tensor:
        """Decide as the hardware does: (..., L) table values -> (...) class indices."""
        raise NotImplementedError


class DirectBinaryHead(Head):
    """Outputs that are the class index in binary; the score of index c sums +v_b or -v_b by its bits b.

    Indices without a class have scores too. Otherwise nothing would train the network to avoid them, and the
    hardware could output one.
    """

    def scores(self, values: Tensor) -> Tensor:
        """Return the sum over bits of +v_b or -v_b: (..., bits) -> (..., 2**bits)."""
        return values @ self.get_buffer("signs").to(values.dtype)

    def decide(self, values: Tensor) -> Tensor:
        """Return the sign bits as a number, even if no class has that index: (..., bits) -> (...)."""
        place = 1 << torch.arange(self.head.class_bits, device=values.device)
        return ((values > 0) * place).sum(-1)


class DirectOnehotHead(Head):
    """One output per class."""

    def scores(self, values: Tensor) -> Tensor:
        """Return the values unchanged: (..., C) -> (..., C)."""
        return values

    def decide(self, values: Tensor) -> Tensor:
        """Return the first class whose bit is set, class 0 if none is: (..., C) -> (...)."""
        return first_largest((values > 0).to(torch.int64))


class PopcountHead(Head):
    """Counts of contiguous groups of output bits, one group per class."""

    def scores(self, values: Tensor) -> Tensor:
        """Return counts with a straight-through gradient to the values: (..., L) -> (..., C)."""
        n_outputs = values.shape[-1]
        group = self.head.group_size(n_outputs)
        padding = self.head.n_classes * group - n_outputs
        bits = nn.functional.pad(binarize(values), (0, padding))
        return bits.view(*values.shape[:-1], self.head.n_classes, group).sum(-1)

    def decide(self, values: Tensor) -> Tensor:
        """Return the class with the largest count, ties go to the first: (..., L) -> (...)."""
        return first_largest(self.scores(values))


def build_head(model: ModelConfig, n_classes: int) -> Head:
    """Return the head that the configuration describes."""
    head = network_head(model, n_classes)
    if head.kind == "popcount":
        return PopcountHead(head, model.temperature)
    kind = DirectBinaryHead if head.code == "binary" else DirectOnehotHead
    return kind(head, model.temperature)
