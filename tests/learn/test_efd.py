import pytest
import torch

from dwn_asic.learn.efd import default_alpha, efd_lookup, efd_weights

BETA = 1 / 3


def weights_by_definition(tables, alpha, beta):
    """W[l, a, k] as the sum over a' that the paper's authors' kernel evaluates for each sample."""
    n_luts, size = tables.shape
    n = size.bit_length() - 1
    W = torch.zeros(n_luts, size, n, dtype=tables.dtype)
    for k in range(n):
        without_k = ~(1 << k)
        for a in range(size):
            for other in range(size):
                distance = ((a & without_k) ^ (other & without_k)).bit_count()
                sign = 1 if other >> k & 1 else -1
                W[:, a, k] += alpha * sign * beta**distance * tables[:, other]
    return W


def draw(n, n_rows=9, n_luts=3, seed=0):
    generator = torch.Generator().manual_seed(seed + n)
    bits = (torch.rand(n_rows, n_luts, n, generator=generator) < 0.5).double()
    tables = torch.rand(n_luts, 1 << n, generator=generator).double() * 2 - 1
    grad = torch.randn(n_rows, n_luts, generator=generator).double()
    return bits.requires_grad_(), tables.requires_grad_(), grad


def addresses(bits):
    return (bits.detach() @ (2.0 ** torch.arange(bits.shape[2])).double()).long()


@pytest.mark.parametrize("n", range(1, 7))
@pytest.mark.parametrize("beta", [0.0, BETA, 0.9])
def test_weights_follow_the_definition(n, beta):
    _, tables, _ = draw(n)
    alpha = default_alpha(n)
    expected = weights_by_definition(tables.detach(), alpha, beta)
    torch.testing.assert_close(efd_weights(tables.detach(), alpha, beta), expected)


@pytest.mark.parametrize("n", range(1, 7))
def test_value_and_both_gradients_follow_the_definition(n):
    bits, tables, grad = draw(n)
    values = efd_lookup(bits, tables, default_alpha(n), BETA)
    values.backward(grad)
    address = addresses(bits)

    W = weights_by_definition(tables.detach(), default_alpha(n), BETA)
    bits_grad = torch.zeros_like(bits)
    table_grad = torch.zeros_like(tables)
    for b in range(len(bits)):
        for l in range(len(tables)):
            a = int(address[b, l])
            assert values[b, l] == tables[l, a]
            bits_grad[b, l] = W[l, a] * grad[b, l]
            table_grad[l, a] += grad[b, l]
    torch.testing.assert_close(bits.grad, bits_grad)
    torch.testing.assert_close(tables.grad, table_grad)


def test_without_decay_the_gradient_is_the_finite_difference_of_the_flipped_bit():
    bits, tables, _ = draw(4)
    values = efd_lookup(bits, tables, 1.0, 0.0)
    values.sum().backward()
    for k in range(4):
        on, off = bits.detach().clone(), bits.detach().clone()
        on[:, :, k], off[:, :, k] = 1, 0
        difference = efd_lookup(on, tables, 1.0, 0.0) - efd_lookup(off, tables, 1.0, 0.0)
        torch.testing.assert_close(bits.grad[:, :, k], difference.detach())


def test_slot_zero_is_the_least_significant_bit():
    tables = torch.arange(8.0)[None]
    bits = torch.tensor([[[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]]])
    assert efd_lookup(bits, tables, 1.0, BETA).flatten().tolist() == [1.0, 4.0]


def test_float32_stays_float32():
    bits, tables, _ = draw(3)
    values = efd_lookup(bits.float(), tables.float(), 1.0, BETA)
    assert values.dtype == torch.float32
