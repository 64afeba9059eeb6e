"""Committees of three circuits: how they decide, and which of them join a front."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from dwn_asic.boolean.graph import BooleanGraph, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.objective import Costs
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.committees import committee, committees
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.front import Point
from dwn_asic.optimize.lossy.shrink import shrink
from dwn_asic.targets.asic.cost import CellCost

CLASSES = 5
INTERFACE = Interface(tuple("abcdef"), (3,) * 6, tuple("vwxyz"))
CODES = np.random.default_rng(0).integers(0, 8, (4000, 6))
LABELS = ((CODES >= 3).sum(axis=1) + (CODES >= 5).sum(axis=1)) * 4 // 12
COSTS = Costs.errors(len(LABELS), CLASSES)


def circuit(seed: int, *, noise: float = 0.2) -> BooleanGraph:
    """Make a circuit that is often right: tables of three features, some of whose entries are wrong."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder(INTERFACE)
    features = rng.choice(6, 3, replace=False)
    bits = [builder.add(Threshold(int(f), int(c))) for f in features for c in (3, 5)]
    outputs = []
    for bit in range(INTERFACE.class_bits):
        table = 0
        for address in range(64):
            level = sum(address >> i & 1 for i in range(6)) * 4 // 6
            right = level >> bit & 1
            table |= (right ^ int(rng.random() < noise)) << address
        outputs.append(builder.add(Lut(tuple(bits), table)))
    return builder.finish(outputs)


def point(seed: int, area: float) -> Point:
    graph = circuit(seed)
    score = float(np.mean(graph.predict(CODES) == LABELS))
    return Point(graph, area, score, score, score)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_decides_unless_the_others_agree(seed: int) -> None:
    one, two, three = (circuit(3 * seed + i) for i in range(3))
    answers = [each.predict(CODES) for each in (one, two, three)]
    expected = np.where(answers[1] == answers[2], answers[1], answers[0])
    assert (expected != answers[0]).any()
    np.testing.assert_array_equal(committee(one, two, three).predict(CODES), expected)


def errors(graph: BooleanGraph) -> int:
    return int(np.sum(graph.predict(CODES) != LABELS))


def test_the_best_committees_of_each_size_are_found() -> None:
    points = [point(seed, 30.0 * 1.4**seed) for seed in range(6)]
    found = committees(points, (CODES, LABELS), COSTS, 100)
    wrong = [errors(each) for each in found]
    assert wrong == sorted(wrong, reverse=True)  # they grow, so they have to get better
    assert len(set(wrong)) == len(wrong)
    every = [
        errors(committee(*(each[i].graph for i in order)))
        for each in combinations(points, 3)
        for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    ]
    assert min(wrong) == min(every)


def test_there_are_at_most_as_many_as_asked_for() -> None:
    points = [point(seed, 30.0 * 1.4**seed) for seed in range(8)]
    every = committees(points, (CODES, LABELS), COSTS, 100)
    assert len(every) > 3
    kept = committees(points, (CODES, LABELS), COSTS, 3)
    assert len(kept) == 3
    assert [errors(kept[0]), errors(kept[-1])] == [errors(every[0]), errors(every[-1])]


def test_two_circuits_and_small_ones_are_no_committee() -> None:
    points = [point(seed, 30.0 * 1.4**seed) for seed in range(2)]
    assert committees([*points, point(5, 3.0)], (CODES, LABELS), COSTS, 10) == []


def test_shrink_keeps_committees_that_are_better(cost: CellCost) -> None:
    table = Table("test", CODES.astype(float), LABELS, INTERFACE.feature_names, INTERFACE.class_names)
    split = Split(np.arange(2000), np.arange(2000, 3000), np.arange(3000, 4000))
    dataset = Dataset(table, split, Quantizer(np.zeros(6), np.ones(6), np.full(6, 3)))
    config = ShrinkConfig(prices=(512.0,), temperatures=(0.5,), proposals=100, votes=(), judges=("labels",))

    def starts(most: int) -> list[str]:
        asked = config.model_copy(update={"committees": most})
        graphs = [circuit(seed) for seed in range(3)]
        found = shrink(graphs, dataset, cost, asked, 0, limits=MinimizeConfig(), names=["a", "b", "c"])
        return [each.start for each in found.circuits]

    assert "committee" not in starts(0)
    assert "committee" in starts(20)
