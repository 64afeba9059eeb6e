import pytest
import torch

from dwn_asic.methods.dwn import efd, kernels
from dwn_asic.methods.dwn.config import EfdConfig
from dwn_asic.methods.dwn.efd import Efd, efd_weights, spread
from dwn_asic.methods.dwn.lookup import lut_lookup

BETA = 1 / 3
EXPONENTIAL = EfdConfig()
DECAYS = [EfdConfig(beta=0.0), EXPONENTIAL, EfdConfig(beta=0.9), EfdConfig(decay="harmonic")]


def alpha_of(config, n):
    if config.alpha is not None:
        return config.alpha
    return 1.0 if config.decay == "harmonic" else 0.5 * 0.75 ** (n - 1)


def decay_of(config, distance):
    return 1 / (distance + 1) if config.decay == "harmonic" else config.beta**distance


def weights_by_definition(tables, config):
    """Return W[l, a, k], the sum over a' of the paper, which its authors' kernel evaluates per sample."""
    n_luts, size = tables.shape
    n = size.bit_length() - 1
    address = torch.arange(size)
    distance = torch.zeros(size, size, dtype=torch.long)
    for k in range(n):
        distance += (address[:, None] >> k & 1) ^ (address >> k & 1)
    W = torch.zeros(n_luts, size, n, dtype=tables.dtype)
    for k in range(n):
        bit = address >> k & 1
        without_k = distance - (bit[:, None] ^ bit)
        decays = torch.tensor([decay_of(config, h) for h in range(n)], dtype=tables.dtype)[without_k]
        W[:, :, k] = alpha_of(config, n) * tables @ (decays * (2 * bit - 1)).t()
    return W


def draw(n, n_rows=9, n_luts=3, seed=0):
    """Draw slots (L * n, B), tables (L, 2**n) and the gradient of the values (L, B)."""
    generator = torch.Generator().manual_seed(seed + n)
    slots = (torch.rand(n_luts * n, n_rows, generator=generator) < 0.5).double()
    tables = torch.rand(n_luts, 1 << n, generator=generator).double() * 2 - 1
    grad = torch.randn(n_luts, n_rows, generator=generator).double()
    return slots.requires_grad_(), tables.requires_grad_(), grad


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("config", DECAYS)
def test_weights_follow_the_definition(n, config):
    _, tables, _ = draw(n)
    expected = weights_by_definition(tables.detach(), config)
    found = efd_weights(tables.detach(), Efd.of(config, n))
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)


def test_the_paper_decay_is_exact():
    for n in range(1, 9):
        terms = Efd.of(EfdConfig(decay="harmonic"), n).terms
        for h in range(n):
            assert sum(weight * beta**h for weight, beta in terms) == pytest.approx(1 / (h + 1), rel=1e-12)


@pytest.fixture(params=["compiled", "torch operations"])
def backend(request, monkeypatch):
    """Select the kernels of a CPU, or those of other devices."""
    if request.param != "compiled":
        monkeypatch.setattr(kernels, "on_cpu", lambda tensor: False)
    return request.param


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("config", [EXPONENTIAL, EfdConfig(decay="harmonic", alpha=0.3)])
@pytest.mark.usefixtures("backend")
def test_value_and_both_gradients_follow_the_definition(n, config, dtype):
    slots, tables, grad = (x.detach().to(dtype) for x in draw(n))
    slots.requires_grad_()
    tables.requires_grad_()
    values = lut_lookup(slots, tables, Efd.of(config, n))
    values.backward(grad)
    assert values.dtype == slots.grad.dtype == tables.grad.dtype == dtype

    n_luts, n_rows = grad.shape
    bits = slots.detach().view(n_luts, n, n_rows)
    W = weights_by_definition(tables.detach(), config)
    slot_grad = torch.zeros_like(bits)
    table_grad = torch.zeros_like(tables)
    for b in range(n_rows):
        for l in range(n_luts):
            a = sum(int(bits[l, k, b]) << k for k in range(n))
            assert values[l, b] == tables[l, a]
            slot_grad[l, :, b] = W[l, a] * grad[l, b]
            table_grad[l, a] += grad[l, b]
    torch.testing.assert_close(slots.grad.view_as(bits), slot_grad, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tables.grad, table_grad, atol=1e-5, rtol=1e-5)


def test_without_decay_the_gradient_is_the_finite_difference_of_the_flipped_bit():
    slots, tables, _ = draw(4)
    plain = Efd(((1.0, 0.0),))
    lut_lookup(slots, tables, plain).sum().backward()
    gradient = slots.grad.view(3, 4, -1)
    for k in range(4):
        on, off = (slots.detach().view(3, 4, -1).clone() for _ in range(2))
        on[:, k], off[:, k] = 1, 0
        difference = lut_lookup(on.view_as(slots), tables, plain) - lut_lookup(
            off.view_as(slots), tables, plain
        )
        torch.testing.assert_close(gradient[:, k], difference.detach())


def test_slot_zero_is_the_least_significant_bit():
    slots = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    values = lut_lookup(slots, torch.arange(8.0)[None], Efd(((1.0, BETA),)))
    assert values.flatten().tolist() == [1.0, 4.0]


@pytest.mark.parametrize("n", [1, 5, 8])
def test_several_threads_find_the_same(n):
    before = torch.get_num_threads()
    slots, tables, grad = draw(n, n_rows=64, n_luts=600)
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            values = lut_lookup(slots, tables, Efd.of(EXPONENTIAL, n))
            found.append((values, *torch.autograd.grad(values, (slots, tables), grad)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_the_spread_table_of_other_devices_is_the_same():
    _, tables, _ = draw(6)
    for config in DECAYS:
        terms = Efd.of(config, 6)
        torch.testing.assert_close(efd._spread(tables.detach(), terms), spread(tables.detach(), terms))
