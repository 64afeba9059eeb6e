"""Incremental SAT: prove two and-inverter graphs equal on every reachable input, or find a counterexample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.flat_aig import FlatAig
from dwn_asic.optimize.exact.reachable import ReachableInputs
from dwn_asic.optimize.exact.work import Work

__all__ = ["Prover"]

# The solver decides every variable it knows, so above this many a fresh solver is faster.
_MOST_VARIABLES = 1500
# Nominal seconds for a node of a graph, and for a propagation of the solver.
_NODE, _PROPAGATION = 1.2e-6, 5e-8


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
        self._latest: tuple[FlatAig, list[int]] | None = None
        self._known: dict[tuple[int, int], int] = {}

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
        pairs = zip(self._outputs(before), self._outputs(after), strict=True)
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

    def _outputs(self, aig: FlatAig) -> list[int]:
        if self._latest is not None and self._latest[0] is aig:
            return self._latest[1]
        variables = [-self._true, *range(1, aig.n_inputs + 1)]
        known, clauses = self._known, []
        for a, b in aig.fanins[1 + aig.n_inputs :].tolist():
            x, y = variables[a >> 1], variables[b >> 1]
            x, y = (-x if a & 1 else x), (-y if b & 1 else y)
            key = (x, y) if x < y else (y, x)
            z = known.get(key)
            if z is None:
                self._last += 1
                z = known[key] = self._last
                clauses += [[-z, x], [-z, y], [z, -x, -y]]
            variables.append(z)
        self._solver.append_formula(clauses, no_return=True)
        outputs = [-variables[o >> 1] if o & 1 else variables[o >> 1] for o in aig.outputs.tolist()]
        self._latest = aig, outputs
        return outputs
