"""An encoder in front of a core."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import boolean_graphs, evaluate, patterns

from dwn_asic.boolean.compose import Circuit, compose
from dwn_asic.boolean.graph import BooleanGraph, CodeBit, GraphBuilder, Interface


@given(boolean_graphs(), st.data())
def test_composition_is_one_after_the_other(core: BooleanGraph, data: st.DataObject) -> None:
    encoder = data.draw(boolean_graphs(n_outputs=len(core.inputs), code_bits=True))
    whole = compose(encoder, core)
    bits = patterns(len(encoder.inputs))
    assert [node for _, node in whole.inputs] == [node for _, node in encoder.inputs]
    np.testing.assert_array_equal(whole.simulate(bits), evaluate(core, evaluate(encoder, bits)))


@given(boolean_graphs(max_inputs=3))
def test_wrong_number_of_outputs(core: BooleanGraph) -> None:
    builder = GraphBuilder(Interface(("x",), (8,), ("no", "yes")))
    outputs = [builder.add(CodeBit(0, 0))] * (len(core.inputs) + 1)
    with pytest.raises(ValueError, match=f"encoder has {len(outputs)} outputs, core has {len(core.inputs)}"):
        compose(builder.finish(outputs), core)


@given(boolean_graphs(max_inputs=3), st.data())
def test_a_circuit_is_its_two_parts_joined(core: BooleanGraph, data: st.DataObject) -> None:
    encoder = data.draw(boolean_graphs(n_outputs=len(core.inputs), code_bits=True))
    circuit = Circuit(encoder, core)
    assert circuit.graph is circuit.graph  # joined once
    whole = compose(encoder, core)
    assert [*circuit.graph.nodes()] == [*whole.nodes()]
    assert circuit.graph.outputs == whole.outputs
