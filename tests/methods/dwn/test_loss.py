import numpy as np
import pytest
import torch

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.loss import cross_entropy


def draw(n_starts=3, n_classes=5, n_rows=70, scale=3.0, dtype=torch.float64):
    """Draw logits (R, C, B) and soft labels (C, B), whose sums over the classes vary."""
    generator = torch.Generator().manual_seed(n_classes)
    logits = torch.randn(n_starts, n_classes, n_rows, generator=generator).to(dtype) * scale
    targets = torch.rand(n_classes, n_rows, generator=generator).to(dtype)
    return logits.requires_grad_(), targets


def by_torch(logits, targets):
    return -(targets * logits.log_softmax(1)).sum(1).mean(1)


@pytest.mark.parametrize("n_classes", [1, 2, 10, 33])
@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("device", ["cpu", "another"])
def test_losses_and_gradients_are_those_of_torch(n_classes, scale, dtype, device, monkeypatch):
    if device != "cpu":  # the operations of other devices, here on a CPU
        monkeypatch.setattr(kernels, "on_cpu", lambda tensor: False)
    logits, targets = draw(n_classes=n_classes, scale=scale, dtype=dtype)
    factors = torch.tensor([1.0, -2.0, 0.5], dtype=dtype)
    losses = cross_entropy(logits, targets)
    (found,) = torch.autograd.grad((factors * losses).sum(), logits)
    exact = logits.detach().double().requires_grad_()
    expected = by_torch(exact, targets.double())
    (gradient,) = torch.autograd.grad((factors.double() * expected).sum(), exact)
    assert losses.dtype == found.dtype == dtype
    tolerance = {"rtol": 1e-12, "atol": 1e-13} if dtype == torch.float64 else {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(losses.double(), expected, **tolerance)
    torch.testing.assert_close(found.double(), gradient, **tolerance)


def test_the_gradient_is_the_derivative():
    logits, targets = draw(n_starts=1, n_classes=3, n_rows=4)
    assert torch.autograd.gradcheck(lambda x: cross_entropy(x, targets), (logits,))


def test_sure_and_wrong_rows_stay_finite():
    logits = torch.tensor([[[1000.0, -1000.0], [-1000.0, 1000.0]]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
    loss.sum().backward()
    assert loss.item() == 1000.0
    np.testing.assert_allclose(logits.grad[0].numpy(), [[0.0, -0.5], [0.0, 0.5]], atol=1e-30)


def test_several_threads_find_the_same():
    logits, targets = draw(n_starts=40, n_classes=10, n_rows=500, dtype=torch.float32)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            losses = cross_entropy(logits, targets)
            found.append((losses, *torch.autograd.grad(losses.sum(), logits)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))
