from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import patterns

from dwn_asic.boolean.graph import CodeBit, GraphBuilder, Interface
from dwn_asic.methods.parts.weighted_vote import WeightedVotes


@settings(max_examples=60, deadline=None)
@given(n_scores=st.integers(1, 5), n_bits=st.integers(1, 6), seed=st.integers(0, 1 << 32))
def test_the_logic_decides_as_the_integers_do(n_scores: int, n_bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    votes = WeightedVotes(rng.integers(-5, 6, (n_scores, n_bits)), rng.integers(-9, 10, n_scores))
    builder = GraphBuilder(Interface(("x",), (n_bits,), tuple("abcde")[: max(2, n_scores)]))
    index = votes.add(builder, [builder.add(CodeBit(0, k)) for k in range(n_bits)])
    rows = patterns(n_bits)
    outputs = builder.finish(index).simulate(rows)
    assert len(index) == max(1, (n_scores - 1).bit_length())
    assert np.array_equal(outputs @ (1 << np.arange(len(index))), votes.decide(rows))


@pytest.mark.parametrize(("bias", "expected"), [(0, 0), (1, 1), (-1, 0)])
def test_one_score_must_be_above_zero(bias: int, expected: int) -> None:
    votes = WeightedVotes(np.array([[1, -1]]), np.array([bias]))
    assert votes.decide(np.array([[True, True]])).tolist() == [expected]
