"""Encoder and core minimized as one, for circuits that are smaller without the border between them.

Thresholds of a feature with narrow codes are little more than code bits: logic that reads these needs
neither the comparators nor the order of their outputs as a don't-care.
"""

from __future__ import annotations

from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.optimize.cost import CostModel
from dwn_asic.optimize.exact.minimize import Effort, Minimized, minimize

__all__ = ["minimize_whole"]


def minimize_whole(
    graph: BooleanGraph,
    parts: tuple[Minimized, Minimized],
    cost: CostModel,
    *,
    effort: Effort = "medium",
    timeout_s: float = 120.0,
    budget_s: float = 60.0,
) -> Circuit:
    """Core and encoder as they are, or one core that reads code bits where that is smaller.

    Parameters
    ----------
    graph
        The model's.
    parts
        Its core and encoder, as :func:`dwn_asic.optimize.exact.minimize.minimize_parts` returns them.
    cost, effort, timeout_s, budget_s
        As there; raises what it does.
    """
    core, encoder = parts
    split = Circuit(encoder.graph, core.graph)
    whole = minimize(
        split.graph,
        cost,
        effort=effort,
        timeout_s=timeout_s,
        budget_s=budget_s,
        alternatives=[specification(graph)],
    )
    if whole.area >= core.area + encoder.area:
        return split
    inputs = [node for _, node in whole.graph.inputs]
    return Circuit(encoder_graph(inputs, graph.interface), whole.graph)
