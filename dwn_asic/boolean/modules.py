"""Modules of a large graph, which are minimized, mapped and proved one at a time.

A network of many thousand LUTs is too large for tools that look at all of it. :func:`divided` cuts it into
modules of bounded size, at outputs of LUTs. Such an output is a **wire**; wires are numbered over all
modules. A module is also a graph of its own, a :class:`Piece`, in which the wires that it reads are features
of one bit. :func:`assembled` puts pieces together again.

If each piece of one graph equals the same piece of another, and the same wires drive the outputs of both, the
graphs are equal. So a proof never looks at more than one module. It may fail for graphs that are equal, since
it asks pieces to be equal on all values of their wires, even on those that never occur; pieces that were
minimized one at a time are equal in this way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dwn_asic.boolean.graph import (
    BooleanGraph,
    CodeBit,
    Constant,
    GraphBuilder,
    Input,
    Interface,
    Lut,
    Module,
    Threshold,
)

__all__ = ["Piece", "Pieces", "assembled", "divided"]

MOST_NODES = 50_000
"""Estimated number of AND nodes up to which a graph is treated as one."""
MODULE_NODES = 5_000
"""Estimated number of AND nodes of a module."""


@dataclass(frozen=True)
class Piece:
    """A module as a graph of its own.

    Attributes
    ----------
    graph
        Its logic. Its interface has the features of the whole graph, and then one feature of one bit for each
        of its wires. Output k is output k of the module.
    wires
        Numbers of the wires that are features, in their order.
    """

    graph: BooleanGraph
    wires: tuple[int, ...]


class Pieces:
    """The modules of a graph as graphs of their own.

    Parameters
    ----------
    graph
        A graph with modules.
    """

    def __init__(self, graph: BooleanGraph) -> None:
        self.graph = graph

    def __len__(self) -> int:
        return len(self.graph.modules)

    @cached_property
    def _wire(self) -> dict[int, int]:
        """Node id -> number of the wire that it drives."""
        driving = (node for module in self.graph.modules for node in module.outputs)
        return {node: number for number, node in enumerate(driving)}

    @cached_property
    def drivers(self) -> tuple[Input | Constant | int, ...]:
        """The driver of each output of the graph: an input, a constant, or the number of a wire."""
        found: list[Input | Constant | int] = []
        for driver in self.graph.outputs:
            node = self.graph.node(driver)
            found.append(node if isinstance(node, Threshold | CodeBit | Constant) else self._wire[driver])
        return tuple(found)

    def piece(self, index: int, wires: Sequence[int] | None = None) -> Piece:
        """Return a module as a graph of its own.

        Parameters
        ----------
        index
            Number of the module.
        wires
            The wires that become features, at least those that the module reads; by default exactly these, in
            ascending order.
        """
        graph, module = self.graph, self.graph.modules[index]
        own = [(i, graph.node(i)) for i in range(module.first, module.last)]
        luts = [(i, node) for i, node in own if isinstance(node, Lut)]
        if wires is None:
            read = {fanin for _, node in luts for fanin in node.fanins if fanin < module.first}
            wires = sorted(self._wire[fanin] for fanin in read if isinstance(graph.node(fanin), Lut))
        interface, features = graph.interface, len(graph.interface.widths)
        feature_of = {wire: features + i for i, wire in enumerate(wires)}
        builder = GraphBuilder(
            Interface(
                (*interface.feature_names, *(f"wire {wire}" for wire in wires)),
                (*interface.widths, *(1,) * len(wires)),
                interface.class_names,
            )
        )
        place: dict[int, int] = {}

        def placed(fanin: int) -> int:
            if fanin not in place:
                node = graph.node(fanin)
                if isinstance(node, Threshold | CodeBit | Constant):
                    place[fanin] = builder.add(node)
                else:
                    place[fanin] = builder.add(CodeBit(feature_of[self._wire[fanin]], 0))
            return place[fanin]

        for i, node in luts:
            fanins = tuple(map(placed, node.fanins))
            place[i] = builder.add(Lut(fanins, node.table))
        return Piece(builder.finish([place[i] for i in module.outputs]), tuple(wires))


def divided(graph: BooleanGraph, *, most: int | None = None, size: int | None = None) -> BooleanGraph:
    """Return a graph with the same nodes, and with modules if it is large and has none.

    Parameters
    ----------
    graph
        Any graph.
    most
        Estimated number of AND nodes up to which it stays as it is, by default :data:`MOST_NODES`.
    size
        Estimated number of AND nodes of a module, by default :data:`MODULE_NODES`.
    """
    most = MOST_NODES if most is None else most
    if graph.modules or sum(_nodes(lut) for _, lut in graph.luts) <= most:
        return graph
    ranges = list(_ranges(graph, MODULE_NODES if size is None else size))
    module_of = {i: k for k, (first, last) in enumerate(ranges) for i in range(first, last)}
    read_elsewhere = set(graph.outputs)
    for i, lut in graph.luts:
        read_elsewhere |= {fanin for fanin in lut.fanins if module_of[fanin] != module_of[i]}
    modules = [
        Module(
            first,
            last,
            tuple(i for i in range(first, last) if i in read_elsewhere and isinstance(graph.node(i), Lut)),
        )
        for first, last in ranges
    ]
    return graph.with_modules([module for module in modules if module.outputs])


def _nodes(lut: Lut) -> float:
    """Estimate the AND nodes of a LUT: two thirds of its table's size, as for random tables."""
    return (2 << len(lut.fanins)) / 3


