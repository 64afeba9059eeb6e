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

__all__ = ["merge_parts"]


def merge_parts(
    graph: BooleanGraph,
    parts: tuple[Minimized, Minimized],
    cost: CostModel,
    *,
    effort: Effort = "medium",
    timeout_s: float = 120.0,
    budget_s: float = 60.0,
) -> tuple[Minimized, Minimized]:
    """Core and encoder as they are, or one core that reads code bits and no encoder where that is smaller.

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
    whole = minimize(
        Circuit(encoder.graph, core.graph).graph,
        cost,
        effort=effort,
        timeout_s=timeout_s,
        budget_s=budget_s,
        alternatives=[specification(graph)],
    )
    if whole.area >= core.area + encoder.area:
        return parts
    wires = encoder_graph([node for _, node in whole.graph.inputs], graph.interface)
    return whole, Minimized(wires, 0.0, (), 0.0)
