"""Decision trees as logic: each split is a comparator, and the splits form a tree of multiplexers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["add_tree", "tree_graph"]

_MUX = 0b11001010
"""Truth table: fan-in 2 selects fan-in 1 when it is set, else fan-in 0."""
_LEAF = -1
"""Child index by which scikit-learn marks a leaf."""


def tree_graph(model: DecisionTreeClassifier, interface: Interface) -> BooleanGraph:
    """Return a fitted tree over codes as a graph whose outputs are the bits of the class index.

    The graph never outputs the index of a class without a leaf.
    """
    builder = GraphBuilder(interface)
    bits = range(interface.class_bits)
    drivers = add_tree(
        builder, model, lambda place: [bool(int(model.classes_[place]) >> k & 1) for k in bits]
    )
    return builder.finish(drivers)


def add_tree(
    builder: GraphBuilder, model: DecisionTreeClassifier, leaf: Callable[[int], list[bool]]
) -> list[int]:
    """Return nodes of the bits that ``leaf`` assigns to a leaf's class, one multiplexer per split and bit.

    A split sends ``code <= t`` to the left; codes are integers, so ``code >= floor(t) + 1`` goes right. Where
    both sides have the same bit, no multiplexer is needed.
    """
    tree = model.tree_
    constants = [builder.add(Constant(value=False)), builder.add(Constant(value=True))]
    drivers: dict[int, list[int]] = {}  # tree node -> graph node of each bit
    # scikit-learn numbers children after their parent, so in reverse order they come first. Recursion would
    # reach its limit in a degenerate tree, which is as deep as it has leaves.
    for node in range(tree.node_count - 1, -1, -1):
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == _LEAF:
            drivers[node] = [constants[bit] for bit in leaf(int(np.argmax(tree.value[node, 0])))]
            continue
        threshold = Threshold(int(tree.feature[node]), int(np.floor(tree.threshold[node])) + 1)
        drivers[node] = [
            low if low == high else builder.add(Lut((low, high, builder.add(threshold)), _MUX))
            for low, high in zip(drivers[left], drivers[right], strict=True)
        ]
    return drivers[0]
