"""Votes: many-class networks whose popcounts add up cheap functions of a few thresholds.

Each class has some votes, and the class with the most set votes wins. Each vote in turn gets the best
function of a few thresholds, of any features, while all others stay fixed. The cost of a function is its
area, including the comparators that no other vote shares, plus the price of its effect on the softmax cross
entropy of the votes. For a single vote this loss is linear in its values: the weight of a row is the change
of its loss by one more vote, and the loss of a function is the sum of the weights of the rows on which it is
1. So the search for a function is one for rows of low weight, as in boosting, but every vote is visited again
until few of them change.

The sums are products of matrices in float32. The weights are rounded to integers whose sums float32 holds
exactly, so that the result depends neither on the order of additions nor on the CPU.

References
----------
Friedman, Hastie and Tibshirani, Additive logistic regression, Annals of Statistics 2000; Bacellar et al.,
arXiv:2410.11112, for a popcount over LUTs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.graph import Threshold
from dwn_asic.boolean.lut_network import LutLayer, LutNetwork
from dwn_asic.compiled import kernel
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.networks import popcount_network
from dwn_asic.data.split import drawn
from dwn_asic.elementary import exponential, logarithm
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError
from dwn_asic.optimize.cost import GatePrices
from dwn_asic.optimize.lossy.anneal.candidates import Candidates
from dwn_asic.optimize.lossy.function_area import function_areas

__all__ = ["learn_votes"]

Floats = NDArray[np.float32]

_ADDERS = 0.7
"""Full adders that a popcount needs for each vote."""
_INPUTS = 5
"""Maximum number of thresholds of a vote."""
_FIRST, _PAIRS = 12, 3
"""Number of first thresholds that pairs are tried with, and of pairs that are extended."""
_SWEEPS = 3
_FEW = 0.02
"""Share of changed votes at or below which the sweeps end."""
_THRESHOLDS, _OF_FEATURE = 2048, 32
"""Maximum number of candidate thresholds in all, and of one feature."""
_ENTRIES = 1 << 24
"""Maximum number of values of candidates; with very many candidates fewer rows are used."""
_EXACT_BITS = 24
"""Float32 holds the integers of this many bits."""


def learn_votes(
    dataset: Dataset, pairs: Sequence[tuple[int, float]], gates: GatePrices, *, seed: int = 0, jobs: int = 1
) -> list[LutNetwork]:
    """Return networks of one layer with a popcount head, learned from the training rows.

    Parameters
    ----------
    dataset
        Training rows and quantizer; the objective weighs the rows.
    pairs
        For each network the number of votes of each class, and the area in NAND2-equivalents that one nat of
        loss on one percent of the rows is worth. High prices lead to more accurate networks with wider
        functions.
    gates
        Prices of gates, in the same units.
    seed
        Seed of the order in which votes are visited, and of the rows if there are very many.
    jobs
        Number of networks that are learned at once, in threads; the result does not depend on it.

    Raises
    ------
    DataError
        No feature varies in the training rows.
    """
    pool = _Pool.build(dataset, gates, seed)

    def learn(pair: tuple[int, float]) -> LutNetwork:
        per_class, price = pair
        functions = _Search(pool, dataset.table.n_classes, per_class, price, gates).run(seed)
        layer = LutLayer(
            np.array([[*f.inputs, *[0] * (_INPUTS - len(f.inputs))] for f in functions], np.int64),
            np.array([f.expanded(_INPUTS) for f in functions], np.bool_),
        )
        return popcount_network(dataset, pool.thermometer, (layer,))

    with ThreadPoolExecutor(jobs) as threads:
        return [*threads.map(learn, pairs)]


@dataclass(frozen=True)
class _Function:
    """A Boolean function of candidates.

    Attributes
    ----------
    inputs
        Indices of the candidates; the first is the least significant bit of the address.
    table
        Bit a is the value at address a.
    area
        Area of its gates, without comparators.
    """

    inputs: tuple[int, ...]
    table: int
    area: float

    def expanded(self, n_inputs: int) -> list[bool]:
        """Return the values of the same function with unused inputs after its own."""
        mask = (1 << len(self.inputs)) - 1
        return [bool(self.table >> (address & mask) & 1) for address in range(1 << n_inputs)]

    def values(self, bits: Floats) -> NDArray[np.bool_]:
        """Evaluate on the rows of (N, M) values of candidates."""
        address = np.zeros(len(bits), np.int64)
        for k, place in enumerate(self.inputs):
            address |= bits[:, place].astype(np.int64) << k
        table = np.array([self.table >> a & 1 for a in range(1 << len(self.inputs))], np.bool_)
        found: NDArray[np.bool_] = table[address]
        return found


_NEVER = _Function((), 0, 0.0)


@dataclass(frozen=True)
class _Pool:
    """The candidate thresholds, with their values on the rows that are used, and these rows' labels.

    Attributes
    ----------
    thermometer
        The M candidates.
    bits
        (N, M) values, 0 or 1.
    cost
        (M,) area of each comparator alone.
    labels, weights
        (N,) class indices, and weights in the loss.
    """

    thermometer: Thermometer
    bits: Floats
    cost: NDArray[np.float64]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def build(cls, dataset: Dataset, gates: GatePrices, seed: int) -> _Pool:
        codes, labels = dataset.part("train")
        most = max(1, min(_OF_FEATURE, _THRESHOLDS // codes.shape[1]))
        candidates = Candidates.choose(codes, dataset.interface, most=most)
        nodes = [node for node in candidates.inputs if isinstance(node, Threshold)]
        if not nodes:
            problem = "no feature varies in the training rows, so there is nothing to learn"
            raise DataError(dataset.table.source, problem)
        thermometer = Thermometer(
            np.array([node.feature for node in nodes], np.int64),
            np.array([node.constant for node in nodes], np.int64),
        )
        codes, labels = drawn((codes, labels), _ENTRIES // len(nodes), seed)
        weights = dataset.objective.loss_weights(labels, dataset.table.n_classes)
        return cls(
            thermometer,
            thermometer.encode(codes).astype(np.float32),
            np.array(candidates.comparator_gates()) * gates.comparator_bit,
            labels,
            np.ones(len(labels)) if weights is None else weights,
        )


class _Search:
    """The votes, and the descent that improves them one by one."""

    def __init__(self, pool: _Pool, n_classes: int, per_class: int, price: float, gates: GatePrices) -> None:
        self._pool, self._per_class, self._gates = pool, per_class, gates
        self._functions = [_NEVER] * (n_classes * per_class)
        self._values = np.zeros((len(self._functions), len(pool.labels)), np.bool_)
        self._scores = np.zeros((len(pool.labels), n_classes), np.int64)
        self._readers = np.zeros(len(pool.cost), np.int64)
        self._price = price / max(1.0, len(pool.labels) / 100.0)

    def run(self, seed: int) -> list[_Function]:
        """Visit all votes until few change."""
        rng = np.random.default_rng(seed)
        for _ in range(_SWEEPS):
            changed = sum(self._improve(int(vote)) for vote in rng.permutation(len(self._functions)))
            if changed <= _FEW * len(self._functions):
                break
        return self._functions

    def _improve(self, vote: int) -> bool:
        """Give a vote the best function; return whether that is another one."""
        before, own = self._functions[vote], vote // self._per_class
        self._readers[list(before.inputs)] -= 1
        self._scores[:, own] -= self._values[vote]
        found = self._best(own, before)
        self._functions[vote] = found
        self._values[vote] = found.values(self._pool.bits)
        self._scores[:, own] += self._values[vote]
        self._readers[list(found.inputs)] += 1
        return found != before

    def _best(self, own: int, before: _Function) -> _Function:
        pool = self._pool
        losses = np.empty(len(pool.labels))
        _losses_of_a_vote(self._scores, pool.labels, pool.weights, own, losses)
        total = math.fsum(np.abs(losses).tolist())
        if total == 0.0:
            return _NEVER
        scale = 2.0 ** (_EXACT_BITS - 1 - math.frexp(total)[1])
        weights = np.rint(losses * scale)
        used = np.flatnonzero(weights)
        rows = _Rows(
            pool.bits[used],
            weights[used].astype(np.float32),
            self._price / scale,
            np.where(self._readers > 0, 0.0, pool.cost),
            self._gates,
        )
        return rows.best(before)


@dataclass(frozen=True)
class _Valued:
    """A function and its value, which is to be minimized: area, adder and comparators included, plus loss."""

    value: float
    function: _Function


@dataclass(frozen=True)
class _Rows:
    """The rows that a function is chosen on.

    Attributes
    ----------
    bits
        (N, M) values of the candidates.
    weights
        (N,) integers: the change of the loss if the function is 1 on the row.
    price
        Area that a loss of 1 is worth.
    comparators
        (M,) area that a function adds if it reads the candidate.
    gates
        Prices of gates.
    """

    bits: Floats
    weights: Floats
    price: float
    comparators: NDArray[np.float64]
    gates: GatePrices

    @property
    def vote(self) -> float:
        """Area of the adders that a vote needs."""
        return _ADDERS * (2.0 * self.gates.xor_gate + 3.0 * self.gates.and_gate)

    def best(self, before: _Function) -> _Function:
        """Return the best function that is found, at least as good as ``before``."""
        total = float(self.weights.sum())
        known = [_Valued(self.price * total, _Function((), 1, 0.0)), _Valued(0.0, _NEVER)]
        if before.inputs:
            loss = float(self.weights[before.values(self.bits)].sum())
            known.append(_Valued(self.vote + self._added(before) + self.price * loss, before))
        ones = (self.weights @ self.bits).astype(np.float64)
        literals = np.stack([ones, total - ones]) * self.price + self.comparators + self.vote
        for table, values in zip((0b10, 0b01), literals, strict=True):
            place = int(values.argmin())
            known.append(_Valued(float(values[place]), _Function((place,), table, 0.0)))
        first = {*np.argsort(literals.min(axis=0), kind="stable")[:_FIRST].tolist(), *before.inputs}
        pairs = self._pairs(sorted(first), ones, total)
        known += pairs
        # The function before may be better than all that grow from these pairs: its parts grow as well.
        parts = [each.function.inputs for each in pairs[:_PAIRS]] + [*combinations(before.inputs[:3], 2)]
        known += self._triples([*dict.fromkeys(tuple(sorted(part)) for part in parts)])
        found = min(known, key=lambda each: each.value)
        while 2 <= len(found.function.inputs) < _INPUTS:
            longer = self._extended(found)
            if longer.value >= found.value - 1e-9:
                break
            found = longer
        return found.function

    def _added(self, function: _Function) -> float:
        return function.area + float(self.comparators[list(function.inputs)].sum())

    def _pairs(self, first: Sequence[int], ones: NDArray[np.float64], total: float) -> list[_Valued]:
        """Return the best functions of two candidates, the first of them given, best first."""
        both = ((self.bits[:, first].T * self.weights) @ self.bits).astype(np.float64)  # (K, M)
        of_first = ones[first][:, None]
        cells = np.stack([total - of_first - ones + both, of_first - both, ones - both, both])
        added = self.vote + self.comparators[first][:, None] + self.comparators
        values, tables = _cheapest(cells * self.price, 2, self.gates)
        values += added
        values[np.arange(len(first)), first] = np.inf
        found: dict[frozenset[int], _Valued] = {}
        for place in np.argsort(values, axis=None, kind="stable")[: 2 * _PAIRS]:
            k, second = divmod(int(place), values.shape[1])
            table = int(tables[k, second])
            function = _Function((first[k], second), table, float(function_areas(2, self.gates)[table]))
            found.setdefault(frozenset(function.inputs), _Valued(float(values[k, second]), function))
        return list(found.values())

    def _triples(self, pairs: Sequence[tuple[int, ...]]) -> list[_Valued]:
        """Return, for each pair of candidates, its best function with any third one."""
        parts = []
        for a, b in pairs:
            x, y = self.bits[:, a], self.bits[:, b]
            parts.append(np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y]) * self.weights)
        sums = np.concatenate(parts)  # (4 P, N); one product reads the bits only once
        high = (sums @ self.bits).astype(np.float64).reshape(len(pairs), 4, -1)
        low = sums.sum(axis=1, dtype=np.float64).reshape(len(pairs), 4, 1) - high
        found = []
        for (a, b), of_0, of_1 in zip(pairs, low, high, strict=True):
            values, tables = _cheapest(np.concatenate([of_0, of_1]) * self.price, 3, self.gates)
            values += self.vote + self.comparators[a] + self.comparators[b] + self.comparators
            values[[a, b]] = np.inf
            third = int(values.argmin())
            table = int(tables[third])
            function = _Function((a, b, third), table, float(function_areas(3, self.gates)[table]))
            found.append(_Valued(float(values[third]), function))
        return found

    def _extended(self, found: _Valued) -> _Valued:
        """Return the best combination of a function, by one more gate, with another candidate."""
        function = found.function
        value = function.values(self.bits)
        parts = np.stack([np.where(value, 0, self.weights), np.where(value, self.weights, 0)])
        high = (parts @ self.bits).astype(np.float64)
        sums = parts.sum(axis=1, dtype=np.float64)
        low = sums[:, None] - high
        n, ones = len(function.inputs), (1 << (1 << len(function.inputs))) - 1
        inverse = ones ^ function.table
        options = (  # values at 0 and at 1 of the candidate, loss of the rows that become 1, area of the gate
            (0, function.table, high[1], self.gates.and_gate),
            (function.table, 0, low[1], self.gates.and_gate),
            (function.table, ones, sums[1] + high[0], self.gates.and_gate),
            (ones, function.table, sums[1] + low[0], self.gates.and_gate),
            (function.table, inverse, low[1] + high[0], self.gates.xor_gate),
        )
        rest = self.vote + self._added(function)
        grown = []
        for at_0, at_1, loss, area in options:
            values = rest + area + self.comparators + self.price * loss
            values[list(function.inputs)] = np.inf
            place = int(values.argmin())
            longer = _Function((*function.inputs, place), at_0 | at_1 << (1 << n), function.area + area)
            grown.append(_Valued(float(values[place]), longer))
        return min(grown, key=lambda each: each.value)


def _cheapest(
    cells: NDArray[np.float64], n_inputs: int, gates: GatePrices
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the sum with area, and the table, of the functions that are 1 where a cell's sum is negative.

    Parameters
    ----------
    cells
        (2**n, ...) sums of the rows at each address.
    """
    negative = cells < 0.0
    tables = np.zeros(cells.shape[1:], np.int64)
    for address, ones in enumerate(negative):
        tables |= ones.astype(np.int64) << address
    values: NDArray[np.float64] = np.where(negative, cells, 0.0).sum(axis=0)
    return values + function_areas(n_inputs, gates)[tables], tables


@kernel
def _losses_of_a_vote(scores, labels, weights, own, losses):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Compute, for each row, its cross entropy with one more vote for a class less that without it."""
    gain = exponential(1.0) - 1.0
    for row in range(len(labels)):
        most = scores[row, 0]
        for c in range(1, scores.shape[1]):
            most = max(most, scores[row, c])
        total = 0.0
        for c in range(scores.shape[1]):
            total += exponential(np.float64(scores[row, c] - most))
        more = total + gain * exponential(np.float64(scores[row, own] - most))
        loss = logarithm(more / total)
        if labels[row] == own:
            loss -= 1.0
        losses[row] = weights[row] * loss
