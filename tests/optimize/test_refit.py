"""Refit of popcount networks: fewer inputs, less area, votes that still win."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.optimize.lossy.anneal.search import assess
from dwn_asic.optimize.lossy.function_area import function_area
from dwn_asic.optimize.lossy.refit import refit
from dwn_asic.targets.asic.cost import PRICES

CLASSES = 3


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 16, (600, 4))
    return codes, np.where(codes[:, 0] > 10, 2, (codes[:, 1] + codes[:, 2] > 15).astype(int))


@pytest.fixture(scope="module")
def network() -> LutNetwork:
    """Build a network of random wide LUTs, which is no better than chance."""
    rng = np.random.default_rng(1)
    constants = [4, 8, 12]
    return LutNetwork(
        quantizer=Quantizer(lo=np.zeros(4), step=np.ones(4), bits=np.full(4, 4)),
        thermometer=Thermometer(np.repeat(np.arange(4), 3), np.tile(constants, 4)),
        layers=(LutLayer(rng.integers(0, 12, (CLASSES * 8, 5)), rng.random((CLASSES * 8, 32)) < 0.5),),
        head=Head("popcount", "onehot", CLASSES),
        feature_names=tuple("abcd"),
        class_names=tuple("xyz"),
    )


def accuracy(network: LutNetwork, rows: tuple[np.ndarray, np.ndarray]) -> float:
    return float(np.mean(network.predict(rows[0]) == rows[1]))


def test_a_weight_counts_a_row_as_often(network: LutNetwork, rows: tuple[np.ndarray, np.ndarray]) -> None:
    codes, labels = rows
    times = np.where(labels == 2, 5, np.where(labels == 1, 2, 1))
    weighted = refit(network, codes, labels, 100.0, PRICES, weights=times / times.mean())
    repeated = refit(network, np.repeat(codes, times, axis=0), np.repeat(labels, times), 100.0, PRICES)
    assert (weighted.layers[0].tables == repeated.layers[0].tables).all()
    assert (weighted.layers[0].tables != refit(network, codes, labels, 100.0, PRICES).layers[0].tables).any()


def test_tables_need_few_inputs_and_votes_win(
    network: LutNetwork, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    found = refit(network, *rows, 100.0, PRICES)
    assert accuracy(found, rows) > accuracy(network, rows) + 0.3
    assert (found.layers[0].mapping == network.layers[0].mapping).all()
    for table in found.layers[0].tables:
        cube = table.reshape((2,) * 5)
        needed = [k for k in range(5) if (np.take(cube, 0, axis=k) != np.take(cube, 1, axis=k)).any()]
        assert len(needed) <= 3
    areas = {c.graph: c.area for c in assess([to_graph(network), to_graph(found)], *rows, PRICES)}
    assert areas[min(areas, key=lambda g: areas[g])] < max(areas.values()) / 2


def test_a_higher_price_buys_accuracy_with_area(
    network: LutNetwork, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    cheap, dear = (refit(network, *rows, price, PRICES) for price in (0.5, 500.0))
    areas = [assess([to_graph(n)], *rows, PRICES)[0].area for n in (cheap, dear)]
    assert areas[0] < areas[1]
    assert accuracy(cheap, rows) < accuracy(dear, rows)


def test_it_is_deterministic(network: LutNetwork, rows: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = (refit(network, *rows, 100.0, PRICES, seed=3) for _ in range(2))
    assert (first.layers[0].tables == second.layers[0].tables).all()


def test_other_heads_are_refused(network: LutNetwork, rows: tuple[np.ndarray, np.ndarray]) -> None:
    from dataclasses import replace

    layer = LutLayer(network.layers[0].mapping[:2], network.layers[0].tables[:2])
    direct = replace(network, layers=(layer,), head=Head("direct", "binary", CLASSES))
    with pytest.raises(ValueError, match="popcount"):
        refit(direct, *rows, 1.0, PRICES)


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_function_areas(n_inputs: int) -> None:
    entries = 1 << n_inputs
    for bits in product((0, 1), repeat=entries):
        table = sum(bit << a for a, bit in enumerate(bits))
        area = function_area(table, n_inputs, PRICES)
        assert area == function_area(table ^ ((1 << entries) - 1), n_inputs, PRICES)
        needed = [k for k in range(n_inputs) if any(bits[a] != bits[a ^ (1 << k)] for a in range(entries))]
        assert (area == 0.0) == (len(needed) < 2)
        assert area >= max(0, len(needed) - 1) * PRICES.and_gate
    assert function_area(0b1000, 2, PRICES) == PRICES.and_gate
    assert function_area(0b0110, 2, PRICES) == PRICES.xor_gate
    assert function_area(0b10010110, 3, PRICES) == 2 * PRICES.xor_gate
    assert function_area(0b11101010, 3, PRICES) == 2 * PRICES.and_gate
