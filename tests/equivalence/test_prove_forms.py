"""Several forms of one circuit: the circuit is compared with the graph, and the forms with the circuit."""

from __future__ import annotations

from typing import Any

import pytest

from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut
from dwn_asic.equivalence import check
from dwn_asic.equivalence.check import prove_forms
from dwn_asic.errors import VerificationError

INTERFACE = Interface(("a",), (3,), ("no", "yes"))
BITS = [CodeBit(0, k) for k in range(3)]


def form(table: int) -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    return builder.finish([builder.add(Lut(tuple(map(builder.add, BITS)), table))])


def circuit(table: int) -> Circuit:
    return Circuit(encoder_graph(BITS, INTERFACE), form(table))


def test_each_form_is_proved_and_resembling_ones_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    equal = check.check_equal

    def watched(what: str, expected: BooleanGraph, got: BooleanGraph, **options: Any) -> object:
        compared.append((expected, got))
        return equal(what, expected, got, **options)

    monkeypatch.setattr(check, "check_equal", watched)
    made, forms = circuit(0b10010110), {"Verilog": form(0b10010110), "netlist": form(0b10010110)}
    found = list(prove_forms(form(0b10010110), made, forms))
    assert [(c.what, c.how) for c in found] == [
        (f"graph == {what}", "proof") for what in ("minimized", "Verilog", "netlist")
    ]
    assert compared == [(made.graph, form_) for form_ in forms.values()]


@pytest.mark.parametrize("wrong", range(3))
def test_whichever_form_differs_is_named(wrong: int) -> None:
    tables = [0b10010110] * 3
    tables[wrong] = 0b10010111
    forms = dict(zip(("Verilog", "netlist"), map(form, tables[1:]), strict=True))
    proofs = prove_forms(form(0b10010110), circuit(tables[0]), forms)
    for _ in range(wrong):
        next(proofs)
    name = ("minimized", "Verilog", "netlist")[wrong]
    with pytest.raises(VerificationError, match=f"graph == {name} fails") as caught:
        next(proofs)
    assert (caught.value.inputs, caught.value.expected) == ("x0_a=0", "class_index 0")
