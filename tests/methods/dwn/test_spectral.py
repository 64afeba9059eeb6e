import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.spectral import influence, l1_norm, l2_norm, spectral_penalty


def spectrum(tables):
    """Return the (L, 2**n) Walsh-Fourier coefficients by definition."""
    size = tables.shape[1]
    characters = torch.tensor(
        [[(-1.0) ** (a & s).bit_count() for a in range(size)] for s in range(size)], dtype=tables.dtype
    )
    return tables @ characters.t() / size


@given(st.integers(1, 6), st.integers(0, 100))
def test_all_follow_the_spectrum(n, seed):
    generator = torch.Generator().manual_seed(seed)
    tables = torch.rand(3, 1 << n, generator=generator).double() * 2 - 1
    coefficients = spectrum(tables)
    degree = torch.tensor([s.bit_count() for s in range(1 << n)]).double()
    torch.testing.assert_close(l2_norm(tables), coefficients.square().sum(1).sqrt())
    torch.testing.assert_close(l1_norm(tables), coefficients.abs().sum(1))
    torch.testing.assert_close(influence(tables), (coefficients.square() * degree).sum(1))


@pytest.mark.parametrize("kind", ["l2", "influence", "l1"])
def test_differentiable(kind):
    generator = torch.Generator().manual_seed(0)
    tables = (torch.rand(2, 8, generator=generator).double() * 2 - 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: spectral_penalty(t, kind), (tables,))
    zero = torch.zeros(2, 8, requires_grad=True)
    spectral_penalty(zero, kind).backward()
    assert torch.equal(zero.grad, torch.zeros(2, 8))


@pytest.mark.parametrize("kind", ["l2", "influence", "l1"])
def test_other_devices_find_the_same(kind, monkeypatch):
    tables = torch.rand(5, 32, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    tables.requires_grad_()
    found = []
    for on_cpu in (True, False):
        monkeypatch.setattr(kernels, "on_cpu", lambda tensor, answer=on_cpu: answer)
        value = spectral_penalty(tables, kind)
        found.append((value, *torch.autograd.grad(value, tables)))
    torch.testing.assert_close(*found)


def test_parity_has_the_most_influence_and_a_constant_none():
    parity = torch.tensor([[1.0, -1.0, -1.0, 1.0]])
    assert float(influence(parity)) == 2.0
    assert float(influence(torch.ones(1, 4))) == 0.0
    assert float(influence(torch.tensor([[-1.0, 1.0, -1.0, 1.0]]))) == 1.0
