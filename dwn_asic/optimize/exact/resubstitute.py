"""Resubstitution under the order of thermometer bits: fewer ANDs, equal on every reachable input.

A node may be replaced by any function of other nodes that agrees with it wherever (a) the inputs are
reachable and (b) the node is observable at an output. Simulation of reachable patterns finds candidates; SAT
proves each move that is made, and the counterexample of a refuted move joins the patterns.
"""

from __future__ import annotations

import numpy as np

from dwn_asic.boolean.flat_aig import FlatAig
from dwn_asic.boolean.packed import pack_rows
from dwn_asic.optimize.exact.moves import best_moves
from dwn_asic.optimize.exact.prover import Prover
from dwn_asic.optimize.exact.reachable import ReachableInputs
from dwn_asic.optimize.exact.work import Work

__all__ = ["Resubstitution"]

_ROWS = 2048
_MOST_WORDS = 256
# Nominal seconds of a step, of a word of a node's simulated values, and of a node for each move.
_STEP, _WORD, _MOVE = 1e-5, 3e-9, 1e-8


class Resubstitution:
    """A random walk over equivalent graphs by moves that never raise the cost.

    Moves that keep the cost matter as much as moves that lower it: they lead out of local minima.

    Parameters
    ----------
    reachable
        The reachable patterns of the inputs.
    work
        The budget; a walk stops where it is used up.
    seed
        Seed of all random choices.
    """

    def __init__(self, reachable: ReachableInputs, work: Work, *, seed: int = 0) -> None:
        self._reachable, self._work = reachable, work
        self._rng = np.random.default_rng(seed)
        self._patterns = pack_rows(reachable.sample(_ROWS, self._rng))
        self._prover = Prover(reachable, work)

    def shrink(self, start: FlatAig, *, patience: int) -> FlatAig:
        """Walk until ``patience`` consecutive tries have not lowered the cost.

        Parameters
        ----------
        start
            Any graph over the inputs.
        patience
            Number of moves to try.
        """
        aig, values, left = start, start.simulate(self._patterns), patience
        while left and aig.size and self._work.allows():
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

    def wander(self, start: FlatAig, *, steps: int) -> FlatAig:
        """Return the graph after trying ``steps`` moves; its cost is not higher than before."""
        aig, values = start, start.simulate(self._patterns)
        for _ in range(steps):
            if not aig.size or not self._work.allows():
                break
            new = self._step(aig, values)
            if new is not None and (new is not aig or values.shape[1] != self._patterns.shape[1]):
                aig, values = new, new.simulate(self._patterns)
        return aig

    def _step(self, aig: FlatAig, values: np.ndarray) -> FlatAig | None:
        """Return the graph after a move, None if there is none.

        It is the same object if the move changes nothing, or if patterns were added.
        """
        node = int(self._rng.integers(1 + aig.n_inputs, len(aig.fanins)))
        moves = best_moves(aig, values, node, self._rng.permutation(len(aig.fanins)))
        self._work.add(_STEP + len(aig.fanins) * (_WORD * values.shape[1] + _MOVE * len(moves)))
        if not len(moves) or moves[0, 0] > aig.cost:
            return None
        equal = moves[moves[:, 0] == moves[0, 0]]
        new = aig.replace(node, equal[self._rng.integers(len(equal)), 1:])
        if new == aig:
            return aig
        difference = self._prover.difference(aig, new)
        if difference is None:
            return new
        if not len(difference):
            return None
        rows = self._reachable.neighbours(difference, 64, self._rng)
        self._patterns = np.concatenate([self._patterns[:, -_MOST_WORDS:], pack_rows(rows)], axis=1)
        return aig
