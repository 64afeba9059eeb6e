"""Folding: the cheap exact rewrites that every graph passes through before the expensive ones.

Constants are propagated, repeated and irrelevant LUT inputs are dropped, buffers and inverters are absorbed
into their readers, equal LUTs (up to complement) are merged, and nodes that no output needs are removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from dwn_asic.boolean import truth_table as tt
from dwn_asic.boolean.graph import (
    BooleanGraph,
    CodeBit,
    Constant,
    GraphBuilder,
    Interface,
    Lut,
    Output,
    Threshold,
)

__all__ = ["FoldingBuilder", "Literal", "fold"]

# A node id and whether it is complemented; constants use the node id _CONSTANT.
Literal = tuple[int, bool]
_CONSTANT = -1
FALSE: Literal = (_CONSTANT, False)
TRUE: Literal = (_CONSTANT, True)


def fold(graph: BooleanGraph) -> BooleanGraph:
    """Return the same function with fewer LUTs and without the inputs that no output needs."""
    builder = FoldingBuilder(graph.interface)
    literals: list[Literal] = []
    for _, node in graph.nodes():
        match node:
            case Threshold() | CodeBit():
                literals.append(builder.input(node))
            case Constant(value):
                literals.append(TRUE if value else FALSE)
            case Lut(fanins, table):
                literals.append(builder.lut([literals[f] for f in fanins], table))
            case Output():
                break  # outputs come last
    return builder.finish([literals[driver] for driver in graph.outputs])


class FoldingBuilder:
    """A graph builder that folds while it builds and returns literals."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self._nodes: list[Threshold | CodeBit | Lut] = []
        self._known: dict[Threshold | CodeBit | Lut, int] = {}

    def input(self, node: Threshold | CodeBit) -> Literal:
        """Add a threshold or code bit; a threshold outside the range of codes becomes a constant."""
        fixed = self.interface.fixed_value(node)
        if fixed is None:
            return self._intern(node), False
        return TRUE if fixed else FALSE

    def lut(self, fanins: Sequence[Literal], table: int) -> Literal:
        """Add the function ``table`` of the literals, folded."""
        # Inputs are distinct and sorted, so that equal functions of equal nodes become equal keys.
        nodes = sorted({node for node, _ in fanins if node != _CONSTANT})
        place = {node: i for i, node in enumerate(nodes)} | {_CONSTANT: len(nodes)}
        kept, table, complemented = _folded(
            tuple((place[node], phase) for node, phase in fanins), len(nodes), table
        )
        if not kept:
            return _CONSTANT, complemented
        if len(kept) == 1:
            return nodes[kept[0]], complemented
        return self._intern(Lut(tuple(nodes[k] for k in kept), table)), complemented

    def _intern(self, node: Threshold | CodeBit | Lut) -> int:
        if node not in self._known:
            self._known[node] = len(self._nodes)
            self._nodes.append(node)
        return self._known[node]

    def finish(self, outputs: list[Literal]) -> BooleanGraph:
        """Return the graph that the outputs need, absorbing inverters of complemented outputs."""
        needed = self._needed(outputs)
        builder = GraphBuilder(self.interface)
        place: dict[int, int] = {}
        flipped = self._flipped(outputs, needed)
        for index in sorted(needed):
            node = self._nodes[index]
            if isinstance(node, Lut):
                n, table = len(node.fanins), node.table
                for k, fanin in enumerate(node.fanins):
                    if fanin in flipped:
                        table = tt.negate_input(table, n, k)
                if index in flipped:
                    table = tt.complement(table, n)
                node = Lut(tuple(place[f] for f in node.fanins), table)
            place[index] = builder.add(node)
        drivers = []
        inverters: dict[int, int] = {}
        for index, complemented in outputs:
            if index == _CONSTANT:
                drivers.append(builder.add(Constant(complemented)))
            elif complemented == (index in flipped):
                drivers.append(place[index])
            else:
                if index not in inverters:
                    inverters[index] = builder.add(Lut((place[index],), 0b01))
                drivers.append(inverters[index])
        return builder.finish(drivers)

    def _flipped(self, outputs: list[Literal], needed: set[int]) -> set[int]:
        """Return the LUTs to store complemented, because all outputs that they drive are complemented."""
        wanted: dict[int, set[bool]] = {}
        for index, complemented in outputs:
            wanted.setdefault(index, set()).add(complemented)
        return {
            i
            for i, phases in wanted.items()
            if i in needed and phases == {True} and isinstance(self._nodes[i], Lut)
        }

    def _needed(self, outputs: list[Literal]) -> set[int]:
        needed: set[int] = set()
        stack = [index for index, _ in outputs if index != _CONSTANT]
        while stack:
            index = stack.pop()
            if index in needed:
                continue
            needed.add(index)
            node = self._nodes[index]
            if isinstance(node, Lut):
                stack += node.fanins
        return needed


@lru_cache(maxsize=1 << 14)
def _folded(
    fanins: tuple[tuple[int, bool], ...], n_nodes: int, table: int
) -> tuple[tuple[int, ...], int, bool]:
    """Fold a function of places among distinct nodes; the place after the last node is the constant.

    Returns the places that it depends on, its table over them, which is 0 at address 0, and whether the
    function is the complement of that.
    """
    addresses = [
        sum(((a >> place & 1) ^ phase) << k for k, (place, phase) in enumerate(fanins))
        for a in range(1 << n_nodes)
    ]
    table = tt.project(table, len(fanins), addresses)
    kept = list(range(n_nodes))
    for k in range(n_nodes - 1, -1, -1):
        if not tt.depends_on(table, len(kept), k):
            table = tt.cofactor(table, len(kept), k, 0)
            del kept[k]
    complemented = bool(table & 1)
    return tuple(kept), tt.complement(table, len(kept)) if complemented else table, complemented
