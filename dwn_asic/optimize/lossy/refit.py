"""Refit: the LUTs before a popcount become functions of few inputs, chosen for area and for margins.

Each LUT in turn gets the best function of a few of its inputs while all others stay fixed. The cost of a
function is its area plus the price of its effect on the softmax cross entropy of the votes. Unlike the number
of errors, this loss rewards margins even where no training row is misclassified, so the result generalizes.
For a single LUT the loss is linear in the table: the weight of a row is the change of its loss by one more
vote, an entry of the table sums the weights of the rows at its address, and a function of fewer inputs sums
entries. One histogram per LUT therefore suffices to compare all sets of inputs.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import LutNetwork
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.optimize.lossy.function_area import function_area

__all__ = ["refit"]

Floats = NDArray[np.float64]

_VOTE = 5.0
"""Area of the adder that one vote needs, in NAND2-equivalents."""
_MOST_INPUTS = 3
_SWEEPS = 6
_FEW = 0.02
"""Share of changed LUTs at or below which the sweeps end."""


def refit(
    network: LutNetwork,
    codes: NDArray[np.int64],
    labels: NDArray[np.int64],
    price: float,
    gates: GatePrices,
    *,
    temperature: float = 1.0,
    seed: int = 0,
    weights: Floats | None = None,
) -> LutNetwork:
    """Return the network with new tables in its last layer, each a function of at most three inputs.

    Parameters
    ----------
    network
        A network with a popcount head.
    codes, labels
        (N, F) codes and (N,) class indices of the training rows.
    price
        Area in NAND2-equivalents that one nat of loss on one percent of the rows is worth.
    gates
        Prices of gates, in the same units.
    temperature
        Divisor of the votes in the loss.
    seed
        Seed of the order in which LUTs are visited.
    weights
        (N,) weights of the rows in the loss, 1 on average; by default equal ones.

    Raises
    ------
    ValueError
        The head is not a popcount.
    """
    if network.head.kind != "popcount":
        raise ValueError("only the layer before a popcount can be refitted")
    layer = network.layers[-1]
    bits = network.thermometer.encode(codes)
    for earlier in network.layers[:-1]:
        bits = earlier.evaluate(bits)
    addresses = bits[:, layer.mapping] @ (1 << np.arange(layer.n_inputs))  # (N, L)
    votes = _Votes(layer.evaluate(bits), labels, network.head.n_classes, temperature)
    tables = layer.tables.copy()
    rng = np.random.default_rng(seed)
    for _ in range(_SWEEPS):
        changed = 0
        for lut in rng.permutation(layer.n_luts):
            losses = votes.weights(lut) if weights is None else votes.weights(lut) * weights
            sums = np.bincount(addresses[:, lut], losses, 1 << layer.n_inputs)
            table = _best_table(sums * price / (len(labels) / 100), layer.n_inputs, gates)
            changed += bool((table != tables[lut]).any())
            tables[lut] = table
            votes.put(lut, table[addresses[:, lut]])
        if changed <= _FEW * layer.n_luts:
            break
    return replace(network, layers=(*network.layers[:-1], replace(layer, tables=tables)))


class _Votes:
    """The outputs of the layer, the scores that they add up to, and the effect of a vote on the loss."""

    def __init__(
        self, outputs: NDArray[np.bool_], labels: NDArray[np.int64], n_classes: int, temperature: float
    ) -> None:
        self._outputs, self._labels, self._temperature = outputs.astype(np.float64), labels, temperature
        self._size = -(-outputs.shape[1] // n_classes)
        starts = range(0, n_classes * self._size, self._size)
        self._scores = np.stack([self._outputs[:, i : i + self._size].sum(axis=1) for i in starts], axis=1)

    def weights(self, lut: int) -> Floats:
        """Return (N,) loss in nats with the LUT's vote minus the loss without it."""
        c = lut // self._size
        scores = self._scores.copy()
        scores[:, c] -= self._outputs[:, lut]
        right = scores[np.arange(len(scores)), self._labels]
        ratios = np.exp((scores - right[:, None]) / self._temperature)
        total, gain = ratios.sum(axis=1), np.exp(1.0 / self._temperature)
        others = np.log(total + ratios[:, c] * (gain - 1.0))
        own = np.log((total - 1.0) / gain + 1.0)
        weights: Floats = np.where(self._labels == c, own, others) - np.log(total)
        return weights

    def put(self, lut: int, values: NDArray[np.bool_]) -> None:
        """Replace the votes of a LUT."""
        self._scores[:, lut // self._size] += values - self._outputs[:, lut]
        self._outputs[:, lut] = values


def _best_table(sums: NDArray[np.floating[Any]], n_inputs: int, gates: GatePrices) -> NDArray[np.bool_]:
    """Return the (2**n,) bits of the function of few inputs with the least area plus sum at its ones."""
    cube = sums.reshape((2,) * n_inputs)  # input k is axis n - 1 - k
    best, chosen = np.inf, 0
    at: tuple[int, ...] = ()
    for size in range(min(_MOST_INPUTS, n_inputs) + 1):
        for inputs in combinations(range(n_inputs), size):
            rest = tuple(n_inputs - 1 - k for k in range(n_inputs) if k not in inputs)
            table, value = _cheapened(cube.sum(axis=rest).ravel(), size, gates)
            if value < best - 1e-9:
                best, chosen, at = value, table, inputs
    address = np.zeros(1 << n_inputs, np.int64)
    for k, place in enumerate(at):
        address |= (np.arange(1 << n_inputs) >> place & 1) << k
    bits: NDArray[np.bool_] = (chosen >> address & 1).astype(bool)
    return bits


def _cheapened(sums: Floats, n_inputs: int, gates: GatePrices) -> tuple[int, float]:
    """Return a table and its value: ones where sums are negative, then single flips that lower the value."""
    entries = len(sums)

    def value(table: int) -> float:
        vote = 0.0 if table in (0, (1 << entries) - 1) else _VOTE
        area = function_area(table, n_inputs, gates)
        return vote + area + sum(sums[a] for a in range(entries) if table >> a & 1)

    table = sum(1 << a for a in range(entries) if sums[a] < 0.0)
    best = value(table)
    while n_inputs > 1:
        near = min((table ^ 1 << a for a in range(entries)), key=value)
        if (found := value(near)) >= best - 1e-9:
            break
        table, best = near, found
    return table, best
