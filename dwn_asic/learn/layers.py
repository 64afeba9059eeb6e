"""One layer of lookup tables: a mapping, and real-valued tables whose sign is the stored bit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dwn_asic.config import EfdConfig, LayerConfig
from dwn_asic.learn.efd import Efd
from dwn_asic.learn.lookup import lut_lookup
from dwn_asic.learn.mapping import (
    arange_mapping,
    learnable_slots,
    random_candidates,
    random_mapping,
    read_slots,
    renew_candidates,
    slot_mapping,
)
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
    in the overhead of operations, not in arithmetic. The first axis of every parameter and buffer is R.

    Parameters
    ----------
    n_inputs
        Bits that a start's LUTs may read.
    config
        L, n and the kind of mapping.
    starts
        R.
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
        efd: EfdConfig,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_luts, self.n_slots = n_inputs, config.luts, config.inputs
        self.efd, self.tau = Efd.of(efd, self.n_slots), config.mapping_temperature
        size, n_slots = 1 << self.n_slots, self.n_luts * self.n_slots
        self.tables = nn.Parameter(torch.rand(starts, self.n_luts, size, generator=generator) * 2 - 1)
        self.weights: nn.Parameter | None = None  # (R, S, K) when the mapping is learned
        if config.mapping == "learnable":
            few = config.candidates is not None and config.candidates < n_inputs
            n_candidates = config.candidates if few and config.candidates else n_inputs
            self.weights = nn.Parameter(torch.rand(starts, n_slots, n_candidates, generator=generator))
            self.register_buffer(
                "candidates",
                random_candidates(n_inputs, n_candidates, (starts, n_slots), generator) if few else None,
            )
            return
        wirings = [
            random_mapping(n_inputs, self.n_luts, self.n_slots, generator)
            if config.mapping == "random"
            else arange_mapping(n_inputs, self.n_luts, self.n_slots)
            for _ in range(starts)
        ]
        self.register_buffer("fixed", torch.stack(wirings).view(starts, n_slots))

    def mapping(self) -> Tensor:
        """(R, L, n) index of the bit that each slot reads, among those of its start."""
        chosen = (
            self.get_buffer("fixed") if self.weights is None else slot_mapping(self.weights, self._candidates)
        )
        return chosen.view(-1, self.n_luts, self.n_slots)

    @property
    def _candidates(self) -> Tensor | None:
        return self._buffers["candidates"]

    def forward(self, bits: Tensor, features: Tensor | None = None) -> Tensor:
        """(G, in, B) bits, G = R or 1 -> (R, L, B) table values.

        ``features`` is that of :func:`dwn_asic.learn.mapping.learnable_slots`.
        """
        if self.weights is None:
            slots = read_slots(bits, self.get_buffer("fixed"))  # (R * S, B)
        else:
            slots = learnable_slots(bits, self.weights, self._candidates, self.tau, features)
        return lut_lookup(slots, self.tables.flatten(0, 1), self.efd).view(-1, self.n_luts, bits.shape[2])

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring the tables back into [-1, 1]; call it after each optimizer step."""
        self.tables.clamp_(-1.0, 1.0)

    @torch.no_grad()
    def renew_candidates(self, share: float, generator: torch.Generator) -> None:
        """Where slots have only some candidates, replace the lightest ``share`` of them."""
        if self.weights is not None and self._candidates is not None:
            renew_candidates(self.weights.data, self._candidates, self.n_inputs, share, generator)

    def to_network(self, start: int) -> lut_network.LutLayer:
        """One start's layer as stored bits: a table entry is set where its value is above 0."""
        mapping, tables = self.mapping()[start].cpu().numpy().copy(), self.tables.detach()[start].cpu() > 0
        return lut_network.LutLayer(mapping, tables.numpy())
