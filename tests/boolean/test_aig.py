"""The bridge to and-inverter graphs and BLIF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aigverse.networks import Aig
from hypothesis import HealthCheck, given, settings
from strategies import boolean_graphs, evaluate, patterns

from dwn_asic.boolean.aig import _shannon, and_count, from_aig, read_aiger, to_aig, to_blif
from dwn_asic.boolean.flat_aig import flatten
from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Input, Interface, Lut, Threshold
from dwn_asic.tools import find_abc


def inputs_of(graph: BooleanGraph) -> tuple[Input, ...]:
    return tuple(node for _, node in graph.inputs)


def on_all_patterns(graph: BooleanGraph, inputs: tuple[Input, ...]) -> np.ndarray:
    """Return the (2**I, O) outputs, passing over the inputs that the graph does not use."""
    return evaluate(graph, patterns(len(inputs))[:, [inputs.index(node) for node in inputs_of(graph)]])


@given(boolean_graphs())
def test_round_trip(graph: BooleanGraph) -> None:
    inputs = inputs_of(graph)
    back = from_aig(to_aig(graph), inputs, graph.interface)
    assert all(len(lut.fanins) <= 2 for _, lut in back.luts)
    np.testing.assert_array_equal(on_all_patterns(back, inputs), on_all_patterns(graph, inputs))


@given(boolean_graphs(max_inputs=4))
def test_order_of_the_inputs_can_be_chosen(graph: BooleanGraph) -> None:
    inputs = inputs_of(graph)
    order = (Threshold(0, 200), *reversed(inputs))  # one that the graph does not have
    aig = to_aig(graph, order)
    assert aig.num_pis == len(order)
    back = from_aig(aig, order, graph.interface)
    np.testing.assert_array_equal(on_all_patterns(back, inputs), on_all_patterns(graph, inputs))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=boolean_graphs(max_luts=6))
def test_abc_reads_the_same_function_from_blif(graph: BooleanGraph, tmp_path: Path) -> None:
    (tmp_path / "graph.blif").write_text(to_blif(graph, "graph"))
    find_abc().run_script("read_blif graph.blif; strash; write_aiger graph.aig", timeout_s=20, cwd=tmp_path)
    inputs = inputs_of(graph)
    back = read_aiger(tmp_path / "graph.aig", inputs, graph.interface)
    np.testing.assert_array_equal(on_all_patterns(back, inputs), on_all_patterns(graph, inputs))


def test_blif_text() -> None:
    builder = GraphBuilder(Interface(("x",), (8,), ("no", "yes")))
    a, b = builder.add(Threshold(0, 1)), builder.add(Threshold(0, 2))
    only_b = builder.add(Lut((a, b), 0b0100))
    text = to_blif(builder.finish([only_b, a]), "demo")
    assert text.splitlines() == [
        *(".model demo", ".inputs i0 i1", ".outputs o0 o1"),
        *(".names i0 i1 n2", "01 1", ".names n2 o0", "1 1", ".names i0 o1", "1 1", ".end"),
    ]


@pytest.mark.parametrize(
    ("table", "n", "ands"),
    [(0b1000, 2, 1), (0b0110, 2, 3), (0b11001010, 3, 3), (0, 2, 0), (0b1010, 2, 0), (1 << 63, 6, 5)],
)
def test_and_count(table: int, n: int, ands: int) -> None:
    builder = GraphBuilder(Interface(("x",), (8,), ("no", "yes")))
    fanins = tuple(builder.add(Threshold(0, 1 + i)) for i in range(n))
    assert and_count(builder.finish([builder.add(Lut(fanins, table))])) == ands


@pytest.mark.parametrize("table", range(16))
def test_two_input_function_is_built_like_any_other(table: int) -> None:
    builder = GraphBuilder(Interface(("x", "y"), (8, 8), ("a", "b")))
    fanins = builder.add(Threshold(0, 5)), builder.add(Threshold(1, 7))
    aig = to_aig(builder.finish([builder.add(Lut(fanins, table))]))
    general = Aig()
    inputs = [general.create_pi() for _ in fanins]
    general.create_po(_shannon(general, table, inputs, {}))
    assert flatten(aig, 2) == flatten(general, 2)
