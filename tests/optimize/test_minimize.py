"""Exact minimization: the function stays, the area is real, and every failure of the tools is handled."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from strategies import boolean_graphs, evaluate

from dwn_asic.boolean.comparators import encoder_graph, prefix_encoder_graph, specification
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Constant, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.equivalence.combinational import find_difference
from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.optimize.exact import minimize as module
from dwn_asic.optimize.exact.minimize import Minimized, mapped_areas, minimize
from dwn_asic.targets.asic.cost import CellCost
from dwn_asic.targets.asic.mapping import MAPPING_RECIPES

INTERFACE = Interface(("x",), (8,), ("no", "yes"))


def random_graph(seed: int, n_inputs: int = 7, n_luts: int = 10, n_outputs: int = 2) -> BooleanGraph:
    """Build a graph of 4-input LUTs, whose outputs are the last of them."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder(INTERFACE)
    nodes = [builder.add(Threshold(0, 1 + i)) for i in range(n_inputs)]
    for _ in range(n_luts):
        fanins = tuple(int(i) for i in rng.choice(nodes[-9:], 4, replace=False))
        nodes.append(builder.add(Lut(fanins, int(rng.integers(1 << 16)))))
    return builder.finish(nodes[-n_outputs:])


def outputs(graph: BooleanGraph) -> np.ndarray:
    """Return the outputs on every code of the only feature."""
    return evaluate(graph, graph.input_bits(np.arange(256)[:, None]))


def assert_same(result: Minimized, graph: BooleanGraph) -> None:
    np.testing.assert_array_equal(outputs(result.graph), outputs(graph))
    assert find_difference(specification(graph), specification(result.graph)) is None


