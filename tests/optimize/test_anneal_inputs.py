"""The inputs that the annealing may read: of wide codes, and of graphs with thresholds that are constants."""

from __future__ import annotations

import numpy as np
import pytest

from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import GraphBuilder, Interface, Lut, Threshold
from dwn_asic.optimize.lossy.anneal.candidates import Candidates, InputTable
from dwn_asic.optimize.lossy.anneal.search import Chain, Schedule, anneal, areas, assess
from dwn_asic.targets.asic.cost import PRICES

INTERFACE = Interface(("a", "b"), (6, 6), ("no", "yes"))


@pytest.mark.parametrize("constant", [-1, 0, 64, 70])
def test_thresholds_that_are_the_same_on_every_code_are_constants(constant: int) -> None:
    """Graphs from other sources may have such nodes."""
    codes = np.random.default_rng(0).integers(0, 64, (800, 2))
    labels = ((codes[:, 0] >= 9) & (codes[:, 1] < 30)).astype(np.int64)
    builder = GraphBuilder(INTERFACE)
    nodes = [builder.add(Threshold(0, constant)), builder.add(Threshold(1, 30)), builder.add(Threshold(0, 9))]
    graph = builder.finish([builder.add(Lut(tuple(nodes), 0b0110_1110))])
    (found,) = assess([graph], codes, labels, PRICES)
    assert found.errors == (graph.predict(codes) != labels).sum()
    assert areas([graph], PRICES) == areas([fold(graph)], PRICES) == [found.area]
    table = InputTable.build(codes, INTERFACE, [node for _, node in graph.inputs])
    assert Threshold(0, constant) not in table.candidates.inputs
    best = anneal([Chain(graph, 64.0, Schedule(20_000, 0.5), 0)], codes, labels, PRICES)
    assert min(circuit.errors for circuit in best) <= found.errors


@pytest.mark.parametrize("most", [64, 256])
def test_of_very_many_codes_cheap_constants_at_equal_shares_are_candidates(most: int) -> None:
    rng = np.random.default_rng(0)
    codes = np.clip(rng.normal(30_000, 8_000, (5000, 1)), 0, 65_535).astype(np.int64)
    candidates = Candidates.choose(codes, Interface(("a",), (16,), ("x", "y")), most=most)
    constants = np.array([node.constant for node in candidates.inputs if isinstance(node, Threshold)])
    assert 0.9 * most <= len(constants) <= most
    shares = np.diff((codes >= constants).sum(axis=0)[::-1])
    assert shares.max() <= 2.01 * 5000 / most
    # Between two of 4,000 neighbouring codes there would be no constant of so few bits.
    zeros = np.log2(constants & -constants)
    assert np.mean(zeros) >= 5.0
