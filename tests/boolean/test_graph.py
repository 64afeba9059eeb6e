"""BooleanGraph: building, evaluation, and its file."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import boolean_graphs, patterns

from dwn_asic.boolean.graph import (
    BooleanGraph,
    CodeBit,
    Constant,
    GraphBuilder,
    Interface,
    Lut,
    Threshold,
)
from dwn_asic.errors import DataError

INTERFACE = Interface(("a", "b"), (3, 1), ("no", "yes", "perhaps"))


def example() -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    a, b = builder.add(Threshold(0, 5)), builder.add(Threshold(1, 1))
    return builder.finish([builder.add(Lut((a, b), 0b1000)), builder.add(Constant(value=False))])


def test_predict_compares_codes_and_joins_output_bits() -> None:
    codes = np.array([[5, 1], [7, 1], [4, 1], [5, 0]])
    assert example().predict(codes).tolist() == [1, 1, 0, 0]


def test_code_bits_read_one_bit_of_the_code() -> None:
    builder = GraphBuilder(INTERFACE)
    graph = builder.finish([builder.add(CodeBit(0, k)) for k in (2, 0)])
    assert graph.predict(np.arange(8)[:, None]).tolist() == [0, 2, 0, 2, 1, 3, 1, 3]


def test_an_input_is_added_once_a_lut_as_often_as_asked() -> None:
    builder = GraphBuilder(INTERFACE)
    assert builder.add(Threshold(0, 5)) == builder.add(Threshold(0, 5))
    assert builder.add(Lut((0,), 1)) != builder.add(Lut((0,), 1))


@pytest.mark.parametrize("fanins", [(2,), (0, 2), (-1,)])
def test_fanin_that_is_not_there(fanins: tuple[int, ...]) -> None:
    builder = GraphBuilder(INTERFACE)
    builder.add(Threshold(0, 5))
    builder.add(Threshold(0, 6))
    with pytest.raises(ValueError, match="not all among the 2 earlier nodes"):
        builder.add(Lut(fanins, 0))


@pytest.mark.parametrize(("fanins", "table"), [((), 2), ((0,), 4), ((0, 0), 16), ((0,), -1)])
def test_table_that_does_not_fit(fanins: tuple[int, ...], table: int) -> None:
    builder = GraphBuilder(INTERFACE)
    builder.add(Threshold(0, 5))
    with pytest.raises(ValueError, match="does not fit"):
        builder.add(Lut(fanins, table))


@pytest.mark.parametrize("node", [Threshold(2, 1), CodeBit(-1, 0)])
def test_input_of_no_feature(node: Threshold | CodeBit) -> None:
    with pytest.raises(ValueError, match="outside the 2 features"):
        GraphBuilder(INTERFACE).add(node)


@pytest.mark.parametrize("output", [-1, 1])
def test_output_of_no_node(output: int) -> None:
    builder = GraphBuilder(INTERFACE)
    builder.add(Constant(value=True))
    with pytest.raises(ValueError, match="not all among the 1 nodes"):
        builder.finish([output])


def test_interface_of_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="2 feature names, 1 widths"):
        Interface(("a", "b"), (3,), ("no", "yes"))


@pytest.mark.parametrize(("classes", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (16, 4), (17, 5)])
def test_class_bits(classes: int, bits: int) -> None:
    assert Interface((), (), tuple(map(str, range(classes)))).class_bits == bits


def test_a_finished_graph_is_frozen_and_says_what_its_nodes_are() -> None:
    graph = example()
    assert [graph.digraph.nodes[i]["kind"] for i in graph.digraph] == [
        *("threshold", "threshold", "lut", "constant", "output", "output")
    ]
    assert set(graph.digraph.edges) == {(0, 2), (1, 2), (2, 4), (3, 5)}
    with pytest.raises(nx.NetworkXError, match=r"[Ff]rozen"):
        graph.digraph.add_edge(0, 5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=boolean_graphs())
def test_file_round_trip(graph: BooleanGraph, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    graph.save(first)
    loaded = BooleanGraph.load(first)
    loaded.save(second)
    assert second.read_bytes() == first.read_bytes()
    assert loaded.interface == graph.interface
    assert list(loaded.nodes()) == list(graph.nodes())
    bits = patterns(len(graph.inputs))
    np.testing.assert_array_equal(loaded.simulate(bits), graph.simulate(bits))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value"),
        ("garbage", "Expecting value"),
        ("[]", "list indices"),
        ("null", "not a graph file"),
        ("[" * 100_000, "RecursionError"),
        ('{"format": 9}', "graph format 9, this version reads 1"),
        ('{"format": 1}', "interface"),
        ('{"format": 1, "interface": {"wrong": []}, "nodes": []}', "wrong"),
    ],
)
def test_not_a_graph_file(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(text)
    with pytest.raises(DataError, match=problem) as caught:
        BooleanGraph.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_and_binary_graph_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a graph file"):
        BooleanGraph.load(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="not a graph file"):
        BooleanGraph.load(tmp_path / "binary.json")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"threshold", 0, 5', '"treshold", 0, 5', "unknown node"),
        ('"threshold", 0, 5', '"threshold", 7, 5', "outside the 2 features"),
        ('"threshold", 1, 1', '"threshold", 0, 5', "node 1 repeats an earlier input"),
        ("[0, 1]", "[0, 2]", "not all among the 2 earlier nodes"),
        ("0x8", "0x10", "does not fit"),
        ("0x8", "many", "invalid literal"),
        ('["output", 0, 2]', '["output", 0, 99]', "not all among the 4 nodes"),
        ('["output", 0, 2]', '["output", 5, 2]', "KeyError"),
        ('"constant", 0', '"output", 1, 2', "follows|not all"),
    ],
)
def test_damaged_graph_file(old: str, new: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    example().save(path)
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=problem):
        BooleanGraph.load(path)


def test_truncated_graph_file(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    example().save(path)
    whole = path.read_text().rstrip()
    for length in range(len(whole)):
        path.write_text(whole[:length])
        with pytest.raises(DataError, match="not a graph file"):
            BooleanGraph.load(path)
