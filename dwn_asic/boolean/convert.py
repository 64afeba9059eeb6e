"""Conversion of a LutNetwork to a BooleanGraph whose outputs are the bits of the class index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.arithmetic import argmax_index, popcount, priority_index
from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.encode.thermometer import Thermometer

__all__ = ["add_thresholds", "to_graph"]


def to_graph(network: LutNetwork) -> BooleanGraph:
    """Return one threshold node per thermometer bit, one LUT node per table, and the head's logic."""
    names, classes = network.feature_names, network.class_names
    widths = tuple(int(w) for w in network.quantizer.bits)
    builder = GraphBuilder(Interface(names, widths, classes))
    bits = add_thresholds(builder, network.thermometer)
    for layer in network.layers:
        bits = [
            builder.add(Lut(tuple(bits[i] for i in wires), _table(table)))
            for wires, table in zip(layer.mapping, layer.tables, strict=True)
        ]
    return builder.finish(_head(builder, network, bits))


def add_thresholds(builder: GraphBuilder, thermometer: Thermometer) -> list[int]:
    """Add all thermometer bits in order and return their nodes; a bit equal on all codes is a constant."""
    pairs = zip(thermometer.feature, thermometer.constant, strict=True)
    return [_input(builder, Threshold(int(feature), int(constant))) for feature, constant in pairs]


def _input(builder: GraphBuilder, threshold: Threshold) -> int:
    fixed = builder.interface.fixed_value(threshold)
    return builder.add(threshold if fixed is None else Constant(fixed))


def _table(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _head(builder: GraphBuilder, network: LutNetwork, bits: Sequence[int]) -> list[int]:
    head = network.head
    if head.kind == "direct" and head.code == "binary":
        return list(bits)
    if head.kind == "direct":
        index = priority_index(builder, bits)
    else:
        size = head.group_size(len(bits))
        groups = [bits[c * size : (c + 1) * size] for c in range(head.n_classes)]
        index = argmax_index(builder, [popcount(builder, group) for group in groups])
    zero = builder.add(Constant(value=False)) if len(index) < head.class_bits else -1
    return [*index, *[zero] * (head.class_bits - len(index))][: head.class_bits]
