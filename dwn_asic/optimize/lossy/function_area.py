"""Area of small Boolean functions, by the cheapest Shannon decomposition."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dwn_asic.optimize.cost import GatePrices

__all__ = ["function_area", "function_areas"]


@cache
def function_areas(n_inputs: int, gates: GatePrices) -> NDArray[np.float64]:
    """Return the areas of all (2**2**n,) functions of at most three inputs."""
    return np.array([function_area(table, n_inputs, gates) for table in range(1 << (1 << n_inputs))])


@cache
def function_area(table: int, n_inputs: int, gates: GatePrices) -> float:
    """Return the area of a function in NAND2-equivalents, by the cheapest Shannon decomposition."""
    ones = (1 << (1 << n_inputs)) - 1
    if n_inputs < 2 or table in (0, ones):
        return 0.0
    cofactor_ones = (1 << (1 << (n_inputs - 1))) - 1
    found = []
    for k in range(n_inputs):
        low, high = _cofactors(table, n_inputs, k)
        areas = function_area(low, n_inputs - 1, gates) + function_area(high, n_inputs - 1, gates)
        if low == high:
            return function_area(low, n_inputs - 1, gates)
        if {low, high} == {0, cofactor_ones}:
            return 0.0
        if {low, high} & {0, cofactor_ones}:
            found.append(gates.and_gate + areas)
        elif low == high ^ cofactor_ones:
            found.append(gates.xor_gate + areas / 2)
        else:
            found.append((2 if low & high in (low, high) else 3) * gates.and_gate + areas)
    return min(found)


def _cofactors(table: int, n_inputs: int, k: int) -> tuple[int, int]:
    """Return the functions of the other inputs with input k at 0 and at 1."""
    low = high = 0
    for a in range(1 << (n_inputs - 1)):
        address = a >> k << (k + 1) | a & ((1 << k) - 1)
        low |= (table >> address & 1) << a
        high |= (table >> (address | 1 << k) & 1) << a
    return low, high
