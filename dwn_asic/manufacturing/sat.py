"""A SAT solver that finds a pattern for one or several faults, or proves that there is none.

The netlist is encoded once. For each fault a copy of the cells that it reaches is added, and a literal that
demands a difference at some output. Queries assume these literals, so the solver keeps what it has learned.

References
----------
.. [1] T. Larrabee, Test pattern generation using Boolean satisfiability, IEEE Trans. CAD 11 (1), 1992.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean import truth_table as tt
from dwn_asic.manufacturing.faults import STEM, Fault, function_of
from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["PatternSolver", "cover"]

Cube = tuple[tuple[int, bool], ...]
"""Values of some inputs of a function."""


class PatternSolver:
    """A context manager that holds the solver of one netlist.

    Parameters
    ----------
    netlist
        The netlist, with registers as wires.
    conflicts
        Number of conflicts after which a query is aborted; None for no limit.
    """

    def __init__(self, netlist: FlatNetlist, conflicts: int | None = None) -> None:
        self.netlist, self.conflicts = netlist, conflicts
        self._functions = [function_of(each) for each in netlist.instances]
        self._readers: list[list[int]] = [[] for _ in netlist.net_names]
        for index, (nets, _) in enumerate(self._functions):
            for net in dict.fromkeys(nets):
                self._readers[net].append(index)
        self._outputs = frozenset(netlist.outputs.values())
        self._observable = self._reaching_outputs()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._solver.delete()

    def pattern(self, faults: Sequence[Fault]) -> NDArray[np.bool_] | bool:
        """Search for a pattern that detects all of some faults.

        Returns
        -------
        NDArray[np.bool_] | bool
            (I,) input values; False if it is proved that there are none; True if the search was aborted.
        """
        assumptions = []
        for fault in faults:
            found = self._demand(fault)
            if found is None:
                return False
            assumptions += found
        if self.conflicts is not None:
            self._solver.conf_budget(self.conflicts)
        answer = self._solver.solve_limited(assumptions=assumptions)
        if answer is None:
            return True
        if not answer:
            return False
        model = self._solver.get_model()
        return np.array([model[net] > 0 for net in self.netlist.inputs.values()], bool)

    def forget(self) -> None:
        """Remove the copies for all faults, which otherwise slow down later queries."""
        self._solver.delete()
        self._start()

    @property
    def n_copies(self) -> int:
        """Number of copied cells since the start, or since :meth:`forget`."""
        return self._copies

    def _start(self) -> None:
        from pysat.solvers import Glucose4

        self._solver: Any = Glucose4()
        # Variable n + 1 is the value of net n.
        self._variables = len(self.netlist.net_names)
        self._copies = 0
        self._demands: dict[Fault, list[int] | None] = {}
        for net, value in self.netlist.constants.items():
            self._solver.add_clause([net + 1 if value else -net - 1])
        for instance, (nets, table) in zip(self.netlist.instances, self._functions, strict=True):
            self._add(table, [net + 1 for net in nets], instance.output + 1)
        # The model has a value for each input, also for those that nothing reads.
        for net in self.netlist.inputs.values():
            self._solver.add_clause([net + 1, -net - 1])

    def _new(self) -> int:
        self._variables += 1
        return self._variables

    def _add(self, table: int, inputs: Sequence[int], output: int) -> None:
        """Add ``output == table(inputs)`` for literals."""
        for value in (False, True):
            for cube in cover(table, len(inputs), value=value):
                clause = [-inputs[k] if bit else inputs[k] for k, bit in cube]
                self._solver.add_clause([*clause, output if value else -output])

    def _demand(self, fault: Fault) -> list[int] | None:
        """Return literals that demand detection of a fault; None if it reaches no output."""
        if fault not in self._demands:
            self._demands[fault] = self._encoded(fault)
        return self._demands[fault]

    def _encoded(self, fault: Fault) -> list[int] | None:
        good = fault.net + 1
        excited = -good if fault.value else good
        instances, first = self.netlist.instances, fault.reader
        if first >= len(instances):
            return [excited]
        faulty: dict[int, int] = {}
        if first == STEM:
            if fault.net in self._outputs:
                return [excited]
            if not self._observable[fault.net]:
                return None
            stuck = self._new()
            self._solver.add_clause([stuck if fault.value else -stuck])
            faulty[fault.net] = stuck
        elif not self._observable[instances[first].output]:
            return None
        cone = self._cone(fault)
        for index in cone:
            instance, (nets, table) = instances[index], self._functions[index]
            literals = [faulty.get(net, net + 1) for net in nets]
            if index == first:
                n, k = len(nets), fault.position
                table = tt.cofactor(table, n, k, int(fault.value))
                del literals[k]
            faulty[instance.output] = self._new()
            self._add(table, literals, faulty[instance.output])
        self._copies += len(cone)
        demand = self._new()
        differences: dict[int, int] = {}
        for net, copy in faulty.items():
            x = differences[net] = self._new()
            self._solver.append_formula([[-x, net + 1, copy], [-x, -net - 1, -copy]])
        # A difference at a net that is no output needs one at a net that reads it.
        for net, x in differences.items():
            if net not in self._outputs:
                after = {instances[index].output for index in self._readers[net]} & differences.keys()
                self._solver.add_clause([-x, *(differences[other] for other in sorted(after))])
        start = differences[fault.net if first == STEM else instances[first].output]
        self._solver.add_clause([-demand, start])
        return [excited, demand]

    def _cone(self, fault: Fault) -> list[int]:
        """Return the instances that a fault reaches and that reach an output, in topological order."""
        instances = self.netlist.instances
        waiting = list(self._readers[fault.net]) if fault.reader == STEM else [fault.reader]
        found: set[int] = set()
        while waiting:
            index = waiting.pop()
            if index not in found and self._observable[instances[index].output]:
                found.add(index)
                waiting += self._readers[instances[index].output]
        return sorted(found)

    def _reaching_outputs(self) -> list[bool]:
        found = [net in self._outputs for net in range(len(self.netlist.net_names))]
        for instance, (nets, _) in zip(
            reversed(self.netlist.instances), reversed(self._functions), strict=True
        ):
            if found[instance.output]:
                for net in nets:
                    found[net] = True
        return found


@cache
def cover(table: int, n: int, *, value: bool) -> tuple[Cube, ...]:
    """Return prime cubes that together are the addresses where a function of n inputs has a value."""
    wanted = frozenset(a for a in range(1 << n) if bool(table >> a & 1) == value)
    primes: list[tuple[Cube, frozenset[int]]] = []
    for size in range(n + 1):
        for cube, addresses in _cubes(n, size):
            if addresses <= wanted and not any(addresses <= larger for _, larger in primes):
                primes.append((cube, addresses))
    chosen, left = [], set(wanted)
    while left:
        cube, addresses = max(primes, key=lambda prime: len(prime[1] & left))
        chosen.append(cube)
        left -= addresses
    return tuple(chosen)


def _cubes(n: int, size: int) -> Iterator[tuple[Cube, frozenset[int]]]:
    """Yield all cubes with ``size`` fixed inputs, and their addresses."""
    for inputs in itertools.combinations(range(n), size):
        for values in itertools.product((False, True), repeat=size):
            cube = tuple(zip(inputs, values, strict=True))
            yield cube, frozenset(a for a in range(1 << n) if all((a >> k & 1) == bit for k, bit in cube))
