"""Circuit sizes that do not depend on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwn_asic.metrics import lower

if TYPE_CHECKING:
    from dwn_asic.boolean.graph import BooleanGraph

__all__ = ["METRICS", "levels", "measure"]

METRICS = (
    lower("encoder__threshold__count", "1", "Thermometer bits that the core reads"),
    lower("logic__and__count", "1", "AND nodes of the optimized AND-inverter graph"),
)


def levels(graph: BooleanGraph) -> int:
    """Return the AND nodes on the longest path of the graph's and-inverter graph."""
    from dwn_asic.boolean.aig import to_aig
    from dwn_asic.boolean.flat_aig import flatten
    from dwn_asic.boolean.fold import fold

    folded = fold(graph)
    return flatten(to_aig(folded), len(folded.inputs)).levels


def measure(core: BooleanGraph) -> dict[str, float]:
    """Measure the :data:`METRICS` of a core, a graph from thresholds to the class index."""
    from dwn_asic.boolean.aig import and_count
    from dwn_asic.boolean.graph import Threshold

    thresholds = sum(isinstance(node, Threshold) for _, node in core.inputs)
    return {"encoder__threshold__count": thresholds, "logic__and__count": and_count(core)}
