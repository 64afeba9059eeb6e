"""Resubstitution under the order of thermometer bits: fewer ANDs, same function on every reachable input.

A node may become any function of other nodes that agrees with it wherever (a) the inputs are reachable and
(b) the node is observed at an output. Candidates come from simulation of reachable patterns; each move that
is taken is proved by SAT, and what refutes one joins the patterns.
"""

from __future__ import annotations

import time

import numpy as np

from dwn_asic.boolean.flat_aig import FlatAig
from dwn_asic.boolean.packed import pack_rows
from dwn_asic.optimize.exact.moves import best_moves
from dwn_asic.optimize.exact.prover import Prover
from dwn_asic.optimize.exact.reachable import ReachableInputs

__all__ = ["Resubstitution"]

_ROWS = 2048
_MOST_WORDS = 256


class Resubstitution:
    """A random walk over equal graphs by moves that never make the graph dearer.

    Moves that leave the cost as it is matter as much as those that lower it: they lead out of what looks
    like a minimum.

    Parameters
    ----------
    reachable
        The inputs' order.
    seed
        Of every random choice.
    """

    def __init__(self, reachable: ReachableInputs, *, seed: int = 0) -> None:
        self._reachable = reachable
        self._rng = np.random.default_rng(seed)
        self._patterns = pack_rows(reachable.sample(_ROWS, self._rng))
        self._prover = Prover(reachable)

    def shrink(self, start: FlatAig, *, patience: int, deadline: float) -> FlatAig:
        """Walk until ``patience`` moves tried in a row have not made the graph cheaper.

        Parameters
        ----------
        start
            Any graph over the inputs.
        patience
            Moves tried.
        deadline
            Time (``time.perf_counter``) to stop at.
        """
        aig, values, left = start, start.simulate(self._patterns), patience
        while left and aig.size and time.perf_counter() < deadline:
            left -= 1
            new = self._step(aig, values)
            if new is None:
                continue
            if new.cost < aig.cost:
                left = patience
            if new is not aig or values.shape[1] != self._patterns.shape[1]:
                values = new.simulate(self._patterns)
            aig = new
        return aig

    def wander(self, start: FlatAig, *, steps: int, deadline: float) -> FlatAig:
        """The graph after ``steps`` moves tried, not dearer than before."""
        aig, values = start, start.simulate(self._patterns)
        for _ in range(steps):
            if not aig.size or time.perf_counter() > deadline:
                break
            new = self._step(aig, values)
            if new is not None:
                aig, values = new, new.simulate(self._patterns)
        return aig

    def _step(self, aig: FlatAig, values: np.ndarray) -> FlatAig | None:
        """The graph after one move, the same graph if new patterns came, or None if no move was found."""
        node = int(self._rng.integers(1 + aig.n_inputs, len(aig.fanins)))
        moves = best_moves(aig, values, node, self._rng.permutation(len(aig.fanins)))
        if not len(moves) or moves[0, 0] > aig.cost:
            return None
        equal = moves[moves[:, 0] == moves[0, 0]]
        new = aig.replace(node, equal[self._rng.integers(len(equal)), 1:])
        difference = self._prover.difference(aig, new)
        if difference is None:
            return new
        if not len(difference):
            return None
        rows = self._reachable.neighbours(difference, 64, self._rng)
        self._patterns = np.concatenate([self._patterns[:, -_MOST_WORDS:], pack_rows(rows)], axis=1)
        return aig
