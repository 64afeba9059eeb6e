"""A circuit in two parts, encoder and core, and their composition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Lut, Output

__all__ = ["Circuit", "compose", "copied"]


@dataclass(frozen=True)
class Circuit:
    """A classifier as targets implement it: the comparators (encoder) and the logic behind them (core).

    Attributes
    ----------
    encoder
        Graph from code bits to one output per input of the core, in the core's input order.
    core
        Graph from thresholds (or code bits) to the bits of the class index.
    """

    encoder: BooleanGraph
    core: BooleanGraph

    @property
    def is_large(self) -> bool:
        """True if encoder or core has modules."""
        return bool(self.encoder.modules or self.core.modules)

    @cached_property
    def graph(self) -> BooleanGraph:
        """The whole circuit, from code bits to the class index."""
        return compose(self.encoder, self.core)


def compose(encoder: BooleanGraph, core: BooleanGraph) -> BooleanGraph:
    """Return the graph from code bits to the class index.

    Output t of the encoder drives input t of the core (in the order of :attr:`BooleanGraph.inputs`).
    """
    if len(encoder.outputs) != len(core.inputs):
        raise ValueError(f"encoder has {len(encoder.outputs)} outputs, core has {len(core.inputs)} inputs")
    builder = GraphBuilder(core.interface)
    place = copied(encoder, builder, {})
    given = {index: place[driver] for (index, _), driver in zip(core.inputs, encoder.outputs, strict=True)}
    place = copied(core, builder, given)
    return builder.finish([place[driver] for driver in core.outputs])


def copied(graph: BooleanGraph, builder: GraphBuilder, place: dict[int, int]) -> dict[int, int]:
    """Add the nodes of a graph to a builder, and return the new id of each.

    Inputs in ``place`` are not added: they take the nodes of the builder that it names.
    """
    place = dict(place)
    for index, node in graph.nodes():
        if isinstance(node, Lut):
            place[index] = builder.add(Lut(tuple(place[f] for f in node.fanins), node.table))
        elif index not in place and not isinstance(node, Output):
            place[index] = builder.add(node)
    return place
