import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.boolean.lut_network import LutLayer
from dwn_asic.boolean.skip import without_skips


@given(st.integers(1, 8), st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 1000))
def test_the_outputs_are_those_of_the_skipping_layers(n_bits, widths, seed):
    rng = np.random.default_rng(seed)
    bits = rng.random((50, n_bits)) < 0.5
    layers, known = [], bits
    for width in widths:
        n_inputs = int(rng.integers(1, 5))
        mapping = rng.integers(0, known.shape[1], (width, n_inputs))
        layers.append(LutLayer(mapping, rng.random((width, 1 << n_inputs)) < 0.5))
        known = np.concatenate([known, layers[-1].evaluate(known)], axis=1)
    plain, found = without_skips(n_bits, layers), bits
    for layer in plain:
        assert layer.mapping.max() < found.shape[1]
        found = layer.evaluate(found)
    assert np.array_equal(found, known[:, -widths[-1] :])


def test_layers_that_skip_nothing_stay_as_they_are():
    rng = np.random.default_rng(0)
    first = LutLayer(rng.integers(0, 6, (4, 3)), rng.random((4, 8)) < 0.5)
    second = LutLayer(rng.integers(6, 10, (2, 2)), rng.random((2, 4)) < 0.5)
    plain = without_skips(6, [first, second])
    assert np.array_equal(plain[0].mapping, first.mapping)
    assert np.array_equal(plain[1].mapping, second.mapping - 6)
    assert [layer.n_luts for layer in plain] == [4, 2]
