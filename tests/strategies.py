"""Hypothesis strategies for the domain's objects: random LUT networks of every shape, graphs, data rows."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.network.lut_network import Head, LutLayer, LutNetwork


@st.composite
def thermometers(draw: st.DrawFn, widths: list[int]) -> Thermometer:
    """Any set of constants of features of these widths; possibly empty for a feature, never in all."""
    chosen = [
        (f, c)
        for f, width in enumerate(widths)
        for c in sorted(draw(st.sets(st.integers(1, 2**width - 1), max_size=5)))
    ] or [(0, 1)]
    features, constants = zip(*chosen, strict=True)
    return Thermometer(np.array(features), np.array(constants))


@st.composite
def heads(draw: st.DrawFn) -> Head:
    """Every kind of head for 2 to 6 classes."""
    n_classes = draw(st.integers(2, 6))
    kind = draw(st.sampled_from(["direct", "popcount"]))
    code = draw(st.sampled_from(["binary", "onehot"])) if kind == "direct" else "onehot"
    return Head(kind, code, n_classes)


@st.composite
def lut_networks(draw: st.DrawFn, *, max_inputs: int = 6, max_luts: int = 8) -> LutNetwork:
    """Networks with n = 1..max_inputs, one to three layers, repeated inputs and constant tables."""
    widths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    thermometer = draw(thermometers(widths))
    head = draw(heads())
    depth = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width, layers = len(thermometer), []
    for layer in range(depth):
        luts = draw(st.integers(1, max_luts))
        if layer == depth - 1:
            luts = head.direct_outputs if head.kind == "direct" else max(luts, head.n_classes)
        n = draw(st.integers(1, max_inputs))
        mapping = rng.integers(0, width, (luts, n))
        if draw(st.booleans()):
            mapping[:] = mapping[:, :1]  # every slot reads the same bit
        tables = rng.random((luts, 2**n)) < draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
        layers.append(LutLayer(mapping, tables))
        width = luts
    return LutNetwork(
        Quantizer(np.zeros(len(widths)), np.ones(len(widths)), np.array(widths)),
        thermometer,
        tuple(layers),
        head,
        tuple(f"f{i}" for i in range(len(widths))),
        tuple(f"c{i}" for i in range(head.n_classes)),
    )


def rows(network: LutNetwork, count: int, seed: int = 0) -> np.ndarray:
    """(count, F) random codes within each feature's width."""
    rng = np.random.default_rng(seed)
    tops = 1 << network.quantizer.bits
    return np.stack([rng.integers(0, top, count) for top in tops], axis=1)
