"""Comparison of a LUT network, evaluated layer by layer, with its Boolean graph beyond the rows of data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.equivalence.check import OWN, Check, check_rows
from dwn_asic.equivalence.enumeration import representatives

__all__ = ["MOST_CASES", "check_model", "model_not_at_hand", "same_by_definition"]

MOST_CASES = 1 << 20
"""Maximum number of cases for exhaustive simulation: those of 20 input bits."""
_RANDOM = 1 << 14
_BLOCK = 1 << 14
"""Number of random codes, and of codes that are evaluated at a time."""
_WHAT, _STAGE = "model == graph", "model -> graph"


def check_model(network: LutNetwork, graph: BooleanGraph) -> Iterator[Check]:
    """Compare a network with its graph on random codes, and on every code if these are not too many.

    Between two neighbouring thresholds of a feature, all codes look the same to network and graph, so one of
    them represents all.

    Parameters
    ----------
    network
        The network, which is evaluated by its own layers and head.
    graph
        Graph from thresholds to the class index, with the same features and classes.

    Raises
    ------
    VerificationError
        They differ; the error has the first code.
    """
    widths = np.array(graph.interface.widths, np.int64)
    drawn = np.random.default_rng(0).integers(0, 1 << widths, (_RANDOM, len(widths)), np.int64)
    yield _compared(network, graph, drawn, "random")
    codes = _distinguished(network, graph)
    cases = prod(len(each) for each in codes.values())
    if cases > MOST_CASES:
        why = f"not run: {float(cases):.2g} cases, more than {MOST_CASES}"
        yield Check(_WHAT, "exhaustive", cases, 0.0, _STAGE, OWN, verdict=why)
        return
    start = time.perf_counter()
    for first in range(0, cases, _BLOCK):
        block = _cases(codes, np.arange(first, min(first + _BLOCK, cases)), len(widths))
        found = _compared(network, graph, block, "exhaustive")
    yield replace(found, size=cases, seconds=time.perf_counter() - start)


def same_by_definition() -> Check:
    """Return the entry for a circuit that was shrunk: the shrunk graph is itself the model."""
    return Check(_WHAT, "definition", 0, 0.0, _STAGE, OWN)


def model_not_at_hand() -> Check:
    """Return the entry for a model that was not kept, so that only its predictions of rows are known."""
    return Check(_WHAT, "random", 0, 0.0, _STAGE, verdict="not run: the model itself is not at hand")


def _compared(network: LutNetwork, graph: BooleanGraph, codes: NDArray[np.int64], how: str) -> Check:
    start = time.perf_counter()
    check = check_rows(_WHAT, network.predict(codes), graph.predict(codes), codes, graph.interface, how=how)
    return replace(check, seconds=time.perf_counter() - start)


def _distinguished(network: LutNetwork, graph: BooleanGraph) -> Mapping[int, NDArray[np.int64]]:
    """Return feature -> codes that represent all others, by the thresholds that network or graph read."""
    found = {feature: {*codes} for feature, codes in representatives((graph,)).items()}
    thermometer = network.thermometer
    for bit in np.unique(network.layers[0].mapping) if network.layers else range(len(thermometer)):
        feature, constant = int(thermometer.feature[bit]), int(thermometer.constant[bit])
        if 0 < constant < 1 << graph.interface.widths[feature]:
            found.setdefault(feature, {0}).add(constant)
    return {feature: np.array(sorted(codes), np.int64) for feature, codes in sorted(found.items())}


def _cases(
    codes: Mapping[int, NDArray[np.int64]], numbers: NDArray[np.int64], features: int
) -> NDArray[np.int64]:
    """Return the (N, F) codes of these cases; features that nothing reads stay 0."""
    rows = np.zeros((len(numbers), features), np.int64)
    places = np.unravel_index(numbers, tuple(len(each) for each in codes.values())) if codes else ()
    for (feature, each), place in zip(codes.items(), places, strict=True):
        rows[:, feature] = each[place]
    return rows
