"""Joining graphs: an encoder in front of a core."""

from __future__ import annotations

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Lut, Output

__all__ = ["compose"]


def compose(encoder: BooleanGraph, core: BooleanGraph) -> BooleanGraph:
    """The graph from code bits to class index.

    Output t of the encoder drives input t of the core (in the order of :attr:`BooleanGraph.inputs`).
    """
    if len(encoder.outputs) != len(core.inputs):
        raise ValueError(f"encoder has {len(encoder.outputs)} outputs, core has {len(core.inputs)} inputs")
    builder = GraphBuilder(core.interface)
    place = _copy(encoder, builder, {})
    given = {index: place[driver] for (index, _), driver in zip(core.inputs, encoder.outputs, strict=True)}
    place = _copy(core, builder, given)
    return builder.finish([place[driver] for driver in core.outputs])


def _copy(graph: BooleanGraph, builder: GraphBuilder, place: dict[int, int]) -> dict[int, int]:
    place = dict(place)
    for index, node in graph.nodes():
        if isinstance(node, Lut):
            place[index] = builder.add(Lut(tuple(place[f] for f in node.fanins), node.table))
        elif index not in place and not isinstance(node, Output):
            place[index] = builder.add(node)
    return place
