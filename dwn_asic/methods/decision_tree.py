"""Bespoke decision trees: each split is a comparator, and the splits form a tree of multiplexers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import as_list
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress, WeightedRows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.tree import DecisionTreeClassifier

    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "DecisionTree", "DecisionTreeConfig"]


class DecisionTreeConfig(MethodConfig):
    """Decision trees of scikit-learn (CART), one per entry of ``leaves``."""

    kind: Literal["decision_tree"] = "decision_tree"
    """Kind of the method; selects these keys."""
    leaves: Annotated[
        tuple[Annotated[int, Field(ge=2)], ...], Field(strict=False), BeforeValidator(as_list)
    ] = (8, 16, 32)
    """Maximum number of leaves, at least 2. A list fits one tree per entry; the default spans trees from a
    few to a few dozen comparators."""
    pruned: bool = False
    """Grow the tree in full and prune it back by cost-complexity, instead of growing it best split first.
    Pruned trees may generalize better on noisy data."""


@dataclass(frozen=True)
class DecisionTree:
    """CART with at most ``leaves`` leaves on the codes of the training rows.

    Attributes
    ----------
    leaves
        Maximum number of leaves.
    pruned
        Whether the tree is grown in full and pruned by the smallest cost-complexity that leaves at most this
        number of leaves, instead of grown best split first.

    References
    ----------
    Breiman et al., Classification and Regression Trees, 1984, in scikit-learn's version. Bespoke circuits
    with hard-wired constants: Mubarik et al., Printed Machine Learning Classifiers, MICRO 2020.
    """

    leaves: int
    pruned: bool = False

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit a tree; the seed only decides between equally good splits."""
        from dwn_asic.methods.parts.fitting_steps import short_seed
        from dwn_asic.methods.parts.tree_logic import CodeTree, tree_graph

        rows = (*dataset.part("train"), dataset.loss_weights)
        model = (_pruned if self.pruned else _grown)(rows, self.leaves, short_seed(seed))
        graph = tree_graph(CodeTree.of_classifier(model), dataset.interface)
        leaves, depth = int(model.get_n_leaves()), int(model.get_depth())
        progress(f"{leaves} leaves, depth {depth}, {len(graph.inputs)} thresholds")
        predictions: NDArray[np.int64] = model.predict(dataset.codes).astype("int64")
        details = {
            "leaves": leaves,
            "leaves_allowed": self.leaves,
            "depth": depth,
            "thresholds": len(graph.inputs),
        }
        return Fitted(graph, predictions, details)


def _grown(rows: WeightedRows, leaves: int, seed: int) -> DecisionTreeClassifier:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed).fit(*rows)


def _pruned(rows: WeightedRows, leaves: int, seed: int) -> DecisionTreeClassifier:
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    path = DecisionTreeClassifier(random_state=seed).cost_complexity_pruning_path(*rows)
    prices = np.unique(path.ccp_alphas)

    def cut(number: int) -> DecisionTreeClassifier:
        price = max(0.0, float(prices[number]))
        return DecisionTreeClassifier(ccp_alpha=price, random_state=seed).fit(*rows)

    low, high = 0, len(prices) - 1  # the last price leaves only the root
    while low < high:
        middle = (low + high) // 2
        if cut(middle).get_n_leaves() <= leaves:
            high = middle
        else:
            low = middle + 1
    return cut(low)


def _plans(config: DecisionTreeConfig) -> Iterator[Plan]:
    which, more = ("pruned", ", pruned") if config.pruned else ("tree", "")
    for leaves in config.leaves:
        label = f"decision tree, {leaves} leaves{more}"
        yield Plan(f"{which}-{leaves}", label, config.kind, DecisionTree(leaves, config.pruned))


METHOD = Method(
    "decision_tree",
    DecisionTreeConfig,
    _plans,
    Look("decision tree", "#0072B2", "s"),
    "Breiman et al., Classification and Regression Trees, 1984; as circuits: Mubarik et al., MICRO 2020",
    rank=10,
    sizes=True,
    objective="fit",
    packages=("scikit-learn",),
    short="tree",
)
