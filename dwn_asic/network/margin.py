"""Circuits that must win by a margin: changes of a popcount network are judged by more than its errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwn_asic.logic.fold import fold
from dwn_asic.network.arithmetic import argmax_index, popcount
from dwn_asic.network.convert import add_layers
from dwn_asic.network.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.network.lut_network import LutNetwork

__all__ = ["handicap_codes", "margin_graph", "without_handicap"]

_AND2, _XOR2, _OR2 = 0b1000, 0b0110, 0b1110


def margin_graph(network: LutNetwork, margin: int) -> BooleanGraph:
    """The network's graph with more features of one bit: one per class gives the class more votes.

    Given the handicaps of :func:`handicap_codes`, it says the right class only where that leads all others by
    more than ``margin``. Without handicaps it is the network. The last feature, always 0, is an obstacle: no
    gate behind the counts can be merged with one before them, so that what depends on the added features and
    what doesn't are apart.

    Raises
    ------
    ValueError
        The head isn't a popcount.
    """
    head = network.head
    if head.kind != "popcount":
        raise ValueError("only a popcount has margins")
    names = (*network.feature_names, *(f"against {name}" for name in network.class_names), "zero")
    widths = (*(int(w) for w in network.quantizer.bits), *[1] * (head.n_classes + 1))
    builder = GraphBuilder(Interface(names, widths, network.class_names))
    bits = add_layers(builder, network)
    size = head.group_size(len(bits))
    zero = builder.add(Threshold(len(names) - 1, 1))
    counts = []
    for c in range(head.n_classes):
        count = [
            builder.add(Lut((bit, zero), _XOR2)) for bit in popcount(builder, bits[c * size : (c + 1) * size])
        ]
        handicap = builder.add(Threshold(len(network.feature_names) + c, 1))
        counts.append(_plus(builder, count, margin, handicap))
    return builder.finish(argmax_index(builder, counts)[: builder.interface.class_bits])


def handicap_codes(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """(N,) class indices -> (N, C + 1) codes of the added features: all classes but the right one get votes."""
    handicaps = labels[:, None] != np.arange(n_classes)
    return np.concatenate([handicaps, np.zeros((len(labels), 1))], axis=1).astype(np.int64)


def without_handicap(graph: BooleanGraph) -> BooleanGraph:
    """The graph with the added features at 0 and gone."""
    interface = graph.interface
    n_features = len(interface.widths) - len(interface.class_names) - 1
    plain = Interface(
        interface.feature_names[:n_features], interface.widths[:n_features], interface.class_names
    )
    builder = GraphBuilder(plain)
    place: dict[int, int] = {}
    for index, node in graph.nodes():
        if isinstance(node, Lut):
            place[index] = builder.add(Lut(tuple(place[f] for f in node.fanins), node.table))
        elif isinstance(node, Threshold) and node.feature >= n_features:
            place[index] = builder.add(Constant(value=False))
        elif index not in graph.outputs and not hasattr(node, "fanin"):
            place[index] = builder.add(node)
    return fold(builder.finish([place[driver] for driver in graph.outputs]))


def _plus(builder: GraphBuilder, number: Sequence[int], constant: int, condition: int) -> list[int]:
    """``number + constant`` where the condition holds, else ``number``; one bit longer where need be."""
    carry = builder.add(Constant(value=False))
    zero = carry
    total = []
    width = max(len(number), constant.bit_length())
    for k in range(width):
        a = number[k] if k < len(number) else zero
        b = condition if constant >> k & 1 else zero
        half = builder.add(Lut((a, b), _XOR2))
        total.append(builder.add(Lut((half, carry), _XOR2)))
        both = builder.add(Lut((a, b), _AND2))
        carry = builder.add(Lut((both, builder.add(Lut((half, carry), _AND2))), _OR2))
    return [*total, carry]
