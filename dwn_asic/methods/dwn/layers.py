"""A layer of lookup tables: a mapping, and real-valued tables whose signs are the stored bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dwn_asic.boolean import lut_network
from dwn_asic.methods.dwn.config import EfdConfig, LayerConfig
from dwn_asic.methods.dwn.efd import Efd
from dwn_asic.methods.dwn.lookup import lut_lookup
from dwn_asic.methods.dwn.mapping import (
    arange_mapping,
    learnable_slots,
    random_candidates,
    random_mapping,
    read_slots,
    renew_candidates,
    slot_mapping,
)

__all__ = ["InputNoise", "LutLayer", "binarize"]


class _Binarize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        return (values > 0).to(values.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ARG004
        return grads[0]


def binarize(values: Tensor) -> Tensor:
    """Return 1.0 where ``values > 0``, else 0.0; the gradient passes straight through."""
    bits: Tensor = _Binarize.apply(values)  # type: ignore[no-untyped-call]
    return bits


@dataclass(frozen=True)
class InputNoise:
    """Random inversion of LUT inputs in training, so that no decision depends on a single bit.

    Attributes
    ----------
    probability
        Probability that a bit is flipped.
    generator
        Draws the bits to flip, on the CPU.
    """

    probability: float
    generator: torch.Generator

    def __call__(self, slots: Tensor) -> Tensor:
        """Flip some of (S, B) bits; the gradient passes as if none were flipped."""
        flipped = torch.rand(slots.shape, generator=self.generator).to(slots.device) < self.probability
        return slots + torch.where(flipped, 1.0 - 2.0 * slots.detach(), 0.0)


class _UniformLuts(nn.Module):
    """The LUTs of a layer with the same number of inputs; parameters and buffers have R as first axis."""

    def __init__(
        self,
        n_inputs: int,
        n_luts: int,
        n_slots: int,
        config: LayerConfig,
        *,
        starts: int,
        efd: EfdConfig,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_luts, self.n_slots = n_inputs, n_luts, n_slots
        self.efd, self.tau = Efd.of(efd, n_slots), config.mapping_temperature
        self.noise: InputNoise | None = None
        size, all_slots = 1 << n_slots, n_luts * n_slots
        self.tables = nn.Parameter(torch.rand(starts, n_luts, size, generator=generator) * 2 - 1)
        self.weights: nn.Parameter | None = None  # (R, S, K) if the mapping is learned
        self.register_buffer("candidates", None)
        if config.mapping == "learnable":
            n_candidates = min(config.candidates or n_inputs, n_inputs)
            self.weights = nn.Parameter(torch.rand(starts, all_slots, n_candidates, generator=generator))
            if n_candidates < n_inputs:
                drawn = random_candidates(n_inputs, n_candidates, (starts, all_slots), generator)
                self.register_buffer("candidates", drawn)
            return
        wirings = [
            random_mapping(n_inputs, n_luts, n_slots, generator)
            if config.mapping == "random"
            else arange_mapping(n_inputs, n_luts, n_slots)
            for _ in range(starts)
        ]
        self.register_buffer("fixed", torch.stack(wirings).view(starts, all_slots))

    @property
    def _candidates(self) -> Tensor | None:
        return self._buffers["candidates"]

    def mapping(self) -> Tensor:
        """Return the (R, L, n) index of the bit that each slot reads, among the bits of its start."""
        if self.weights is None:
            return self.get_buffer("fixed").view(-1, self.n_luts, self.n_slots)
        return slot_mapping(self.weights, self._candidates).view(-1, self.n_luts, self.n_slots)

    def forward(self, bits: Tensor, features: Tensor | None) -> Tensor:
        if self.weights is None:
            slots = read_slots(bits, self.get_buffer("fixed"))  # (R * S, B)
        else:
            slots = learnable_slots(bits, self.weights, self._candidates, self.tau, features)
        if self.training and self.noise is not None:
            slots = self.noise(slots)
        return lut_lookup(slots, self.tables.flatten(0, 1), self.efd).view(-1, self.n_luts, bits.shape[2])

    def renew_candidates(self, share: float, generator: torch.Generator) -> None:
        if self.weights is not None and self._candidates is not None:
            renew_candidates(self.weights.data, self._candidates, self.n_inputs, share, generator)


class LutLayer(nn.Module):
    """L LUTs that read a layer of bits, for each of R independent starts.

    Training all starts side by side costs little more than training one, since small networks spend their
    time in the overhead of operations, not in arithmetic.

    Parameters
    ----------
    n_inputs
        Number of bits that the LUTs of a start may read.
    config
        L, number of inputs and kind of mapping.
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
        arities = np.resize(config.inputs, config.luts)
        self.parts = nn.ModuleList()
        order = np.empty(0, np.int64)
        for n in sorted(set(arities.tolist())):
            luts = np.flatnonzero(arities == n)
            order = np.concatenate([order, luts])
            self.parts.append(
                _UniformLuts(n_inputs, len(luts), n, config, starts=starts, efd=efd, generator=generator)
            )
        # Index of each LUT among the LUTs of all parts.
        self.register_buffer("place", torch.from_numpy(np.argsort(order)), persistent=False)

    @property
    def luts(self) -> list[_UniformLuts]:
        """Groups of LUTs with the same number of inputs, in ascending order of it."""
        return [part for part in self.parts if isinstance(part, _UniformLuts)]

    def forward(self, bits: Tensor, features: Tensor | None = None) -> Tensor:
        """Look up (G, in, B) bits, G = R or 1, and return (R, L, B) table values.

        ``features`` is that of :func:`dwn_asic.methods.dwn.mapping.learnable_slots`.
        """
        values = [part(bits, features) for part in self.luts]
        if len(values) == 1:
            return values[0]
        return torch.cat(values, 1).index_select(1, self.get_buffer("place"))

    @torch.no_grad()
    def clamp(self) -> None:
        """Clamp the tables to [-1, 1]; to be called after each optimizer step."""
        for part in self.luts:
            part.tables.clamp_(-1.0, 1.0)

    @torch.no_grad()
    def renew_candidates(self, share: float, generator: torch.Generator) -> None:
        """Replace the share ``share`` of candidates with least weight, if slots have only some candidates."""
        for part in self.luts:
            part.renew_candidates(share, generator)

    def to_network(self, start: int) -> lut_network.LutLayer:
        """Return one start's layer as stored bits: a table entry is set if its value is above 0.

        LUTs with fewer inputs than others repeat their first bit in the extra slots, and their tables ignore
        it there.
        """
        most = max(part.n_slots for part in self.luts)
        mappings, tables = [], []
        for part in self.luts:
            mapping = part.mapping()[start].cpu().numpy()
            extra = np.repeat(mapping[:, :1], most - part.n_slots, axis=1)
            mappings.append(np.concatenate([mapping, extra], axis=1))
            table = (part.tables.detach()[start] > 0).cpu().numpy()
            tables.append(np.tile(table, (1, 1 << (most - part.n_slots))))
        place = self.get_buffer("place").cpu().numpy()
        return lut_network.LutLayer(np.concatenate(mappings)[place], np.concatenate(tables)[place])
