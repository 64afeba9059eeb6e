"""One layer of lookup tables: a mapping, and real-valued tables whose sign is the stored bit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dwn_asic.config import EfdConfig, LayerConfig
from dwn_asic.learn.efd import default_alpha, efd_lookup
from dwn_asic.learn.mapping import arange_mapping, learnable_slots, random_mapping, read_slots
from dwn_asic.network import lut_network

__all__ = ["LutLayer", "binarize"]


class _Binarize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        return (values > 0).to(values.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ARG004
        return grads[0]


def binarize(values: Tensor) -> Tensor:
    """1.0 where ``values > 0``, else 0.0; the gradient passes straight through."""
    bits: Tensor = _Binarize.apply(values)  # type: ignore[no-untyped-call]
    return bits


class LutLayer(nn.Module):
    """L LUTs of n inputs that read a layer of bits, once for each of R independent starts.

    Training all starts side by side costs little more than training one: small networks spend their time
    in the overhead of operations, not in arithmetic.

    Parameters
    ----------
    n_inputs
        Bits that a start's LUTs may read.
    config
        L, n and the kind of mapping.
    starts
        R.
    is_first
        True where all starts read the same bits.
    efd
        Decay and scale of the gradient.
    generator
        Draws the tables, then the mappings.
    """

    def __init__(
        self,
        n_inputs: int,
        config: LayerConfig,
        *,
        starts: int,
        is_first: bool,
        efd: EfdConfig,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        n_luts, n_slots = config.luts, config.inputs
        self.shape = (starts, n_luts, n_slots)
        self.alpha = default_alpha(n_slots) if efd.alpha is None else efd.alpha
        self.beta = efd.beta
        size = 1 << n_slots
        self.tables = nn.Parameter(torch.rand(starts * n_luts, size, generator=generator) * 2 - 1)
        n_groups = 1 if is_first else starts  # G: LUTs of a group may read the same bits
        per_group = starts * n_luts * n_slots // n_groups
        self.weights: nn.Parameter | None = None  # (G, in, slots) when the mapping is learned
        if config.mapping == "learnable":
            self.weights = nn.Parameter(torch.rand(n_groups, n_inputs, per_group, generator=generator))
            return
        wirings = [
            random_mapping(n_inputs, n_luts, n_slots, generator)
            if config.mapping == "random"
            else arange_mapping(n_inputs, n_luts, n_slots)
            for _ in range(starts)
        ]
        self.register_buffer("fixed", torch.stack(wirings).view(n_groups, per_group))

    def mapping(self) -> Tensor:
        """(R, L, n) index of the bit that each slot reads, among those of its start."""
        chosen = self.get_buffer("fixed") if self.weights is None else self.weights.detach().argmax(1)
        return chosen.view(self.shape)

    def forward(self, bits: Tensor) -> Tensor:
        """(B, G, in) bits, G = 1 in the first layer and R in the others -> (B, R, L) table values."""
        if self.weights is None:
            slots = read_slots(bits, self.get_buffer("fixed"))  # (B, G, slots)
        else:
            slots = learnable_slots(bits, self.weights)
        starts, n_luts, n_slots = self.shape
        addresses = slots.view(-1, starts * n_luts, n_slots)
        return efd_lookup(addresses, self.tables, self.alpha, self.beta).view(-1, starts, n_luts)

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring the tables back into [-1, 1]; call it after each optimizer step."""
        self.tables.clamp_(-1.0, 1.0)

    def to_network(self, start: int) -> lut_network.LutLayer:
        """One start's layer as stored bits: a table entry is set where its value is above 0."""
        tables = self.tables.detach().view(*self.shape[:2], -1)[start] > 0
        return lut_network.LutLayer(self.mapping()[start].numpy().copy(), tables.numpy())
