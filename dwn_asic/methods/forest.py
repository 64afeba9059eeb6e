"""Small forests: a few bespoke decision trees whose votes are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import Count, as_list
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "Forest", "ForestConfig"]


class ForestConfig(MethodConfig):
    """Random forests of scikit-learn whose trees have one vote each, one forest per entry of ``trees``."""

    kind: Literal["forest"] = "forest"
    """Kind of the method; selects these keys."""
    trees: Annotated[tuple[Count, ...], Field(strict=False), BeforeValidator(as_list)] = (3, 7)
    """Number of trees, at least 1. A list fits one forest per entry; odd numbers avoid ties between two
    classes."""
    leaves: Annotated[int, Field(ge=2)] = 8
    """Maximum number of leaves per tree, at least 2."""


@dataclass(frozen=True)
class Forest:
    """A few trees with one vote each; the class with most votes wins, ties go to the first class.

    This is scikit-learn's random forest (bootstrap samples of rows, square root of the number of features
    tried at each split), except that each tree votes for one class instead of with the class shares of its
    leaf.

    Attributes
    ----------
    trees
        Number of trees.
    leaves
        Maximum number of leaves per tree.

    References
    ----------
    Breiman, Random Forests, Machine Learning 2001.
    """

    trees: int
    leaves: int

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit a forest; the same seed returns the same trees."""
        import numpy as np
        from sklearn.ensemble import RandomForestClassifier

        from dwn_asic.boolean.arithmetic import argmax_index, popcount
        from dwn_asic.boolean.graph import GraphBuilder
        from dwn_asic.methods.parts.fitting_steps import short_seed
        from dwn_asic.methods.parts.tree_logic import CodeTree, add_tree

        codes, labels = dataset.part("train")
        n_classes = dataset.table.n_classes
        model = RandomForestClassifier(self.trees, max_leaf_nodes=self.leaves, random_state=short_seed(seed))
        trees = model.fit(codes, labels, dataset.loss_weights).estimators_
        builder = GraphBuilder(dataset.interface)
        # The classes of a tree are indices into the classes of the forest.
        votes = [
            add_tree(
                builder,
                CodeTree.of_classifier(tree),
                lambda place: _vote(int(model.classes_[place]), n_classes),
            )
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
        return Fitted(graph, counts.argmax(1).astype(np.int64), details)


def _vote(index: int, n_classes: int) -> list[bool]:
    return [c == index for c in range(n_classes)]


def _plans(config: ForestConfig) -> Iterator[Plan]:
    for trees in config.trees:
        label = f"forest, {trees} trees of {config.leaves} leaves"
        yield Plan(f"forest-{trees}x{config.leaves}", label, config.kind, Forest(trees, config.leaves))


METHOD = Method(
    "forest",
    ForestConfig,
    _plans,
    Look("random forest", "#56B4E9", "p"),
    "Breiman, Random Forests, Machine Learning 2001",
    rank=30,
    sizes=True,
    objective="fit",
    packages=("scikit-learn",),
)
