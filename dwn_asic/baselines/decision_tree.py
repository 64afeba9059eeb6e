"""Bespoke decision trees: each split a comparator, the tree of splits a tree of multiplexers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from dwn_asic.baselines.interface import Fitting, Progress, interface_of
from dwn_asic.data.dataset import Dataset
from dwn_asic.network.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold

__all__ = ["DecisionTree", "tree_graph"]

_MUX = 0b11001010
"""Fan-in 2 chooses fan-in 1 (when set) or fan-in 0."""
_LEAF = -1
"""What scikit-learn writes for the children of a leaf."""


@dataclass(frozen=True)
class DecisionTree:
    """CART of at most ``leaves`` leaves, grown best split first on the codes of the training rows.

    References
    ----------
    Breiman et al., Classification and Regression Trees, 1984, in scikit-learn's version. Bespoke circuits
    with hard-wired constants: Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020.
    """

    leaves: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit; the seed only decides between equally good splits."""
        codes, labels = dataset.part("train")
        # scikit-learn takes 32-bit seeds.
        model = DecisionTreeClassifier(max_leaf_nodes=self.leaves, random_state=seed % (1 << 32))
        model.fit(codes, labels)
        graph = tree_graph(model, interface_of(dataset))
        leaves, depth = int(model.get_n_leaves()), int(model.get_depth())
        progress(f"{leaves} leaves, depth {depth}, {len(graph.inputs)} thresholds")
        predictions: NDArray[np.int64] = model.predict(dataset.codes).astype(np.int64)
        details = {
            "leaves": leaves,
            "leaves_allowed": self.leaves,
            "depth": depth,
            "thresholds": len(graph.inputs),
        }
        return Fitting(graph, predictions, details)


def tree_graph(model: DecisionTreeClassifier, interface: Interface) -> BooleanGraph:
    """A fitted tree over codes as a graph: per split one multiplexer for each bit of the class index.

    A split sends ``code <= t`` to the left; codes are integers, so ``code >= floor(t) + 1`` goes right.
    Where both sides have the same bit, there is no multiplexer. A class index whose class has no leaf never
    comes out.
    """
    tree = model.tree_
    builder = GraphBuilder(interface)
    constants = [builder.add(Constant(value=False)), builder.add(Constant(value=True))]
    drivers: dict[int, list[int]] = {}  # tree node -> graph node of each class bit
    # scikit-learn numbers children after their parent, so backwards they come first; no recursion, whose
    # limit a tree as deep as its leaves are many would reach.
    for node in range(tree.node_count - 1, -1, -1):
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == _LEAF:
            index = int(model.classes_[np.argmax(tree.value[node, 0])])
            drivers[node] = [constants[index >> k & 1] for k in range(interface.class_bits)]
            continue
        constant = int(np.floor(tree.threshold[node])) + 1
        threshold = Threshold(int(tree.feature[node]), constant)
        drivers[node] = [
            low if low == high else builder.add(Lut((low, high, builder.add(threshold)), _MUX))
            for low, high in zip(drivers[left], drivers[right], strict=True)
        ]
    return builder.finish(drivers[0])
