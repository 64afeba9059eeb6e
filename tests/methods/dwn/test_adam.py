import pytest
import torch
from torch import nn

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.adam import Adam

SHAPES = [(3, 4, 5), (3, 70), (7,)]


def parameters(dtype):
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in SHAPES]


def give_gradients(own, step):
    generator = torch.Generator().manual_seed(step)
    for parameter in own:
        scale = 10.0 ** float(torch.randint(-6, 3, (), generator=generator))
        parameter.grad = (torch.randn(parameter.shape, generator=generator) * scale).to(parameter.dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("device", ["cpu", "another"])
def test_steps_are_those_of_torch(dtype, device, monkeypatch):
    if device != "cpu":  # the operations of other devices, here on a CPU
        monkeypatch.setattr(kernels, "on_cpu", lambda tensor: False)
    own, exact = parameters(dtype), [nn.Parameter(p.detach().double()) for p in parameters(dtype)]
    adam, reference = Adam(own), torch.optim.Adam(exact)
    for step in range(30):
        rate = 0.05 / (1 + step)
        give_gradients(own, step)
        for mine, other in zip(own, exact, strict=True):
            other.grad = mine.grad.double()
        reference.param_groups[0]["lr"] = rate
        adam.step(rate)
        reference.step()
        tolerance = {"rtol": 1e-12, "atol": 1e-12} if dtype == torch.float64 else {"rtol": 1e-5, "atol": 1e-5}
        for mine, other in zip(own, exact, strict=True):
            assert mine.grad is None
            torch.testing.assert_close(mine.detach().double(), other.detach(), **tolerance)


def test_kept_starts_continue_as_they_would_have():
    every, some = parameters(torch.float32)[:2], parameters(torch.float32)[:2]
    adam, kept = Adam(every), Adam(some)
    starts = torch.tensor([2, 0])
    for step in range(6):
        if step == 3:
            kept.keep(starts)
            for parameter in some:
                parameter.data = parameter.data.index_select(0, starts)
        give_gradients(every, step)
        for parameter, other in zip(some, every, strict=True):
            parameter.grad = other.grad.index_select(0, starts) if step >= 3 else other.grad.clone()
        adam.step(0.01)
        kept.step(0.01)
    for parameter, other in zip(some, every, strict=True):
        assert torch.equal(parameter, other[starts])


def test_several_threads_take_the_same_step():
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            parameter = nn.Parameter(torch.linspace(-1, 1, 1 << 19).view(2, -1, 64))
            parameter.grad = parameter.detach().sin()
            Adam([parameter]).step(0.01)
            found.append(parameter.detach())
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)
