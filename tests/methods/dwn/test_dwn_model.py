import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from learn_builders import as_bits, model_config, random_model

from dwn_asic.boolean.lut_network import Head
from dwn_asic.errors import ConfigError
from dwn_asic.methods.dwn.config import ModelConfig
from dwn_asic.methods.dwn.heads import check_model
from dwn_asic.methods.dwn.layers import binarize


def outputs_needed(head, code, n_classes, extra):
    if head == "direct":
        return Head(head, code, n_classes).direct_outputs
    return n_classes * 2 + extra


@st.composite
def configurations(draw):
    n_classes = draw(st.integers(2, 10))
    head, code = draw(st.sampled_from([("direct", "binary"), ("direct", "onehot"), ("popcount", "binary")]))
    arity = st.one_of(st.integers(1, 6), st.lists(st.integers(1, 4), min_size=2, max_size=3).map(tuple))
    hidden = draw(st.lists(st.tuples(st.integers(1, 12), arity), max_size=2))
    last = outputs_needed(head, code, n_classes, draw(st.integers(0, 1))), draw(arity)
    mapping = draw(st.sampled_from(["learnable", "random", "arange"]))
    more = {
        "reads": draw(st.sampled_from(["previous", "all"])),
        "candidates": draw(st.sampled_from([None, 3])),
    }
    return model_config([*hidden, last], head=head, code=code, mapping=mapping, **more), n_classes


@settings(max_examples=150, deadline=None)
@given(configurations(), st.integers(1, 3), st.integers(0, 1000))
def test_the_network_predicts_what_the_model_predicts(configuration, starts, seed):
    config, n_classes = configuration
    model, codes = random_model(config, n_classes, starts=starts, seed=seed)
    predicted = model.predict(as_bits(model, codes)).numpy()  # (R, B)
    assert predicted.shape == (starts, len(codes))
    for start in range(starts):
        network = model.to_lut_network(start, tuple("abcd"), tuple(map(str, range(n_classes))))
        assert np.array_equal(network.predict(codes), predicted[start])


@pytest.mark.parametrize("mapping", ["learnable", "random", "arange"])
def test_starts_do_not_touch_each_other(mapping):
    config = model_config([(6, 3), (4, 3), (1, 2)], mapping=mapping)
    model, codes = random_model(config, 2, starts=3)
    model(as_bits(model, codes))[1].square().sum().backward()
    for layer in model.lut_layers:
        for parameter in layer.parameters():
            used = parameter.grad.flatten(1).abs().sum(1) > 0
            assert used.tolist() == [False, True, False]


@pytest.mark.parametrize("n_classes", [3, 5, 6])
def test_an_unused_binary_code_stays_as_it_is(n_classes):
    bits = (n_classes - 1).bit_length()
    model, codes = random_model(model_config([(bits, 3)]), n_classes)
    with torch.no_grad():
        model.lut_layers[0].luts[0].tables.fill_(1.0)
    assert set(model.predict(as_bits(model, codes)).flatten().tolist()) == {(1 << bits) - 1}


def test_a_table_value_of_exactly_zero_is_a_cleared_bit():
    model, codes = random_model(model_config([(4, 2), (1, 2)]), 2)
    with torch.no_grad():
        model.lut_layers[-1].luts[0].tables.zero_()
    network = model.to_lut_network(0, ("a", "b", "c", "d"), ("n", "y"))
    assert not network.predict(codes).any()
    assert not model.predict(as_bits(model, codes)).any()


def test_logits_of_two_classes_are_minus_v_and_v():
    model, codes = random_model(model_config([(1, 4)], temperature=0.5), 2)
    bits = as_bits(model, codes)
    v = model.values(bits)
    torch.testing.assert_close(model(bits), torch.cat([-v, v], 1) / 0.5)


def test_logits_of_the_binary_code_include_the_unused_index():
    model, _ = random_model(model_config([(2, 2)], temperature=1.0), 3)
    logits = model.head(torch.tensor([[[0.5], [-0.2]]]))
    torch.testing.assert_close(logits, torch.tensor([[[-0.3], [0.7], [-0.7], [0.3]]]))


