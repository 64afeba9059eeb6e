"""Faults of graphs: each function draws one place in a graph, and returns the graph with the fault there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.graph import (
    BooleanGraph,
    Constant,
    GraphBuilder,
    Input,
    Interface,
    Lut,
    Output,
    Threshold,
)

Mutator = Callable[[BooleanGraph, np.random.Generator], BooleanGraph | None]
"""None if the graph has no place for the fault."""


def table_bit(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Flip a bit of the table of a LUT."""
    found = _drawn_lut(graph, rng)
    if found is None:
        return None
    index, lut = found
    bit = int(rng.integers(0, 1 << len(lut.fanins)))
    return _rebuilt(graph, {index: Lut(lut.fanins, lut.table ^ 1 << bit)})


def wire_swap(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Connect an input of a LUT to another node before it."""
    found = _drawn_lut(graph, rng)
    if found is None:
        return None
    index, lut = found
    slot = int(rng.integers(0, len(lut.fanins)))
    others = [k for k in range(index) if k != lut.fanins[slot]]
    if not others:
        return None
    fanins = (*lut.fanins[:slot], int(rng.choice(others)), *lut.fanins[slot + 1 :])
    return _rebuilt(graph, {index: Lut(fanins, lut.table)})


def inverted_pin(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Invert an input of a LUT."""
    found = _drawn_lut(graph, rng)
    if found is None:
        return None
    index, lut = found
    slot, n = int(rng.integers(0, len(lut.fanins))), len(lut.fanins)
    table = sum((lut.table >> (a ^ 1 << slot) & 1) << a for a in range(1 << n))
    return _rebuilt(graph, {index: Lut(lut.fanins, table)})


def stuck_at(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Connect an input of a LUT to 0 or 1."""
    found = _drawn_lut(graph, rng)
    if found is None:
        return None
    index, lut = found
    slot, n, value = int(rng.integers(0, len(lut.fanins))), len(lut.fanins), int(rng.integers(0, 2))
    fixed = [(a & ~(1 << slot)) | value << slot for a in range(1 << n)]
    table = sum((lut.table >> address & 1) << a for a, address in enumerate(fixed))
    return _rebuilt(graph, {index: Lut(lut.fanins, table)})


def threshold_off_by_one(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Move a threshold by one code."""
    moved = moved_threshold([node for _, node in graph.inputs], graph.interface, rng)
    if moved is None:
        return None
    place, node = moved
    return _rebuilt(graph, {graph.inputs[place][0]: node})


def swapped_classes(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Exchange the indices of two classes."""
    n, classes = len(graph.outputs), len(graph.interface.class_names)
    a, b = (int(k) for k in rng.choice(classes, 2, replace=False))
    swapped = {a: b, b: a}
    builder = GraphBuilder(graph.interface)
    for _, node in graph.nodes():
        if not isinstance(node, Output):
            builder.add(node)
    numbers = [swapped.get(k, k) for k in range(1 << n)]
    tables = [sum((number >> bit & 1) << k for k, number in enumerate(numbers)) for bit in range(n)]
    return builder.finish([builder.add(Lut(graph.outputs, table)) for table in tables])


def swapped_class_names(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Exchange the names of two classes."""
    names = _swapped(graph.interface.class_names, rng)
    return _rebuilt(graph, {}, replace(graph.interface, class_names=names))


def swapped_feature_names(graph: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Exchange the names of two features."""
    names = _swapped(graph.interface.feature_names, rng)
    return _rebuilt(graph, {}, replace(graph.interface, feature_names=names))


def wrong_comparator(core: BooleanGraph, rng: np.random.Generator) -> BooleanGraph | None:
    """Return an encoder for a core in which the constant of one comparator is one too large or too small."""
    inputs: list[Input] = [node for _, node in core.inputs]
    moved = moved_threshold(inputs, core.interface, rng)
    if moved is None:
        return None
    inputs[moved[0]] = moved[1]
    return encoder_graph(inputs, core.interface)


def moved_threshold(
    inputs: list[Input], interface: Interface, rng: np.random.Generator
) -> tuple[int, Threshold] | None:
    """Draw a threshold that can move by one code without meeting another one; returns its place and value."""
    moves = [
        (place, Threshold(node.feature, node.constant + step))
        for place, node in enumerate(inputs)
        if isinstance(node, Threshold)
        for step in (-1, 1)
    ]
    free = [
        (place, node)
        for place, node in moves
        if 0 < node.constant < 1 << interface.widths[node.feature] and node not in inputs
    ]
    return free[int(rng.integers(0, len(free)))] if free else None


def _drawn_lut(graph: BooleanGraph, rng: np.random.Generator) -> tuple[int, Lut] | None:
    luts = [(index, lut) for index, lut in graph.luts if lut.fanins]
    return luts[int(rng.integers(0, len(luts)))] if luts else None


def _swapped(names: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
    a, b = (int(k) for k in rng.choice(len(names), 2, replace=False))
    order = {a: b, b: a}
    return tuple(names[order.get(k, k)] for k in range(len(names)))


def _rebuilt(
    graph: BooleanGraph, changes: dict[int, Input | Constant | Lut], interface: Interface | None = None
) -> BooleanGraph:
    builder = GraphBuilder(interface or graph.interface)
    for index, node in graph.nodes():
        if not isinstance(node, Output):
            builder.add(changes.get(index, node))
    return builder.finish(graph.outputs)


EVERYWHERE: dict[str, Mutator] = {
    "table bit": table_bit,
    "wire swap": wire_swap,
    "inverted pin": inverted_pin,
    "stuck at": stuck_at,
}
"""Faults of any graph."""
MEANING: dict[str, Mutator] = {
    "swapped class indices": swapped_classes,
    "swapped class names": swapped_class_names,
    "swapped feature names": swapped_feature_names,
}
"""Faults of graphs whose outputs are the class index."""
