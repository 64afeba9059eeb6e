"""Test vectors for a circuit without data."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from strategies import lut_networks

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.targets.base import Vectors


def circuit(network: LutNetwork) -> Circuit:
    core = to_graph(network)
    return Circuit(encoder_graph([node for _, node in core.inputs], core.interface), core)


@given(lut_networks())
def test_drawn_codes_fit_the_features_and_the_circuit_says_what_is_expected(network: LutNetwork) -> None:
    drawn = Vectors.drawn(circuit(network), rows=70)
    assert drawn.codes.shape == (70, len(network.feature_names))
    assert drawn.codes.dtype == np.int64
    assert (drawn.codes >= 0).all()
    assert (drawn.codes < 1 << network.quantizer.bits).all()
    np.testing.assert_array_equal(drawn.expected, network.predict(drawn.codes))


@given(lut_networks())
def test_equal_circuits_get_equal_codes_that_reach_both_ends(network: LutNetwork) -> None:
    first, second = (Vectors.drawn(circuit(network)) for _ in range(2))
    np.testing.assert_array_equal(first.codes, second.codes)
    assert len(first.codes) == 500
    assert (first.codes.min(axis=0) == 0).all()
    assert (first.codes.max(axis=0) == (1 << network.quantizer.bits) - 1).all()
