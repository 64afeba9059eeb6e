"""Incremental SAT: prove two and-inverter graphs equal on every reachable input, or find a counterexample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.flat_aig import FlatAig, Integers
from dwn_asic.compiled import allocating, leaf
from dwn_asic.optimize.exact.reachable import ReachableInputs
from dwn_asic.optimize.exact.work import Work

__all__ = ["Prover"]

# The solver decides every variable it knows, so above this many a fresh solver is faster.
_MOST_VARIABLES = 1500
# Nominal seconds for a node of a graph, and for a propagation of the solver.
_NODE, _PROPAGATION = 6e-7, 5e-8


class Prover:
    """A solver that identifies every AND by its fan-ins, so that equal structure shares one variable.

    Parameters
    ----------
    reachable
        The reachable patterns of the inputs.
    work
        The budget that counts its work.
    """

    def __init__(self, reachable: ReachableInputs, work: Work) -> None:
        self._reachable, self._work = reachable, work
        self._solver: Any = None
        self._restart()

    def _restart(self) -> None:
        from pysat.solvers import Minisat22

        if self._solver is not None:
            self._solver.delete()
        self._solver = Minisat22(bootstrap_with=self._reachable.clauses)
        self._true = len(self._reachable.inputs) + 1
        self._last = self._true
        self._solver.add_clause([self._true])
        self._latest: tuple[FlatAig, Integers] | None = None
        self._known = np.zeros((1024, 3), np.int64)

    def difference(
        self, before: FlatAig, after: FlatAig, conflicts: int = 20_000
    ) -> NDArray[np.bool_] | None:
        """Return None if the graphs are proved equal, else (I,) input values on which they differ.

        A proof that needs more than ``conflicts`` conflicts is given up and counts as a difference without a
        known input; the array is empty then.
        """
        if self._last > _MOST_VARIABLES + 2 * len(before.fanins):
            self._restart()
        earlier = self._solver.accum_stats()["propagations"]
        found = self._compare(before, after, conflicts)
        propagations = self._solver.accum_stats()["propagations"] - earlier
        self._work.add(_NODE * len(after.fanins) + _PROPAGATION * propagations)
        return found

    def _compare(self, before: FlatAig, after: FlatAig, conflicts: int) -> NDArray[np.bool_] | None:
        pairs = zip(self._outputs(before).tolist(), self._outputs(after).tolist(), strict=True)
        for a, b in pairs:
            if a == b:
                continue
            for assumptions in ((a, -b), (-a, b)):
                self._solver.conf_budget(conflicts)
                answer = self._solver.solve_limited(assumptions=assumptions)
                if answer is None:
                    return np.zeros(0, bool)
                if answer:
                    model = self._solver.get_model()
                    return np.array([model[i] > 0 for i in range(len(self._reachable.inputs))])
            self._solver.append_formula([[-a, b], [a, -b]])
        return None

    def _outputs(self, aig: FlatAig) -> Integers:
        """Return the SAT literals of the outputs, after adding the clauses of new nodes to the solver."""
        if self._latest is not None and self._latest[0] is aig:
            return self._latest[1]
        while len(self._known) < 4 * (self._last + len(aig.fanins)):
            self._known = enlarged(self._known)
        literals, added = identified(aig.fanins, aig.n_inputs, self._last, self._known)
        self._last += len(added)
        clauses = [clause for z, x, y in added.tolist() for clause in ([-z, x], [-z, y], [z, -x, -y])]
        self._solver.append_formula(clauses, no_return=True)
        outputs = np.where(aig.outputs & 1, -literals[aig.outputs >> 1], literals[aig.outputs >> 1])
        self._latest = aig, outputs
        return outputs


@allocating
def identified(fanins, n_inputs, last, known):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Identify the ANDs of a graph by their fan-ins.

    Input i has variable i + 1, and the constant 1 the variable after the inputs.

    Parameters
    ----------
    fanins, n_inputs
        The graph.
    last
        The last variable in use.
    known
        (size, 3) hash table of the ANDs that have a variable: the variable, 0 in empty places, then the
        literals of the fan-ins, the lower one first. New ANDs are added.

    Returns
    -------
    tuple
        (nodes,) SAT literals, and (added, 3) the new ANDs in order.
    """
    literals, added, n_added = np.empty(len(fanins), np.int64), np.empty((len(fanins), 3), np.int64), 0
    literals[0] = -(n_inputs + 1)
    literals[1 : 1 + n_inputs] = np.arange(1, 1 + n_inputs)
    for v in range(1 + n_inputs, len(fanins)):
        a, b = fanins[v, 0], fanins[v, 1]
        x = -literals[a >> 1] if a & 1 else literals[a >> 1]
        y = -literals[b >> 1] if b & 1 else literals[b >> 1]
        slot = _slot(min(x, y), max(x, y), known)
        if not known[slot, 0]:
            n_added += 1
            known[slot, 0], known[slot, 1], known[slot, 2] = last + n_added, min(x, y), max(x, y)
            added[n_added - 1, 0], added[n_added - 1, 1], added[n_added - 1, 2] = last + n_added, x, y
        literals[v] = known[slot, 0]
    return literals, added[:n_added]


@allocating
def enlarged(known):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the hash table with twice as many places."""
    larger = np.zeros((2 * len(known), 3), np.int64)
    for entry in known:
        if entry[0]:
            larger[_slot(entry[1], entry[2], larger)] = entry
    return larger


@leaf
def _slot(x, y, known):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the place of an AND in the hash table, or the empty place for it."""
    mask = len(known) - 1
    slot = (x * 40503 + y * 30011) & mask
    while known[slot, 0] and (known[slot, 1] != x or known[slot, 2] != y):
        slot = (slot + 1) & mask
    return slot
