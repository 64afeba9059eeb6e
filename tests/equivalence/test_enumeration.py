"""Comparison by simulating every code: differences are found wherever they are, with real codes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import lut_networks

from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.equivalence import check, combinational
from dwn_asic.equivalence.check import prove_forms
from dwn_asic.equivalence.combinational import find_difference_on_codes
from dwn_asic.equivalence.enumeration import differing_codes, work
from dwn_asic.errors import ToolError, ToolTimeoutError, VerificationError


def all_codes(interface: Interface) -> np.ndarray:
    return np.array(list(product(*(range(1 << width) for width in interface.widths))))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[BooleanGraph, BooleanGraph]:
    """Draw a network's graph and another: one table entry changed, or comparators on code bits."""
    network = draw(lut_networks(max_inputs=3, max_luts=4).filter(lambda n: n.quantizer.bits.sum() <= 12))
    graph = to_graph(network)
    other = draw(st.sampled_from([graph, fold(graph), specification(graph)]))
    if draw(st.booleans()) and other.luts:
        return graph, changed(other, draw(st.integers(0, len(other.luts) - 1)), draw(st.integers(0, 7)))
    return graph, other


def changed(graph: BooleanGraph, which: int, entry: int) -> BooleanGraph:
    bad, lut = graph.luts[which]
    builder = GraphBuilder(graph.interface)
    place: dict[int, int] = {}
    for index, node in graph.nodes():
        if isinstance(node, Lut):
            table = node.table ^ 1 << entry % (1 << len(lut.fanins)) if index == bad else node.table
            place[index] = builder.add(Lut(tuple(place[f] for f in node.fanins), table))
        elif isinstance(node, Threshold | CodeBit | Constant):
            place[index] = builder.add(node)
    return builder.finish([place[driver] for driver in graph.outputs])


@settings(max_examples=60)
@given(pairs())
def test_differences_on_any_code_are_found_and_no_others(pair: tuple[BooleanGraph, BooleanGraph]) -> None:
    expected, got = pair
    codes = all_codes(expected.interface)
    differ = (expected.predict(codes) != got.predict(codes)).any()
    found = differing_codes(expected, got)
    assert (found is not None) == differ
    assert (find_difference_on_codes(expected, got) is not None) == differ
    if found is not None:
        row = np.zeros((1, codes.shape[1]), np.int64)
        row[0, list(found)] = list(found.values())
        assert expected.predict(row) != got.predict(row)


def wide(features: int, constants: int, parity: int) -> BooleanGraph:
    """Build the exclusive or of all thresholds; ``parity`` may change it where all thresholds hold."""
    interface = Interface(tuple(f"x{f}" for f in range(features)), (6,) * features, ("no", "yes"))
    builder = GraphBuilder(interface)
    result, top = builder.add(Constant(value=False)), builder.add(Constant(value=True))
    for f in range(features):
        for c in range(1, constants + 1):
            result = builder.add(Lut((result, builder.add(Threshold(f, 3 * c))), 0b0110))
        top = builder.add(Lut((top, builder.add(Threshold(f, 3 * constants))), 0b1000))
    return builder.finish([builder.add(Lut((result, top), parity))])


def test_one_case_of_very_many() -> None:
    """The last of 160,000 cases, in many blocks, is the only one that differs."""
    assert differing_codes(wide(4, 19, 0b1010), wide(4, 19, 0b1010)) is None
    assert differing_codes(wide(4, 19, 0b1010), wide(4, 19, 0b0110)) == dict.fromkeys(range(4), 57)


def test_the_work_counts_cases_and_nodes() -> None:
    graph = wide(3, 4, 0b1010)
    assert work(graph, graph) == 5**3 * 2 * len(graph)
    builder = GraphBuilder(graph.interface)
    nodes = [builder.add(Threshold(f, c)) for f in range(3) for c in range(1, 64)]
    spare = builder.add(Lut(tuple(nodes[:3]), 0b10010110))
    alone = builder.finish([nodes[5]])
    assert spare < len(alone)
    assert work(alone, alone) == 2 * 2 * len(alone)  # what no output reads makes no cases
    assert differing_codes(alone, alone) is None
    bits = specification(graph)
    assert work(bits, bits) == 64**3 * 2 * len(bits)


