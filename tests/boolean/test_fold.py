"""Folding: the same function, never more LUTs, and each rewrite by example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from strategies import boolean_graphs, evaluate, patterns

from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import (
    BooleanGraph,
    Constant,
    GraphBuilder,
    Input,
    Interface,
    Lut,
    Threshold,
)

AND, OR, XOR, NOT, BUFFER = 0b1000, 0b1110, 0b0110, 0b01, 0b10


def graph_of(nodes: Sequence[Input | Constant | Lut], outputs: Sequence[int]) -> BooleanGraph:
    """Build a graph of these nodes, in order of their ids, over one feature of 8 bits."""
    builder = GraphBuilder(Interface(("x",), (8,), ("no", "yes")))
    for node in nodes:
        builder.add(node)
    return builder.finish(outputs)


A, B, C = (Threshold(0, c) for c in (1, 2, 3))
ZERO, ONE = Constant(value=False), Constant(value=True)


@given(boolean_graphs())
def test_function_stays_and_size_never_grows(graph: BooleanGraph) -> None:
    folded = fold(graph)
    inputs = [node for _, node in graph.inputs]
    kept = [node for _, node in folded.inputs]
    assert set(kept) <= set(inputs)
    assert len(folded.luts) <= len(graph.luts)
    bits = patterns(len(inputs))
    columns = [inputs.index(node) for node in kept]
    np.testing.assert_array_equal(evaluate(folded, bits[:, columns]), evaluate(graph, bits))


@given(boolean_graphs())
def test_what_is_left_has_no_fat(graph: BooleanGraph) -> None:
    folded = fold(graph)
    read = {fanin for _, lut in folded.luts for fanin in lut.fanins} | set(folded.outputs)
    assert {index for index, _ in folded.luts} <= read
    assert len(set(folded.luts)) == len(folded.luts)
    for _, lut in folded.luts:
        assert len(set(lut.fanins)) == len(lut.fanins) >= 1
        assert not any(isinstance(folded.node(fanin), Constant) for fanin in lut.fanins)


@given(boolean_graphs())
def test_folding_twice_changes_nothing(graph: BooleanGraph) -> None:
    once = fold(graph)
    assert list(fold(once).nodes()) == list(once.nodes())


@pytest.mark.parametrize(
    ("nodes", "output", "wanted"),
    [
        # Constants.
        ([A, ONE, Lut((0, 1), AND)], 2, A),
        ([A, ZERO, Lut((0, 1), AND)], 2, ZERO),
        ([A, ZERO, Lut((0, 1), OR)], 2, A),
        ([A, Lut((), 1), Lut((0, 1), OR)], 2, ONE),
        ([A, Lut((0,), 0b11)], 1, ONE),
        ([A, B, Lut((0, 1), 0)], 2, ZERO),
        # Repeated and irrelevant inputs.
        ([A, Lut((0, 0), AND)], 1, A),
        ([A, Lut((0, 0), XOR)], 1, ZERO),
        ([A, Lut((0, 0, 0), 0b11101000)], 1, A),
        ([A, B, Lut((0, 1), 0b1010)], 2, A),
        # Buffers and pairs of inverters.
        ([A, Lut((0,), BUFFER), Lut((1,), BUFFER)], 2, A),
        ([A, Lut((0,), NOT), Lut((1,), NOT)], 2, A),
        # A function of a node and its complement.
        ([A, Lut((0,), NOT), Lut((0, 1), XOR)], 2, ONE),
        ([A, B, Lut((0, 1), AND), Lut((0, 1), 0b0111), Lut((2, 3), AND)], 4, ZERO),
        # Thresholds that always or never hold.
        ([Threshold(0, 0)], 0, ONE),
        ([Threshold(0, 256)], 0, ZERO),
    ],
)
def test_folds_to_a_leaf(nodes: list[Input | Constant | Lut], output: int, wanted: Input | Constant) -> None:
    folded = fold(graph_of(nodes, [output]))
    assert folded.luts == ()
    assert folded.node(folded.outputs[0]) == wanted


def luts_of(graph: BooleanGraph) -> list[tuple[list[object], int]]:
    return [([graph.node(f) for f in lut.fanins], lut.table) for _, lut in graph.luts]


def test_an_inverter_is_absorbed_by_its_reader() -> None:
    folded = fold(graph_of([A, B, Lut((0,), NOT), Lut((2, 1), AND)], [3]))
    assert luts_of(folded) == [([A, B], 0b0100)]


def test_equal_luts_are_merged_whatever_the_order_of_their_inputs() -> None:
    nodes = [A, B, C, Lut((0, 1), 0b0010), Lut((1, 0), 0b0100), Lut((3, 2), OR), Lut((4, 2), OR)]
    folded = fold(graph_of(nodes, [5, 6]))
    assert len(folded.luts) == 2
    assert folded.outputs[0] == folded.outputs[1]


def test_complements_are_merged_and_one_inverter_serves_all_outputs() -> None:
    nodes = [A, B, Lut((0, 1), AND), Lut((0, 1), 0b0111)]
    folded = fold(graph_of(nodes, [2, 3, 3]))
    assert len(folded.luts) == 2
    assert folded.outputs[1] == folded.outputs[2] != folded.outputs[0]
    inverter = folded.node(folded.outputs[1])
    assert inverter == Lut((folded.outputs[0],), NOT)


def test_a_complemented_output_costs_nothing() -> None:
    nodes = [A, B, C, Lut((0, 1), 0b0111), Lut((3, 2), OR)]
    folded = fold(graph_of(nodes, [3, 4]))
    assert luts_of(folded)[0] == ([A, B], 0b0111)
    assert len(folded.luts) == 2


def test_what_no_output_needs_is_gone() -> None:
    folded = fold(graph_of([A, B, C, Lut((0, 1), AND), Lut((1, 2), XOR)], [4]))
    assert [node for _, node in folded.inputs] == [B, C]
    assert luts_of(folded) == [([B, C], XOR)]


def test_interface_is_kept() -> None:
    graph = graph_of([A], [0])
    assert fold(graph).interface == graph.interface
