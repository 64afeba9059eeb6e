"""The target aig: node counts, AIGER files and their proof, against brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import boolean_graphs, evaluate

import dwn_asic
from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.aiger import aiger_bytes, aiger_graph, aiger_inputs
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.flat_aig import FlatAig, flatten
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.errors import ConfigError, VerificationError
from dwn_asic.optimize.exact.minimize import mapped_areas
from dwn_asic.targets.aig.cost import AndCost
from dwn_asic.targets.base import Implementation, Specification, Vectors
from dwn_asic.tools import find_abc

INTERFACE = Interface(("height", "age", "unread"), (3, 2, 2), ("small", "tall"))
TARGET = dwn_asic.target("aig")


def graph() -> BooleanGraph:
    """Build random 3-input LUTs over thresholds of two of the three features."""
    rng = np.random.default_rng(3)
    builder = GraphBuilder(INTERFACE)
    nodes = [builder.add(Threshold(f, c)) for f, c in ((0, 3), (0, 5), (0, 6), (1, 1), (1, 2))]
    for _ in range(5):
        fanins = tuple(int(i) for i in rng.choice(nodes[-6:], 3, replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(1, 255)))))
    return builder.finish(nodes[-1:])


def circuit() -> Circuit:
    core = graph()
    return Circuit(encoder_graph([node for _, node in core.inputs], INTERFACE), core)


def implemented() -> Implementation:
    return TARGET.implement(circuit(), "demo", Vectors.drawn(circuit(), 10))


def specification() -> Specification:
    codes = every_code()
    return Specification(graph(), circuit(), codes, graph().predict(codes))


def every_code() -> np.ndarray:
    grids = np.meshgrid(*(np.arange(1 << width) for width in INTERFACE.widths), indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def nodes_and_levels(aig: FlatAig) -> tuple[int, int]:
    """Count AND nodes and levels from the outputs down, one literal after the other."""
    seen: dict[int, int] = {}

    def level(node: int) -> int:
        if node <= aig.n_inputs:
            return 0
        if node not in seen:
            seen[node] = 1 + max(level(int(literal) >> 1) for literal in aig.fanins[node])
        return seen[node]

    deepest = max((level(int(literal) >> 1) for literal in aig.outputs), default=0)
    return len(seen), deepest


def by_hand(content: bytes, row: list[bool]) -> list[bool]:
    """Evaluate a binary AIGER file on one row of input values, as its report describes the format."""
    header, _, rest = content.partition(b"\n")
    _, n_inputs, _, n_outputs, n_ands = map(int, header.split()[1:])
    *outputs, rest = rest.split(b"\n", n_outputs)
    values = [False, *row]
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = rest[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def literal(code: int) -> bool:
        return values[code >> 1] ^ bool(code & 1)

    for n in range(n_ands):
        left = 2 * (n_inputs + 1 + n) - number()
        right = left - number()
        values.append(literal(left) and literal(right))
    return [literal(int(code)) for code in outputs]


@given(boolean_graphs())
@settings(max_examples=60, deadline=None)
def test_cost_and_levels_are_those_of_the_graph_node_by_node(each: BooleanGraph) -> None:
    flat = flatten(to_aig(each), len(each.inputs))
    nodes, levels = nodes_and_levels(flat)
    assert (flat.size, flat.levels) == (nodes, levels)


def test_the_mapper_counts_what_abc_counts(tmp_path: Path) -> None:
    core = fold(graph())
    flat = flatten(to_aig(core), len(core.inputs))
    (tmp_path / "a.aig").write_bytes(aiger_bytes(flat))
    said = find_abc().run_script("read_aiger a.aig; strash; print_stats", timeout_s=60, cwd=tmp_path)
    assert f"and = {flat.size:6d}" in said
    assert f"lev ={flat.levels:3d}" in said
    assert mapped_areas([core], AndCost()) == [float(flat.size)]


def test_inverters_wires_and_constants_are_at_zero_cost() -> None:
    blif = (
        ".model x\n.inputs a b\n.outputs y z one c\n.names a b y\n01 0\n.names a z\n0 1\n"
        ".names one\n1\n.names y c\n1 1\n.end\n"
    )
    assert AndCost().mapper.cost(blif) == 1.0


def test_the_file_has_every_code_bit_as_a_named_input_and_computes_the_class() -> None:
    content = implemented().binaries["netlist.aig"]
    names = ["x0_height[0]", "x0_height[1]", "x0_height[2]", "x1_age[0]", "x1_age[1]"]
    assert list(aiger_inputs(content)) == [*names, "x2_unread[0]", "x2_unread[1]"]
    assert content.endswith(b"\no0 class_index[0]\n")
    codes = every_code()
    for row, expected in zip(codes, graph().predict(codes), strict=True):
        bits = [bool(row[f] >> k & 1) for f, width in enumerate(INTERFACE.widths) for k in range(width)]
        assert by_hand(content, bits) == [bool(expected)]


def test_metrics_add_up() -> None:
    built = implemented()
    header = built.binaries["netlist.aig"].split(b"\n")[0].split()
    metrics = built.metrics
    assert metrics["aig__and__count"] == int(header[5]) > 0
    assert (
        metrics["aig__and__count"] <= metrics["aig__and__count__core"] + metrics["aig__and__count__encoder"]
    )
    assert metrics["aig__level__count"] > 0


def test_verification_compares_rows_and_proves_verilog_and_file() -> None:
    checks = TARGET.verify(implemented(), specification()).checks
    assert {check.what for check in checks if check.how == "proof"} == {
        "graph == minimized", "graph == Verilog", "graph == AIGER"
    }  # fmt: skip
    assert {check.size for check in checks if check.how == "rows"} == {128}


def test_a_wrong_file_is_found() -> None:
    built = implemented()
    content = built.binaries["netlist.aig"]
    lines = content.split(b"\n")
    lines[1] = str(int(lines[1]) ^ 1).encode()  # the output inverted
    wrong = replace(built, binaries={"netlist.aig": b"\n".join(lines)})
    with pytest.raises(VerificationError, match="model == AIGER fails"):
        TARGET.verify(wrong, specification())
    swapped = content.replace(b"x0_height[2]", b"x0_height[?]").replace(b"x0_height[1]", b"x0_height[2]")
    swapped = swapped.replace(b"x0_height[?]", b"x0_height[1]")
    with pytest.raises(VerificationError, match="AIGER fails"):
        TARGET.verify(replace(built, binaries={"netlist.aig": swapped}), specification())
    for damaged, why in (
        (b"nothing", "not a binary AIGER file"),
        (content.replace(b"x0_height[2]", b"x9_height[2]"), "input 'x9_height\\[2\\]' is unknown"),
        (content[: content.index(b"i0 ")], "0 of 7 inputs have a name"),
    ):
        with pytest.raises(VerificationError, match=f"netlist.aig is damaged: {why}"):
            TARGET.verify(replace(built, binaries={"netlist.aig": damaged}), specification())


@given(boolean_graphs())
@settings(max_examples=40, deadline=None)
def test_any_graph_is_read_back(each: BooleanGraph) -> None:
    inputs = tuple(node for _, node in each.inputs)
    names = [f"input {n}" for n in range(len(inputs))]
    content = aiger_bytes(flatten(to_aig(each), len(inputs)), names, ["y"] * len(each.outputs))
    back = aiger_graph(content, dict(zip(names, inputs, strict=True)), each.interface)
    rows = np.random.default_rng(0).random((256, len(inputs))) < 0.5
    columns = [inputs.index(node) for _, node in back.inputs]
    np.testing.assert_array_equal(evaluate(back, rows[:, columns]), evaluate(each, rows))


def test_registers_are_not_available() -> None:
    with pytest.raises(ConfigError, match=r"target aig: hardware.registers: is 'both' \(allowed: none\)"):
        dwn_asic.target("aig", registers="both")


def test_the_api_minimizes_and_shrinks_in_and_nodes() -> None:
    dataset = dwn_asic.read_data("sklearn:iris")
    tree = dwn_asic.fit(dataset, "decision_tree", leaves=6)
    small = dwn_asic.minimize(tree, TARGET, effort="low")
    built = dwn_asic.implement(small, TARGET, dataset=dataset)
    before = flatten(to_aig(encoder_graph([n for _, n in tree.graph.inputs], tree.graph.interface)), 32)  # type: ignore[union-attr]
    assert 0 < built.metrics["aig__and__count__encoder"] <= before.size
    front = dwn_asic.shrink(tree, dataset, TARGET, proposals=2000, prices=[4.0], minimize_front=True)
    for each in front.circuits:
        assert each.total == int(each.total)
        assert each.levels is not None
        assert (each.levels == 0) == (each.total == 0)


def test_code_bits_are_the_only_inputs() -> None:
    content = implemented().binaries["netlist.aig"]
    known = {f"x0_height[{k}]": CodeBit(0, k) for k in range(3)}
    with pytest.raises(ValueError, match="is unknown"):
        aiger_graph(content, known, INTERFACE)
