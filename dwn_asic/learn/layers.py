"""One layer of lookup tables: a mapping, and real-valued tables whose sign is the stored bit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dwn_asic.config import EfdConfig, LayerConfig
from dwn_asic.learn.efd import default_alpha, efd_lookup
from dwn_asic.learn.mapping import arange_mapping, learnable_slots, random_mapping
from dwn_asic.network import lut_network

__all__ = ["LutLayer", "binarize"]


class _Binarize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004, D102
        return (values > 0).to(values.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ARG004, D102
        return grads[0]


def binarize(values: Tensor) -> Tensor:
    """1.0 where ``values > 0``, else 0.0; the gradient passes straight through."""
    return _Binarize.apply(values)


class LutLayer(nn.Module):
    """L LUTs of n inputs that read a layer of bits.

    Parameters
    ----------
    n_inputs
        Bits that the layer may read.
    config
        L, n and the kind of mapping.
    efd
        Decay and scale of the gradient.
    generator
        Draws the tables, then the mapping.
    """

    def __init__(
        self, n_inputs: int, config: LayerConfig, efd: EfdConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        n_luts, n_slots = config.luts, config.inputs
        self.shape = (n_luts, n_slots)
        self.alpha = default_alpha(n_slots) if efd.alpha is None else efd.alpha
        self.beta = efd.beta
        self.tables = nn.Parameter(torch.rand(n_luts, 1 << n_slots, generator=generator) * 2 - 1)  # (L, 2**n)
        self.weights: nn.Parameter | None = None  # (in, L * n) when the mapping is learned
        if config.mapping == "learnable":
            self.weights = nn.Parameter(torch.rand(n_inputs, n_luts * n_slots, generator=generator))
        else:
            fixed = (
                random_mapping(n_inputs, n_luts, n_slots, generator)
                if config.mapping == "random"
                else arange_mapping(n_inputs, n_luts, n_slots)
            )
            self.register_buffer("fixed", fixed.flatten())  # (L * n,)

    def mapping(self) -> Tensor:
        """(L, n) index of the bit that each slot reads."""
        chosen = self.get_buffer("fixed") if self.weights is None else self.weights.detach().argmax(0)
        return chosen.view(self.shape)

    def forward(self, bits: Tensor) -> Tensor:
        """(B, in) bits -> (B, L) table values."""
        if self.weights is None:
            slots = bits.index_select(1, self.get_buffer("fixed"))  # (B, L * n)
        else:
            slots = learnable_slots(bits, self.weights)
        return efd_lookup(slots.view(-1, *self.shape), self.tables, self.alpha, self.beta)

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring the tables back into [-1, 1]; call it after each optimizer step."""
        self.tables.clamp_(-1.0, 1.0)

    def to_network(self) -> lut_network.LutLayer:
        """The layer as stored bits: a table entry is set where its value is above 0."""
        return lut_network.LutLayer(self.mapping().numpy(), (self.tables.detach() > 0).numpy())
