"""Removal of connections that skip layers, by extra LUTs that pass bits on from layer to layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import LutLayer

__all__ = ["without_skips"]


def without_skips(n_bits: int, layers: Sequence[LutLayer]) -> tuple[LutLayer, ...]:
    """Return layers with the same function, each of which reads only the previous layer.

    A LUT that passes a bit on is folded into its readers in every Boolean graph, so it costs nothing.

    Parameters
    ----------
    n_bits
        T, the number of thermometer bits.
    layers
        Layers whose mappings index all earlier bits: 0 .. T - 1 are thermometer bits, followed by the outputs
        of the first layer, of the second, and so on.
    """
    starts = np.cumsum([n_bits, *(layer.n_luts for layer in layers)])  # index of each layer's first output
    found: list[LutLayer] = []
    outside: NDArray[np.int64] = np.empty(0, np.int64)  # bits from before this layer that later ones read
    for i in range(len(layers) - 1, -1, -1):
        layer = layers[i]
        first = starts[i - 1] if i else 0  # index of the previous layer's first output
        handed_on = LutLayer(
            np.repeat(outside[:, None], layer.n_inputs, axis=1),
            np.tile(np.arange(1 << layer.n_inputs) & 1 > 0, (len(outside), 1)),
        )
        mapping = np.concatenate([layer.mapping, handed_on.mapping])
        tables = np.concatenate([layer.tables, handed_on.tables])
        outside = np.unique(mapping[mapping < first])
        places = np.full(starts[i], -1)
        places[first : starts[i]] = np.arange(starts[i] - first)
        places[outside] = starts[i] - first + np.arange(len(outside))
        found.insert(0, LutLayer(places[mapping], tables))
    return tuple(found)
