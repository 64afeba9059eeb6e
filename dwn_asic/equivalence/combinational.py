"""Combinational equivalence of two Boolean graphs: random simulation, then SAT."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.aig import to_aig
from dwn_asic.boolean.comparators import specification
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Input
from dwn_asic.equivalence.enumeration import differing_codes, work
from dwn_asic.errors import ToolError, ToolTimeoutError
from dwn_asic.tools import find_abc

__all__ = ["Counterexample", "find_difference", "find_difference_on_codes"]

_RANDOM_ROWS = 4096
_QUICK, _MOST = 2 * 10**10, 10**12
"""Cases times nodes that simulation handles in about a second, and in about a minute."""
_SAT_SECONDS = 5.0
"""Time limit of SAT where exhaustive simulation would take at most a minute."""


@dataclass(frozen=True)
class Counterexample:
    """Input values on which two graphs differ.

    Attributes
    ----------
    inputs
        Input -> value, for the inputs of both graphs.
    expected, got
        Output bits of the first and of the second graph, output 0 first.
    """

    inputs: dict[Input, bool]
    expected: tuple[bool, ...]
    got: tuple[bool, ...]


def find_difference(
    expected: BooleanGraph, got: BooleanGraph, *, timeout_s: float = 300.0
) -> Counterexample | None:
    """Return a counterexample, or None if the graphs are proved equal on every input.

    Random patterns reveal most differences at once. If they reveal none, ABC's ``&cec`` decides; if it
    reports a difference, a SAT solver finds the input.

    Raises
    ------
    ValueError
        The graphs have different numbers of outputs.
    ToolError
        ABC fails, or does not decide within ``timeout_s`` seconds.
    """
    if len(expected.outputs) != len(got.outputs):
        raise ValueError(f"the graphs have {len(expected.outputs)} and {len(got.outputs)} outputs")
    inputs = tuple(sorted({node for graph in (expected, got) for _, node in graph.inputs}, key=_order))
    rows = np.random.default_rng(0).random((_RANDOM_ROWS, len(inputs))) < 0.5
    found = _first_difference(expected, got, inputs, rows)
    if found is None and not _proved_equal(expected, got, inputs, timeout_s):
        found = _first_difference(expected, got, inputs, _sat_assignment(expected, got, inputs))
        if found is None:
            raise ToolError("abc", "&cec reports a difference that the SAT solver's assignment does not show")
    return found


def find_difference_on_codes(
    expected: BooleanGraph, got: BooleanGraph, *, timeout_s: float = 300.0
) -> Counterexample | None:
    """Return a counterexample on codes for graphs over thresholds, or None if they are proved equal.

    The thresholds of a feature are ordered, so graphs that are equal on every code may still differ on input
    values that no code produces. The counterexample therefore assigns the code bits of the features. If only
    few codes need to be distinguished, all of them are simulated: immediately if they are very few, otherwise
    if SAT takes too long.

    Raises
    ------
    ValueError
        The graphs have different numbers of outputs.
    ToolError
        ABC fails, or does not decide within ``timeout_s`` seconds and there are too many codes to simulate.
    """
    if len(expected.outputs) != len(got.outputs):
        raise ValueError(f"the graphs have {len(expected.outputs)} and {len(got.outputs)} outputs")
    amount = work(expected, got)
    if amount > _QUICK:
        limit = timeout_s if amount > _MOST else min(timeout_s, _SAT_SECONDS)
        try:
            return find_difference(specification(expected), specification(got), timeout_s=limit)
        except ToolTimeoutError:
            if amount > _MOST:
                raise
    codes = differing_codes(expected, got)
    return None if codes is None else _counterexample(expected, got, codes)


def _counterexample(expected: BooleanGraph, got: BooleanGraph, codes: dict[int, int]) -> Counterexample:
    row = np.zeros((1, len(expected.interface.widths)), np.int64)
    row[0, list(codes)] = list(codes.values())
    inputs: dict[Input, bool] = {
        CodeBit(feature, bit): bool(code >> bit & 1)
        for feature, code in codes.items()
        for bit in range(expected.interface.widths[feature])
    }
    outputs = [graph.simulate(graph.input_bits(row))[0] for graph in (expected, got)]
    return Counterexample(inputs, tuple(map(bool, outputs[0])), tuple(map(bool, outputs[1])))


def _order(node: Input) -> tuple[str, Input]:
    return type(node).__name__, node


def _first_difference(
    expected: BooleanGraph, got: BooleanGraph, inputs: Sequence[Input], rows: NDArray[np.bool_]
) -> Counterexample | None:
    outputs = [graph.simulate(_columns(graph, inputs, rows)) for graph in (expected, got)]
    differing = np.flatnonzero((outputs[0] != outputs[1]).any(axis=1))
    if not len(differing):
        return None
    row = differing[0]
    values = {node: bool(value) for node, value in zip(inputs, rows[row], strict=True)}
    return Counterexample(values, tuple(map(bool, outputs[0][row])), tuple(map(bool, outputs[1][row])))


def _columns(graph: BooleanGraph, inputs: Sequence[Input], rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    place = {node: i for i, node in enumerate(inputs)}
    return rows[:, [place[node] for _, node in graph.inputs]]


def _proved_equal(
    expected: BooleanGraph, got: BooleanGraph, inputs: tuple[Input, ...], timeout_s: float
) -> bool:
    from aigverse.io import write_aiger

    if not inputs:
        return True  # constants, which the simulation has compared already
    with tempfile.TemporaryDirectory() as folder:
        for name, graph in (("expected", expected), ("got", got)):
            write_aiger(to_aig(graph, inputs), str(Path(folder) / f"{name}.aig"))
        output = find_abc().run_script(
            f"&cec -C 1000000 -T {max(1, int(timeout_s))} expected.aig got.aig",
            timeout_s=timeout_s + 10,
            cwd=Path(folder),
        )
    if "Networks are equivalent" in output:
        return True
    if "Networks are NOT EQUIVALENT" in output:
        return False
    raise ToolTimeoutError("abc", f"&cec came to no decision in {timeout_s:g} s", tail=output)


def _sat_assignment(
    expected: BooleanGraph, got: BooleanGraph, inputs: tuple[Input, ...]
) -> NDArray[np.bool_]:
    """Return (1, I) input values on which the outputs differ, by SAT on the miter.

    Where there are none, all values are 0.
    """
    from pysat.solvers import Cadical153

    with Cadical153() as solver:
        true = len(inputs) + 1
        solver.add_clause([true])
        counter = [true]
        outputs = [_encode(to_aig(graph, inputs), solver, counter, true) for graph in (expected, got)]
        differences = []
        for a, b in zip(*outputs, strict=True):
            counter[0] += 1
            x = counter[0]
            solver.append_formula([[-x, a, b], [-x, -a, -b]])
            differences.append(x)
        solver.add_clause(differences)
        if not solver.solve():
            return np.zeros((1, len(inputs)), bool)
        model = set(solver.get_model())
    return np.array([[i + 1 in model for i in range(len(inputs))]])


def _encode(aig: Any, solver: Any, counter: list[int], true: int) -> list[int]:
    """Add Tseitin clauses for an AIG and return its output literals; primary input i is variable i + 1."""
    variable = {0: -true} | {pi: i + 1 for i, pi in enumerate(aig.pis())}

    def literal(signal: Any) -> int:
        value = variable[aig.get_node(signal)]
        return -value if aig.is_complemented(signal) else value

    for gate in aig.gates():
        a, b = (literal(signal) for signal in aig.fanins(gate))
        counter[0] += 1
        x = variable[gate] = counter[0]
        solver.append_formula([[-x, a], [-x, b], [x, -a, -b]])
    return [literal(signal) for signal in aig.pos()]
