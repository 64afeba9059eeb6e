"""Mutants drawn at random, and whether verification finds each of them at the stage that has the fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.equivalence.check import check_forms
from dwn_asic.errors import DataError, VerificationError
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.writer import design_verilog
from mutation.case import DESIGN, NETLIST, Case, Mutant, evaluated, evaluated_circuit, with_text
from mutation.graphs import EVERYWHERE, MEANING, threshold_off_by_one, wrong_comparator
from mutation.graphs import Mutator as GraphMutator
from mutation.texts import DESIGNS, NETLISTS
from mutation.texts import Mutator as TextMutator

Draw = Callable[[Case, np.random.Generator], Mutant | None]
"""A function that draws a mutant of a case; None if the case has no place for the fault."""
_NAMES = {
    "model": ("model == graph",),
    "graph": ("graph == minimized",),
    "minimized": ("graph == minimized",),
    "Verilog": ("graph == Verilog", DESIGN),
    "netlist": ("graph == netlist", NETLIST),
}
"""The beginnings of messages that name a stage."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """The result of the verification of a mutant; ``message`` is empty if it passes."""

    mutant: Mutant
    message: str

    @property
    def right(self) -> bool:
        """True if a mutant that is changed is found at its stage, or any other one passes."""
        if not self.mutant.changed:
            return not self.message
        return self.message.startswith(_NAMES[self.mutant.stage])

    def __str__(self) -> str:
        mutant = self.mutant
        return (
            f"{mutant.case.name}: {mutant.kind} in {mutant.stage}: "
            f"{'changed' if mutant.changed else 'unchanged'}, {self.message or 'passes'}"
        )


def judged(mutant: Mutant) -> Verdict:
    """Verify a mutant."""
    try:
        if mutant.stage == "model":
            wanted = mutant.wanted
            check_forms(wanted.graph, wanted.circuit, {}, wanted.codes, wanted.predictions)
        else:
            mutant.case.target.verify(mutant.built, mutant.wanted)
    except (VerificationError, DataError) as error:
        return Verdict(mutant, str(error))
    return Verdict(mutant, "")


def mutants(
    cases: Sequence[Case], count: int, rng: np.random.Generator, draws: Sequence[Draw] | None = None
) -> Iterator[Mutant]:
    """Draw mutants: every kind in turn, each of a random case."""
    kinds, made = draws or DRAWS, 0
    while made < count:
        for draw in kinds:
            found = None
            for _ in range(5):
                found = found or draw(cases[int(rng.integers(0, len(cases)))], rng)
            if found is not None and made < count:
                made += 1
                yield found


def _graph_draw(stage: str, kind: str, mutate: GraphMutator) -> Draw:
    def draw(case: Case, rng: np.random.Generator) -> Mutant | None:
        graph = mutate(case.graph, rng)
        if graph is None:
            return None
        changed = _renamed(graph, case.graph) or bool((evaluated(graph, case.codes) != case.classes).any())
        wanted = replace(case.specification, graph=graph)
        if stage == "model":
            # The fault is in the graph, from which all others are made, so only rows can show it.
            circuit = Circuit(encoder_graph([node for _, node in graph.inputs], graph.interface), graph)
            wanted = replace(wanted, circuit=circuit, codes=case.codes, predictions=case.classes)
        return Mutant(kind, stage, case, case.built, wanted, changed)

    return draw


def _circuit_draw(kind: str, change: Callable[[Circuit, np.random.Generator], Circuit | None]) -> Draw:
    def draw(case: Case, rng: np.random.Generator) -> Mutant | None:
        circuit = change(case.circuit, rng)
        if circuit is None:
            return None
        differs = bool((evaluated_circuit(circuit, case.codes) != case.classes).any())
        changed = differs or _renamed(circuit.core, case.graph) or _renamed(circuit.encoder, case.graph)
        wanted = replace(case.specification, circuit=circuit)
        return Mutant(kind, "minimized", case, case.built, wanted, changed)

    return draw


def _text_draw(file: str, kind: str, mutate: TextMutator) -> Draw:
    def draw(case: Case, rng: np.random.Generator) -> Mutant | None:
        text = mutate(case.built.files[file], case.target.pdk.library, rng)
        return None if text is None else with_text(kind, case, file, text)

    return draw


def _wrong_comparator(file: str) -> Draw:
    """Return the draw of a text that was made from an encoder with a wrong constant."""

    def draw(case: Case, rng: np.random.Generator) -> Mutant | None:
        encoder = wrong_comparator(case.circuit.core, rng)
        if encoder is None or {n.feature for _, n in encoder.inputs} != {
            n.feature for _, n in case.circuit.encoder.inputs
        }:
            return None
        text = design_verilog("demo", encoder, case.circuit.core, case.built.registers)
        if file == NETLIST:
            text = synthesize(text, "demo", case.target.pdk.library).netlist
        return with_text("comparator constant", case, file, text)

    return draw


def _renamed(graph: BooleanGraph, like: BooleanGraph) -> bool:
    return graph.interface != like.interface


def _core(mutate: GraphMutator) -> Callable[[Circuit, np.random.Generator], Circuit | None]:
    def change(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
        core = mutate(circuit.core, rng)
        return None if core is None else replace(circuit, core=core)

    return change


def _encoder(mutate: GraphMutator) -> Callable[[Circuit, np.random.Generator], Circuit | None]:
    def change(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
        encoder = mutate(circuit.encoder, rng)
        return None if encoder is None else replace(circuit, encoder=encoder)

    return change


def _comparator(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    encoder = wrong_comparator(circuit.core, rng)
    return None if encoder is None else replace(circuit, encoder=encoder)


_GRAPHS = {**EVERYWHERE, **MEANING, "threshold off by one": threshold_off_by_one}
# Rows hold class indices, not names.
_MODELS = {kind: mutate for kind, mutate in _GRAPHS.items() if "names" not in kind}
TEXTS: tuple[Draw, ...] = (
    *(_text_draw(DESIGN, kind, mutate) for kind, mutate in DESIGNS.items()),
    *(_text_draw(NETLIST, kind, mutate) for kind, mutate in NETLISTS.items()),
)
"""One draw per kind of fault in a design and in a netlist."""
DRAWS: tuple[Draw, ...] = (
    *(_graph_draw("model", kind, mutate) for kind, mutate in _MODELS.items()),
    *(_graph_draw("graph", kind, mutate) for kind, mutate in _GRAPHS.items()),
    *(_circuit_draw(f"core: {kind}", _core(mutate)) for kind, mutate in {**EVERYWHERE, **MEANING}.items()),
    *(_circuit_draw(f"encoder: {kind}", _encoder(mutate)) for kind, mutate in EVERYWHERE.items()),
    _circuit_draw("encoder: comparator constant", _comparator),
    *TEXTS,
    _wrong_comparator(DESIGN),
    _wrong_comparator(NETLIST),
)
"""One draw per stage and kind of fault."""
