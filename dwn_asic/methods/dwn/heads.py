"""From the last layer's table values to logits (training) and to the class index that the chip gives."""

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
    """Raise ConfigError where the last layer does not fit the head and the number of classes."""
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
    """The head of the LutNetwork that this configuration leads to."""
    code = model.code if model.head == "direct" else "onehot"
    return lut_network.Head(model.head, code, n_classes)


def first_largest(scores: Tensor) -> Tensor:
    """(..., C) -> (...) index of the largest score, of equals the lowest (torch.argmax promises none)."""
    n_classes = scores.shape[-1]
    is_largest = scores == scores.amax(-1, keepdim=True)
    return torch.where(is_largest, torch.arange(n_classes, device=scores.device), n_classes).amin(-1)


class Head(nn.Module):
    """Turns (..., L) table values of the last layer into logits while training, and into decisions.

    There are C logits, or 2**bits with the binary code.
    """

    def __init__(self, head: lut_network.Head, temperature: float) -> None:
        super().__init__()
        self.head, self.temperature = head, temperature
        codes, bit = torch.arange(1 << head.class_bits), 1 << torch.arange(head.class_bits)[:, None]
        self.register_buffer("signs", torch.where((codes & bit) > 0, 1.0, -1.0))  # (bits, 2**bits)

    @property
    def n_logits(self) -> int:
        """C, or 2**bits with the binary code."""
        return 1 << self.head.class_bits if self.head.code == "binary" else self.head.n_classes

    def forward(self, values: Tensor) -> Tensor:
        """(..., L) table values -> (..., C) logits."""
        return self.scores(values) / self.temperature

    def scores(self, values: Tensor) -> Tensor:
        """(..., L) table values -> (..., C) differentiable scores."""
        raise NotImplementedError

    def decide(self, values: Tensor) -> Tensor:
        """(..., L) table values -> (...) class indices: what the hardware says."""
        raise NotImplementedError


class DirectBinaryHead(Head):
    """The outputs are the class index in binary; index c is credited with +v_b where its bit b is set.

    Indices that no class has are scored too: without them nothing would keep training away from them, and the
    hardware would answer with one.
    """

    def scores(self, values: Tensor) -> Tensor:
        """(..., bits) -> (..., 2**bits): sum over bits of +v_b or -v_b."""
        return values @ self.get_buffer("signs").to(values.dtype)

    def decide(self, values: Tensor) -> Tensor:
        """(..., bits) -> (...): the sign bits as they are, also where no class has that index."""
        place = 1 << torch.arange(self.head.class_bits, device=values.device)
        return ((values > 0) * place).sum(-1)


class DirectOnehotHead(Head):
    """One output per class."""

    def scores(self, values: Tensor) -> Tensor:
        """(..., C) -> (..., C), unchanged."""
        return values

    def decide(self, values: Tensor) -> Tensor:
        """(..., C) -> (...): the first class whose bit is set, class 0 where none is."""
        return first_largest((values > 0).to(torch.int64))


class PopcountHead(Head):
    """Contiguous groups of output bits are counted, one group per class."""

    def scores(self, values: Tensor) -> Tensor:
        """(..., L) -> (..., C) counts, with a straight-through gradient to the values."""
        n_outputs = values.shape[-1]
        group = self.head.group_size(n_outputs)
        padding = self.head.n_classes * group - n_outputs
        bits = nn.functional.pad(binarize(values), (0, padding))
        return bits.view(*values.shape[:-1], self.head.n_classes, group).sum(-1)

    def decide(self, values: Tensor) -> Tensor:
        """(..., L) -> (...): the largest count, ties to the lowest class index."""
        return first_largest(self.scores(values))


def build_head(model: ModelConfig, n_classes: int) -> Head:
    """The head that the configuration asks for."""
    head = network_head(model, n_classes)
    if head.kind == "popcount":
        return PopcountHead(head, model.temperature)
    kind = DirectBinaryHead if head.code == "binary" else DirectOnehotHead
    return kind(head, model.temperature)
