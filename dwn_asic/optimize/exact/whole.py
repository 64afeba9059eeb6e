"""Minimization of encoder and core as one circuit, which is smaller where their border costs gates.

Thresholds of a feature with narrow codes are little more than code bits. Logic that reads the code bits
directly needs neither comparators nor the order of their outputs as a don't-care.
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
    timeout_s: float = 600.0,
    budget_s: float = 60.0,
) -> tuple[Minimized, Minimized]:
    """Return core and encoder as given, or one core over code bits and no encoder if that is smaller.

    Parameters
    ----------
    graph
        The model's graph.
    parts
        Its core and encoder, as :func:`dwn_asic.optimize.exact.minimize.minimize_parts` returns them.
    cost, effort, timeout_s, budget_s
        As for :func:`dwn_asic.optimize.exact.minimize.minimize`, which also defines the errors.
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