def _ranges(graph: BooleanGraph, size: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of node ids of about ``size`` AND nodes each; together they hold all nodes but outputs."""
    end = len(graph) - len(graph.outputs)
    first, nodes = 0, 0.0
    for i, lut in graph.luts:
        if nodes and nodes + _nodes(lut) > size:
            yield first, i
            first, nodes = i, 0.0
        nodes += _nodes(lut)
    yield first, end


def assembled(whole: BooleanGraph, pieces: Sequence[Piece]) -> BooleanGraph:
    """Return the graph that consists of pieces, with one module for each.

    Parameters
    ----------
    whole
        A graph with modules, whose wires the pieces read, and whose outputs the new graph has.
    pieces
        A graph for each of its modules, with the same outputs.
    """
    features = len(whole.interface.widths)
    builder = GraphBuilder(whole.interface)
    used = {node for piece in pieces for _, node in piece.graph.inputs if node.feature < features} | {
        whole.node(driver) for driver in whole.outputs
    }
    for _, given in whole.inputs:
        if given in used:
            builder.add(given)
    driving: list[int] = []
    modules: list[Module] = []
    for piece in pieces:
        first = len(builder)
        place: dict[int, int] = {}
        for i, node in piece.graph.nodes():
            match node:
                case CodeBit(feature, _) if feature >= features:
                    place[i] = driving[piece.wires[feature - features]]
                case Lut(fanins, table):
                    place[i] = builder.add(Lut(tuple(place[fanin] for fanin in fanins), table))
                case Threshold() | CodeBit() | Constant():
                    place[i] = builder.add(node)
        outputs: dict[int, None] = {}
        for driver in piece.graph.outputs:
            node_id = place[driver]
            # A wire is a LUT of its own, even where it equals another one or an input.
            if node_id < first or node_id in outputs or not isinstance(builder.node(node_id), Lut):
                node_id = builder.add(Lut((node_id,), 0b10))
            outputs[node_id] = None
        modules.append(Module(first, len(builder), tuple(outputs)))
        driving += outputs
    drivers = [
        driving[driver] if isinstance(driver, int) else builder.add(driver)
        for driver in Pieces(whole).drivers
    ]
    return builder.finish(drivers, modules)
