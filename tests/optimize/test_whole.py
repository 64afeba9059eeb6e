"""Encoder and core as one circuit: chosen where that is smaller, and always the same function."""

from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.boolean.comparators import specification
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.equivalence.combinational import find_difference
from dwn_asic.optimize.exact.minimize import mapped_areas, minimize_parts
from dwn_asic.optimize.exact.whole import merge_parts
from dwn_asic.targets.asic.cell_library import CellLibrary
from dwn_asic.targets.asic.cost import CellCost


def parity_of_the_code() -> BooleanGraph:
    """Build the exclusive or of all seven thresholds of a 3-bit code, which is the code's lowest bit."""
    builder = GraphBuilder(Interface(("x",), (3,), ("even", "odd")))
    nodes = [builder.add(Threshold(0, c)) for c in range(1, 8)]
    while len(nodes) > 1:
        nodes = [builder.add(Lut((nodes[0], nodes[1]), 0b0110)), *nodes[2:]]
    return builder.finish(nodes)


def one_comparator() -> BooleanGraph:
    """Build a buffer behind a threshold, where merging gains nothing."""
    builder = GraphBuilder(Interface(("x",), (8,), ("no", "yes")))
    return builder.finish([builder.add(Lut((builder.add(Threshold(0, 0b10110101)),), 0b10))])


@pytest.mark.parametrize(("graph", "merged"), [(parity_of_the_code(), True), (one_comparator(), False)])
def test_the_smaller_of_two_parts_and_one(graph: BooleanGraph, merged: bool, library: CellLibrary) -> None:
    cost = CellCost(library)
    parts = minimize_parts(graph, cost, effort="low")
    core, encoder = merge_parts(graph, parts, cost, effort="low")
    circuit = Circuit(encoder.graph, core.graph)
    assert any(isinstance(node, CodeBit) for _, node in circuit.core.inputs) == merged
    whole = sum(mapped_areas([circuit.core, circuit.encoder], cost))
    split = sum(part.area for part in parts)
    assert core.area + encoder.area == pytest.approx(whole)
    assert whole < split if merged else whole == pytest.approx(split)
    assert find_difference(specification(graph), circuit.graph) is None
    codes = np.arange(1 << graph.interface.widths[0])[:, None]
    assert np.array_equal(circuit.graph.predict(codes), graph.predict(codes))
