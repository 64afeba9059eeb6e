import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.learn import mapping
from dwn_asic.learn.mapping import TAU, arange_mapping, learnable_slots, random_mapping


def draw(n_groups=1, n_inputs=7, n_slots=12, n_rows=20, seed=1):
    generator = torch.Generator().manual_seed(seed)
    bits = (torch.rand(n_rows, n_groups, n_inputs, generator=generator) < 0.5).float()
    weights = torch.rand(n_groups, n_inputs, n_slots, generator=generator)
    grad = torch.randn(n_rows, n_groups, n_slots, generator=generator)
    return bits, weights, grad


@pytest.mark.parametrize("n_groups", [1, 3])
def test_each_slot_reads_its_heaviest_candidate(n_groups):
    bits, weights, _ = draw(n_groups)
    slots = learnable_slots(bits, weights)
    for g in range(n_groups):
        for s in range(12):
            assert torch.equal(slots[:, g, s], bits[:, g, int(weights[g, :, s].argmax())])


@pytest.mark.parametrize("n_groups", [1, 3])
@pytest.mark.parametrize("chunk", [1, 70, 1 << 20])
def test_gradients_follow_the_definition(n_groups, chunk, monkeypatch):
    monkeypatch.setattr(mapping, "_CHUNK", chunk)
    bits, weights, grad = draw(n_groups)
    # Two close weights share the input's gradient, far ones do not.
    weights[:, 2, 0], weights[:, 3, 0] = 2.0, 2.0 - TAU
    bits.requires_grad_()
    weights.requires_grad_()
    learnable_slots(bits, weights).backward(grad)
    for g in range(n_groups):
        x, w, out = (t.detach().double() for t in (bits[:, g], weights[g], grad[:, g]))
        torch.testing.assert_close(weights.grad[g].double(), (2 * x - 1).t() @ out, atol=1e-5, rtol=1e-5)
        expected = out @ torch.softmax(w / TAU, 0).t()
        torch.testing.assert_close(bits.grad[:, g].double(), expected, atol=1e-4, rtol=1e-3)


def test_the_input_gradient_is_skipped_where_nobody_asks(monkeypatch):
    monkeypatch.setattr(mapping, "_softmax_product", None)
    bits, weights, grad = draw()
    learnable_slots(bits, weights.requires_grad_()).backward(grad)
    assert weights.grad is not None


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 8), st.integers(0, 5))
def test_random_mapping_uses_every_bit_before_one_repeats(n_inputs, n_luts, n_slots, seed):
    wiring = random_mapping(n_inputs, n_luts, n_slots, torch.Generator().manual_seed(seed))
    assert wiring.shape == (n_luts, n_slots)
    assert 0 <= int(wiring.min())
    assert int(wiring.max()) < n_inputs
    for row in wiring.tolist():
        assert len(set(row)) == min(n_slots, n_inputs)
    used = len(set(wiring.flatten().tolist()))
    if n_slots <= n_inputs:
        assert used == min(n_inputs, n_luts * n_slots)
    again = random_mapping(n_inputs, n_luts, n_slots, torch.Generator().manual_seed(seed))
    assert torch.equal(wiring, again)


def test_arange_mapping_counts_on_and_wraps():
    assert arange_mapping(5, 3, 2).tolist() == [[0, 1], [2, 3], [4, 0]]
