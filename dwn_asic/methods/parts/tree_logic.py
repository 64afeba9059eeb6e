"""Decision trees as logic: each split is a comparator, and the splits form a tree of multiplexers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["CodeTree", "add_tree", "bits_of", "dropped_bits", "tree_graph"]

_MUX = 0b11001010
"""Truth table: fan-in 2 selects fan-in 1 when it is set, else fan-in 0."""
_LEAF = -1
"""Child index of a leaf, in scikit-learn's trees too."""


@dataclass(frozen=True, eq=False)
class CodeTree:
    """A binary tree over integer codes: node 0 is the root, and children come after their parent.

    Attributes
    ----------
    feature, constant
        (N,) feature of each split, and the smallest of its codes that goes to the right; a leaf may have any.
    left, right
        (N,) children of each split, -1 for a leaf.
    value
        (N,) number that each leaf stands for, for example a class index.
    """

    feature: NDArray[np.int64]
    constant: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.int64]

    @classmethod
    def of_sklearn(
        cls, model: DecisionTreeClassifier | DecisionTreeRegressor, value: NDArray[np.int64]
    ) -> CodeTree:
        """Return a tree of scikit-learn that was fitted on codes, with (N,) numbers of its nodes.

        A split of scikit-learn sends ``code <= t`` to the left; codes are integers, so ``code >= floor(t) +
        1`` goes right.
        """
        tree = model.tree_
        constant = np.floor(tree.threshold).astype(np.int64) + 1
        return cls(np.maximum(0, tree.feature), constant, tree.children_left, tree.children_right, value)

    @classmethod
    def of_classifier(cls, model: DecisionTreeClassifier) -> CodeTree:
        """Return a classifier of scikit-learn that was fitted on codes; its leaves are class labels."""
        return cls.of_sklearn(model, model.classes_[model.tree_.value[:, 0].argmax(1)].astype(np.int64))

    def over_all_bits(self, dropped: NDArray[np.int64]) -> CodeTree:
        """Return a tree over codes without their (F,) lowest bits as a tree over whole codes."""
        return replace(self, constant=self.constant << dropped[self.feature])


def dropped_bits(widths: NDArray[np.int64], bits: int | None) -> NDArray[np.int64]:
    """Return the (F,) number of lowest bits to drop so that ``bits`` bits of each code remain; None for all.

    A comparison with a constant that ends in zeros needs no gates for the lowest bits.
    """
    return np.maximum(0, widths - (widths if bits is None else bits)).astype(np.int64)


def bits_of(number: int, width: int) -> list[bool]:
    """Return the bits of a number, least significant bit first."""
    return [bool(number >> k & 1) for k in range(width)]


def tree_graph(tree: CodeTree, interface: Interface) -> BooleanGraph:
    """Return a tree whose leaves are class indices as a graph that outputs the bits of the index.

    The graph never outputs the index of a class without a leaf.
    """
    builder = GraphBuilder(interface)
    return builder.finish(add_tree(builder, tree, lambda index: bits_of(index, interface.class_bits)))


def add_tree(builder: GraphBuilder, tree: CodeTree, leaf: Callable[[int], list[bool]]) -> list[int]:
    """Return nodes of the bits that ``leaf`` assigns to a leaf's number, one multiplexer per split and bit.

    Where both sides of a split have the same bit, no multiplexer is needed.
    """
    constants = [builder.add(Constant(value=False)), builder.add(Constant(value=True))]
    drivers: dict[int, list[int]] = {}  # tree node -> graph node of each bit
    # In reverse order children come first. Recursion would reach its limit in a degenerate tree, which is as
    # deep as it has leaves.
    for node in range(len(tree.left) - 1, -1, -1):
        left, right = int(tree.left[node]), int(tree.right[node])
        if left == _LEAF:
            drivers[node] = [constants[bit] for bit in leaf(int(tree.value[node]))]
            continue
        threshold = Threshold(int(tree.feature[node]), int(tree.constant[node]))
        drivers[node] = [
            low if low == high else builder.add(Lut((low, high, builder.add(threshold)), _MUX))
            for low, high in zip(drivers[left], drivers[right], strict=True)
        ]
    return drivers[0]
