"""The differentiable weightless network: LUT layers and a head over thermometer bits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dwn_asic.config import EfdConfig, ModelConfig, SpectralConfig
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.learn.heads import build_head
from dwn_asic.learn.layers import LutLayer, binarize
from dwn_asic.learn.spectral import spectral_penalty
from dwn_asic.network.lut_network import LutNetwork

__all__ = ["DwnModel"]


class DwnModel(nn.Module):
    """LUT layers with bits between them, and a head, for R independent starts side by side.

    Parameters
    ----------
    config
        Layers and head; see :func:`dwn_asic.learn.heads.check_model`.
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
        widths = [len(thermometer), *(layer.luts for layer in config.layers)]
        self.layers = nn.ModuleList(
            LutLayer(width, layer, starts=starts, efd=efd, generator=generator)
            for width, layer in zip(widths, config.layers, strict=False)
        )
        self.head = build_head(config, n_classes)

    @property
    def lut_layers(self) -> list[LutLayer]:
        """The layers, first to last."""
        return [layer for layer in self.layers if isinstance(layer, LutLayer)]

    def values(self, bits: Tensor) -> Tensor:
        """(B, T) thermometer bits as 0.0 or 1.0 -> (B, R, L) table values of the last layer."""
        first, *others = self.lut_layers
        values: Tensor = first(bits.t().contiguous()[None])  # (R, L, B): rows of data side by side
        for layer in others:
            values = layer(binarize(values))
        return values.permute(2, 0, 1)

    def forward(self, bits: Tensor) -> Tensor:
        """(B, T) bits -> (B, R, C) logits, or 2**bits of them with the binary code."""
        return self.head(self.values(bits))

    def predict(self, bits: Tensor) -> Tensor:
        """(B, T) bits -> (B, R) class indices, those that :meth:`to_lut_network`'s networks predict."""
        return self.head.decide(self.values(bits))

    def spectral_penalty(self, spectral: SpectralConfig) -> Tensor:
        """The weighted penalty, summed over layers and starts; a scalar."""
        penalties = [spectral_penalty(layer.tables.flatten(0, 1), spectral.kind) for layer in self.lut_layers]
        return spectral.weight * self.starts * torch.stack(penalties).sum()

    def clamp(self) -> None:
        """Bring all tables back into [-1, 1]."""
        for layer in self.lut_layers:
            layer.clamp()

    def renew_candidates(self, share: float, generator: torch.Generator) -> None:
        """Where slots have only some candidates, replace the lightest ``share`` of them."""
        for layer in self.lut_layers:
            layer.renew_candidates(share, generator)

    def to_lut_network(
        self, start: int, feature_names: tuple[str, ...], class_names: tuple[str, ...]
    ) -> LutNetwork:
        """One start as stored bits."""
        return LutNetwork(
            self.quantizer,
            self.thermometer,
            tuple(layer.to_network(start) for layer in self.lut_layers),
            self.head.head,
            feature_names,
            class_names,
        )
