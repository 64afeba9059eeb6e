"""Several forms of one graph: the first is compared with the graph, the others with the first."""

from __future__ import annotations

import pytest

from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut
from dwn_asic.equivalence import check
from dwn_asic.equivalence.check import prove_forms
from dwn_asic.errors import VerificationError

INTERFACE = Interface(("a",), (3,), ("no", "yes"))


def form(table: int) -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    bits = tuple(builder.add(CodeBit(0, k)) for k in range(3))
    return builder.finish([builder.add(Lut(bits, table))])


def test_each_form_is_proved_and_resembling_ones_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    find = check.find_difference

    def watched(expected: BooleanGraph, got: BooleanGraph, *, timeout_s: float) -> object:
        compared.append((expected, got))
        return find(expected, got, timeout_s=timeout_s)

    monkeypatch.setattr(check, "find_difference", watched)
    graph, *others = (form(0b10010110) for _ in range(4))
    forms = dict(zip(("minimized", "Verilog", "netlist"), others, strict=True))
    found = list(prove_forms(graph, forms))
    assert [(c.what, c.how) for c in found] == [(f"graph == {what}", "proof") for what in forms]
    assert compared == [(graph, others[0]), (others[0], others[1]), (others[0], others[2])]


@pytest.mark.parametrize("wrong", range(3))
def test_whichever_form_differs_is_named(wrong: int) -> None:
    tables = [0b10010110] * 3
    tables[wrong] = 0b10010111
    forms = dict(zip(("minimized", "Verilog", "netlist"), map(form, tables), strict=True))
    proofs = prove_forms(form(0b10010110), forms)
    for _ in range(wrong):
        next(proofs)
    with pytest.raises(VerificationError, match=f"graph == {[*forms][wrong]} fails") as caught:
        next(proofs)
    assert (caught.value.inputs, caught.value.expected) == ("x0_a=0", "class_index 0")
