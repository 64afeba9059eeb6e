"""Decision trees as logic: each split a comparator, a tree of splits multiplexers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["add_tree", "tree_graph"]

_MUX = 0b11001010
"""Fan-in 2 chooses fan-in 1 (when set) or fan-in 0."""
_LEAF = -1
"""What scikit-learn writes for the children of a leaf."""


def tree_graph(model: DecisionTreeClassifier, interface: Interface) -> BooleanGraph:
    """A fitted tree over codes as a graph whose outputs are the bits of the class index.

    A class index whose class has no leaf never comes out.
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
    """Nodes of the bits that ``leaf`` returns for a leaf's class: per split one multiplexer for each bit.

    A split sends ``code <= t`` to the left; codes are integers, so ``code >= floor(t) + 1`` goes right.
    Where both sides have the same bit, there is no multiplexer.
    """
    tree = model.tree_
    constants = [builder.add(Constant(value=False)), builder.add(Constant(value=True))]
    drivers: dict[int, list[int]] = {}  # tree node -> graph node of each bit
    # scikit-learn numbers children after their parent, so backwards they come first; no recursion, whose
    # limit a tree as deep as its leaves are many would reach.
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
