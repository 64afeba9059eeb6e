"""Measured sizes of a core."""

from __future__ import annotations

from hypothesis import given
from strategies import boolean_graphs

from dwn_asic.boolean.aig import and_count
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface, Lut, Threshold
from dwn_asic.boolean.measure import METRICS, measure

INTERFACE = Interface(("x", "y"), (4, 4), ("no", "yes"))


def gate(table: int) -> BooleanGraph:
    builder = GraphBuilder(INTERFACE)
    return builder.finish(
        [builder.add(Lut((builder.add(Threshold(0, 3)), builder.add(CodeBit(1, 2))), table))]
    )


def test_an_and_is_one_node_and_an_xor_three() -> None:
    assert measure(gate(0b1000)) == {"encoder__threshold__count": 1, "logic__and__count": 1}
    assert measure(gate(0b0110)) == {"encoder__threshold__count": 1, "logic__and__count": 3}


@given(boolean_graphs())
def test_every_declared_metric_is_measured(core: BooleanGraph) -> None:
    found = measure(core)
    assert list(found) == [metric.name for metric in METRICS]
    assert found["encoder__threshold__count"] == sum(isinstance(node, Threshold) for _, node in core.inputs)
    assert found["logic__and__count"] == and_count(core)
