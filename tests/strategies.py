"""Hypothesis strategies for the domain's objects: random LUT networks of every shape, graphs, data rows."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from dwn_asic.boolean.graph import (
    BooleanGraph,
    CodeBit,
    Constant,
    GraphBuilder,
    Interface,
    Lut,
    Threshold,
)
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer


@st.composite
def thermometers(draw: st.DrawFn, widths: list[int]) -> Thermometer:
    """Draw any set of constants of features of these widths, empty for some features but not for all.

    Imported thresholds may be constants: reached by every code, or by none.
    """
    chosen = [
        (f, c)
        for f, width in enumerate(widths)
        for c in sorted(draw(st.sets(st.integers(0, 2**width), max_size=5)))
    ] or [(0, 1)]
    features, constants = zip(*chosen, strict=True)
    return Thermometer(np.array(features), np.array(constants))


@st.composite
def heads(draw: st.DrawFn) -> Head:
    """Draw every kind of head for 2 to 6 classes."""
    n_classes = draw(st.integers(2, 6))
    kind = draw(st.sampled_from(["direct", "popcount"]))
    code = draw(st.sampled_from(["binary", "onehot"])) if kind == "direct" else "onehot"
    return Head(kind, code, n_classes)


@st.composite
def lut_networks(draw: st.DrawFn, *, max_inputs: int = 6, max_luts: int = 8) -> LutNetwork:
    """Draw networks with n = 1..max_inputs, one to three layers, repeated inputs and constant tables."""
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
    """Draw (count, F) random codes within each feature's width."""
    rng = np.random.default_rng(seed)
    tops = 1 << network.quantizer.bits
    return np.stack([rng.integers(0, top, count) for top in tops], axis=1)


@st.composite
def boolean_graphs(
    draw: st.DrawFn,
    *,
    max_inputs: int = 5,
    max_luts: int = 10,
    max_arity: int = 6,
    n_outputs: int | None = None,
    code_bits: bool = False,
) -> BooleanGraph:
    """Draw LUTs of arity 0..max_arity, with repeated fan-ins, constants, unused inputs and any outputs."""
    builder = GraphBuilder(Interface(("height",), (8,), ("small", "tall")))
    inputs = draw(st.integers(0, max_inputs))
    nodes = [builder.add(CodeBit(0, i) if code_bits else Threshold(0, 1 + i)) for i in range(inputs)]
    nodes += [builder.add(Constant(value)) for value in draw(st.lists(st.booleans(), max_size=2))]
    for _ in range(draw(st.integers(0 if nodes else 1, max_luts))):
        fanins = tuple(draw(st.lists(st.sampled_from(nodes), max_size=max_arity) if nodes else st.just([])))
        table = draw(st.integers(0, (1 << (1 << len(fanins))) - 1))
        nodes.append(builder.add(Lut(fanins, table)))
    outputs = draw(st.integers(1, 4)) if n_outputs is None else n_outputs
    return builder.finish([draw(st.sampled_from(nodes)) for _ in range(outputs)])


def patterns(count: int) -> np.ndarray:
    """Return the (2**count, count) input patterns; column 0 changes fastest."""
    return (np.arange(1 << count)[:, None] >> np.arange(count) & 1).astype(bool)


def evaluate(graph: BooleanGraph, input_bits: np.ndarray) -> np.ndarray:
    """Evaluate (N, I) -> (N, O) row by row and node by node, as the reference for the kernels."""
    place = {index: i for i, (index, _) in enumerate(graph.inputs)}
    found = []
    for row in input_bits:
        values: dict[int, bool] = {}
        for index, node in graph.nodes():
            if index in place:
                values[index] = bool(row[place[index]])
            elif isinstance(node, Constant):
                values[index] = node.value
            elif isinstance(node, Lut):
                address = sum(values[fanin] << k for k, fanin in enumerate(node.fanins))
                values[index] = bool(node.table >> address & 1)
        found.append([values[driver] for driver in graph.outputs])
    return np.array(found, bool).reshape(len(input_bits), len(graph.outputs))
