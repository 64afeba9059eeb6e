"""Optimal decision trees: the fewest training errors of all trees of a depth, from an optional package."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dwn_asic.configuration import Count, Positive, as_list
from dwn_asic.methods.base import Detail, Fitted, Look, Method, MethodConfig, Plan, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.data.dataset import Dataset
    from dwn_asic.encode.thermometer import Thermometer
    from dwn_asic.methods.parts.tree_logic import CodeTree

__all__ = ["METHOD", "OptimalTree", "OptimalTreeConfig"]

_ALL_CUTS = 1 << 16
_MOST_REPEATS = 64
"""Maximum number of times that a row is repeated to give it weight."""


class OptimalTreeConfig(MethodConfig):
    """Optimal decision trees of ConTree (optional package), one per pair of ``depth`` and ``cost``."""

    kind: Literal["optimal_tree"] = "optimal_tree"
    """Kind of the method; selects these keys."""
    depth: Annotated[
        tuple[Annotated[int, Field(ge=1, le=6)], ...], Field(strict=False), BeforeValidator(as_list)
    ] = (2, 3)
    """Maximum depth, from 1 to 6. A list fits one tree per entry. On a few thousand rows depth 3 takes
    seconds; depth 4 needs few ``cuts`` or ``bits``, or it ends by ``time_limit_s``."""
    cost: Annotated[
        tuple[Annotated[float, Field(ge=0.0, lt=1.0)], ...], Field(strict=False), BeforeValidator(as_list)
    ] = (0.0,)
    """Share of the training rows that a split must save in errors, from 0 to below 1. A list fits one tree
    per entry. Higher costs lead to smaller trees; with 0 every split that saves an error is taken."""
    cuts: Count | None = None
    """Maximum number of thresholds per feature, at equal shares of the training rows. Fewer thresholds are
    searched faster. By default every code may be a threshold."""
    bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """Number of leading bits of a code that thresholds may depend on, from 1 to 16: the constants are
    multiples of a power of two, so that comparators are small. By default all bits."""
    time_limit_s: Positive = 60.0
    """Time limit per tree in seconds. A search that reaches it returns the best tree so far, which then
    depends on the speed of the machine; its label says so."""


@dataclass(frozen=True)
class OptimalTree:
    """The tree with the fewest training errors among all trees of a depth.

    The solver knows no weights. By an objective with weights, rows are repeated in proportion to them,
    rounded to whole numbers.

    Attributes
    ----------
    depth, cost, cuts, bits, time_limit_s
        As in :class:`OptimalTreeConfig`.

    References
    ----------
    Brita, van der Linden and Demirovic, Optimal Classification Trees for Continuous Feature Data Using
    Dynamic Programming with Branch-and-Bound, AAAI 2025, arXiv:2501.07903.
    """

    depth: int
    cost: float = 0.0
    cuts: int | None = None
    bits: int | None = None
    time_limit_s: float = 60.0

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:  # noqa: ARG002
        """Search for the tree; the result does not depend on the seed.

        Raises
        ------
        ToolError
            The package is not installed.
        """
        solver = _solver()
        import numpy as np

        from dwn_asic.methods.parts.fitting_steps import most_frequent
        from dwn_asic.methods.parts.tree_logic import tree_graph

        codes, labels = dataset.part("train")
        levels = _Levels.fit(codes, dataset.quantizer.bits, self.cuts, self.bits)
        classes, places = np.unique(labels, return_inverse=True)
        if not len(levels.thermometer) or len(classes) < 2:
            return most_frequent(dataset)
        model = solver(max_depth=self.depth, complexity_cost=self.cost, time_limit=self.time_limit_s)
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            times = _repeats(dataset.loss_weights, len(labels))
            model.fit(levels.of(codes).repeat(times, axis=0), places.repeat(times))
        proved = not any("time limit" in str(each.message) for each in raised)
        graph = tree_graph(levels.tree(model.get_tree(), classes), dataset.interface)
        found = "proved optimal" if proved else "best within the time limit"
        progress(f"{model.get_num_leaf_nodes()} leaves, {found}, {len(graph.inputs)} thresholds")
        predictions: NDArray[np.int64] = classes[model.predict(levels.of(dataset.codes)).astype(np.int64)]
        details: dict[str, Detail] = {
            "leaves": int(model.get_num_leaf_nodes()),
            "depth": int(model.get_depth()),
            "thresholds": len(graph.inputs),
            "optimality": found,
        }
        return Fitted(graph, predictions, details, label=self.label if proved else f"{self.label}, {found}")

    @property
    def label(self) -> str:
        """Name for readers, for example ``optimal tree, depth 3, 16 cuts``."""
        options = [f"cost {self.cost:g}"] if self.cost else []
        options += [f"{number} {what}" for number, what in self._restrictions]
        return ", ".join([f"optimal tree, depth {self.depth}", *options])

    @property
    def name(self) -> str:
        """Name made of ``[a-z0-9-]``, for example ``optimal-3-16cuts``."""
        options = [f"cost{self.cost:g}".replace(".", "p")] if self.cost else []
        options += [f"{number}{what}" for number, what in self._restrictions]
        return "-".join([f"optimal-{self.depth}", *options])

    @property
    def _restrictions(self) -> list[tuple[int, str]]:
        pairs = ((self.cuts, "cuts"), (self.bits, "bits"))
        return [(number, what) for number, what in pairs if number is not None]


@dataclass(frozen=True, eq=False)
class _Levels:
    """The thresholds that a tree may use, and the levels of each feature between them.

    Attributes
    ----------
    thermometer
        The thresholds, in ascending order for each feature, over codes without their lowest bits.
    dropped
        (F,) number of lowest bits of each code that no threshold depends on.
    """

    thermometer: Thermometer
    dropped: NDArray[np.int64]

    @classmethod
    def fit(
        cls, codes: NDArray[np.int64], widths: NDArray[np.int64], cuts: int | None, bits: int | None
    ) -> _Levels:
        """Choose thresholds from the (N, F) codes of the training rows."""
        from dwn_asic.encode.thermometer import Thermometer
        from dwn_asic.methods.parts.tree_logic import dropped_bits

        dropped = dropped_bits(widths, bits)
        thermometer = Thermometer.fit(
            codes >> dropped, widths - dropped, kind="distributive", bits=cuts or _ALL_CUTS
        )
        return cls(thermometer, dropped)

    def of(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the (N, F) number of thresholds that each code reaches."""
        import numpy as np

        constants = [self.thermometer.constant[slice(*self._range(f))] for f in range(codes.shape[1])]
        reached = [
            np.searchsorted(c, column, side="right")
            for c, column in zip(constants, (codes >> self.dropped).T, strict=True)
        ]
        return np.stack(reached, axis=1).astype(np.float64)

    def tree(self, root: Any, classes: NDArray[np.int64]) -> CodeTree:
        """Return a tree of the solver, which has no type annotations, as a tree over codes."""
        import numpy as np

        from dwn_asic.methods.parts.tree_logic import CodeTree

        nodes: list[list[int]] = []  # feature, constant, left, right and value of each

        def add(node: Any) -> int:
            place = len(nodes)
            if node.is_leaf_node():
                nodes.append([0, 0, -1, -1, int(classes[node.get_label()])])
                return place
            feature = int(node.get_split_feature())
            # The solver sends ``level <= t`` to the left, and levels are integers.
            number = self._range(feature)[0] + int(np.floor(node.get_split_threshold()))
            nodes.append([feature, int(self.thermometer.constant[number]), -1, -1, -1])
            nodes[place][2:4] = add(node.get_left()), add(node.get_right())
            return place

        add(root)
        return CodeTree(*np.array(nodes, np.int64).T).over_all_bits(self.dropped)

    def _range(self, feature: int) -> tuple[int, int]:
        import numpy as np

        first, end = np.searchsorted(self.thermometer.feature, [feature, feature + 1])
        return int(first), int(end)


