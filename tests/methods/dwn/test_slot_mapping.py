import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.methods.dwn import kernels, mapping
from dwn_asic.methods.dwn.mapping import (
    TAU,
    arange_mapping,
    learnable_slots,
    random_candidates,
    random_mapping,
    renew_candidates,
    slot_mapping,
)


def draw(n_groups=1, n_starts=3, n_inputs=70, n_slots=12, n_rows=20, n_candidates=None, seed=1):
    """Draw bits (G, in, B), weights and candidates (R, S, K), and a gradient (R * S, B)."""
    generator = torch.Generator().manual_seed(seed)
    bits = (torch.rand(n_groups, n_inputs, n_rows, generator=generator) < 0.5).float()
    weights = torch.rand(n_starts, n_slots, n_candidates or n_inputs, generator=generator)
    candidates = None
    if n_candidates:
        candidates = random_candidates(n_inputs, n_candidates, (n_starts, n_slots), generator)
    grad = torch.randn(n_starts * n_slots, n_rows, generator=generator)
    # Two close weights share the bits' gradient, far ones do not.
    weights[:, 0, 2], weights[:, 0, 3] = 2.0, 2.0 - TAU
    return bits, weights, candidates, grad


CASES = [(1, None), (3, None), (1, 9), (3, 9)]


@pytest.mark.parametrize(("n_groups", "n_candidates"), CASES)
def test_each_slot_reads_its_heaviest_candidate(n_groups, n_candidates):
    bits, weights, candidates, _ = draw(n_groups, n_candidates=n_candidates)
    slots = learnable_slots(bits, weights, candidates).view(3, 12, -1)
    wiring = slot_mapping(weights, candidates)
    for r in range(3):
        for s in range(12):
            place = int(weights[r, s].argmax())
            bit = place if candidates is None else int(candidates[r, s, place])
            assert torch.equal(slots[r, s], bits[r % n_groups, bit])
            assert int(wiring[r, s]) == bit


def test_of_equal_weights_the_first_is_read():
    weights = torch.zeros(1, 3, 200)
    weights[0, 1, 150:] = 1.0
    weights[0, 2, [64, 130]] = 1.0
    assert slot_mapping(weights, None).tolist() == [[0, 150, 64]]


@pytest.mark.parametrize(("n_groups", "n_candidates"), CASES)
@pytest.mark.parametrize("tau", [TAU, 0.3])
@pytest.mark.parametrize("device", ["cpu", "another"])
def test_gradients_follow_the_definition(n_groups, n_candidates, tau, device, monkeypatch):
    bits, weights, candidates, grad = draw(n_groups, n_candidates=n_candidates)
    if device != "cpu":  # the operations of other devices, here on a CPU
        monkeypatch.setattr(kernels, "on_cpu", lambda tensor: False)
        monkeypatch.setattr(mapping, "_CHUNK", 1000)
    bits.requires_grad_()
    weights.requires_grad_()
    learnable_slots(bits, weights, candidates, tau).backward(grad)
    expected = torch.zeros_like(bits, dtype=torch.float64)
    for r in range(3):
        x = bits.detach()[r % n_groups].double()
        for s in range(12):
            at = slice(None) if candidates is None else candidates[r, s].long()
            g, w = grad.view(3, 12, -1)[r, s].double(), weights.detach()[r, s].double()
            torch.testing.assert_close(weights.grad[r, s].double(), (2 * x[at] - 1) @ g, atol=1e-5, rtol=1e-5)
            expected[r % n_groups, at] += torch.softmax(w / tau, 0)[:, None] * g
    torch.testing.assert_close(bits.grad.double(), expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("sizes", [(7, 1, 30), (40,), (16, 16)])
def test_ordered_thermometers_give_the_same_gradient(sizes):
    generator = torch.Generator().manual_seed(0)
    levels = [torch.randint(0, size + 1, (50,), generator=generator) for size in sizes]
    bits = torch.cat([level > torch.arange(size)[:, None] for level, size in zip(levels, sizes, strict=True)])
    features = torch.tensor([0, *sizes]).cumsum(0)
    weights = torch.rand(2, 75, len(bits), generator=generator, requires_grad=True)
    grad = torch.randn(150, 50, generator=generator)
    found = []
    for known in (None, features):
        slots = learnable_slots(bits[None].float(), weights, features=known)
        found += torch.autograd.grad(slots, weights, grad)
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-4)


def test_a_gradient_shared_by_all_candidates():
    bits, _, _, grad = draw(1)
    bits.requires_grad_()
    weights = torch.zeros(3, 12, 70)
    learnable_slots(bits, weights).backward(grad)
    torch.testing.assert_close(bits.grad[0], grad.sum(0).expand(70, -1) / 70)


def test_the_gradient_of_bits_is_skipped_where_nobody_asks(monkeypatch):
    monkeypatch.setattr(mapping, "_bits_gradient", None)
    bits, weights, _, grad = draw()
    learnable_slots(bits, weights.requires_grad_()).backward(grad)
    assert weights.grad is not None


@given(st.integers(4, 30), st.integers(0, 26), st.floats(0.0, 1.0), st.integers(0, 5))
def test_renewed_candidates_are_new_and_the_heaviest_stays(n_candidates, others, share, seed):
    n_inputs = n_candidates + others
    _, weights, candidates, _ = draw(n_inputs=n_inputs, n_candidates=n_candidates, seed=seed)
    before, wiring = candidates.clone(), slot_mapping(weights, candidates)
    renew_candidates(weights, candidates, n_inputs, share, torch.Generator().manual_seed(seed))
    size = candidates.shape[2]
    expected = min(int(share * size), size - 1, n_inputs - size)
    for old, new in zip(before.flatten(0, 1).tolist(), candidates.flatten(0, 1).tolist(), strict=True):
        assert len(set(new)) == size
        assert 0 <= min(new) <= max(new) < n_inputs
        assert len(set(new) - set(old)) == max(0, expected)
    assert torch.equal(slot_mapping(weights, candidates), wiring)


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
