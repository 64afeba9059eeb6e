"""Conversion of a LutNetwork to a graph: heads with padding and ties, on every value of the last layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from strategies import patterns

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.graph import Constant, Threshold
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer


def buffers(head: Head, outputs: int) -> LutNetwork:
    """Return a network whose last-layer output i is feature i."""
    names = tuple(f"f{i}" for i in range(outputs))
    return LutNetwork(
        Quantizer(np.zeros(outputs), np.ones(outputs), np.ones(outputs, np.int64)),
        Thermometer(np.arange(outputs), np.ones(outputs, np.int64)),
        (LutLayer(np.arange(outputs)[:, None], np.tile([False, True], (outputs, 1))),),
        head,
        names,
        tuple(f"c{i}" for i in range(head.n_classes)),
    )


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        (Head("direct", "binary", 2), 1),
        (Head("direct", "binary", 5), 3),
        (Head("direct", "onehot", 2), 2),
        (Head("direct", "onehot", 3), 3),
        (Head("direct", "onehot", 6), 6),
        *((Head("popcount", "onehot", 2), n) for n in (1, 2, 3, 7, 10)),
        *((Head("popcount", "onehot", 3), n) for n in (2, 3, 4, 7, 11)),
        *((Head("popcount", "onehot", 5), n) for n in (6, 11)),  # 6 in groups of 2: the last two are padding
    ],
)
def test_head_logic_decides_as_the_model(head: Head, outputs: int) -> None:
    network = buffers(head, outputs)
    codes = patterns(outputs).astype(np.int64)
    graph = to_graph(network)
    assert len(graph.outputs) == head.class_bits
    np.testing.assert_array_equal(graph.predict(codes), network.predict(codes))


def test_nodes_are_the_network_s() -> None:
    network = buffers(Head("direct", "binary", 2), 1)
    table = np.array([[0, 1, 0, 0, 1, 1, 0, 1]], bool)
    mapping = np.array([[0, 0, 0]])
    network = LutNetwork(
        network.quantizer, network.thermometer, (LutLayer(mapping, table),), network.head, ("f",), ("n", "y")
    )
    graph = to_graph(network)
    assert [node for _, node in graph.inputs] == [Threshold(0, 1)]
    ((_, lut),) = graph.luts
    assert lut.table == 0b10110010
    assert lut.fanins == (0, 0, 0)
    assert graph.interface.widths == (1,)
    assert graph.interface.class_names == ("n", "y")


@pytest.mark.parametrize(("constant", "value"), [(-3, True), (0, True), (2, False), (9, False)])
def test_a_threshold_that_no_code_tells_apart_is_a_constant(constant: int, value: bool) -> None:
    network = buffers(Head("direct", "binary", 2), 1)
    network = replace(network, thermometer=Thermometer(np.array([0]), np.array([constant])))
    graph = to_graph(network)
    assert graph.inputs == ()
    assert graph.node(0) == Constant(value)
    assert graph.predict(np.array([[0], [1]])).tolist() == [value, value]
