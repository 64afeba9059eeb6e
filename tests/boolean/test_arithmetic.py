"""Head logic on every input pattern."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from strategies import patterns

from dwn_asic.boolean.arithmetic import add_up, argmax_index, popcount, priority_index
from dwn_asic.boolean.fold import fold
from dwn_asic.boolean.graph import CodeBit, Constant, GraphBuilder, Interface


def numbers_of(circuit: Callable[[GraphBuilder, list[int]], list[int]], n_bits: int) -> np.ndarray:
    """Return the (2**n_bits,) numbers at the circuit's outputs, one for every value of its input bits."""
    builder = GraphBuilder(Interface(("x",), (max(1, n_bits),), ("no", "yes")))
    graph = builder.finish(circuit(builder, [builder.add(CodeBit(0, k)) for k in range(n_bits)]))
    assert all(len(node.fanins) <= 3 for _, node in graph.luts)
    outputs = graph.simulate(patterns(n_bits))
    return outputs @ (1 << np.arange(outputs.shape[1]))


@pytest.mark.parametrize("n_bits", range(12))
def test_popcount(n_bits: int) -> None:
    widths = []

    def circuit(builder: GraphBuilder, bits: list[int]) -> list[int]:
        total = popcount(builder, bits)
        widths.append(len(total))
        return total

    np.testing.assert_array_equal(numbers_of(circuit, n_bits), patterns(n_bits).sum(axis=1))
    assert widths == [n_bits.bit_length()]


@pytest.mark.parametrize("heights", [[1], [0, 1], [3, 0, 2], [2, 1, 4], [0, 0, 3], [7, 2], [1, 1, 1, 1]])
def test_columns_add_up_to_their_weighted_sum(heights: Sequence[int]) -> None:
    starts = np.cumsum([0, *heights])

    def circuit(builder: GraphBuilder, bits: list[int]) -> list[int]:
        return add_up(builder, [bits[a:b] for a, b in itertools.pairwise(starts)])

    worth = np.repeat(1 << np.arange(len(heights)), heights)
    expected = patterns(len(worth)) @ worth
    np.testing.assert_array_equal(numbers_of(circuit, len(worth)), expected)


@pytest.mark.parametrize(
    "widths",
    [
        *([1], [4], [2, 2], [1, 1, 1], [3, 3, 3], [1, 1, 1, 1], [2] * 5, [1] * 9, [2] * 6),
        *([1, 3], [3, 1], [2, 1, 3, 2], [4, 0, 2], [0, 0, 1], [0, 1], [0, 0, 0]),
        *([2, 2, 2, 2], [3, 0, 1, 2, 3], [0] * 5, [2, 1] * 4, [1] * 17),
    ],
)
def test_argmax_gives_the_lowest_index_of_the_largest(widths: Sequence[int]) -> None:
    starts = np.cumsum([0, *widths])

    def circuit(builder: GraphBuilder, bits: list[int]) -> list[int]:
        index = argmax_index(builder, [bits[a:b] for a, b in itertools.pairwise(starts)])
        assert len(index) == max(1, (len(widths) - 1).bit_length())
        return index

    rows = patterns(int(starts[-1]))
    numbers = [rows[:, a:b] @ (1 << np.arange(b - a)) for a, b in itertools.pairwise(starts)]
    np.testing.assert_array_equal(numbers_of(circuit, int(starts[-1])), np.argmax(numbers, axis=0))


@pytest.mark.parametrize("n_bits", range(1, 11))
def test_priority_gives_the_first_set_bit(n_bits: int) -> None:
    def circuit(builder: GraphBuilder, bits: list[int]) -> list[int]:
        index = priority_index(builder, bits)
        assert len(index) == max(1, (n_bits - 1).bit_length())
        return index

    # numpy's argmax is the first of equal values, and 0 where no bit is set.
    np.testing.assert_array_equal(numbers_of(circuit, n_bits), np.argmax(patterns(n_bits), axis=1))


def gates(circuit: Callable[[GraphBuilder, list[int]], list[int]], n_bits: int) -> int:
    """Return the number of LUTs that are left after folding."""
    builder = GraphBuilder(Interface(("x",), (n_bits,), ("no", "yes")))
    return len(
        fold(builder.finish(circuit(builder, [builder.add(CodeBit(0, k)) for k in range(n_bits)]))).luts
    )


@pytest.mark.parametrize("votes", [1, 3, 7, 8, 15, 20])
def test_two_classes_take_one_comparison(votes: int) -> None:
    """Two counts need one LUT per compared bit: neither numbers nor indices are selected."""

    def counts(builder: GraphBuilder, bits: list[int]) -> list[int]:
        return [*popcount(builder, bits[:votes]), *popcount(builder, bits[votes:])]

    def head(builder: GraphBuilder, bits: list[int]) -> list[int]:
        return argmax_index(builder, [popcount(builder, bits[:votes]), popcount(builder, bits[votes:])])

    assert gates(head, 2 * votes) == gates(counts, 2 * votes) + votes.bit_length()


def test_constant_votes_cost_nothing() -> None:
    def some(builder: GraphBuilder, bits: list[int]) -> list[int]:
        zero = builder.add(Constant(value=False))
        return popcount(builder, [bits[0], zero, bits[1], zero, zero])

    assert gates(some, 2) == gates(popcount, 2)


def test_a_class_without_votes_is_not_compared_in_full() -> None:
    def head(builder: GraphBuilder, bits: list[int]) -> list[int]:
        return argmax_index(builder, [[], popcount(builder, bits)])

    # The only question is whether the other class has any vote.
    assert gates(head, 4) < gates(popcount, 4) + 3
