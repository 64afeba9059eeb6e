"""Packing and the bit-parallel kernel, against a row-by-row evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import boolean_graphs, evaluate

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.packed import FlatLogic, pack_rows, simulate, unpack_rows

ROW_COUNTS = [0, 1, 7, 8, 63, 64, 65, 128, 200]


@pytest.mark.parametrize("n_rows", ROW_COUNTS)
@pytest.mark.parametrize("n_columns", [0, 1, 5])
def test_round_trip(n_rows: int, n_columns: int) -> None:
    bits = np.random.default_rng(n_rows).random((n_rows, n_columns)) < 0.5
    words = pack_rows(bits)
    assert words.shape == (n_columns, -(-n_rows // 64))
    assert words.dtype == np.uint64
    np.testing.assert_array_equal(unpack_rows(words, n_rows), bits)


@pytest.mark.parametrize("row", [0, 1, 8, 63, 64, 69])
def test_row_r_is_bit_r_of_its_word(row: int) -> None:
    bits = np.zeros((70, 2), bool)
    bits[row, 1] = True
    wanted = np.zeros((2, 2), np.uint64)
    wanted[1, row // 64] = np.uint64(1) << np.uint64(row % 64)
    np.testing.assert_array_equal(pack_rows(bits), wanted)


@given(boolean_graphs(), st.sampled_from(ROW_COUNTS), st.integers(0, 99))
def test_simulation_is_the_row_by_row_evaluation(graph: BooleanGraph, n_rows: int, seed: int) -> None:
    bits = np.random.default_rng(seed).random((n_rows, len(graph.inputs))) < 0.5
    np.testing.assert_array_equal(graph.simulate(bits), evaluate(graph, bits))


def test_every_node_is_simulated() -> None:
    # An input, NOT of it, constant 1, and XOR of the first and the third.
    logic = FlatLogic.build([(), (0,), (), (0, 2)], [0, 0b01, 1, 0b0110], [True, False, False, False])
    assert logic.max_fanins == 2
    values = simulate(logic, pack_rows(np.array([[False], [True]])))
    assert unpack_rows(values, 2).astype(int).tolist() == [[0, 1, 1, 1], [1, 0, 1, 0]]
