"""The differentiable weightless network: LUT layers and a head over thermometer bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from dwn_asic.boolean import lut_network
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.boolean.skip import without_skips
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.methods.dwn.config import EfdConfig, ModelConfig, SpectralConfig
from dwn_asic.methods.dwn.heads import build_head
from dwn_asic.methods.dwn.layers import InputNoise, LutLayer, binarize
from dwn_asic.methods.dwn.spectral import spectral_penalty

__all__ = ["DwnModel"]


class DwnModel(nn.Module):
    """LUT layers with bits between them, and a head, for R independent starts side by side.

    Parameters
    ----------
    config
        Layers and head, see :func:`dwn_asic.methods.dwn.heads.check_model`.
    quantizer, thermometer
        The encoder whose T bits the first layer reads.
    n_classes
        C.
    starts
        R.
    efd
        Decay and scale of the tables' gradient.
    generator
        Draws the initial tables and mappings.
    """

    def __init__(
        self,
        config: ModelConfig,
        quantizer: Quantizer,
        thermometer: Thermometer,
        n_classes: int,
        *,
        starts: int,
        efd: EfdConfig,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.quantizer, self.thermometer, self.starts = quantizer, thermometer, starts
        self.head = build_head(config, n_classes)
        layers = config.layers_for(self.head.head.direct_outputs)
        widths = [len(thermometer), *(layer.luts for layer in layers)]
        self._reads_all = [layer.reads == "all" for layer in layers]
        self.layers = nn.ModuleList(
            LutLayer(
                sum(widths[: i + 1]) if self._reads_all[i] else widths[i],
                layer,
                starts=starts,
                efd=efd,
                generator=generator,
            )
            for i, layer in enumerate(layers)
        )
        self.register_buffer("features", _features(thermometer))

    @property
    def _features(self) -> Tensor | None:
        return self._buffers["features"]

    @property
    def lut_layers(self) -> list[LutLayer]:
        """The layers, first to last."""
        return [layer for layer in self.layers if isinstance(layer, LutLayer)]

    def values(self, bits: Tensor) -> Tensor:
        """Evaluate (B, T) thermometer bits, 0.0 or 1.0 -> (R, L, B) table values of the last layer."""
        first = bits.t().contiguous()[None]  # (1, T, B): rows of data side by side
        layers = iter(zip(self.lut_layers, self._reads_all, strict=True))
        values: Tensor = next(layers)[0](first, self._features)  # (R, L, B)
        known = [first.expand(self.starts, -1, -1)] if any(self._reads_all) else []
        for layer, reads_all in layers:
            before = binarize(values)
            known += [before] if known else []
            values = layer(torch.cat(known, 1) if reads_all else before)
        return values

    def forward(self, bits: Tensor) -> Tensor:
        """Return logits: (B, T) bits -> (R, C, B), or 2**bits logits with the binary code."""
        return self.head(self.values(bits))

    def predict(self, bits: Tensor) -> Tensor:
        """Classify as the networks of :meth:`to_lut_network` do: (B, T) bits -> (R, B) class indices."""
        return self.head.decide(self.values(bits))

    def spectral_penalty(self, spectral: SpectralConfig) -> Tensor:
        """Return the weighted penalty, summed over layers and starts, as a scalar."""
        penalties = [
            spectral_penalty(part.tables.flatten(0, 1), spectral.kind)
            for layer in self.lut_layers
            for part in layer.luts
        ]
        return spectral.weight * self.starts * torch.stack(penalties).sum()

    def clamp(self) -> None:
        """Clamp all tables to [-1, 1]."""
        for layer in self.lut_layers:
            layer.clamp()

    def set_noise(self, noise: InputNoise | None) -> None:
        """Set the noise on the inputs of all LUTs in training."""
        for layer in self.lut_layers:
            for part in layer.luts:
                part.noise = noise

    @torch.no_grad()
    def keep(self, starts: Tensor) -> None:
        """Keep only these starts, int64 numbers, in this order."""
        for parameter in self.parameters():
            parameter.data = parameter.data.index_select(0, starts)
            parameter.grad = None
        for layer in self.lut_layers:
            for part in layer.luts:
                for name, buffer in part.named_buffers():
                    part.register_buffer(name, buffer.index_select(0, starts))
        self.starts = len(starts)

    def renew_candidates(self, share: float, generator: torch.Generator) -> None:
        """Replace the share ``share`` of candidates with least weight, if slots have only some candidates."""
        for layer in self.lut_layers:
            layer.renew_candidates(share, generator)

    def to_lut_network(
        self, start: int, feature_names: tuple[str, ...], class_names: tuple[str, ...]
    ) -> LutNetwork:
        """Return one start as a network of stored bits."""
        layers: list[lut_network.LutLayer] = []
        first = 0  # index, among all bits, of the first output of the previous layer
        for layer, reads_all in zip(self.lut_layers, self._reads_all, strict=True):
            stored = layer.to_network(start)
            if not reads_all:
                stored = replace(stored, mapping=stored.mapping + first)
            first = first + layers[-1].n_luts if layers else len(self.thermometer)
            layers.append(stored)
        return LutNetwork(
            self.quantizer,
            self.thermometer,
            without_skips(len(self.thermometer), layers),
            self.head.head,
            feature_names,
            class_names,
        )


def _features(thermometer: Thermometer) -> Tensor | None:
    """Return (F + 1,) the first bit of each feature with bits, and the number of bits; None if unordered."""
    feature, constant = thermometer.feature, thermometer.constant
    steps = np.diff(feature)
    if (steps < 0).any() or (np.diff(constant)[steps == 0] <= 0).any():
        return None
    return torch.from_numpy(np.flatnonzero(np.concatenate([[1], steps, [1]]))).long()
