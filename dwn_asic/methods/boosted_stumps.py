"""A few small boosted trees whose leaves have small integer scores: comparators, multiplexers and adders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import Count, as_list
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress, WeightedRows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.tree import DecisionTreeRegressor

    from dwn_asic.data.dataset import Dataset
    from dwn_asic.methods.parts.weighted_vote import WeightedVotes

__all__ = ["METHOD", "BoostedStumps", "BoostedStumpsConfig"]

_RATES = (0.1, 0.3, 1.0)
"""Learning rates to choose from; few trees need a high one."""


class BoostedStumpsConfig(MethodConfig):
    """Gradient boosting of scikit-learn with few small trees, one ensemble per pair of trees and depth."""

    kind: Literal["boosted_stumps"] = "boosted_stumps"
    """Kind of the method; selects these keys."""
    trees: Annotated[tuple[Count, ...], Field(strict=False), BeforeValidator(as_list)] = (4, 16)
    """Number of trees, at least 1; with more than two classes, of each class. A list fits one ensemble per
    entry."""
    depth: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4)], ...], Field(strict=False), BeforeValidator(as_list)
    ] = (1, 2)
    """Depth of the trees, from 1 (stumps) to 4. A list fits one ensemble per entry."""
    score_bits: Annotated[int, Field(ge=1, le=8)] = 3
    """Bits of a leaf's score, from 1 to 8. More bits follow the real-valued scores more closely and need
    wider adders."""
    bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """Number of leading bits of a code that thresholds may depend on, from 1 to 16, as in ``optimal_tree``.
    By default all bits."""


@dataclass(frozen=True)
class BoostedStumps:
    """A sum of small trees with integer scores; its sign, or the class with the largest sum, is the answer.

    The scores of a tree are counted from its lowest one and scaled by one factor for all trees, so that the
    widest tree has ``2**score_bits`` steps. The intercepts are fitted after rounding, on training rows; the
    learning rate is chosen on validation rows.

    Attributes
    ----------
    trees, depth, score_bits, bits
        As in :class:`BoostedStumpsConfig`.

    References
    ----------
    Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 2001.
    """

    trees: int
    depth: int
    score_bits: int = 3
    bits: int | None = None

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Fit an ensemble; the seed only decides between equally good splits."""
        import numpy as np

        from dwn_asic.boolean.graph import GraphBuilder
        from dwn_asic.methods.parts.fitting_steps import (
            best_on_validation,
            most_frequent,
        )
        from dwn_asic.methods.parts.tree_logic import CodeTree, add_tree, bits_of, dropped_bits

        dropped = dropped_bits(dataset.quantizer.bits, self.bits)
        codes, labels = dataset.part("train")
        weights = dataset.loss_weights
        val_codes, _ = dataset.part("val")
        if len(np.unique(labels)) < 2:
            return most_frequent(dataset)
        best = best_on_validation(
            (
                self._ensemble((codes >> dropped, labels, weights), dataset.table.n_classes, rate, seed)
                for rate in _RATES
            ),
            lambda each: each.predict(val_codes >> dropped),
            dataset,
            progress,
        )
        builder = GraphBuilder(dataset.interface)
        drivers = [
            driver
            for tree, scores in zip(best.trees, best.scores, strict=True)
            for driver in add_tree(
                builder,
                CodeTree.of_sklearn(tree, scores).over_all_bits(dropped),
                lambda score: bits_of(score, self.score_bits),
            )
        ]
        graph = builder.finish(best.votes.add(builder, drivers))
        details = {
            "trees": len(best.trees),
            "leaves": sum(int(tree.get_n_leaves()) for tree in best.trees),
            "learning_rate": best.rate,
            "thresholds": len(graph.inputs),
        }
        return Fitted(graph, best.predict(dataset.codes >> dropped), details)

    def _ensemble(self, rows: WeightedRows, n_classes: int, rate: float, seed: int) -> _Ensemble:
        """Fit the trees to (N, F) codes, and round their scores."""
        import numpy as np
        from sklearn.ensemble import GradientBoostingClassifier

        from dwn_asic.methods.parts.fitting_steps import short_seed
        from dwn_asic.methods.parts.intercepts import fitted_intercepts
        from dwn_asic.methods.parts.weighted_vote import WeightedVotes

        codes, labels, row_weights = rows
        model = GradientBoostingClassifier(
            n_estimators=self.trees, max_depth=self.depth, learning_rate=rate, random_state=short_seed(seed)
        ).fit(*rows)
        trees = tuple(model.estimators_.ravel())
        leaves = [tree.tree_.value[:, 0, 0][tree.tree_.children_left < 0] for tree in trees]
        widest = max(float(np.ptp(values)) for values in leaves)
        scale = ((1 << self.score_bits) - 1) / max(1e-12, widest)
        scores = tuple(
            np.rint((tree.tree_.value[:, 0, 0] - values.min()).clip(0.0, widest) * scale).astype(np.int64)
            for tree, values in zip(trees, leaves, strict=True)
        )
        # Tree t adds to score t modulo S: its bit k counts 2**k.
        n_scores = model.estimators_.shape[1]
        weights = np.kron(
            np.tile(np.eye(n_scores, dtype=np.int64), self.trees), 1 << np.arange(self.score_bits)
        )
        rounded = _Ensemble(
            trees, scores, self.score_bits, WeightedVotes(weights, np.zeros(n_scores, np.int64)), rate
        )
        sums = rounded.votes.scores(rounded.code_bits(codes)) / scale * rate
        intercepts = fitted_intercepts(sums, np.searchsorted(model.classes_, labels), row_weights)
        biases = np.rint(intercepts * scale / rate).astype(np.int64)
        votes = WeightedVotes.of_classes(weights, biases, model.classes_, n_classes)
        return _Ensemble(trees, scores, self.score_bits, votes, rate)


@dataclass(frozen=True, eq=False)
class _Ensemble:
    """Trees of scikit-learn, the score of each of their nodes in ``width`` bits, and the sums that decide."""

    trees: tuple[DecisionTreeRegressor, ...]
    scores: tuple[NDArray[np.int64], ...]
    width: int
    votes: WeightedVotes
    rate: float

    def code_bits(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the (N, trees * width) bits of the scores, tree by tree, least significant bit first."""
        import numpy as np

        found = [
            scores[tree.apply(codes)][:, None] >> np.arange(self.width) & 1
            for tree, scores in zip(self.trees, self.scores, strict=True)
        ]
        return np.hstack(found).astype(np.bool_)

    def predict(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the (N,) class indices of (N, F) codes."""
        return self.votes.decide(self.code_bits(codes))


def _plans(config: BoostedStumpsConfig) -> Iterator[Plan]:
    more = f", {config.bits} bits" if config.bits is not None else ""
    for trees, depth in product(config.trees, config.depth):
        fitter = BoostedStumps(trees, depth, config.score_bits, config.bits)
        name = f"boosted-{trees}x{depth}" + (f"-{config.bits}bits" if config.bits is not None else "")
        label = f"boosted trees, {trees} of depth {depth}, {config.score_bits}-bit scores{more}"
        yield Plan(name, label, config.kind, fitter)


METHOD = Method(
    "boosted_stumps",
    BoostedStumpsConfig,
    _plans,
    Look("boosted trees, integer scores", "#882255", "*"),
    "Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 2001",
    rank=35,
    sizes=True,
    objective="fit",
    packages=("scikit-learn", "scipy"),
)