def timed_out(*_: object, **__: object) -> None:
    raise ToolTimeoutError("abc", "&cec came to no decision in 5 s")


def test_sat_is_asked_first_where_there_are_many_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, other = wide(3, 4, 0b1010), wide(3, 4, 0b0110)
    monkeypatch.setattr(combinational, "_QUICK", 0)
    assert find_difference_on_codes(graph, fold(graph)) is None
    found = find_difference_on_codes(graph, other)
    assert found is not None
    assert found.expected != found.got
    monkeypatch.setattr(combinational, "find_difference", timed_out)
    assert find_difference_on_codes(graph, fold(graph)) is None
    again = find_difference_on_codes(graph, other)
    assert again is not None
    assert again.inputs == {CodeBit(f, b): bool(12 >> b & 1) for f in range(3) for b in range(6)}
    assert (again.expected, again.got) == (found.expected, found.got)
    monkeypatch.setattr(combinational, "_MOST", 0)
    with pytest.raises(ToolError, match="no decision"):
        find_difference_on_codes(graph, other)


def test_numbers_of_outputs_differ() -> None:
    one = wide(1, 2, 0b1010)
    builder = GraphBuilder(one.interface)
    two = builder.finish([builder.add(Constant(value=True))] * 2)
    with pytest.raises(ValueError, match="the graphs have 1 and 2 outputs"):
        find_difference_on_codes(one, two)


@settings(max_examples=20)
@given(lut_networks(max_inputs=3, max_luts=4))
def test_a_circuit_is_proved_part_by_part(network: LutNetwork) -> None:
    graph = to_graph(network)
    core = fold(graph)
    encoder = encoder_graph([node for _, node in core.inputs], core.interface)
    circuit = Circuit(encoder, core)
    forms = {"Verilog": circuit.graph, "netlist": fold(circuit.graph)}
    found = list(prove_forms(graph, circuit, forms))
    assert [(c.what, c.how) for c in found] == [
        ("graph == minimized", "proof"),
        ("graph == Verilog", "proof"),
        ("graph == netlist", "proof"),
    ]


def buffer(constant: int, encoder_constant: int) -> tuple[BooleanGraph, Circuit]:
    interface = Interface(("a",), (3,), ("no", "yes"))
    builder = GraphBuilder(interface)
    graph = builder.finish([builder.add(Lut((builder.add(Threshold(0, constant)),), 0b10))])
    return graph, Circuit(encoder_graph([Threshold(0, encoder_constant)], interface), graph)


def test_an_encoder_that_compares_with_another_constant_is_found() -> None:
    graph, circuit = buffer(3, 5)
    with pytest.raises(VerificationError, match=r"graph == minimized fails: at x0_a=[34] ") as caught:
        next(prove_forms(graph, circuit, {}))
    assert (caught.value.expected, caught.value.got) == ("class_index 1", "class_index 0")


def test_parts_that_only_together_are_the_graph_are_proved_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder may do anything for thresholds that the core ignores."""
    graph, _ = buffer(3, 3)
    builder = GraphBuilder(graph.interface)
    read, unread = builder.add(Threshold(0, 3)), builder.add(Threshold(0, 6))
    core = builder.finish([builder.add(Lut((read, unread), 0b1010))])
    encoder = encoder_graph([Threshold(0, 3), Threshold(0, 1)], graph.interface)
    joint = []
    equal = check.check_equal
    monkeypatch.setattr(check, "check_equal", lambda *a, **k: joint.append(a[0]) or equal(*a, **k))
    next(prove_forms(graph, Circuit(encoder, core), {}))
    assert joint == ["graph == minimized"]
