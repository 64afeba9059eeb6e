"""Wiring that skips layers, made of layers that read only the one before: LUTs of their own hand bits on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import LutLayer

__all__ = ["without_skips"]


def without_skips(n_bits: int, layers: Sequence[LutLayer]) -> tuple[LutLayer, ...]:
    """Layers that compute the same, each reading only the layer before.

    A LUT that hands on a bit is folded into its readers in every Boolean graph, so it costs nothing.

    Parameters
    ----------
    n_bits
        T, of the thermometer.
    layers
        Their mappings count all bits that there are: 0 .. T - 1 are the thermometer's, then follow those of
        the first layer, and so on.
    """
    starts = np.cumsum([n_bits, *(layer.n_luts for layer in layers)])  # first bit of each layer's outputs
    found: list[LutLayer] = []
    outside: NDArray[np.int64] = np.empty(0, np.int64)  # bits that later layers need of those before this one
    for i in range(len(layers) - 1, -1, -1):
        layer = layers[i]
        first = starts[i - 1] if i else 0  # of the bits that this layer finds right before it
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
