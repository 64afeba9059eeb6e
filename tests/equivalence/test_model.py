"""A network against its graph: on random codes, and on every code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.equivalence.model import MOST_CASES, check_model
from dwn_asic.errors import VerificationError


def network(bits: int, features: int = 3) -> LutNetwork:
    """Return a network that answers 1 if every feature reaches its highest code."""
    top = (1 << bits) - 1
    return LutNetwork(
        Quantizer(np.zeros(features), np.ones(features), np.full(features, bits)),
        Thermometer(np.repeat(np.arange(features), 2), np.tile([1, top], features)),
        (LutLayer(np.array([[1, 3, 5]]), np.array([[False] * 7 + [True]])),),
        Head("direct", "binary", 2),
        ("a", "b", "c")[:features],
        ("low", "high"),
    )


def wrong(found: LutNetwork) -> LutNetwork:
    """Return the network with a wrong answer at the highest codes alone."""
    (layer,) = found.layers
    return replace(found, layers=(LutLayer(layer.mapping, np.zeros_like(layer.tables)),))


def test_a_network_equals_its_graph_on_every_code() -> None:
    random, every = check_model(network(8), to_graph(network(8)))
    assert (random.how, every.how) == ("random", "exhaustive")
    assert random.succeeded
    # The network is wired to one threshold of each of three features.
    assert (every.size, every.verdict, every.stage) == (8, "equal", "model -> graph")


def test_a_wrong_graph_is_found_on_random_codes() -> None:
    with pytest.raises(VerificationError, match=r"model == graph fails on \d+ of 16384 codes, first code "):
        list(check_model(network(2), to_graph(wrong(network(2)))))


def test_a_single_wrong_code_is_found_among_all() -> None:
    checks = check_model(network(8), to_graph(wrong(network(8))))
    assert next(checks).succeeded
    with pytest.raises(VerificationError, match=r"on 1 of 8 codes.*x0_a=255 x1_b=255 x2_c=255.*class 1"):
        list(checks)


def test_a_threshold_that_the_graph_lacks_is_found() -> None:
    """A graph that reads nothing has no cases of its own, so those of the network count."""
    blind = replace(wrong(network(8)), thermometer=Thermometer(np.zeros(6, int), np.zeros(6, int)))
    checks = check_model(network(8), to_graph(blind))
    with pytest.raises(VerificationError, match="on 1 of 8 codes"):
        list(checks)


def test_too_many_codes_are_not_simulated() -> None:
    bits, constants = 8, np.arange(1, 128)
    wide = replace(
        network(bits),
        thermometer=Thermometer(np.repeat(np.arange(3), 127), np.tile(constants, 3)),
        layers=(
            LutLayer(np.arange(381).reshape(127, 3), np.zeros((127, 8), bool)),
            LutLayer(np.arange(127).reshape(1, 127)[:, :3], np.zeros((1, 8), bool)),
        ),
    )
    *_, every = check_model(wide, to_graph(wide))
    assert every.verdict == f"not run: 2.1e+06 cases, more than {MOST_CASES}"
    assert not every.succeeded
