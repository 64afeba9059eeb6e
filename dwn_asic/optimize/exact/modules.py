"""Minimization of a large graph by modules, several at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.modules import MODULE_NODES, Piece, Pieces, assembled
from dwn_asic.tools import processors

if TYPE_CHECKING:
    from dwn_asic.optimize.exact.minimize import Minimized

__all__ = ["minimize_modules"]

_NODE_SECONDS = 3e-4
"""Minimum budget for each AND node of a module in nominal seconds: a script of ABC and some mappings."""


def minimize_modules(
    graph: BooleanGraph, one: Callable[[BooleanGraph, float], Minimized], budget_s: float
) -> Minimized:
    """Minimize a graph with modules.

    Parameters
    ----------
    graph
        A graph with modules.
    one
        Function that minimizes the graph of one module within a budget in nominal seconds.
    budget_s
        Budget of all modules together. Each has at least what a quick search takes.
    """
    from dwn_asic.optimize.exact.minimize import Candidate, Minimized

    pieces = Pieces(graph)
    share = max(budget_s / len(pieces), _NODE_SECONDS * MODULE_NODES)

    def work(index: int) -> tuple[Piece, Minimized]:
        piece = pieces.piece(index)
        found = one(piece.graph, share)
        return Piece(found.graph, piece.wires), found

    # Most of the work is done by ABC in processes of its own.
    with ThreadPoolExecutor(processors()) as pool:
        done = list(pool.map(work, range(len(pieces))))
    every = [found for _, found in done]
    return Minimized(
        assembled(graph, [piece for piece, _ in done]),
        sum(found.area for found in every),
        tuple(Candidate(f"module {i}", found.area) for i, found in enumerate(every)),
        sum(found.proof_seconds for found in every),
    )
