"""Comparison of two descriptions of a classifier: on rows of data, and by proof on every input."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from dwn_asic import __version__
from dwn_asic.boolean.comparators import encoder_graph, specification
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Interface
from dwn_asic.boolean.modules import Pieces, divided
from dwn_asic.boolean.ports import CLASS_PORT, feature_port
from dwn_asic.equivalence.combinational import Counterexample, find_difference, find_difference_on_codes
from dwn_asic.errors import VerificationError
from dwn_asic.tools import find_abc

__all__ = [
    "EQUAL",
    "HOW",
    "OWN",
    "Check",
    "abc_prover",
    "check_equal",
    "check_forms",
    "check_interfaces",
    "check_parts",
    "check_rows",
    "prove_forms",
]


EQUAL = "equal"
"""The verdict of a comparison that succeeded."""
HOW = {
    "rows": ("comparison", "{} rows of data", "on all {} rows"),
    "random": ("comparison", "{} random codes", "on {} random codes"),
    "exhaustive": ("exhaustive simulation", "every code, in {} cases", "on every code, in {} cases"),
    "definition": ("definition", "every code", "by definition"),
    "proof": ("formal proof", "every input", "by proof"),
    "simulation": ("event-driven simulation", "{} rows", "by simulation of {} rows"),
}
"""Way to compare -> its name, what it covers, and both in a sentence, given the size."""
OWN = f"dwn-asic {__version__}"
"""This package, as the tool of a check."""
_CODES = "for thermometer values that some code produces"


@dataclass(frozen=True)
class Check:
    """A comparison of two descriptions: one that succeeded, or one that was not done, with the reason.

    Attributes
    ----------
    what
        The two descriptions, for example ``model == graph``.
    how
        A key of :data:`HOW`: ``rows`` (on every row of the data), ``random`` (on random codes),
        ``exhaustive`` (by simulation of every code), ``definition`` (the two are the same by definition),
        ``proof`` (on every possible input) or ``simulation`` (on some test rows, by an event-driven
        simulator).
    size
        Number of rows or cases compared; 0 for a proof.
    seconds
        Time taken, in seconds.
    stage
        The step of the way from model to netlist, for example ``minimized -> Verilog``.
    tool
        The tool that compares, with its version.
    assumes
        The only inputs that the comparison covers; empty if it covers all values of all input bits.
    verdict
        :data:`EQUAL`, or why there is no result, for example ``not finished in 300 s``.
    """

    what: str
    how: str
    size: int
    seconds: float
    stage: str = ""
    tool: str = ""
    assumes: str = ""
    verdict: str = EQUAL

    @property
    def succeeded(self) -> bool:
        """True if the comparison was done; one that fails raises an error instead."""
        return self.verdict == EQUAL

    @property
    def scope(self) -> str:
        """Coverage of the comparison in words; empty if it was not done."""
        if not self.succeeded:
            return ""
        return f"{HOW[self.how][1].format(self.size)}{f', {self.assumes}' if self.assumes else ''}"

    @property
    def summary(self) -> str:
        """The check as one line."""
        if not self.succeeded:
            return f"{self.what}: {self.verdict}"
        return f"{self.what} {HOW[self.how][2].format(self.size)}"


def abc_prover() -> str:
    """Name the tool of the proofs by SAT, with its version."""
    return f"ABC &cec, {find_abc().origin}"


def check_rows(
    what: str,
    expected: NDArray[np.int64],
    got: NDArray[np.int64],
    codes: NDArray[np.int64],
    interface: Interface,
    *,
    how: str = "rows",
) -> Check:
    """Compare the (N,) class indices of two descriptions on the same (N, F) codes; ``how`` says which codes.

    Raises
    ------
    VerificationError
        Some rows differ; the error names the first and counts them.
    """
    start = time.perf_counter()
    differing = np.flatnonzero(expected != got)
    if len(differing):
        row = int(differing[0])
        inputs = _features(interface, {f: int(code) for f, code in enumerate(codes[row])})
        unit = "row" if how == "rows" else "code"
        raise VerificationError(
            f"{what} fails on {len(differing)} of {len(expected)} {unit}s, first {unit} {row + 1}",
            inputs=inputs,
            expected=f"class {expected[row]}",
            got=f"class {got[row]}",
        )
    seconds = time.perf_counter() - start
    return Check(what, how, len(expected), seconds, what.replace("==", "->"), OWN)


def check_equal(
    what: str, expected: BooleanGraph, got: BooleanGraph, *, stage: str = "", timeout_s: float = 300.0
) -> Check:
    """Prove two graphs over code bits equal; raises VerificationError with a counterexample."""
    start = time.perf_counter()
    if len(expected.outputs) != len(got.outputs):
        raise VerificationError(
            f"{what} fails: the circuits have {len(expected.outputs)} and {len(got.outputs)} outputs"
        )
    difference = find_difference(expected, got, timeout_s=timeout_s)
    if difference is not None:
        raise VerificationError(
            f"{what} fails",
            inputs=_features(expected.interface, _codes(difference)),
            expected=f"{CLASS_PORT} {_number(difference.expected)}",
            got=f"{CLASS_PORT} {_number(difference.got)}",
        )
    return Check(what, "proof", 0, time.perf_counter() - start, stage, abc_prover())


def check_interfaces(graph: BooleanGraph, circuit: Circuit) -> None:
    """Raise VerificationError if encoder or core have other features or classes than the graph."""
    for part, interface in {"encoder": circuit.encoder.interface, "core": circuit.core.interface}.items():
        for field in fields(Interface):
            wanted, got = (getattr(each, field.name) for each in (graph.interface, interface))
            if wanted != got:
                raise VerificationError(
                    f"graph == minimized fails: the {part} has other {field.name.replace('_', ' ')}",
                    expected=", ".join(map(str, wanted)),
                    got=", ".join(map(str, got)),
                )


def check_forms(
    graph: BooleanGraph,
    circuit: Circuit,
    forms: Mapping[str, BooleanGraph],
    codes: NDArray[np.int64],
    predictions: NDArray[np.int64],
    *,
    timeout_s: float = 300.0,
) -> list[Check]:
    """Compare a model, its graph, a circuit and several forms of it, on every row of data and by proof.

    Parameters
    ----------
    graph, circuit, forms
        As for :func:`prove_forms`, which also defines the errors.
    codes, predictions
        (N, F) codes and (N,) class indices that the model predicts for them; without rows only proofs remain.
    """
    every = {"graph": graph, "minimized": circuit.graph, **forms}
    proofs = prove_forms(graph, circuit, forms, timeout_s=timeout_s)
    checks = []
    for what, form in every.items():
        if len(codes):
            got = form.predict(codes)
            checks.append(check_rows(f"model == {what}", predictions, got, codes, graph.interface))
        if what != "graph":
            checks.append(next(proofs))
    return checks


def prove_forms(
    graph: BooleanGraph, circuit: Circuit, forms: Mapping[str, BooleanGraph], *, timeout_s: float = 300.0
) -> Iterator[Check]:
    """Prove a circuit and several forms of it equal to a graph, yielding each check once it is done.

    Only the circuit is compared with the graph itself, which may take long. The forms are made from the
    circuit and resemble it, so they are compared with the circuit: a form equal to it also equals the graph.

    Parameters
    ----------
    graph
        The model's graph over thresholds (or code bits).
    circuit
        Encoder and core; the first check, ``graph == minimized``, compares them with the graph.
    forms
        Name -> graph over code bits.

    Raises
    ------
    VerificationError
        Two descriptions differ; the error holds a counterexample. Or the circuit names features or classes in
        another way than the graph, so that equal numbers mean something else.
    """
    start = time.perf_counter()
    check_interfaces(graph, circuit)
    if not _parts_are_equal(graph, circuit, timeout_s):
        check_equal("graph == minimized", specification(graph), circuit.graph, timeout_s=timeout_s)
    yield _minimization(start)
    for what, form in forms.items():
        stage = f"minimized -> {what}"
        yield check_equal(f"graph == {what}", circuit.graph, form, stage=stage, timeout_s=timeout_s)


def _minimization(start: float) -> Check:
    """Return the check of exact minimization, which uses that the thresholds of a feature are ordered."""
    tool, seconds = f"{abc_prover()}, or exhaustive simulation", time.perf_counter() - start
    return Check("graph == minimized", "proof", 0, seconds, "graph -> minimized", tool, _CODES)


def check_parts(
    graph: BooleanGraph,
    circuit: Circuit,
    forms: Mapping[str, Iterable[tuple[str, BooleanGraph, BooleanGraph]]],
    codes: NDArray[np.int64],
    predictions: NDArray[np.int64],
    *,
    timeout_s: float = 300.0,
) -> list[Check]:
    """Compare a model, its graph, a large circuit and several forms of it, one part at a time.

    Graph and circuit are compared on every row of data, too. The forms are not: it would take long, and the
    proofs cover it.

    Parameters
    ----------
    graph, circuit
        The model's graph, and encoder and core, at least one of them with modules.
    forms
        Name of each form -> name of each part, the graph that it must equal, and its graph.
    codes, predictions
        As for :func:`check_forms`, which also defines the errors.
    """
    checks = []
    for what, each in {"graph": graph, "minimized": circuit.graph}.items():
        if len(codes):
            got = each.predict(codes)
            checks.append(check_rows(f"model == {what}", predictions, got, codes, graph.interface))
    check_interfaces(graph, circuit)
    comparators = encoder_graph([node for _, node in circuit.core.inputs], circuit.core.interface)
    sides = {"encoder": (comparators, circuit.encoder), "core": (graph, circuit.core)}
    every = {"minimized": chain.from_iterable(_pieces(*pair, name) for name, pair in sides.items()), **forms}
    for what, parts in every.items():
        # Only minimization uses the order of thresholds.
        find = find_difference_on_codes if what == "minimized" else find_difference
        start = time.perf_counter()
        for name, part, form in parts:
            if find(part, form, timeout_s=timeout_s) is not None:
                raise VerificationError(f"graph == {what} fails in {name}")
        if what == "minimized":
            checks.append(_minimization(start))
        else:
            seconds, stage = time.perf_counter() - start, f"minimized -> {what}"
            checks.append(
                Check(f"graph == {what}", "proof", 0, seconds, stage, f"{abc_prover()}, by modules")
            )
    return checks


def _pieces(
    expected: BooleanGraph, got: BooleanGraph, name: str
) -> Iterator[tuple[str, BooleanGraph, BooleanGraph]]:
    """Yield name and graphs of each module, after checking that the same wires drive the outputs."""
    whole = divided(expected)
    if not got.modules or len(whole.modules) != len(got.modules):
        yield name, expected, got
        return
    pieces, others = Pieces(whole), Pieces(got)
    if pieces.drivers != others.drivers:
        raise VerificationError(f"graph == minimized fails: other wires drive the outputs of the {name}")
    for k in range(len(pieces)):
        piece = pieces.piece(k)
        yield f"part {k} of the {name}", piece.graph, others.piece(k, piece.wires).graph


def _parts_are_equal(graph: BooleanGraph, circuit: Circuit, timeout_s: float) -> bool:
    """Return whether the core equals the graph on every code, and the encoder its plain comparators."""
    core, encoder = circuit.core, circuit.encoder
    comparators = encoder_graph([node for _, node in core.inputs], core.interface)
    return (
        len(core.outputs) == len(graph.outputs)
        and find_difference(comparators, encoder, timeout_s=timeout_s) is None
        and find_difference_on_codes(graph, core, timeout_s=timeout_s) is None
    )


def _codes(difference: Counterexample) -> dict[int, int]:
    """Return feature -> code for a counterexample over code bits."""
    codes: dict[int, int] = {}
    for node, value in difference.inputs.items():
        if isinstance(node, CodeBit):
            codes[node.feature] = codes.get(node.feature, 0) | int(value) << node.bit
    return codes


def _features(interface: Interface, codes: Mapping[int, int]) -> str:
    return " ".join(f"{feature_port(f, interface.feature_names[f])}={c}" for f, c in sorted(codes.items()))


def _number(bits: tuple[bool, ...]) -> int:
    return sum(int(bit) << k for k, bit in enumerate(bits))