def _repeats(weights: NDArray[np.float64] | None, n_rows: int) -> NDArray[np.int64]:
    """Return how often each row counts, (N,): in proportion to its weight, the least weight once."""
    import numpy as np

    if weights is None:
        return np.ones(n_rows, np.int64)
    times = np.rint(weights / weights[weights > 0].min()).astype(np.int64)
    return np.minimum(times, _MOST_REPEATS)


def _solver() -> Any:
    """Return the solver's class, which has no type annotations."""
    from dwn_asic.methods.parts.fitting_steps import not_installed

    try:
        from pycontree import ConTree
    except ImportError as error:
        raise not_installed(str(error.name or "pycontree"), "optimal-trees") from error
    return ConTree


def _plans(config: OptimalTreeConfig) -> Iterator[Plan]:
    for depth, cost in product(config.depth, config.cost):
        fitter = OptimalTree(depth, cost, config.cuts, config.bits, config.time_limit_s)
        yield Plan(fitter.name, fitter.label, config.kind, fitter)


METHOD = Method(
    "optimal_tree",
    OptimalTreeConfig,
    _plans,
    Look("optimal decision tree", "#332288", "P"),
    "Brita et al., Optimal Classification Trees for Continuous Feature Data, AAAI 2025, arXiv:2501.07903",
    rank=12,
    sizes=True,
    objective="fit",
    packages=("pycontree",),
)