def test_logits_of_popcount_are_group_counts_and_the_gradient_passes_straight_through():
    config = model_config([(5, 2)], head="popcount", temperature=2.0)
    model, _ = random_model(config, 3)
    values = torch.tensor([[[0.1], [0.4], [-0.3], [0.2], [0.9]]], requires_grad=True)
    logits = model.head(values)
    assert logits.flatten().tolist() == [1.0, 0.5, 0.5]
    logits[0, 1].backward()
    assert values.grad.flatten().tolist() == [0.0, 0.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_scores_of_the_binary_code_are_signed_sums(bits):
    model, _ = random_model(model_config([(bits, 2)], temperature=1.0), 1 << bits)
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(3, bits, 5, generator=generator).double().requires_grad_()
    signs = torch.tensor([[2.0 * (c >> k & 1) - 1.0 for k in range(bits)] for c in range(1 << bits)]).double()
    torch.testing.assert_close(model.head.scores(values), signs @ values)
    assert torch.autograd.gradcheck(model.head.scores, (values,))


def test_binarize_is_strict_and_straight_through():
    values = torch.tensor([-1.0, 0.0, 1e-9], requires_grad=True)
    bits = binarize(values)
    bits.backward(torch.tensor([1.0, 2.0, 3.0]))
    assert bits.tolist() == [0.0, 0.0, 1.0]
    assert values.grad.tolist() == [1.0, 2.0, 3.0]


def test_clamp_brings_tables_back():
    model, _ = random_model(model_config([(3, 2), (1, 3)]), 2)
    with torch.no_grad():
        model.lut_layers[0].luts[0].tables.mul_(5.0)
    model.clamp()
    assert float(model.lut_layers[0].luts[0].tables.detach().abs().max()) == 1.0


@pytest.mark.parametrize(
    ("layers", "head", "code", "n_classes", "says"),
    [
        ([(8, 2), (2, 2)], "direct", "binary", 2, "has 2 LUTs"),
        ([(8, 2)], "direct", "binary", 5, "needs 3 for 5 classes"),
        ([(3, 2)], "direct", "onehot", 5, "onehot code needs 5"),
        ([(4, 2)], "popcount", "binary", 5, "5 classes are more than the 4 outputs"),
        ([(10, 2)], "popcount", "binary", 8, "without an output"),
    ],
)
def test_a_last_layer_that_does_not_fit_is_the_users_mistake(layers, head, code, n_classes, says):
    with pytest.raises(ConfigError, match=says) as caught:
        check_model(model_config(layers, head=head, code=code), n_classes, "flow.yaml")
    assert caught.value.file == "flow.yaml"
    assert caught.value.key == "model.layers"
    assert caught.value.allowed


def test_a_last_layer_that_fits_is_accepted():
    check_model(model_config([(3, 2)]), 5, "flow.yaml")
    check_model(model_config([(5, 2)], code="onehot"), 5, "flow.yaml")
    check_model(model_config([(23, 2)], head="popcount"), 5, "flow.yaml")


@pytest.mark.parametrize(
    ("code", "n_classes", "luts"),
    [("binary", 2, [24, 4, 1]), ("binary", 5, [72, 12, 3]), ("onehot", 5, [120, 20, 5])],
)
def test_a_pyramid_grows_from_its_outputs(code, n_classes, luts):
    config = ModelConfig(pyramid=(6, 6, 4), code=code)
    check_model(config, n_classes, "flow.yaml")
    model, codes = random_model(config, n_classes)
    assert [layer.luts[0].n_luts for layer in model.lut_layers] == luts
    network = model.to_lut_network(0, tuple("abcd"), tuple(map(str, range(n_classes))))
    assert np.array_equal(network.predict(codes), model.predict(as_bits(model, codes)).numpy()[0])


def test_luts_have_several_numbers_of_inputs_in_turn():
    model, _ = random_model(model_config([(5, (4, 2, 3)), (1, 5)]), 2)
    with torch.no_grad():  # values tell the parts apart
        for i, part in enumerate(model.lut_layers[0].luts):
            part.tables.fill_((i + 1) / 10)
    values = model.lut_layers[0](torch.zeros(1, len(model.thermometer), 1))
    torch.testing.assert_close(values[0, :, 0], torch.tensor([0.3, 0.1, 0.2, 0.3, 0.1]))
