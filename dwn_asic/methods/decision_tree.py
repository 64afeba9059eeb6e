"""Bespoke decision trees and small forests: each split a comparator, a tree of splits multiplexers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from dwn_asic.boolean.arithmetic import argmax_index, popcount
from dwn_asic.boolean.graph import BooleanGraph, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.methods.base import Fitting, Progress, interface_of
from dwn_asic.methods.parts.fitting_steps import short_seed

__all__ = ["DecisionTree", "Forest", "tree_graph"]

_MUX = 0b11001010
"""Fan-in 2 chooses fan-in 1 (when set) or fan-in 0."""
_LEAF = -1
"""What scikit-learn writes for the children of a leaf."""


@dataclass(frozen=True)
class DecisionTree:
    """CART of at most ``leaves`` leaves on the codes of the training rows.

    Attributes
    ----------
    leaves
        At most.
    pruned
        Grown in full and cut back by the least cost-complexity that leaves so many, instead of grown best
        split first until there are so many.

    References
    ----------
    Breiman et al., Classification and Regression Trees, 1984, in scikit-learn's version. Bespoke circuits
    with hard-wired constants: Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020.
    """

    leaves: int
    pruned: bool = False

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit; the seed only decides between equally good splits."""
        codes, labels = dataset.part("train")
        model = (self._pruned if self.pruned else self._grown)(codes, labels, short_seed(seed))
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

    def _grown(
        self, codes: NDArray[np.int64], labels: NDArray[np.int64], seed: int
    ) -> DecisionTreeClassifier:
        return DecisionTreeClassifier(max_leaf_nodes=self.leaves, random_state=seed).fit(codes, labels)

    def _pruned(
        self, codes: NDArray[np.int64], labels: NDArray[np.int64], seed: int
    ) -> DecisionTreeClassifier:
        path = DecisionTreeClassifier(random_state=seed).cost_complexity_pruning_path(codes, labels)
        prices = np.unique(path.ccp_alphas)

        def cut(number: int) -> DecisionTreeClassifier:
            price = max(0.0, float(prices[number]))
            return DecisionTreeClassifier(ccp_alpha=price, random_state=seed).fit(codes, labels)

        low, high = 0, len(prices) - 1  # the last price leaves the root alone
        while low < high:
            middle = (low + high) // 2
            if cut(middle).get_n_leaves() <= self.leaves:
                high = middle
            else:
                low = middle + 1
        return cut(low)


@dataclass(frozen=True)
class Forest:
    """A few trees, each of which has one vote; the class with most of them wins, of equals the first.

    scikit-learn's random forest (rows drawn again, square root of the features tried at each split), but
    each tree votes for a class instead of with the shares in its leaf.

    Attributes
    ----------
    trees
        Their number.
    leaves
        Of each, at most.

    References
    ----------
    Breiman, Random Forests, Machine Learning 2001.
    """

    trees: int
    leaves: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Fit; the same seed gives the same trees."""
        codes, labels = dataset.part("train")
        interface, n_classes = interface_of(dataset), dataset.table.n_classes
        model = RandomForestClassifier(self.trees, max_leaf_nodes=self.leaves, random_state=short_seed(seed))
        trees = model.fit(codes, labels).estimators_
        builder = GraphBuilder(interface)
        # Inside a forest a tree's classes are places in the forest's.
        votes = [
            _add_tree(builder, tree, lambda place: _vote(int(model.classes_[place]), n_classes))
            for tree in trees
        ]
        index = argmax_index(builder, [popcount(builder, column) for column in zip(*votes, strict=True)])
        graph = builder.finish(index)
        progress(f"{self.trees} trees, {len(graph.inputs)} thresholds")
        counts = np.zeros((len(dataset.codes), n_classes), np.int64)
        for tree in trees:
            voted = model.classes_[tree.predict(dataset.codes).astype(np.int64)]
            counts[np.arange(len(voted)), voted] += 1
        details = {"trees": self.trees, "leaves": sum(int(tree.get_n_leaves()) for tree in trees)}
        return Fitting(graph, counts.argmax(1).astype(np.int64), details)


def _vote(index: int, n_classes: int) -> list[bool]:
    return [c == index for c in range(n_classes)]


def tree_graph(model: DecisionTreeClassifier, interface: Interface) -> BooleanGraph:
    """A fitted tree over codes as a graph whose outputs are the bits of the class index.

    A class index whose class has no leaf never comes out.
    """
    builder = GraphBuilder(interface)
    bits = range(interface.class_bits)
    drivers = _add_tree(
        builder, model, lambda place: [bool(int(model.classes_[place]) >> k & 1) for k in bits]
    )
    return builder.finish(drivers)


def _add_tree(
    builder: GraphBuilder, model: DecisionTreeClassifier, leaf: Callable[[int], list[bool]]
) -> list[int]:
    """Nodes of the bits that ``leaf`` says of a leaf's class: per split one multiplexer for each bit.

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
