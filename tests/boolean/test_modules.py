"""Tests of dwn_asic.boolean.modules: large graphs in modules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.modules import Pieces, assembled, divided

FEATURES = 5


def random_graph(rng: np.random.Generator, n_luts: int = 60) -> BooleanGraph:
    """Return a graph of LUTs of up to four inputs, with constants, and outputs that are also inputs."""
    names = tuple(f"x{i}" for i in range(FEATURES))
    builder = GraphBuilder(Interface(names, (4,) * FEATURES, tuple(map(str, range(16)))))
    nodes = [builder.add(Threshold(f, int(c))) for f in range(FEATURES) for c in rng.integers(1, 16, 3)]
    nodes.append(builder.add(Constant(value=True)))
    for _ in range(n_luts):
        n = int(rng.integers(1, 5))
        fanins = tuple(int(i) for i in rng.choice(nodes, n, replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(0, 1 << (1 << n))))))
    return builder.finish([nodes[-1], nodes[-2], nodes[0], nodes[len(nodes) // 2]])


@pytest.mark.parametrize("seed", range(6))
def test_pieces_put_together_are_the_graph(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    graph = divided(random_graph(rng), most=0, size=40)
    assert len(graph.modules) > 5
    pieces = Pieces(graph)
    again = assembled(graph, [pieces.piece(i) for i in range(len(pieces))])
    codes = rng.integers(0, 16, (500, FEATURES))
    assert (again.predict(codes) == graph.predict(codes)).all()
    assert len(again.modules) == len(graph.modules)
    assert Pieces(again).drivers == pieces.drivers
    again.save(tmp_path / "graph.json")
    assert BooleanGraph.load(tmp_path / "graph.json").modules == again.modules


def test_pieces_read_wires_as_features_of_one_bit() -> None:
    graph = divided(random_graph(np.random.default_rng(1)), most=0, size=40)
    pieces = Pieces(graph)
    wires = 0
    for i, module in enumerate(graph.modules):
        piece = pieces.piece(i)
        read = [node for _, node in piece.graph.inputs if node.feature >= FEATURES]
        assert all(isinstance(node, CodeBit) and node.bit == 0 for node in read)
        assert len(read) == len(piece.wires)
        assert all(wire < wires for wire in piece.wires)
        assert piece.graph.interface.widths[FEATURES:] == (1,) * len(piece.wires)
        assert len(piece.graph.outputs) == len(module.outputs)
        wires += len(module.outputs)


def test_modules_hold_every_lut_once_and_are_bounded() -> None:
    graph = divided(random_graph(np.random.default_rng(2)), most=0, size=40)
    held = [i for m in graph.modules for i in range(m.first, m.last) if isinstance(graph.node(i), Lut)]
    assert held == [i for i, _ in graph.luts]
    for module in graph.modules:
        luts = [graph.node(i) for i in range(module.first, module.last)]
        assert sum((2 << len(lut.fanins)) / 3 for lut in luts if isinstance(lut, Lut)) <= 40


def test_small_graph_has_no_modules() -> None:
    graph = random_graph(np.random.default_rng(0))
    assert divided(graph) is graph
    assert not graph.modules


def test_wire_of_a_piece_that_shrank_to_an_input_is_a_lut_of_its_own() -> None:
    builder = GraphBuilder(Interface(("x", "y"), (1, 1), ("a", "b")))
    x, y = builder.add(CodeBit(0, 0)), builder.add(CodeBit(1, 0))
    same = [builder.add(Lut((x, y), 0b1010)) for _ in range(2)]  # both are x
    graph = divided(builder.finish([builder.add(Lut((same[0], same[1], y), 0b10000000))]), most=0, size=4)
    pieces = Pieces(graph)
    folded = []
    for i in range(len(pieces)):
        piece = pieces.piece(i)
        folded.append(type(piece)(fold(piece.graph), piece.wires))
    again = assembled(graph, folded)
    outputs = [node for module in again.modules for node in module.outputs]
    assert len(outputs) == len(set(outputs)) == 3
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert again.predict(codes).tolist() == [0, 0, 0, 1]