def mock(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Replace ABC by a shell script."""
    program = folder / "abc"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("DWN_ASIC_ABC", str(program))


@pytest.mark.parametrize("seed", [0, 1])
def test_same_function_in_less_area(seed: int, cost: CellCost) -> None:
    graph = random_graph(seed)
    result = minimize(graph, cost, effort="low")
    assert_same(result, graph)
    assert all(len(lut.fanins) <= 2 for _, lut in result.graph.luts)
    areas = {c.script: c.area for c in result.candidates if c.area is not None}
    assert result.area == min(areas.values())
    assert result.area < areas["start map"]
    assert result.proof_seconds > 0


def test_every_way_that_was_tried_is_listed(cost: CellCost) -> None:
    result = minimize(random_graph(2), cost, effort="low")
    scripts = [candidate.script for candidate in result.candidates]
    starts = ["start", "dc2", "start resub", "dc2 resub"]
    assert scripts[:8] == [f"{start} {recipe}" for start in starts for recipe in ("map", "dch_map")]
    assert scripts[-len(MAPPING_RECIPES) :] == [f"last {recipe}" for recipe in MAPPING_RECIPES]
    assert any(script.startswith("climb") for script in scripts)


def test_same_graph_same_result(cost: CellCost) -> None:
    results = [minimize(random_graph(3), cost, effort="low") for _ in range(2)]
    assert results[0].candidates == results[1].candidates
    assert list(results[0].graph.nodes()) == list(results[1].graph.nodes())


def test_more_effort_is_not_worse(cost: CellCost) -> None:
    graph = random_graph(4, n_luts=6)
    low, medium = (minimize(graph, cost, effort=effort) for effort in ("low", "medium"))
    assert_same(medium, graph)
    assert medium.area <= low.area


def test_the_order_of_thresholds_is_exploited(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    low, middle, high = (builder.add(Threshold(0, c)) for c in (10, 20, 30))
    both = builder.add(Lut((low, middle, high), 0b10000000))  # all three: the highest alone
    graph = builder.finish([both, builder.add(Lut((low, high), 0b1110))])
    result = minimize(graph, cost, effort="low")
    assert (result.area, result.graph.luts) == (0.0, ())
    assert {node for _, node in result.graph.inputs} == {Threshold(0, 10), Threshold(0, 30)}
    assert_same(result, graph)


def test_thresholds_and_code_bits_of_one_feature(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    low, high = builder.add(Threshold(0, 32)), builder.add(Threshold(0, 128))
    bits = [builder.add(CodeBit(0, k)) for k in (0, 5, 7)]
    first = builder.add(Lut((low, high, bits[0]), 0b10010110))
    second = builder.add(Lut((first, bits[1], bits[2], low), 0x1D3A))
    graph = builder.finish([second, first])
    assert_same(minimize(graph, cost, effort="low"), graph)


def test_code_bits_alone(cost: CellCost) -> None:
    graph = encoder_graph([Threshold(0, c) for c in (3, 77, 78, 130)], INTERFACE)
    assert_same(minimize(graph, cost, effort="low"), graph)


def test_alternatives_are_starts_too(cost: CellCost) -> None:
    thresholds = [Threshold(0, c) for c in range(85, 95)]
    graph = encoder_graph(thresholds, INTERFACE)
    result = minimize(graph, cost, effort="low", alternatives=[prefix_encoder_graph(thresholds, INTERFACE)])
    assert any(c.script == "alternative 1 map" for c in result.candidates)
    assert_same(result, graph)


def test_an_alternative_of_another_function_is_caught(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    inputs = [builder.add(Threshold(0, c)) for c in (1, 2)]
    other = builder.finish([builder.add(Lut(tuple(inputs), 0b0010))] * 2)
    with pytest.raises(VerificationError, match="minimization changed the function"):
        minimize(random_graph(0), cost, effort="low", alternatives=[other])


def test_a_spent_budget_ends_the_search(cost: CellCost) -> None:
    graph = random_graph(0, n_luts=30)
    result = minimize(graph, cost, effort="high", budget_s=0.01)
    assert not any(c.script.startswith("climb") for c in result.candidates)
    assert_same(result, graph)


def test_area_is_the_sum_of_the_library_s_cells(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    a, b, c = (builder.add(CodeBit(0, i)) for i in (1, 2, 3))
    graph = builder.finish([builder.add(Lut((a, b), 0b0111)), builder.add(Lut((b, c), 0b0001))])
    result = minimize(graph, cost, effort="low")
    nand, nor = (cost.library.cell(f"sky130_fd_sc_hd__{name}_1").area for name in ("nand2", "nor2"))
    assert result.area == pytest.approx(nand + nor, abs=1e-9)


@pytest.mark.parametrize("value", [False, True])
def test_constants_cost_nothing(value: bool, cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    a = builder.add(Threshold(0, 1))
    graph = builder.finish([builder.add(Lut((a, a), 0b1001 if value else 0b0110))])
    result = minimize(graph, cost, effort="low")
    assert (result.area, result.candidates, result.graph.inputs) == (0.0, (), ())
    assert isinstance(result.graph.node(result.graph.outputs[0]), Constant)
    assert result.graph.simulate(np.zeros((1, 0), bool)).tolist() == [[value]]


def test_an_output_that_is_an_input_costs_nothing(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    a = builder.add(Threshold(0, 1))
    result = minimize(builder.finish([a]), cost, effort="low")
    assert result.area == 0
    assert result.graph.node(result.graph.outputs[0]) == Threshold(0, 1)


def test_an_inverter_costs_an_inverter(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    graph = builder.finish([builder.add(Lut((builder.add(Threshold(0, 1)),), 0b01))])
    result = minimize(graph, cost, effort="low")
    assert result.area == min(
        cell.area for cell in cost.library.cells if (cell.table, len(cell.inputs)) == (1, 1)
    )


def test_constants_and_wires_beside_logic(cost: CellCost) -> None:
    builder = GraphBuilder(INTERFACE)
    a, b = builder.add(CodeBit(0, 1)), builder.add(CodeBit(0, 2))
    one, zero = builder.add(Constant(value=True)), builder.add(Constant(value=False))
    graph = builder.finish([one, builder.add(Lut((a, b), 0b0111)), a, zero, a])
    result = minimize(graph, cost, effort="low")
    assert_same(result, graph)
    assert result.area == cost.library.nand2_area


# Every shrinking step would run the tools again.
@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])
@given(graph=boolean_graphs(max_luts=5))
def test_any_graph(graph: BooleanGraph, cost: CellCost) -> None:
    result = minimize(graph, cost, effort="low")
    assert_same(result, graph)


def test_abc_is_missing(cost: CellCost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWN_ASIC_ABC", "/nowhere/abc")
    with pytest.raises(ToolError, match="DWN_ASIC_ABC is '/nowhere/abc'"):
        minimize(random_graph(0), cost, effort="low")


def test_abc_that_always_fails(cost: CellCost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mock(monkeypatch, tmp_path, "echo out of licences; exit 7")
    with pytest.raises(ToolError, match=r"could not map any starting point.*exit code 7") as caught:
        minimize(random_graph(0), cost, effort="low")
    assert "out of licences" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_abc_that_claims_success_and_writes_nothing(
    cost: CellCost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mock(monkeypatch, tmp_path, "echo dwn-asic: abc script completed")
    with pytest.raises(ToolError, match="could not map any starting point"):
        minimize(random_graph(0), cost, effort="low")


def test_abc_that_hangs(cost: CellCost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mock(monkeypatch, tmp_path, "exec sleep 60")
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"could not map any starting point.*timed out after 0\.2 s"):
        minimize(random_graph(0), cost, effort="low", timeout_s=0.2)
    assert time.monotonic() - start < 10


def test_a_script_that_fails_drops_out(cost: CellCost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._SCRIPTS, "dc2", module._Script("no_such_command", 1e-6))
    result = minimize(random_graph(0), cost, effort="low")
    assert [c.script for c in result.candidates if c.area is None] == ["dc2"]
    assert result.area > 0


def test_a_tool_that_lies_is_caught(cost: CellCost, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, wrong = random_graph(0), random_graph(1)
    monkeypatch.setattr(module, "unflatten", lambda *_: wrong)
    with pytest.raises(VerificationError, match=r"minimization changed the function: at .*expected .*, got "):
        minimize(graph, cost, effort="low")


def test_a_graph_without_outputs_has_no_area_and_spoils_no_other(cost: CellCost) -> None:
    # The encoder of a circuit that reads no input; ABC ends with a failed assertion on it.
    empty, graph = encoder_graph([], INTERFACE), random_graph(0)
    alone = mapped_areas([graph], cost)
    assert mapped_areas([graph, empty, graph], cost) == [*alone, 0.0, *alone]
