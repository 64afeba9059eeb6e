"""Equivalence of two graphs: a difference is found with a real input, equality is proved."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import boolean_graphs, evaluate, patterns

from dwn_asic.boolean.aig import from_aig, to_aig
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Input, Interface, Lut
from dwn_asic.equivalence.combinational import Counterexample, find_difference
from dwn_asic.errors import ToolError

INTERFACE = Interface(("a", "b"), (16, 16), ("no", "yes"))
AND, OR, XOR = 0b1000, 0b1110, 0b0110


def value_of(graph: BooleanGraph, inputs: dict[Input, bool]) -> tuple[bool, ...]:
    row = np.array([[inputs[node] for _, node in graph.inputs]], bool)
    return tuple(evaluate(graph, row.reshape(1, -1))[0].tolist())


def is_real(found: Counterexample, expected: BooleanGraph, got: BooleanGraph) -> bool:
    """Return whether the counterexample has the graphs' outputs, and they differ."""
    outputs = (value_of(expected, found.inputs), value_of(got, found.inputs))
    return outputs == (found.expected, found.got) and found.expected != found.got


def reduction(table: int, count: int, *, chain: bool, inputs: Sequence[Input] = ()) -> BooleanGraph:
    """Reduce many code bits to one by ``table``, in a chain or a tree."""
    builder = GraphBuilder(INTERFACE)
    nodes = [builder.add(node) for node in inputs or [CodeBit(k // 16, k % 16) for k in range(count)]]
    while len(nodes) > 1:
        joined = builder.add(Lut((nodes[0], nodes[1]), table))
        nodes = [joined, *nodes[2:]] if chain else [*nodes[2:], joined]
    return builder.finish(nodes)


@settings(max_examples=30)
@given(boolean_graphs(n_outputs=2, max_luts=5), boolean_graphs(n_outputs=2, max_luts=5))
def test_random_pairs(expected: BooleanGraph, got: BooleanGraph) -> None:
    inputs = sorted({node for graph in (expected, got) for _, node in graph.inputs})
    rows = patterns(len(inputs))
    outputs = [
        evaluate(graph, rows[:, [inputs.index(node) for _, node in graph.inputs]])
        for graph in (expected, got)
    ]
    found = find_difference(expected, got)
    if np.array_equal(*outputs):
        assert found is None
    else:
        assert found is not None
        assert set(found.inputs) == set(inputs)
        assert is_real(found, expected, got)


@settings(max_examples=15)
@given(boolean_graphs())
def test_a_graph_equals_its_aig(graph: BooleanGraph) -> None:
    inputs = tuple(node for _, node in graph.inputs)
    assert find_difference(graph, from_aig(to_aig(graph), inputs, graph.interface)) is None


@pytest.mark.parametrize("table", [AND, OR, XOR])
def test_chain_and_tree_are_proved_equal(table: int) -> None:
    assert find_difference(reduction(table, 24, chain=True), reduction(table, 24, chain=False)) is None


@pytest.mark.parametrize("value", [False, True])
def test_one_input_in_a_million(value: bool) -> None:
    """The AND of 20 bits differs from 0 on one pattern: random patterns miss it, SAT finds it."""
    wide = reduction(AND if value else OR, 20, chain=True)
    builder = GraphBuilder(INTERFACE)
    constant = builder.finish([builder.add(Constant(value=not value))])
    found = find_difference(wide, constant)
    assert found is not None
    assert found.inputs == {CodeBit(k // 16, k % 16): value for k in range(20)}
    assert (found.expected, found.got) == ((value,), (not value,))
    assert is_real(found, wide, constant)


def test_one_minterm_amid_logic() -> None:
    """The second output differs where 20 bits have one pattern, and only there."""
    wanted = [bool(0b1011_0010_1110_0001_1010 >> k & 1) for k in range(20)]
    graphs = []
    for flipped in (False, True):
        builder = GraphBuilder(INTERFACE)
        bits = [builder.add(CodeBit(k // 16, k % 16)) for k in range(20)]
        parity = match = bits[0]
        match = builder.add(Lut((bits[0],), 0b10 if wanted[0] else 0b01))
        for bit, value in zip(bits[1:], wanted[1:], strict=True):
            parity = builder.add(Lut((parity, bit), XOR))
            match = builder.add(Lut((match, bit), AND if value else 0b0010))
        second = builder.add(Lut((parity, match), XOR)) if flipped else parity
        graphs.append(builder.finish([parity, second]))
    found = find_difference(*graphs)
    assert found is not None
    assert [found.inputs[CodeBit(k // 16, k % 16)] for k in range(20)] == wanted
    assert is_real(found, *graphs)


def test_graphs_need_not_read_the_same_inputs() -> None:
    few, other = [CodeBit(0, 0), CodeBit(0, 1)], [CodeBit(1, 3), CodeBit(0, 0)]
    expected = reduction(XOR, 2, chain=True, inputs=few)
    got = reduction(XOR, 2, chain=True, inputs=other)
    found = find_difference(expected, got)
    assert found is not None
    assert set(found.inputs) == {*few, *other}
    assert is_real(found, expected, got)
    reordered = reduction(XOR, 2, chain=True, inputs=few[::-1])
    assert find_difference(expected, reordered) is None


def constant(value: bool) -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    return builder.finish([builder.add(Constant(value))])


def test_constants() -> None:
    assert find_difference(constant(False), constant(False)) is None
    found = find_difference(constant(False), constant(True))
    assert found == Counterexample({}, (False,), (True,))
    builder = GraphBuilder(INTERFACE)
    bit = builder.add(CodeBit(0, 0))
    always = builder.finish([builder.add(Lut((bit, bit), 0b1111))])
    assert find_difference(constant(True), always) is None


def test_numbers_of_outputs_differ() -> None:
    one, builder = constant(True), GraphBuilder(INTERFACE)
    two = builder.finish([builder.add(Constant(value=True))] * 2)
    with pytest.raises(ValueError, match="the graphs have 1 and 2 outputs"):
        find_difference(one, two)


def mock(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    program = folder / "abc"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("DWN_ASIC_ABC", str(program))


DONE = "echo 'dwn-asic: abc script completed'"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            f"echo 'Networks are UNDECIDED.'; {DONE}",
            "came to no decision in 300 s; last output: Networks are UND",
        ),
        (DONE, "came to no decision"),
        ("echo 'Networks are equivalent'", "lacks 'dwn-asic: abc script completed'"),
        ("echo 'Networks are equivalent'; exit 1", "exit code 1"),
    ],
)
def test_abc_without_a_decision_proves_nothing(
    body: str, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mock(monkeypatch, tmp_path, body)
    graphs = [reduction(AND, 8, chain=chain) for chain in (False, True)]
    with pytest.raises(ToolError, match=problem) as caught:
        find_difference(*graphs)
    assert "\n" not in str(caught.value)


def test_abc_that_sees_a_difference_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mock(monkeypatch, tmp_path, f"echo 'Networks are NOT EQUIVALENT.'; {DONE}")
    graphs = [reduction(AND, 8, chain=chain) for chain in (False, True)]
    with pytest.raises(ToolError, match="does not show"):
        find_difference(*graphs)


def test_abc_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWN_ASIC_ABC", "/nowhere/abc")
    start = time.monotonic()
    with pytest.raises(ToolError, match="DWN_ASIC_ABC is '/nowhere/abc'"):
        find_difference(reduction(AND, 4, chain=True), reduction(AND, 4, chain=False))
    assert time.monotonic() - start < 5
