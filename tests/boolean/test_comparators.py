"""Comparators: every constant at every width, and what they cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.boolean.comparators import encoder_graph, prefix_encoder_graph, specification
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut, Threshold


def encoder(width: int, *constants: int) -> BooleanGraph:
    return encoder_graph([Threshold(0, c) for c in constants], Interface(("x",), (width,), ("no", "yes")))


def thermometer(graph: BooleanGraph, codes: np.ndarray) -> np.ndarray:
    return graph.simulate(graph.input_bits(codes))


@pytest.mark.parametrize("width", range(1, 7))
def test_every_constant_of_every_code(width: int) -> None:
    constants = list(range(-1, (1 << width) + 2))  # also those that always or never hold
    codes = np.arange(1 << width)
    together = thermometer(encoder(width, *constants), codes[:, None])
    np.testing.assert_array_equal(together, codes[:, None] >= constants)
    for constant in constants:
        alone = thermometer(encoder(width, constant), codes[:, None])
        np.testing.assert_array_equal(alone[:, 0], codes >= constant)


@pytest.mark.parametrize("width", range(1, 9))
def test_trailing_zeros_are_free(width: int) -> None:
    for constant in range(1, 1 << width):
        trailing = (constant & -constant).bit_length() - 1
        graph = encoder(width, constant)
        assert len(graph.luts) == width - 1 - trailing
        assert [node for _, node in graph.inputs] == [CodeBit(0, k) for k in range(trailing, width)]


def test_the_top_bit_alone_needs_no_gate() -> None:
    graph = encoder(8, 128)
    assert graph.luts == ()
    assert [node for _, node in graph.inputs] == [CodeBit(0, 7)]


def test_constants_that_always_or_never_hold_need_no_input() -> None:
    graph = encoder(3, 0, -5, 8, 100)
    assert graph.inputs == ()
    assert graph.simulate(np.zeros((1, 0), bool)).tolist() == [[True, True, False, False]]


def test_thresholds_share_the_chain_of_their_equal_low_bits() -> None:
    # 0b0011 and 0b1011 differ in the top bit alone: 3 gates and 1 more.
    assert len(encoder(4, 0b0011).luts) == 3
    assert len(encoder(4, 0b1011).luts) == 3
    assert len(encoder(4, 0b0011, 0b1011).luts) == 4
    assert len(encoder(4, 0b0011, 0b0011).luts) == 3


def test_features_do_not_share() -> None:
    interface = Interface(("x", "y"), (3, 3), ("no", "yes"))
    graph = encoder_graph([Threshold(0, 3), Threshold(1, 3)], interface)
    assert len(graph.luts) == 4
    codes = np.array([[3, 2], [2, 3]])
    assert thermometer(graph, codes).tolist() == [[True, False], [False, True]]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 33)), max_size=12))
def test_outputs_are_in_the_order_of_the_thresholds(wanted: list[tuple[int, int]]) -> None:
    interface = Interface(("x", "y", "z"), (5, 3, 1), ("no", "yes"))
    graph = encoder_graph([Threshold(f, c) for f, c in wanted], interface)
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, 1 << width, 100) for width in interface.widths], axis=1)
    assert len(graph.outputs) == len(wanted)
    for column, (feature, constant) in zip(thermometer(graph, codes).T, wanted, strict=True):
        np.testing.assert_array_equal(column, codes[:, feature] >= constant)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 33)), max_size=12))
def test_prefix_comparators_are_the_same_function(wanted: list[tuple[int, int]]) -> None:
    interface = Interface(("x", "y", "z"), (5, 3, 1), ("no", "yes"))
    thresholds = [Threshold(f, c) for f, c in wanted]
    codes = np.stack([np.arange(32), np.arange(32) % 8, np.arange(32) % 2], axis=1)
    plain, shared = (make(thresholds, interface) for make in (encoder_graph, prefix_encoder_graph))
    np.testing.assert_array_equal(thermometer(plain, codes), thermometer(shared, codes))


def test_prefix_comparators_share_what_thresholds_have_in_common() -> None:
    interface = Interface(("x",), (8,), ("no", "yes"))
    thresholds = [Threshold(0, c) for c in range(145, 160)]
    plain, shared = (make(thresholds, interface) for make in (encoder_graph, prefix_encoder_graph))
    assert len(shared.luts) < len(plain.luts) * 0.9


@pytest.mark.parametrize("make", [encoder_graph, prefix_encoder_graph])
def test_code_bits_pass_through(make: Callable[..., BooleanGraph]) -> None:
    interface = Interface(("x",), (3,), ("no", "yes"))
    graph = make([CodeBit(0, 2), Threshold(0, 3), CodeBit(0, 0)], interface)
    codes = np.arange(8)
    wanted = np.stack([codes >> 2 & 1, codes >= 3, codes & 1], axis=1).astype(bool)
    np.testing.assert_array_equal(thermometer(graph, codes[:, None]), wanted)


def test_the_specification_of_a_core_that_reads_both() -> None:
    builder = GraphBuilder(Interface(("x",), (3,), ("no", "yes")))
    bit, threshold = builder.add(CodeBit(0, 0)), builder.add(Threshold(0, 3))
    graph = specification(builder.finish([builder.add(Lut((bit, threshold), 0b1000))]))
    assert all(isinstance(node, CodeBit) for _, node in graph.inputs)
    assert graph.predict(np.arange(8)[:, None]).tolist() == [0, 0, 0, 1, 0, 1, 0, 1]
